//! The filters of a running thread, read from the kernel by ptrace.
//!
//! `PTRACE_SECCOMP_GET_FILTER` (Linux 4.4, `CONFIG_CHECKPOINT_RESTORE`) gives a filter's instructions as they were loaded.
//! It asks for a stopped tracee, CAP_SYS_ADMIN and a tracer without filters of its own (`kernel/seccomp.c`,
//! `get_nth_filter`). The thread is seized, not attached to, so that no signal is sent, and let go in the state that it was
//! in. Tracing belongs to the tracer's thread: each reading has one of its own, and when that ends, or batten is killed,
//! the kernel lets the tracee go and on (`exit_ptrace`).

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::process::Process;

/// How long a thread may take to stop: one that waits for a device cannot, and one of a container with a hundredth of a processor
/// has to wait for its turn.
const STOP: Duration = Duration::from_secs(3);

/// Why filters could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// The thread cannot be traced.
    #[error("cannot trace {tid}: {}", error.desc())]
    Seize {
        /// The thread.
        tid: i32,
        /// Why.
        error: Errno,
    },
    /// Another tracer has it.
    #[error("cannot trace {tid}: process {tracer} traces it")]
    Traced {
        /// The thread.
        tid: i32,
        /// Who does.
        tracer: i32,
    },
    /// It does not stop.
    #[error("{tid} does not stop: it waits in the kernel for something that cannot be interrupted")]
    Unstoppable {
        /// The thread.
        tid: i32,
    },
    /// The kernel does not give them.
    #[error("the kernel does not show the filters of {tid}: {}", error.desc())]
    Filter {
        /// The thread.
        tid: i32,
        /// Why.
        error: Errno,
    },
}

impl TraceError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Seize { .. } => {
                "--deep needs root on the host with CAP_SYS_PTRACE, and kernel.yama.ptrace_scope below 3"
            }
            Self::Traced { .. } => "end the tracer (strace, gdb) first",
            Self::Unstoppable { .. } => "run it again when it has come back",
            Self::Filter { error: Errno::EACCES | Errno::EPERM, .. } => {
                "--deep needs CAP_SYS_ADMIN on the host, and no filter on batten itself: run it outside of any container"
            }
            Self::Filter { error: Errno::EIO | Errno::EINVAL, .. } => {
                "the kernel must be built with CONFIG_CHECKPOINT_RESTORE"
            }
            Self::Filter { .. } => "filters that were not loaded by seccomp(2) as classic BPF cannot be read",
        }
    }
}

