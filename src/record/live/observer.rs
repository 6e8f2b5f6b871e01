//! The recorders behind one door.

use super::LiveError;
use super::bpf;
use super::subject::Subject;
use super::tally::Tally;

/// How calls are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// BPF programs in the kernel.
    Bpf,
}

impl Backend {
    /// From the best to the last resort.
    pub const ALL: [Self; 1] = [Self::Bpf];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bpf => "bpf",
        }
    }
}

/// A recorder that is ready.
#[derive(Debug)]
pub(super) enum Observer {
    Bpf(bpf::Recorder),
}

impl Observer {
    /// The recorder `wanted`, or the best that works here. What did not is added to `notes`.
    pub(super) fn open(wanted: Option<Backend>, arguments: bool, notes: &mut Vec<String>) -> Result<Self, LiveError> {
        let open = |backend| match backend {
            Backend::Bpf => bpf::Recorder::open(arguments).map(Self::Bpf).map_err(LiveError::from),
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
        }
    }

    /// Records from the execve of the first process on.
    pub(super) fn follow_from_exec(&mut self, subject: &Subject) -> Result<(), LiveError> {
        match self {
            Self::Bpf(recorder) => Ok(recorder.follow_from_exec(subject)?),
        }
    }

    /// Records from now on.
    pub(super) fn follow_now(&mut self, subject: &Subject) -> Result<(), LiveError> {
        match self {
            Self::Bpf(recorder) => Ok(recorder.follow_now(subject)?),
        }
    }

    /// What was seen, and what could not be.
    pub(super) fn finish(self) -> Result<(Tally, Vec<String>), LiveError> {
        match self {
            Self::Bpf(recorder) => Ok(recorder.finish()?),
        }
    }
}
