//! Where the kernel that runs keeps what the programs read.

use super::btf::Btf;

/// How a machine hands a call over to its kernel.
#[derive(Debug)]
pub(super) struct Machine {
    /// Of `task_struct`: the word that says by which interface the call came.
    interface: &'static str,
    /// Its bit for the 32-bit one.
    compat: i32,
    /// Of `pt_regs`: the call's number.
    number: &'static str,
    /// Of `pt_regs`: the first two arguments, of the machine's own interface and of the 32-bit one; and how far behind
    /// that member, in bytes.
    arguments: [(&'static str, i16); 4],
}

/// `TS_COMPAT` (`arch/x86/include/asm/thread_info.h`).
const X86_64: Machine = Machine {
    interface: "task_struct.thread_info.status",
    compat: 1 << 1,
    number: "pt_regs.orig_ax",
    arguments: [("pt_regs.di", 0), ("pt_regs.si", 0), ("pt_regs.bx", 0), ("pt_regs.cx", 0)],
};

/// `TIF_32BIT` (`arch/arm64/include/asm/thread_info.h`), and both interfaces' registers are the first ones
/// (`arch/arm64/include/asm/ptrace.h`). Written from the kernel's sources; it has not run yet.
const AARCH64: Machine = Machine {
    interface: "task_struct.thread_info.flags",
    compat: 1 << 22,
    number: "pt_regs.syscallno",
    arguments: [("pt_regs.regs", 0), ("pt_regs.regs", 8), ("pt_regs.regs", 0), ("pt_regs.regs", 8)],
};

impl Machine {
    /// The one batten is built for, if it is known.
    pub(super) const fn here() -> Option<&'static Self> {
        if cfg!(target_arch = "x86_64") {
            Some(&X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(&AARCH64)
        } else {
            None
        }
    }
}

/// Bytes into the kernel's structures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offsets {
    /// The word that says by which interface a call came.
    pub(super) interface: i16,
    /// Its bit for the 32-bit one.
    pub(super) compat: i32,
    /// `task_struct.tgid`
    pub(super) process: i16,
    /// `task_struct.pid`
    pub(super) thread: i16,
    /// `task_struct.nsproxy`
    pub(super) namespaces: i16,
    /// `nsproxy.mnt_ns`
    pub(super) mounts: i16,
    /// `mnt_namespace.ns.inum`
    pub(super) mounts_number: i16,
    /// `task_struct.signal`
    pub(super) signal: i16,
    /// `signal_struct.live.counter`
    pub(super) live_threads: i16,
    /// `task_struct.real_cred`
    pub(super) own_credentials: i16,
    /// `cred.user_ns`
    pub(super) users: i16,
    /// `user_namespace.ns.inum`
    pub(super) users_number: i16,
    /// `cred.cap_effective`
    pub(super) effective: i16,
    /// The call's number, of which the first four bytes count.
    pub(super) number: i16,
    /// The first two arguments, of the machine's own interface and of the 32-bit one.
    pub(super) arguments: [i16; 4],
}

impl Offsets {
    /// Finds them. The error is the member that this kernel does not have.
    pub(super) fn find(btf: &Btf, machine: &Machine) -> Result<Self, &'static str> {
        let at = |path: &'static str| {
            let (structure, member) = path.split_once('.').ok_or(path)?;
            btf.offset(structure, member).ok_or(path)
        };
        let argument = |place: usize| {
            let (path, behind) = machine.arguments[place];
            Ok::<_, &'static str>(at(path)? + behind)
        };
        Ok(Self {
            interface: at(machine.interface)?,
            compat: machine.compat,
            process: at("task_struct.tgid")?,
            thread: at("task_struct.pid")?,
            namespaces: at("task_struct.nsproxy")?,
            mounts: at("nsproxy.mnt_ns")?,
            mounts_number: at("mnt_namespace.ns.inum")?,
            signal: at("task_struct.signal")?,
            live_threads: at("signal_struct.live.counter")?,
            own_credentials: at("task_struct.real_cred")?,
            users: at("cred.user_ns")?,
            users_number: at("user_namespace.ns.inum")?,
            effective: at("cred.cap_effective")?,
            number: at(machine.number)?,
            arguments: [argument(0)?, argument(1)?, argument(2)?, argument(3)?],
        })
    }
}