/// The filters of thread `tid` of `process`, the newest first; none when it is gone.
///
/// # Errors
/// [`TraceError`].
pub fn filters(process: &Process, tid: i32) -> Result<Option<Vec<Vec<u8>>>, TraceError> {
    std::thread::scope(|scope| scope.spawn(|| Tracee::seize(process, tid)?.map_or(Ok(None), Tracee::read)).join())
        // A panic in there is one out here.
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What a thread stopped for.
enum Stop {
    /// The tracer.
    Asked,
    /// A signal, which is still to be delivered.
    Signal(Signal),
    /// It ended instead.
    Gone,
}

/// A thread that this one traces.
struct Tracee {
    pid: Pid,
    tid: i32,
}

impl Tracee {
    fn seize(process: &Process, tid: i32) -> Result<Option<Self>, TraceError> {
        let pid = Pid::from_raw(tid);
        match ptrace::seize(pid, Options::empty()) {
            // The number was the thread's own when it was seized, if its process is still there.
            Ok(()) if process.is_there() && process.tids().contains(&tid) => Ok(Some(Self { pid, tid })),
            Ok(()) | Err(Errno::ESRCH) => Ok(None),
            Err(error) => match tracer(process, tid) {
                Some(tracer) => Err(TraceError::Traced { tid, tracer }),
                None => Err(TraceError::Seize { tid, error }),
            },
        }
    }

    fn read(self) -> Result<Option<Vec<Vec<u8>>>, TraceError> {
        let stopped_for = match self.stop()? {
            Stop::Gone => return Ok(None),
            Stop::Asked => None,
            Stop::Signal(signal) => Some(signal),
        };
        let filters = self.every_filter();
        // A signal that came meanwhile is handed on.
        let _ = ptrace::detach(self.pid, stopped_for);
        match filters {
            Ok(filters) => Ok(Some(filters)),
            Err(Errno::ESRCH) => Ok(None),
            Err(error) => Err(TraceError::Filter { tid: self.tid, error }),
        }
    }

    fn stop(&self) -> Result<Stop, TraceError> {
        if ptrace::interrupt(self.pid).is_err() {
            return Ok(Stop::Gone);
        }
        let until = Instant::now() + STOP;
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD | WaitPidFlag::WNOHANG;
        loop {
            // This process, too, may have been held up.
            let is_last = Instant::now() >= until;
            match waitpid(self.pid, Some(flags)) {
                Ok(WaitStatus::Stopped(_, signal)) => return Ok(Stop::Signal(signal)),
                Ok(WaitStatus::PtraceEvent(..)) => return Ok(Stop::Asked),
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => return Ok(Stop::Gone),
                _ if is_last => return Err(TraceError::Unstoppable { tid: self.tid }),
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_micros(200)),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn every_filter(&self) -> Result<Vec<Vec<u8>>, Errno> {
        let mut filters = Vec::new();
        loop {
            match filter(self.pid, filters.len()) {
                Ok(filter) => filters.push(filter),
                // Behind the oldest one.
                Err(Errno::ENOENT) => return Ok(filters),
                Err(error) => return Err(error),
            }
        }
    }
}

fn tracer(process: &Process, tid: i32) -> Option<i32> {
    let status = process.read(&format!("task/{tid}/status")).ok()??;
    let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok().filter(|tracer| *tracer > 0)
}

/// The type of ptrace(2)'s request, which C libraries do not agree on.
#[cfg(target_env = "musl")]
pub type Request = nix::libc::c_int;
/// The type of ptrace(2)'s request, which C libraries do not agree on.
#[cfg(not(target_env = "musl"))]
pub type Request = nix::libc::c_uint;

/// The filter at `index`, eight bytes an instruction.
#[allow(unsafe_code, reason = "no crate wraps this request")]
fn filter(pid: Pid, index: usize) -> Result<Vec<u8>, Errno> {
    const GET_FILTER: Request = 0x420c;
    let ask = |buffer: *mut u64| {
        // SAFETY: the request writes, into the buffer, as many eight-byte instructions as it returned for the same filter
        // of the same stopped thread without one; filters do not change once they are loaded.
        let count = unsafe { nix::libc::ptrace(GET_FILTER, pid.as_raw(), index, buffer) };
        Errno::result(count).and_then(|count| usize::try_from(count).map_err(|_| Errno::EINVAL))
    };
    let mut instructions = vec![0u64; ask(std::ptr::null_mut())?];
    if ask(instructions.as_mut_ptr())? != instructions.len() {
        return Err(Errno::EINVAL);
    }
    Ok(instructions.into_iter().flat_map(u64::to_ne_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_goes_on_when_it_was_looked_at() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let tid = i32::try_from(child.id()).unwrap();
        let process = Process::open(tid).unwrap().unwrap();
        // This needs root; as another user the kernel says so, and neither leaves it stopped.
        match filters(&process, tid) {
            Ok(read) => assert_eq!(read, Some(Vec::new())),
            Err(error) => assert!(matches!(error, TraceError::Filter { .. } | TraceError::Seize { .. }), "{error}"),
        }
        crate::attest::tests::eventually(
            || process.snapshot().unwrap().is_some_and(|seen| seen.status.state == 'S' && seen.status.tracer == 0),
            "it sleeps again, and nobody traces it",
        );
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(filters(&process, tid), Ok(None)));
    }

    #[test]
    fn a_stopped_process_stays_stopped() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let tid = i32::try_from(child.id()).unwrap();
        let process = Process::open(tid).unwrap().unwrap();
        let state = || process.snapshot().unwrap().map(|seen| (seen.status.state, seen.status.tracer));
        nix::sys::signal::kill(Pid::from_raw(tid), Signal::SIGSTOP).unwrap();
        crate::attest::tests::eventually(|| state() == Some(('T', 0)), "it stops");
        let _ = filters(&process, tid);
        crate::attest::tests::eventually(|| state() == Some(('T', 0)), "it is stopped as before");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
