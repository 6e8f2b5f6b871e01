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
    /// The first version that has it.
    since: [u32; 3],
    /// The first version of each branch that is without it; what is older than the first has it.
    fixed: &'static [[u32; 3]],
}

impl Hole {
    /// One that was always there.
    const fn old(runtime: &'static str, cve: &'static str, what: &'static str, fixed: &'static [[u32; 3]]) -> Self {
        Self { runtime, cve, what, since: [0; 3], fixed }
    }
}

/// From the runtimes' own advisories and release notes.
const HOLES: [Hole; 16] = [
    Hole::old("runc", "CVE-2022-29162", "exec gives inheritable capabilities", &[[1, 1, 2]]),
    Hole::old("runc", "CVE-2023-27561", "a race gets around masked /proc", &[[1, 1, 5]]),
    Hole::old("runc", "CVE-2023-28642", "a linked /proc gets around AppArmor", &[[1, 1, 5]]),
    Hole::old("runc", "CVE-2024-21626", "a leaked descriptor opens the host's files", &[[1, 1, 12]]),
    Hole::old("runc", "CVE-2024-45310", "a race makes empty files on the host", &[[1, 1, 14]]),
    Hole::old("runc", "CVE-2025-31133", "a replaced /dev/null masks nothing", &RUNC_2025),
    Hole::old("runc", "CVE-2025-52565", "a replaced /dev/console is mounted unmasked", &RUNC_2025),
    Hole::old("runc", "CVE-2025-52881", "labels are written elsewhere in /proc", &RUNC_2025),
    Hole::old(
        "runc",
        "CVE-2026-41579",
        "an image's linked /dev makes links on the host",
        &[[1, 3, 6], [1, 4, 3], [1, 5, 0]],
    ),
    Hole::old("crun", "CVE-2022-27650", "exec gives inheritable capabilities", &[[1, 4, 4]]),
    Hole {
        runtime: "crun",
        cve: "CVE-2026-30892",
        what: "exec as user 1 runs as root",
        since: [1, 19, 0],
        fixed: &[[1, 27, 0]],
    },
    Hole::old("crun", "CVE-2026-47766", "an image's linked /dev makes links on the host", &[[1, 28, 0]]),
    Hole::old("crun", "CVE-2026-88264", "a linked /dev/console makes files on the host", &[[1, 30, 0]]),
    Hole::old("crun", "CVE-2026-88265", "a linked /dev/null hands out a file of the host", &[[1, 30, 0]]),
    Hole::old("youki", "CVE-2025-62161", "a race gets around masked paths", &[[0, 5, 7]]),
    Hole::old("youki", "CVE-2025-62596", "AppArmor labels are written elsewhere in /proc", &[[0, 5, 7]]),
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
        if version < self.since {
            return false;
        }
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
        let of_2025 = ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"];
        assert_eq!(known("runc", "runc version 1.1.12").len(), 5);
        assert_eq!(known("runc", "1.2.7")[..3], of_2025);
        assert_eq!(known("runc", "1.3.2")[..3], of_2025);
        for newer in ["1.2.8", "1.3.3", "1.3.5", "1.4.0", "1.4.2"] {
            assert_eq!(known("runc", newer), ["CVE-2026-41579"], "{newer}");
        }
        for closed in ["1.3.6", "1.4.3", "1.5.0", "1.5.1", "2.0.0"] {
            assert_eq!(known("runc", closed), [""; 0], "{closed}");
        }
        assert!(known("runc", "runc version 1.1.5+ds1").contains(&"CVE-2024-21626"));
        assert_eq!(known("crun", "crun version 1.30"), [""; 0]);
        assert_eq!(known("crun", "crun version 1.8.1").len(), 3);
        assert!(
            !known("crun", "1.18.2").contains(&"CVE-2026-30892") && known("crun", "1.19").contains(&"CVE-2026-30892")
        );
        assert_eq!(known("runsc", "runsc version 1.0.0"), [""; 0]);
    }
}
