//! `socketcall` and `ipc`: one number for many calls, on the older architectures.
//!
//! libseccomp adds a companion to every rule for a call that can also be made through a multiplexer: the multiplexer with
//! the sub-call's number as its first argument (`abi_rule_add` in its `src/syscalls.c`). A condition on the call's own
//! first argument is lost there, since the multiplexer takes a pointer to the arguments.

use super::Syscall;
use crate::seccomp::arch::Arch;

/// A system call that stands for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// `socketcall(2)`.
    Socketcall,
    /// `ipc(2)`.
    Ipc,
}

const SOCKET: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];

const IPC: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

impl Multiplexer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Socketcall, Self::Ipc];

    /// The multiplexer's own name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Socketcall => "socketcall",
            Self::Ipc => "ipc",
        }
    }

    /// The multiplexer whose own name is `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The multiplexer itself as a call.
    pub fn syscall(self) -> Option<Syscall> {
        Syscall::from_name(self.name())
    }

    /// The multiplexer that also reaches `name`, and the first argument that does so
    /// (`include/uapi/linux/net.h`, `include/uapi/linux/ipc.h`).
    pub fn of(name: &str) -> Option<(Self, u64)> {
        if let Some(position) = SOCKET.iter().position(|known| *known == name) {
            return Some((Self::Socketcall, position as u64 + 1));
        }
        let (_, number) = IPC.iter().find(|(known, _)| *known == name)?;
        Some((Self::Ipc, *number))
    }

    /// The calls behind it, each with the first argument that reaches it.
    pub fn calls(self) -> impl Iterator<Item = (Syscall, u64)> {
        let socket = SOCKET.iter().zip(1u64..).map(|(name, number)| (*name, number));
        let ipc = IPC.iter().copied();
        let (first, second) = match self {
            Self::Socketcall => (Some(socket), None),
            Self::Ipc => (None, Some(ipc)),
        };
        let all = first.into_iter().flatten().chain(second.into_iter().flatten());
        all.filter_map(|(name, number)| Some((Syscall::from_name(name)?, number)))
    }

    /// Whether libseccomp adds companions on `arch`.
    pub const fn used_on(arch: Arch) -> bool {
        matches!(
            arch,
            Arch::X86
                | Arch::S390x
                | Arch::S390
                | Arch::Ppc64le
                | Arch::Ppc64
                | Arch::Ppc
                | Arch::Mips
                | Arch::Mipsel
                | Arch::M68k
                | Arch::Sh
                | Arch::Sheb
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_calls_have_the_kernels_numbers() {
        assert_eq!(Multiplexer::of("sendmmsg"), Some((Multiplexer::Socketcall, 20)));
        assert_eq!(Multiplexer::of("shmctl"), Some((Multiplexer::Ipc, 24)));
        assert_eq!(Multiplexer::of("read"), None);
        assert_eq!(Multiplexer::Socketcall.calls().count(), 20);
        assert_eq!(Multiplexer::Ipc.calls().count(), 12);
    }
}
