//! Linux capabilities: the exact names, and sets of them.
//!
//! A name counts only when it is spelled as in capabilities(7). Runtimes are laxer, each in its own way: libcap takes
//! `21` and `cap_sys_admin zz` for `CAP_SYS_ADMIN`, libcontainer takes `KILL` for `CAP_KILL`, runc drops what it does
//! not know. An exact list of what is allowed leaves nothing to their taste.

use std::fmt;

/// One capability, by its number in the kernel (`include/uapi/linux/capability.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capability(u8);

/// The names, in the order of the kernel's numbers (Linux 5.9 and later: 0 to 40).
const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

impl Capability {
    /// The capability spelled exactly `name`, as in `CAP_NET_ADMIN`.
    pub fn from_name(name: &str) -> Option<Self> {
        // From the end, where they differ: they all begin alike.
        let is = |known: &str| known.len() == name.len() && known.bytes().rev().eq(name.bytes().rev());
        let number = NAMES.iter().position(|known| is(known))?;
        u8::try_from(number).ok().map(Self)
    }

    /// The capability with the kernel's `number`.
    pub const fn from_number(number: u8) -> Option<Self> {
        if (number as usize) < NAMES.len() { Some(Self(number)) } else { None }
    }

    /// Its name, as in `CAP_NET_ADMIN`.
    pub const fn name(self) -> &'static str {
        NAMES[self.0 as usize]
    }

    /// Its number in the kernel.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of capabilities: bit N stands for the capability with number N, as in /proc/PID/status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CapSet(u64);

impl CapSet {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// All that Linux 6.18 knows.
    pub const ALL: Self = Self((1 << NAMES.len()) - 1);
    /// The fourteen that Docker gives every container (moby, `oci/caps/defaults.go`).
    pub const DOCKER: Self = Self(0xa804_25fb);

    /// The eleven that Podman gives every container (container-libs, `pkg/config/default.go`).
    pub const PODMAN: Self = Self(0x8004_05fb);

    /// The set with the given bits; bits that no capability has are dropped.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set of one.
    pub const fn of(capability: Capability) -> Self {
        Self(1 << capability.0)
    }

    /// Whether `capability` is in it.
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & Self::of(capability).0 != 0
    }

    /// Whether all of `other` is in it.
    pub const fn includes(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one only.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Its members, by number.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        (0_u8..64).filter(move |number| self.0 >> number & 1 == 1).map(Capability)
    }
}

impl FromIterator<Capability> for CapSet {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::EMPTY, |set, capability| set.union(Self::of(capability)))
    }
}

impl fmt::Display for CapSet {
    /// The names, with commas between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, capability) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            f.write_str(capability.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_number_is_the_kernel_s() {
        for known in caps::all() {
            let own = Capability::from_name(&known.to_string()).expect("caps and batten know the same");
            assert_eq!(own.number(), known.index());
        }
        assert_eq!(CapSet::ALL.iter().count(), caps::all().len());
    }

    #[test]
    fn only_the_exact_spelling_is_a_capability() {
        for name in ["21", "0x15", "cap_sys_admin", "CAP_SYS_ADMIN ", "cap_sys_admin zz", "SYS_ADMIN", "KILL", ""] {
            assert_eq!(Capability::from_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn docker_s_default_is_its_fourteen() {
        let names = "CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, \
                     CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT, CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP";
        assert_eq!(CapSet::DOCKER.to_string(), names);
    }

    #[test]
    fn podman_s_default_is_docker_s_without_three() {
        let less =
            ["CAP_NET_RAW", "CAP_MKNOD", "CAP_AUDIT_WRITE"].map(|name| Capability::from_name(name).expect("known"));
        assert_eq!(CapSet::PODMAN, CapSet::DOCKER.difference(less.into_iter().collect()));
    }
}
