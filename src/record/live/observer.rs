//! The recorders behind one door.

use std::sync::Arc;

use super::subject::Subject;
use super::tally::Tally;
use super::{LiveError, bpf, ptrace};

/// How calls are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// BPF programs in the kernel.
    Bpf,
    /// ptrace.
    Ptrace,
}

impl Backend {
    /// From the best to the last resort.
    pub const ALL: [Self; 2] = [Self::Bpf, Self::Ptrace];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bpf => "bpf",
            Self::Ptrace => "ptrace",
        }
    }
}

/// A recorder that is ready.
#[derive(Debug)]
pub(super) enum Observer {
    Bpf(Box<bpf::Recorder>),
    Ptrace(ptrace::Recorder),
}

/// What a recorder saw.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) tally: Tally,
    /// What could not be seen.
    pub(super) unseen: Vec<String>,
    /// How the first process ended, where only the recorder was told.
    pub(super) exit_code: Option<u8>,
}

impl Observer {
    /// The recorder `wanted`, or the best that works here. What did not is added to `notes`.
    pub(super) fn open(wanted: Option<Backend>, arguments: bool, notes: &mut Vec<String>) -> Result<Self, LiveError> {
        let open = |backend| match backend {
            Backend::Bpf => Ok(Self::Bpf(Box::new(bpf::Recorder::open(arguments)?))),
            Backend::Ptrace => Ok(Self::Ptrace(ptrace::Recorder::new(arguments))),
        };
        if let Some(backend) = wanted {
            return open(backend);
        }
        let mut last = LiveError::NoBackend;
        for backend in Backend::ALL {
            match open(backend) {
                Ok(observer) => return Ok(observer),
                Err(error) => {
                    notes.push(format!("not recorded by {}: {error}", backend.name()));
                    last = error;
                }
            }
        }
        Err(last)
    }

    pub(super) const fn backend(&self) -> Backend {
        match self {
            Self::Bpf(_) => Backend::Bpf,
            Self::Ptrace(_) => Backend::Ptrace,
        }
    }

    /// Records from the execve of the first process on.
    pub(super) fn follow_from_exec(&mut self, subject: &Arc<Subject>) -> Result<(), LiveError> {
        match self {
            Self::Bpf(recorder) => Ok(recorder.follow_from_exec(subject)?),
            Self::Ptrace(recorder) => Ok(recorder.follow_from_exec(subject)?),
        }
    }

    /// Records from now on.
    pub(super) fn follow_now(&mut self, subject: &Arc<Subject>) -> Result<(), LiveError> {
        match self {
            Self::Bpf(recorder) => Ok(recorder.follow_now(subject)?),
            Self::Ptrace(recorder) => Ok(recorder.follow_now(subject)?),
        }
    }

    /// What was seen.
    pub(super) fn finish(self) -> Result<Observed, LiveError> {
        match self {
            Self::Bpf(recorder) => {
                let (tally, unseen) = recorder.finish()?;
                Ok(Observed { tally, unseen, exit_code: None })
            }
            Self::Ptrace(recorder) => {
                let (tally, unseen, exit_code) = recorder.finish()?;
                Ok(Observed { tally, unseen, exit_code })
            }
        }
    }
}
