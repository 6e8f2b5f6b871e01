//! `--fail-on`: which findings make the exit code 1.

use std::str::FromStr;

use crate::finding::{Disposition, Finding, Severity};
use crate::rules;

/// A severity and all above it, or one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailOn {
    Severity(Severity),
    Rule(&'static str),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let levels = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        if let Some(level) = levels.into_iter().find(|level| level.as_str() == word) {
            return Ok(Self::Severity(level));
        }
        rules::find(word).map(|rule| Self::Rule(rule.id.0)).ok_or_else(|| {
            format!(
                "neither a severity (low, medium, high, critical) nor a rule; `batten explain` lists the rules: {word}"
            )
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
            }
    }
}
