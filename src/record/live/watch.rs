//! Waiting for the end of a recording: the container's, ^C, or the time that was given.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Why the waiting is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The container's first process has ended.
    Exit,
    /// Somebody asked batten to end: ^C, SIGTERM, SIGHUP.
    Interrupt,
    /// The time is over.
    Time,
    /// Who answers the container's calls has ended.
    Recorder,
}

/// Takes the signals that ask batten to end, from its creation on. Programs that are started later get them as always.
#[derive(Debug)]
pub(super) struct Watch {
    signals: SignalFd,
}

impl Watch {
    pub(super) fn new() -> Result<Self, Errno> {
        let ends: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        ends.thread_block()?;
        Ok(Self { signals: SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)? })
    }

    /// Waits until `process` becomes readable, a signal comes, `until` is there, or the other end of `lifeline` is closed.
    pub(super) fn wait(
        &self,
        process: &OwnedFd,
        lifeline: Option<BorrowedFd<'_>>,
        until: Option<Instant>,
    ) -> Result<End, Errno> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let mut ready = vec![PollFd::new(process, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
            ready.extend(lifeline.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            match poll(&mut ready, left.map(timespec).as_ref()) {
                Ok(0) if until.is_some_and(|until| until <= Instant::now()) => return Ok(End::Time),
                Ok(_) if !ready[0].revents().is_empty() => return Ok(End::Exit),
                Ok(_) if matches!(self.signals.read_signal(), Ok(Some(_))) => return Ok(End::Interrupt),
                Ok(_) if ready.get(2).is_some_and(|line| !line.revents().is_empty()) => return Ok(End::Recorder),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Errno::from_raw(error.raw_os_error())),
            }
        }
    }
}

fn timespec(left: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() }
}
