//! The rules: one file per control, one row each in [`RULES`]. The folder listing is the list of what batten judges.
//!
//! A rule looks at a [`Case`] and gives findings. It decides what is out of policy and which edits put it right; the
//! case decides what becomes of each finding, so audit mode, waivers and dispositions are the same for all.

mod annotations;
mod apparmor;
mod capabilities;
mod case;
mod no_new_privs;
mod seccomp;

pub use case::{Case, Control, DocumentKind};
pub use seccomp::{SeccompError, policy_profile};

use crate::enforce::EnforceError;
use crate::finding::{Finding, RuleId, Severity};

/// One control.
#[derive(Debug)]
pub struct Rule {
    /// Its name in policies, waivers and reports.
    pub id: RuleId,
    /// How much a finding of it matters.
    pub severity: Severity,
    /// What it sees to, in one sentence.
    pub summary: &'static str,
    /// Whether it also judges the process file of an exec, or a config.json only.
    pub judges_exec: bool,
    judge: fn(&Case<'_>) -> Result<Vec<Finding>, EnforceError>,
}

impl Rule {
    /// What the rule has to say of a case.
    ///
    /// # Errors
    /// [`EnforceError`] when the case cannot be judged; nothing may start then.
    pub fn judge(&self, case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
        (self.judge)(case)
    }
}

/// Every rule, in the order of judgement. The order is part of the meaning: the conditions of a seccomp profile read
/// the bounding set, so capabilities are settled before it.
pub static RULES: &[Rule] = &[
    Rule {
        id: RuleId("annotations"),
        severity: Severity::Critical,
        summary: "No annotation makes the runtime switch enforcement off or run something else.",
        judges_exec: false,
        judge: annotations::judge,
    },
    Rule {
        id: RuleId("capabilities"),
        severity: Severity::Critical,
        summary: "Every capability set is written out and within the policy's ceiling.",
        judges_exec: true,
        judge: capabilities::judge,
    },
    Rule {
        id: RuleId("no-new-privs"),
        severity: Severity::High,
        summary: "Set-user-ID files and file capabilities give nothing where the policy says so.",
        judges_exec: true,
        judge: no_new_privs::judge,
    },
    Rule {
        id: RuleId("apparmor"),
        severity: Severity::High,
        summary: "The container runs under the AppArmor profile that the policy asks for.",
        judges_exec: true,
        judge: apparmor::judge,
    },
    Rule {
        id: RuleId("seccomp"),
        severity: Severity::Critical,
        summary: "The system call filter is at least as strict as the policy's profile.",
        judges_exec: false,
        judge: seccomp::judge,
    },
];

/// The rule that speaks up when a waiver has run out.
pub const EXPIRED_WAIVER: RuleId = RuleId("waiver-expired");

/// What a dry run over many containers says of a waiver that none of them needed.
pub const UNUSED_WAIVER: RuleId = RuleId("waiver-unused");

/// The names that policies and waivers may use, in the order of judgement.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.id.0)
}

/// Whether a rule is called `name`.
pub fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.0 == name)
}
