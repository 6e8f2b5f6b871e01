//! `want.toml`: what a case expects, and how what was found differs.

use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::CaseError;
use crate::finding::{Disposition, Finding};
use crate::fleet::{Judged, Verdict};
use crate::rules;
use crate::settings::glob;

/// What the policy must do to the document of a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// `clean`, `would-fix`, `denied` or `unreadable`.
    pub verdict: String,
    /// Every finding, in any order.
    #[serde(default, rename = "finding")]
    pub findings: Vec<Expected>,
}

/// One finding that is expected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The rule, as policies name it.
    pub rule: String,
    /// `fixed`, `denied`, `reported` or `waived`.
    pub disposition: String,
    /// Where (RFC 6901).
    pub pointer: String,
    /// A glob that the message must match, where the case cares.
    pub message: Option<String>,
}

/// One way in which a case is not as it was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is no want.toml.
    NothingWanted,
    /// The verdict is another.
    Verdict {
        /// What was expected.
        wanted: String,
        /// What it is.
        found: &'static str,
    },
    /// An expected finding is not there.
    Missing(Expected),
    /// A finding is there that was not expected.
    Extra {
        /// The finding.
        found: Expected,
        /// The policy's line that asked for it.
        message: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingWanted => f.write_str("no want.toml says what is expected; --bless writes it"),
            Self::Verdict { wanted, found } => write!(f, "verdict: wanted {wanted}, is {found}"),
            Self::Missing(expected) => write!(f, "- {expected}"),
            Self::Extra { found, message } => write!(f, "+ {found}: {message}"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, disposition, pointer, message } = self;
        let place = if pointer.is_empty() { "(the whole document)" } else { pointer };
        write!(f, "{rule} {disposition} at {place}")?;
        message.as_deref().map_or(Ok(()), |message| write!(f, ", saying {message:?}"))
    }
}

impl Expected {
    fn of(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.to_string(),
            disposition: finding.disposition.as_str().to_owned(),
            pointer: finding.pointer.as_str().to_owned(),
            message: None,
        }
    }

    fn fits(&self, finding: &Finding) -> bool {
        self.rule == finding.rule.0
            && self.disposition == finding.disposition.as_str()
            && self.pointer == finding.pointer.as_str()
            && self.message.as_deref().is_none_or(|pattern| glob(pattern, &finding.message))
    }
}

impl Want {
    /// Reads a want.toml; `None` where there is none.
    ///
    /// # Errors
    /// [`CaseError`] when it is not one: a typing error must not become an expectation that nothing meets.
    pub fn read(path: &Path) -> Result<Option<Self>, CaseError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CaseError::Read { path: path.to_owned(), error }),
        };
        let want: Self = toml::from_str(&text)
            .map_err(|error| CaseError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
        match want.meaningless_word() {
            Some(problem) => Err(CaseError::Word { path: path.to_owned(), problem }),
            None => Ok(Some(want)),
        }
    }

    fn meaningless_word(&self) -> Option<String> {
        const VERDICTS: [Verdict; 4] = [Verdict::Clean, Verdict::WouldFix, Verdict::Denied, Verdict::Unreadable];
        const DISPOSITIONS: [Disposition; 4] =
            [Disposition::Fixed, Disposition::Denied, Disposition::Reported, Disposition::Waived];
        if !VERDICTS.iter().any(|known| known.as_str() == self.verdict) {
            return Some(format!("{:?} is none of clean, would-fix, denied, unreadable", self.verdict));
        }
        self.findings.iter().find_map(|one| {
            if !rules::is_known(&one.rule) && one.rule != rules::EXPIRED_WAIVER.0 {
                return Some(format!("no rule {:?} is known", one.rule));
            }
            let known = DISPOSITIONS.iter().any(|known| known.as_str() == one.disposition);
            (!known).then(|| format!("{:?} is none of fixed, denied, reported, waived", one.disposition))
        })
    }

    /// What `judged` would have to be expected as.
    pub fn of(judged: &Judged) -> Self {
        let findings = judged.findings().iter().map(Expected::of).collect();
        Self { verdict: judged.verdict().as_str().to_owned(), findings }
    }

    /// How `judged` differs from this: each expected finding is met by one, and each is expected.
    pub fn difference(&self, judged: &Judged) -> Vec<Difference> {
        let mut differences = Vec::new();
        let found = judged.verdict().as_str();
        if self.verdict != found {
            differences.push(Difference::Verdict { wanted: self.verdict.clone(), found });
        }
        let mut left: Vec<&Finding> = judged.findings().iter().collect();
        for expected in &self.findings {
            match left.iter().position(|finding| expected.fits(finding)) {
                Some(index) => drop(left.remove(index)),
                None => differences.push(Difference::Missing(expected.clone())),
            }
        }
        let extra =
            |finding: &Finding| Difference::Extra { found: Expected::of(finding), message: finding.message.clone() };
        differences.extend(left.into_iter().map(extra));
        differences
    }

    /// The text of a want.toml.
    pub fn to_toml(&self) -> String {
        use std::fmt::Write;
        let mut out = format!("verdict = {}\n", quoted(&self.verdict));
        for Expected { rule, disposition, pointer, message } in &self.findings {
            let _ = write!(
                out,
                "\n[[finding]]\nrule = {}\ndisposition = {}\npointer = {}\n",
                quoted(rule),
                quoted(disposition),
                quoted(pointer)
            );
            if let Some(message) = message {
                let _ = writeln!(out, "message = {}", quoted(message));
            }
        }
        out
    }
}

/// A TOML basic string; it escapes as JSON does.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    crate::spec::quote(text, &mut out);
    out
}
