//! What a profile is resolved for: architecture, kernel, capabilities.

use serde::Deserialize;

use super::arch::Arch;
use super::errno::Numbering;
use crate::capability::CapSet;

/// Which system call interfaces a filter answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Abis {
    /// The machine's own; calls through any other are killed. Faster to load, less to attack.
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

impl Target {
    /// How its kernel numbers errors: MIPS alone has its own way.
    pub(super) const fn numbering(&self) -> Numbering {
        match self.arch {
            Arch::Mips | Arch::Mips64 | Arch::Mips64n32 | Arch::Mipsel | Arch::Mipsel64 | Arch::Mipsel64n32 => {
                Numbering::Mips
            }
            _ => Numbering::Generic,
        }
    }
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
    /// Reads what `uname -r` prints: `6.18.44-fc`, `3.10.0-1160.el7.x86_64`, `4.8.0-rc1`. Whatever stands behind the
    /// second number is ignored, as in moby, which reads it with `fmt.Sscanf(release, "%d.%d", …)`.
    pub fn parse(release: &str) -> Option<Self> {
        let (major, rest) = leading_number(release)?;
        let (minor, _) = leading_number(rest.strip_prefix('.')?)?;
        Some(Self { major, minor })
    }

    /// The kernel that runs now. One that gives no readable release counts as the oldest: what needs a newer one stays
    /// closed.
    pub fn running() -> Self {
        Self::parse(&Self::release()).unwrap_or(Self { major: 0, minor: 0 })
    }

    /// What `uname -r` prints here; empty when the kernel does not say.
    pub fn release() -> String {
        let names = nix::sys::utsname::uname().ok();
        names.and_then(|names| names.release().to_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Go's `%d` into an unsigned integer: blanks are skipped, a sign is not taken.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_counts_by_its_first_two_numbers() {
        let version = |release| KernelVersion::parse(release).map(|version| (version.major, version.minor));
        for (release, want) in [
            ("4.8.0-rc1", (4, 8)),
            ("3.10.0-1160.el7.x86_64", (3, 10)),
            ("6.18", (6, 18)),
            ("3.12-1-amd64", (3, 12)),
            ("4.19rc", (4, 19)),
            (" 5. 4", (5, 4)),
            ("04.08", (4, 8)),
            ("999.999", (999, 999)),
        ] {
            assert_eq!(version(release), Some(want), "{release:?}");
        }
        for release in
            ["", "4", "4.", "4-8", "linux-4.8", "+4.8", "-4.8", "4.+8", "4_0.1", "\n4.8", "18446744073709551616.0"]
        {
            assert_eq!(version(release), None, "{release:?}");
        }
    }
}
