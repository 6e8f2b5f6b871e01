//! The listener of a filter: what seccomp_unotify(2) asks for.
#![allow(unsafe_code, reason = "ioctl(2)")]

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc;

/// A call that waits for an answer (`struct seccomp_notif`).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Notification {
    pub(super) id: u64,
    /// The thread, in batten's numbers; 0 where it has none there.
    pub(super) thread: u32,
    flags: u32,
    pub(super) number: u32,
    /// `AUDIT_ARCH_*`
    pub(super) audit: u32,
    instruction: u64,
    pub(super) arguments: [u64; 6],
}

/// `struct seccomp_notif_resp`
#[repr(C)]
struct Answer {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`, Linux 5.5: the kernel makes the call as if there were no filter.
const CONTINUE: u32 = 1;

const _: () = assert!(size_of::<Notification>() == 80 && size_of::<Answer>() == 24);

/// `SECCOMP_IOWR(0, struct seccomp_notif)` and its neighbours, of the generic encoding.
const RECEIVE: u64 = 0xc050_2100;
const SEND: u64 = 0xc018_2101;
const SET_FLAGS: u64 = 0x4008_2104;

/// The next call; none when the thread that made it is gone.
pub(super) fn receive(listener: BorrowedFd<'_>) -> Result<Option<Notification>, Errno> {
    // The kernel takes only an empty one.
    let mut notification = Notification::default();
    // SAFETY: the kernel writes one structure of the size that the request's number says.
    let answer = unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE as _, &raw mut notification) };
    match Errno::result(answer) {
        Ok(_) => Ok(Some(notification)),
        Err(Errno::ENOENT | Errno::EINTR) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets the call happen; says whether it still waits for that. A thread that is gone, or that a signal called away, does not.
pub(super) fn let_go(listener: BorrowedFd<'_>, id: u64) -> bool {
    let mut answer = Answer { id, value: 0, error: 0, flags: CONTINUE };
    // SAFETY: the kernel reads one structure of the size that the request's number says.
    unsafe { libc::ioctl(listener.as_raw_fd(), SEND as _, &raw mut answer) == 0 }
}

/// Has the kernel wake each side on the other's processor (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, Linux 6.6): they never
/// run at the same time. Older ones do without.
pub(super) fn wake_in_place(listener: BorrowedFd<'_>) {
    // SAFETY: the argument is a number.
    unsafe { libc::ioctl(listener.as_raw_fd(), SET_FLAGS as _, 1u64) };
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
pub(super) mod tests {
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn when_nobody_has_the_listener_a_reported_call_fails_as_one_that_the_kernel_does_not_have() {
        if nix::unistd::geteuid().is_root() {
            let _alone = alone();
            let execve = u32::try_from(libc::SYS_execve).unwrap();
            let error = reporting(execve, Listener::Closed, Command::new("/bin/true")).status().unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENOSYS));
        }
    }

    /// Held by whoever starts or looks for children with a listener: a slow one could be taken for another test's.
    pub(in super::super) fn alone() -> std::sync::MutexGuard<'static, ()> {
        static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What a process does with the listener of its own filter.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in super::super) enum Listener {
        Kept,
        Closed,
    }

    /// Has `command` load a filter that reports the call `number`.
    pub(in super::super) fn reporting(number: u32, keep: Listener, mut command: Command) -> Command {
        const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
        const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
        const RETURN: u16 = 0x06; // BPF_RET | BPF_K
        const REPORT: u32 = 0x7fc0_0000; // SECCOMP_RET_USER_NOTIF
        const ALLOW: u32 = 0x7fff_0000;
        let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        let load = move || {
            let mut program = [
                step(LOAD, 0, 0, 0),
                step(JUMP_IF_EQUAL, 0, 1, number),
                step(RETURN, 0, 0, REPORT),
                step(RETURN, 0, 0, ALLOW),
            ];
            let program = libc::sock_fprog { len: 4, filter: program.as_mut_ptr() };
            // SAFETY: the kernel copies the program, which lives until the call returns.
            let listener = unsafe { libc::syscall(libc::SYS_seccomp, 1, 8, &raw const program) };
            let listener = Errno::result(listener).map_err(std::io::Error::from)?;
            if keep == Listener::Closed {
                // SAFETY: nobody else has it.
                drop(unsafe { OwnedFd::from_raw_fd(i32::try_from(listener).unwrap_or(-1)) });
            }
            Ok(())
        };
        // SAFETY: it makes one system call.
        unsafe { command.pre_exec(load) };
        command
    }
}
