//! Known ways out of containers, by the runtime's version: those that no policy of capabilities and system calls closes.

/// A hole and the versions without it.
#[derive(Debug)]
pub(super) struct Hole {
    /// The runtime.
    pub(super) runtime: &'static str,
    /// Its number.
    pub(super) cve: &'static str,
    /// What it comes to.
    pub(super) what: &'static str,
    /// The first version of each branch that is without it; what is older than the first has it.
    fixed: &'static [[u32; 3]],
}

/// From the runtimes' own advisories and release notes.
const HOLES: [Hole; 12] = [
    Hole { runtime: "runc", cve: "CVE-2022-29162", what: "exec gives inheritable capabilities", fixed: &[[1, 1, 2]] },
    Hole { runtime: "runc", cve: "CVE-2023-27561", what: "a race gets around masked /proc", fixed: &[[1, 1, 5]] },
    Hole { runtime: "runc", cve: "CVE-2023-28642", what: "a linked /proc gets around AppArmor", fixed: &[[1, 1, 5]] },
    Hole {
        runtime: "runc",
        cve: "CVE-2024-21626",
        what: "a leaked descriptor opens the host's files",
        fixed: &[[1, 1, 12]],
    },
    Hole { runtime: "runc", cve: "CVE-2025-31133", what: "a replaced /dev/null masks nothing", fixed: &RUNC_2025 },
    Hole {
        runtime: "runc",
        cve: "CVE-2025-52565",
        what: "a replaced /dev/console is mounted unmasked",
        fixed: &RUNC_2025,
    },
    Hole { runtime: "runc", cve: "CVE-2025-52881", what: "labels are written elsewhere in /proc", fixed: &RUNC_2025 },
    Hole { runtime: "crun", cve: "CVE-2022-27650", what: "exec gives inheritable capabilities", fixed: &[[1, 4, 4]] },
    Hole {
        runtime: "crun",
        cve: "CVE-2026-88264",
        what: "a linked /dev/console makes files on the host",
        fixed: &[[1, 30, 0]],
    },
    Hole {
        runtime: "crun",
        cve: "CVE-2026-88265",
        what: "a linked /dev/null hands out a file of the host",
        fixed: &[[1, 30, 0]],
    },
    Hole { runtime: "youki", cve: "CVE-2025-62161", what: "a race gets around masked paths", fixed: &[[0, 5, 7]] },
    Hole {
        runtime: "youki",
        cve: "CVE-2025-62596",
        what: "AppArmor labels are written elsewhere in /proc",
        fixed: &[[0, 5, 7]],
    },
];

const RUNC_2025: [[u32; 3]; 3] = [[1, 2, 8], [1, 3, 3], [1, 4, 0]];

impl Hole {
    /// The versions without it, for people.
    pub(super) fn fixed_in(&self) -> String {
        let versions = self.fixed.iter().map(|[major, minor, patch]| format!("{major}.{minor}.{patch}"));
        versions.collect::<Vec<_>>().join(", ")
    }

    /// Whether a version has it, by its number alone.
    fn is_in(&self, version: [u32; 3]) -> bool {
        let same_branch = self.fixed.iter().find(|fixed| fixed[..2] == version[..2]);
        match same_branch {
            Some(fixed) => version < *fixed,
            None => self.fixed.last().is_some_and(|newest| version < *newest),
        }
    }
}

/// The holes that the version of a runtime is known for.
pub(super) fn of(runtime: &str, version: [u32; 3]) -> impl Iterator<Item = &'static Hole> {
    HOLES.iter().filter(move |hole| hole.runtime == runtime && hole.is_in(version))
}

/// The first `N.N` or `N.N.N` in a text.
pub(super) fn version(text: &str) -> Option<[u32; 3]> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut numbers = word.split('.').map(|number| number.parse().ok());
        Some([numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(runtime: &str, text: &str) -> Vec<&'static str> {
        of(runtime, version(text).unwrap()).map(|hole| hole.cve).collect()
    }

    #[test]
    fn a_hole_is_closed_in_each_branch_from_its_own_version_on() {
        assert_eq!(known("runc", "runc version 1.1.12").len(), 3);
        assert_eq!(known("runc", "1.2.7"), ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"]);
        assert_eq!(known("runc", "1.3.2").len(), 3);
        for closed in ["1.2.8", "1.3.3", "1.3.4", "1.4.0", "1.5.1", "2.0.0"] {
            assert_eq!(known("runc", closed), [""; 0], "{closed}");
        }
        assert!(known("runc", "runc version 1.1.5+ds1").contains(&"CVE-2024-21626"));
        assert_eq!(known("crun", "crun version 1.30"), [""; 0]);
        assert_eq!(known("crun", "crun version 1.8.1").len(), 2);
        assert_eq!(known("runsc", "runsc version 1.0.0"), [""; 0]);
    }
}
