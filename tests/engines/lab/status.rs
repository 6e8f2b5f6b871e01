//! What the kernel says of a process: the only witness that counts here.

use std::collections::BTreeMap;
use std::fs;

/// The command of every container here.
pub const STATUS: [&str; 2] = ["cat", "/proc/self/status"];

/// What [`crate::Room`]'s policy lets a container have, `CAP_CHOWN` and `CAP_KILL`: less than any engine gives by
/// itself, so that also a plain start shows whose rules hold.
pub const CEILING: u64 = 1 | 1 << 5;

/// The capabilities that Debian 12's Docker knows of: up to `CAP_AUDIT_READ`, as Linux 3.16 had them.
const KNOWN: u64 = (1 << 38) - 1;

/// The lines of one /proc/PID/status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status(BTreeMap<String, String>);

impl Status {
    /// Finds the lines in whatever else is printed around them.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (key, value) = line.split_once(":\t")?;
            let key = key.rsplit(' ').next()?; // BuildKit: "#5 0.136 CapInh:"
            Some((key.to_owned(), value.trim().to_owned()))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// One capability set, `CapBnd` or another.
    pub fn caps(&self, set: &str) -> u64 {
        u64::from_str_radix(self.field(set), 16).expect("a mask")
    }

    /// Whether no new privileges can be gained.
    pub fn no_new_privs(&self) -> bool {
        self.field("NoNewPrivs") == "1"
    }

    /// Whether a system call filter is in force.
    pub fn is_filtered(&self) -> bool {
        self.field("Seccomp") == "2"
    }

    fn field(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The claim of the whole project, by the policy that every room begins with.
    pub fn assert_within(&self, what: &str) {
        assert_eq!(self.caps("CapBnd"), CEILING, "{what}: {self:?}");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(self.caps(set) & !CEILING, 0, "{what}: {set} is above the ceiling: {self:?}");
        }
        assert!(self.is_filtered(), "{what}: no filter: {self:?}");
        assert!(self.no_new_privs(), "{what}: it may gain privileges: {self:?}");
    }

    /// The opposite, which shows that the claim can fail.
    pub fn assert_unrestricted(&self, what: &str) {
        for set in ["CapBnd", "CapEff"] {
            assert_eq!(own_bounding_set() & KNOWN & !self.caps(set), 0, "{what}: {set} is not all: {self:?}");
        }
        assert!(!self.is_filtered(), "{what}: {self:?}");
        assert!(!self.no_new_privs(), "{what}: {self:?}");
    }
}

/// What this process may hold itself; no runtime can give more.
pub fn own_bounding_set() -> u64 {
    Status::parse(&fs::read_to_string("/proc/self/status").unwrap()).caps("CapBnd")
}
