//! What a parser understands: the version it says it has, and the ABI files that lie beside it.

use std::path::Path;

/// Where AppArmor's policy lies on a host.
pub const POLICY_FOLDER: &str = "/etc/apparmor.d";

/// A version of apparmor_parser, as far as the language depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 3 of 3.0.8.
    pub major: u16,
    /// 0 of 3.0.8.
    pub minor: u16,
}

impl Version {
    /// The oldest with an `abi` rule: Debian 12, Ubuntu 22.04.
    pub const V3_0: Self = Self { major: 3, minor: 0 };
    /// The oldest with a `userns` rule: Debian 13, Ubuntu 24.04.
    pub const V4_0: Self = Self { major: 4, minor: 0 };

    /// Reads `3.0`, `3.0.8` or `4.0.0~beta3`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What the profile is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The ABI to pin; `None` where the host has no such file, and a rule that names one would be an error.
    pub abi: Option<Version>,
    /// Whether there are rules for user namespaces and message queues. Where not, the kernel does not judge them either.
    pub facilities: bool,
    /// Whether Unix sockets are judged apart from `network`.
    pub unix: bool,
}

impl Dialect {
    /// The language of a parser of that version with the ABI files that it brings along.
    pub fn of(version: Version) -> Self {
        let is_new = version >= Version::V4_0;
        let abi = match version {
            version if is_new => Some(version.min(Version::V4_0)),
            version if version >= Version::V3_0 => Some(Version::V3_0),
            _ => None,
        };
        Self { abi, facilities: is_new, unix: is_new }
    }

    /// The language of this host: the newest ABI file that batten knows to write for. Asking the parser would cost a
    /// process; the file is what the rules depend on, and parser and files come in one package.
    pub fn of_host(policy: &Path) -> Self {
        let has = |version: Version| policy.join("abi").join(version.to_string()).is_file();
        if has(Version::V4_0) {
            return Self::of(Version::V4_0);
        }
        let old = Self::of(Version::V3_0);
        if has(Version::V3_0) { old } else { Self { abi: None, ..old } }
    }

    /// The language when a profile pins an ABI of its own.
    #[must_use]
    pub fn pinned(self, abi: Version) -> Self {
        let is_new = abi >= Version::V4_0;
        Self { abi: Some(abi), facilities: self.facilities && is_new, unix: is_new }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_parsers_print() {
        for (text, expected) in [
            ("3.0.8", Some(Version::V3_0)),
            ("4.0.0~beta3", Some(Version::V4_0)),
            ("4.1", Some(Version { major: 4, minor: 1 })),
            ("4", None),
            ("x.y", None),
        ] {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn an_abi_is_named_only_where_its_file_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Dialect::of_host(folder.path()).abi, None);
        std::fs::create_dir(folder.path().join("abi")).unwrap();
        for (file, expected) in [("3.0", Version::V3_0), ("4.0", Version::V4_0)] {
            std::fs::File::create_new(folder.path().join("abi").join(file)).unwrap();
            assert_eq!(Dialect::of_host(folder.path()).abi, Some(expected));
        }
    }
}
