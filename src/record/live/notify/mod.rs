//! The recorder that is a filter: every call of the container waits until batten has counted it (seccomp user notification).
//!
//! It needs no more than a runtime that knows `listenerPath` (runc 1.1, crun 0.19), so it works where neither BPF nor ptrace
//! is allowed. The filter is the runtime's to load, so a container that runs already cannot be recorded so, and one that
//! brings a filter of its own would lose it.

mod agent;
mod held;
mod system;

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, ExitStatus};

use serde_json::json;

use super::bundle::{Bundle, Scratch};
use super::companion;
use crate::record::output;
use crate::record::recording::{Recording, RecordingError};
use crate::seccomp::{Arch, KernelVersion, Syscall};

/// What the runtime itself calls between loading the filter and handing over its listener, when nobody answers yet. It says
/// by `write` that there is one; the others are what Go's scheduler may have runc's thread do meanwhile, above all
/// `rt_sigreturn`, when it is to let another one run, and `clock_gettime` where the vDSO cannot read the clock (`hpet`,
/// `acpi_pm`). A start that waits for any of them waits until its listener is taken from it (`held`).
pub const RUNTIMES_OWN_CALLS: [&str; 11] = [
    "clock_gettime",
    "futex",
    "getpid",
    "madvise",
    "mmap",
    "munmap",
    "nanosleep",
    "rt_sigreturn",
    "sched_yield",
    "tgkill",
    "write",
];

/// The hidden subcommand that the agent is.
pub const AGENT: &str = "notify-agent";

/// Why a container cannot be recorded so.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The kernel does not let a call go on.
    #[error("this kernel does not let a call go on after it was reported (Linux 5.5)")]
    Kernel,
    /// It runs already.
    #[error("a filter cannot be put into a container from outside once it runs")]
    Running,
    /// The bundle has a filter of its own.
    #[error("the bundle has a filter of its own, which the recorder's would take the place of")]
    Filter,
    /// The agent.
    #[error("cannot start the process that answers the container: {0}")]
    Agent(io::Error),
    /// The agent has ended while the container ran.
    #[error("the process that answers the container has ended ({0}): every call failed with ENOSYS from then on")]
    Gone(ExitStatus),
    /// No container came.
    #[error("the runtime has handed over no listener")]
    NoListener,
    /// The agent answered something else.
    #[error(transparent)]
    Answer(#[from] RecordingError),
}

impl NotifyError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Kernel => "use --backend ptrace",
            Self::Running => "use --backend bpf or ptrace, or start it anew: batten record run -- BUNDLE",
            Self::Filter => "leave it out with --without-filter, or use --backend bpf or ptrace",
            Self::NoListener => "the runtime must know listenerPath: runc 1.1, crun 0.19",
            Self::Gone(_) => "see in the kernel's log who ended it (dmesg); run it again",
            Self::Agent(_) | Self::Answer(_) => "report this to batten",
        }
    }
}

/// A recorder that waits for the runtime.
#[derive(Debug)]
pub(super) struct Recorder {
    stream: UnixStream,
    agent: Child,
}

impl Recorder {
    /// Starts the agent, and has the bundle ask for a listener.
    pub(super) fn open(
        bundle: &mut Bundle,
        scratch: &Scratch,
        arguments: bool,
        run: &str,
        source: &str,
    ) -> Result<Self, NotifyError> {
        if KernelVersion::running() < (KernelVersion { major: 5, minor: 5 }) {
            return Err(NotifyError::Kernel);
        }
        if bundle.has_filter() {
            return Err(NotifyError::Filter);
        }
        let path = scratch.join("listener");
        let runtimes = UnixListener::bind(&path).map_err(NotifyError::Agent)?;
        let (stream, its_end) = UnixStream::pair().map_err(NotifyError::Agent)?;
        let agent =
            start_agent(runtimes.into(), its_end.into(), &[run, source], arguments).map_err(NotifyError::Agent)?;
        let mut architectures = vec![Arch::NATIVE];
        architectures.extend(Arch::NATIVE.compat());
        bundle.set_filter(filter(&path.display().to_string(), &architectures));
        Ok(Self { stream, agent })
    }

    /// The agent's number.
    pub(super) fn agent(&self) -> u32 {
        self.agent.id()
    }

    /// Has its other end closed when the agent ends.
    pub(super) fn lifeline(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Whether the agent has ended, and how.
    pub(super) fn failure(&mut self) -> Option<NotifyError> {
        self.agent.try_wait().ok().flatten().map(NotifyError::Gone)
    }

    /// What was counted, and what could not be seen.
    pub(super) fn finish(mut self) -> Result<(Recording, Vec<String>), NotifyError> {
        let mut text = Vec::new();
        let asked = self.stream.write_all(b"?").and_then(|()| self.stream.read_to_end(&mut text));
        if asked.is_err() || text.is_empty() {
            return Err(self.agent.wait().map_or_else(NotifyError::Agent, NotifyError::Gone));
        }
        let mut recording = output::load("the agent's answer", &text)?;
        if recording.calls.is_empty() {
            return Err(NotifyError::NoListener);
        }
        recording.unseen = RUNTIMES_OWN_CALLS.into_iter().filter_map(Syscall::from_name).collect();
        let names = RUNTIMES_OWN_CALLS.join(", ");
        let unseen = vec![
            format!("not seen by notify, and allowed all the same: {names}"),
            "results are not seen by notify: a call that failed or was refused is as any other".to_owned(),
            "capabilities are not seen by notify".to_owned(),
            "calls that the runtime's libseccomp does not know are not seen by notify".to_owned(),
        ];
        // It ends by itself, with the container's last process.
        let _ = self.agent.try_wait();
        Ok((recording, unseen))
    }
}

/// The socket that runtimes bring listeners to is its way in.
fn start_agent(runtimes: OwnedFd, batten: OwnedFd, words: &[&str; 2], arguments: bool) -> io::Result<Child> {
    let mut agent = companion::command(AGENT, runtimes);
    agent.stdout(batten).args(arguments.then_some("--args")).arg("--").args(words);
    agent.spawn()
}

/// Answers containers until the last of them has ended; the process is for nothing else.
///
/// # Errors
/// When it cannot wait.
pub fn serve(arguments: bool, run: &str, source: &str) -> io::Result<()> {
    agent::serve(arguments, run, source)
}

/// A filter that reports every call but the runtime's own, for every interface: one that a filter does not list is killed.
fn filter(listener: &str, architectures: &[Arch]) -> serde_json::Value {
    let exists = |call: &Syscall| architectures.iter().any(|arch| call.number(*arch).is_some());
    let names: Vec<&str> =
        Syscall::all().filter(exists).map(Syscall::name).filter(|name| !RUNTIMES_OWN_CALLS.contains(name)).collect();
    let architectures: Vec<&str> = architectures.iter().map(|arch| arch.name()).collect();
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": architectures,
        "listenerPath": listener,
        "syscalls": [{"names": names, "action": "SCMP_ACT_NOTIFY"}],
    })
}
