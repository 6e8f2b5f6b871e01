//! Signals for `batten run`: what reaches batten goes on to the container, as with any runtime in the foreground.
//!
//! Until the container is there, handlers only remember; they vanish at the exec of the container's program, so it
//! starts with the defaults and with nothing blocked. From then on the signals are blocked here and waited for. What the
//! caller ignores, as `nohup` does and a shell for what it starts in the background, stays ignored.
#![allow(unsafe_code, reason = "sigaction")]

use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What a person or a supervisor sends to a program in the foreground.
const FORWARDED: [Signal; 8] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCONT,
    Signal::SIGWINCH,
];

static SEEN: AtomicU64 = AtomicU64::new(0);

extern "C" fn remember(signal: std::ffi::c_int) {
    SEEN.fetch_or(1 << signal, Ordering::Relaxed);
}

/// The signals that come in before the container is started.
#[derive(Debug)]
pub struct Remembered(());

impl Remembered {
    /// Begins to remember.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn install() -> Result<Self, Errno> {
        let action = SigAction::new(SigHandler::Handler(remember), SaFlags::SA_RESTART, SigSet::empty());
        for signal in FORWARDED {
            // SAFETY: the handler does nothing but an atomic operation, which is async-signal-safe.
            let before = unsafe { sigaction(signal, &action) }?;
            if matches!(before.handler(), SigHandler::SigIgn) {
                // SAFETY: it installs no handler.
                unsafe { sigaction(signal, &before) }?;
            }
        }
        Ok(Self(()))
    }

    /// Waits from here on; to be called before other threads start, so that they leave the signals alone.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn into_forwarder(self) -> Result<Forwarder, Errno> {
        let mut set: SigSet = FORWARDED.into_iter().collect();
        set.add(Signal::SIGCHLD);
        set.thread_block()?;
        Ok(Forwarder { set })
    }
}

/// Passes signals on until the container's first process ends.
#[derive(Debug)]
pub struct Forwarder {
    set: SigSet,
}

impl Forwarder {
    /// Waits for `pid`; gives its exit code, or 128 and the signal that ended it. `on_resize` is called when the
    /// terminal changes its size, and the signal is then not passed on.
    ///
    /// # Errors
    /// What the kernel says, above all that `pid` is no child.
    pub fn wait(&self, pid: Pid, on_resize: Option<&dyn Fn()>) -> Result<u8, Errno> {
        let seen = SEEN.swap(0, Ordering::Relaxed);
        for signal in FORWARDED.into_iter().filter(|signal| seen >> (*signal as u32) & 1 == 1) {
            pass_on(pid, signal, on_resize);
        }
        loop {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Exited(_, code) => return Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
                WaitStatus::Signaled(_, signal, _) => return Ok(128 + u8::try_from(signal as i32).unwrap_or(0)),
                _ => {}
            }
            match self.set.wait()? {
                Signal::SIGCHLD => {}
                signal => pass_on(pid, signal, on_resize),
            }
        }
    }
}

fn pass_on(pid: Pid, signal: Signal, on_resize: Option<&dyn Fn()>) {
    match on_resize {
        Some(resize) if signal == Signal::SIGWINCH => resize(),
        // A container that has just ended is no error.
        _ => drop(kill(pid, signal)),
    }
}
