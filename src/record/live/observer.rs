//! The recorders behind one door.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::bundle::{Bundle, Scratch};
use super::notify::NotifyError;
use super::subject::Subject;
use super::{Asked, LiveError, bpf, notify, ptrace};
use crate::record::recording::Recording;

/// How calls are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// BPF programs in the kernel.
    Bpf,
    /// A filter that reports each call.
    Notify,
    /// ptrace.
    Ptrace,
}

impl Backend {
    /// From the best to the last resort.
    pub const ALL: [Self; 3] = [Self::Bpf, Self::Notify, Self::Ptrace];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bpf => "bpf",
            Self::Notify => "notify",
            Self::Ptrace => "ptrace",
        }
    }

    /// What a recording says of where a call was seen.
    fn source(self) -> String {
        format!("batten record, {}", self.name())
    }
}

/// A recorder that is ready.
#[derive(Debug)]
pub(super) struct Observer {
    run: String,
    backend: Backend,
    recorder: Recorder,
}

#[derive(Debug)]
enum Recorder {
    Bpf(Box<bpf::Recorder>),
    Notify(notify::Recorder),
    Ptrace(ptrace::Recorder),
}

/// What a recorder saw.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) recording: Recording,
    /// What could not be seen.
    pub(super) unseen: Vec<String>,
    /// How the first process ended, where only the recorder was told.
    pub(super) exit_code: Option<u8>,
}

/// The bundle that is going to be started, and room for what a recorder needs beside it.
pub(super) type Place<'p> = (&'p mut Bundle, &'p Scratch);

impl Observer {
    /// The recorder that is asked for, or the best that works here, for the run that is called `run`. A container that runs
    /// already has no `place`. What did not work is added to `notes`.
    pub(super) fn open(
        asked: Asked,
        run: String,
        mut place: Option<Place<'_>>,
        notes: &mut Vec<String>,
    ) -> Result<Self, LiveError> {
        if let Some(backend) = asked.backend {
            let recorder = Recorder::open(backend, asked.arguments, &run, place)?;
            return Ok(Self { run, backend, recorder });
        }
        let mut last = LiveError::NoBackend;
        for backend in Backend::ALL {
            let place = place.as_mut().map(|(bundle, scratch)| (&mut **bundle, *scratch));
            match Recorder::open(backend, asked.arguments, &run, place) {
                Ok(recorder) => return Ok(Self { run, backend, recorder }),
                Err(error) => {
                    notes.push(format!("not recorded by {}: {error}", backend.name()));
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// The one that it is.
    pub(super) const fn backend(&self) -> Backend {
        self.backend
    }

    /// Records from the execve of the first process on.
    pub(super) fn follow_from_exec(&mut self, subject: &Arc<Subject>) -> Result<(), LiveError> {
        match &mut self.recorder {
            Recorder::Bpf(recorder) => Ok(recorder.follow_from_exec(subject)?),
            // The runtime brings it what to follow.
            Recorder::Notify(_) => Ok(()),
            Recorder::Ptrace(recorder) => Ok(recorder.follow_from_exec(subject)?),
        }
    }

    /// Records from now on.
    pub(super) fn follow_now(&mut self, subject: &Arc<Subject>) -> Result<(), LiveError> {
        match &mut self.recorder {
            Recorder::Bpf(recorder) => Ok(recorder.follow_now(subject)?),
            Recorder::Notify(_) => Err(NotifyError::Running.into()),
            Recorder::Ptrace(recorder) => Ok(recorder.follow_now(subject)?),
        }
    }

    /// The process that answers the container's calls, where it needs one.
    pub(super) fn agent(&self) -> Option<u32> {
        match &self.recorder {
            Recorder::Notify(recorder) => Some(recorder.agent()),
            Recorder::Bpf(_) | Recorder::Ptrace(_) => None,
        }
    }

    /// Has its other end closed when that process ends.
    pub(super) fn lifeline(&self) -> Option<BorrowedFd<'_>> {
        match &self.recorder {
            Recorder::Notify(recorder) => Some(recorder.lifeline()),
            Recorder::Bpf(_) | Recorder::Ptrace(_) => None,
        }
    }

    /// Why the container could not be created, where that is the recorder's fault.
    pub(super) fn failure(&mut self) -> Option<LiveError> {
        match &mut self.recorder {
            Recorder::Notify(recorder) => recorder.failure().map(LiveError::from),
            Recorder::Bpf(_) | Recorder::Ptrace(_) => None,
        }
    }

    /// What was seen.
    pub(super) fn finish(self) -> Result<Observed, LiveError> {
        let (tally, unseen, exit_code) = match self.recorder {
            Recorder::Bpf(recorder) => {
                let (tally, unseen) = recorder.finish()?;
                (tally, unseen, None)
            }
            Recorder::Ptrace(recorder) => recorder.finish()?,
            Recorder::Notify(recorder) => {
                let (recording, unseen) = recorder.finish()?;
                return Ok(Observed { recording, unseen, exit_code: None });
            }
        };
        Ok(Observed { recording: tally.recording(&self.run, &self.backend.source()), unseen, exit_code })
    }
}

impl Recorder {
    fn open(backend: Backend, arguments: bool, run: &str, place: Option<Place<'_>>) -> Result<Self, LiveError> {
        match backend {
            Backend::Bpf => Ok(Self::Bpf(Box::new(bpf::Recorder::open(arguments)?))),
            Backend::Notify => {
                let (bundle, scratch) = place.ok_or(NotifyError::Running)?;
                let recorder = notify::Recorder::open(bundle, scratch, arguments, run, &backend.source())?;
                Ok(Self::Notify(recorder))
            }
            Backend::Ptrace => Ok(Self::Ptrace(ptrace::Recorder::new(arguments))),
        }
    }
}
