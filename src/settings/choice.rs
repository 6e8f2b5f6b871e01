//! The words that settings choose among.

use serde::Deserialize;

/// What happens to findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Fix, deny and report as each control says.
    Enforce,
    /// Report everything, change and refuse nothing.
    Audit,
}

/// What a control does with a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// The control does not look.
    Off,
    /// Shows it.
    Report,
    /// Edits the document so that it is within the policy; where nothing can be edited, denies.
    Fix,
    /// Refuses the container.
    Deny,
}

impl Violation {
    /// The word that policies use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Report => "report",
            Self::Fix => "fix",
            Self::Deny => "deny",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Off, Self::Report, Self::Fix, Self::Deny].into_iter().find(|known| known.as_str() == word)
    }

    /// Whether something passes under `self` that does not under `other`: a fixed container is within the policy as much
    /// as a refused one.
    pub(crate) fn is_looser_than(self, other: Self) -> bool {
        self.min(Self::Fix) < other.min(Self::Fix)
    }
}

/// What happens to a profile that the bundle brings itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Own {
    /// It stays, as long as it is at least as strict as the policy's.
    Keep,
    /// The policy's takes its place.
    Replace,
    /// Every call gets the stricter verdict of both (seccomp only).
    Combine,
    /// A bundle that brings one of its own is refused.
    Deny,
}

/// What to do where the host has no AppArmor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absent {
    /// Leave the profile name alone; the runtime decides (runc fails on one, crun skips it).
    Skip,
    /// Treat it as a violation that nothing can fix.
    Deny,
}

/// A standard to stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Pod Security Standards: nothing is asked.
    Privileged,
    /// Pod Security Standards: known ways to the host are closed.
    Baseline,
    /// Pod Security Standards: hardened.
    Restricted,
    /// CIS Docker Benchmark, section 5, as far as a bundle shows it.
    CisDocker,
}

impl Level {
    /// The word that policies use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
            Self::CisDocker => "cis-docker",
        }
    }
}
