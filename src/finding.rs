//! What a rule says of a document: where, why, what became of it, and the edits that put it right.

use std::borrow::Cow;
use std::fmt;

use crate::settings::Origin;
use crate::spec::{Edit, Pointer};

/// A rule's name, as policies, waivers and reports spell it: `no-new-privs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub &'static str);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How much a finding matters to whoever reads a thousand of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// A layer of defence is missing.
    Medium,
    /// One step from the host.
    High,
    /// The host itself.
    Critical,
}

impl Severity {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// Shown, and nothing else: the policy reports it, or runs in audit mode.
    Reported,
    /// A waiver that has not expired covers it.
    Waived,
    /// The finding's edits put it right.
    Fixed,
    /// The container does not start.
    Denied,
}

impl Disposition {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Waived => "waived",
            Self::Fixed => "fixed",
            Self::Denied => "denied",
        }
    }
}

/// One thing that a rule has to say.
#[derive(Debug, Clone)]
#[must_use]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How much it matters.
    pub severity: Severity,
    /// What became of it.
    pub disposition: Disposition,
    /// Where in the document; the nearest place there is, when something is absent.
    pub pointer: Pointer,
    /// What is there, in one clause without a full stop.
    pub message: String,
    /// The setting that asked for it, such as `capabilities.ceiling`, and where it was set.
    pub origin: Origin,
    /// The setting that says what to do about it, such as `capabilities.violation`.
    pub decided_by: Origin,
    /// What the person who owns the container can do.
    pub hint: Cow<'static, str>,
    /// What puts it right; made only when the disposition is [`Disposition::Fixed`].
    pub edits: Vec<Edit>,
    /// For a waived finding: why, until when, who.
    pub waiver: Option<String>,
}

impl Finding {
    /// The standard's control that asks for it, where a level does: `Pod Security Standards, baseline: Sysctls`.
    pub fn standard(&self) -> Option<&'static str> {
        self.origin.standard.or(self.decided_by.standard)
    }
}
