//! What a profile is resolved for: architecture, kernel, capabilities.

use super::arch::Arch;
use crate::capability::CapSet;

/// Which system call interfaces a filter answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abis {
    /// The machine's own.
    Native,
    /// The 32-bit ones that its kernel also runs, too.
    Compat,
}

/// A container on a machine, as far as a profile's conditions ask.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The machine's own architecture.
    pub arch: Arch,
    /// The kernel it runs.
    pub kernel: KernelVersion,
    /// The container's bounding set.
    pub caps: CapSet,
    /// Which interfaces to answer for.
    pub abis: Abis,
}

/// The two numbers that `minKernel` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelVersion {
    /// The 6 of 6.18.
    pub major: u64,
    /// The 18 of 6.18.
    pub minor: u64,
}

impl KernelVersion {
    /// Reads what `uname -r` prints: `6.18.44-fc`, `3.10.0-1160.el7.x86_64`, `4.8.0-rc1`.
    pub fn parse(release: &str) -> Option<Self> {
        let (major, rest) = release.split_once('.')?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        Some(Self { major: major.parse().ok()?, minor: rest[..end].parse().ok()? })
    }

    /// The kernel that runs now. One that gives no readable release counts as the oldest: what needs a newer one stays
    /// closed.
    pub fn running() -> Self {
        let release = nix::sys::utsname::uname().ok();
        let parsed = release.as_ref().and_then(|names| names.release().to_str()).and_then(Self::parse);
        parsed.unwrap_or(Self { major: 0, minor: 0 })
    }
}
