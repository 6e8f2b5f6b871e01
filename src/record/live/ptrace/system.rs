//! ptrace(2) and the waiting that goes with it, by raw numbers: a tracee may stop for a real-time signal, which has no
//! name.
#![allow(unsafe_code, reason = "ptrace(2), waitpid(2), a signal handler")]

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::attest::trace::Request;

/// What a tracee tells its tracer of (`PTRACE_O_*`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Options(i32);

impl Options {
    const SINGLE: i32 = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_TRACECLONE;
    /// Its execve, and its threads, which are traced as well.
    pub(super) const UNTIL_EXEC: Self = Self(Self::SINGLE);
    /// Its children too.
    pub(super) const ALL: Self = Self(Self::SINGLE | libc::PTRACE_O_TRACEFORK | libc::PTRACE_O_TRACEVFORK);
}

/// How a tracee goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resume {
    /// To its next stop.
    Freely,
    /// To the entrance or the exit of its next call.
    ToCall,
    /// Stopped, as its signal wants it.
    Stopped,
}

/// What a call looks like when a tracee stops at it (`PTRACE_GET_SYSCALL_INFO`, Linux 5.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum CallStop {
    /// At the entrance.
    Entry { audit: u32, number: u64, arguments: [u64; 6] },
    /// At the exit; the error is positive.
    Exit { error: Option<i64> },
    /// Neither.
    Other,
}

/// Why a thread stopped, or how it ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// At a call.
    Call,
    /// It became another program.
    Exec,
    /// For a signal that stops it, or at once since the tracer wants it.
    Stop { by_signal: bool },
    /// It has a child or a thread.
    Child,
    /// A signal is to be delivered.
    Signal(i32),
    /// It is gone: its exit code, or 128 and the signal.
    End(u8),
}

fn request(number: Request, tid: i32, data: usize) -> Result<(), Errno> {
    // SAFETY: none of the requests made here writes to this process: their data is a number.
    let answer = unsafe { libc::ptrace(number, tid, std::ptr::null_mut::<libc::c_void>(), data) };
    Errno::result(answer).map(drop)
}

pub(super) fn seize(tid: i32, options: Options) -> Result<(), Errno> {
    request(libc::PTRACE_SEIZE, tid, usize::try_from(options.0).unwrap_or(0))
}

pub(super) fn set_options(tid: i32, options: Options) -> Result<(), Errno> {
    request(libc::PTRACE_SETOPTIONS, tid, usize::try_from(options.0).unwrap_or(0))
}

pub(super) fn interrupt(tid: i32) -> Result<(), Errno> {
    request(libc::PTRACE_INTERRUPT, tid, 0)
}

/// Lets a stopped tracee go on; `signal` is delivered, where it is not 0.
pub(super) fn resume(tid: i32, how: Resume, signal: i32) -> Result<(), Errno> {
    let number = match how {
        Resume::Freely => libc::PTRACE_CONT,
        Resume::ToCall => libc::PTRACE_SYSCALL,
        Resume::Stopped => libc::PTRACE_LISTEN,
    };
    request(number, tid, usize::try_from(signal).unwrap_or(0))
}

/// `struct ptrace_syscall_info` as words: kind and interface, two addresses, then what belongs to the kind.
pub(super) fn call(tid: i32) -> Result<CallStop, Errno> {
    // `include/uapi/linux/ptrace.h`; not every C library has them.
    const GET_SYSCALL_INFO: Request = 0x420e;
    const ENTRY: u8 = 1;
    const EXIT: u8 = 2;
    const LENGTH: usize = 11;
    let mut words = [0u64; LENGTH];
    let room = size_of_val(&words);
    // SAFETY: the kernel writes no more bytes to the array than it is said to have.
    let answer = unsafe { libc::ptrace(GET_SYSCALL_INFO, tid, room, words.as_mut_ptr()) };
    Errno::result(answer)?;
    let head = words[0].to_ne_bytes();
    let audit = u32::from_ne_bytes([head[4], head[5], head[6], head[7]]);
    Ok(match head[0] {
        ENTRY => {
            let mut arguments = [0; 6];
            arguments.copy_from_slice(&words[4..10]);
            CallStop::Entry { audit, number: words[3], arguments }
        }
        EXIT => {
            let failed = words[4].to_ne_bytes()[0] != 0;
            CallStop::Exit { error: failed.then(|| words[3].cast_signed().wrapping_neg()) }
        }
        _ => CallStop::Other,
    })
}

/// The next stop or end of any tracee of this thread; none where `block` is false and there is none yet.
pub(super) fn wait(block: bool) -> Result<Option<(i32, Event)>, Errno> {
    let flags = libc::__WALL | libc::__WNOTHREAD | if block { 0 } else { libc::WNOHANG };
    let mut status = 0;
    // SAFETY: the kernel writes one int.
    let tid = Errno::result(unsafe { libc::waitpid(-1, &raw mut status, flags) })?;
    Ok((tid != 0).then(|| (tid, event(status))))
}

fn event(status: i32) -> Event {
    if libc::WIFEXITED(status) {
        return Event::End(u8::try_from(libc::WEXITSTATUS(status) & 0xff).unwrap_or(u8::MAX));
    }
    if libc::WIFSIGNALED(status) {
        return Event::End(u8::try_from(128 + libc::WTERMSIG(status)).unwrap_or(u8::MAX));
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == libc::SIGTRAP | 0x80 => Event::Call,
        0 => Event::Signal(signal),
        libc::PTRACE_EVENT_EXEC => Event::Exec,
        libc::PTRACE_EVENT_STOP => Event::Stop { by_signal: signal != libc::SIGTRAP },
        _ => Event::Child,
    }
}

extern "C" fn nothing(_: libc::c_int) {}

/// Has [`wake`] end a system call of a thread of this process early.
pub(super) fn prepare_to_wake() -> Result<(), Errno> {
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing. Nothing else here uses the signal, which is ignored without one.
    unsafe { sigaction(Signal::SIGURG, &action) }.map(drop)
}

/// Ends the waiting of the thread `tid` of this process, if it waits just now.
pub(super) fn wake(tid: i32) {
    // SAFETY: a signal to a thread of this process, which handles it.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGURG) };
}
