//! Where the kernel that runs keeps what the programs read.

use super::btf::Btf;

/// Bytes into the kernel's structures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offsets {
    /// `task_struct.thread_info.status`
    pub(super) status: i16,
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
    /// `pt_regs.orig_ax`
    pub(super) number: i16,
    /// The first two arguments, of the machine's own interface and of the 32-bit one.
    pub(super) arguments: [i16; 4],
}

impl Offsets {
    /// Finds them. The error is the member that this kernel does not have.
    pub(super) fn find(btf: &Btf) -> Result<Self, &'static str> {
        let at = |path: &'static str| {
            let (structure, member) = path.split_once('.').ok_or(path)?;
            btf.offset(structure, member).ok_or(path)
        };
        Ok(Self {
            status: at("task_struct.thread_info.status")?,
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
            number: at("pt_regs.orig_ax")?,
            arguments: [at("pt_regs.di")?, at("pt_regs.si")?, at("pt_regs.bx")?, at("pt_regs.cx")?],
        })
    }
}
