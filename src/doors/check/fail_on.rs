//! `--fail-on`: which findings make the exit code 1.

use std::str::FromStr;

use crate::finding::{Disposition, Finding, Severity};
use crate::rules;
use crate::validity;

/// A severity and all above it, one rule, or the runtime-spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailOn {
    Severity(Severity),
    Rule(&'static str),
    Spec,
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let levels = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        if let Some(level) = levels.into_iter().find(|level| level.as_str() == word) {
            return Ok(Self::Severity(level));
        }
        if word == validity::NAME {
            return Ok(Self::Spec);
        }
        let reported = [rules::EXPIRED_WAIVER.0, rules::UNUSED_WAIVER.0];
        let known = rules::names().chain(reported).find(|known| *known == word);
        known.map(Self::Rule).ok_or_else(|| {
            "neither a severity (low, medium, high, critical) nor spec nor a rule; `batten explain` lists the rules"
                .to_owned()
        })
    }
}

impl FailOn {
    /// Whether a finding is one of these; a waived one never is.
    pub(super) fn covers(self, finding: &Finding) -> bool {
        finding.disposition != Disposition::Waived
            && match self {
                Self::Severity(least) => finding.severity >= least,
                Self::Rule(rule) => finding.rule.0 == rule,
                Self::Spec => false,
            }
    }

    /// Whether documents that break a MUST of the runtime-spec are meant.
    pub(super) const fn is_spec(self) -> bool {
        matches!(self, Self::Spec)
    }
}
