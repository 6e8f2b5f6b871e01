//! What was known before: findings of an earlier `--format jsonl` report are not reported again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Judged;
use crate::finding::Finding;
use crate::validity::{self, Breach};

/// A baseline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read the baseline {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A line is not what `--format jsonl` writes.
    #[error("the baseline {}:{line} is not a line of a report", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The findings of an earlier run.
#[derive(Debug)]
pub struct Baseline {
    known: HashSet<[String; 4]>,
}

impl Baseline {
    /// Reads what `batten check --format jsonl` wrote.
    ///
    /// # Errors
    /// [`BaselineError`] when it is not that.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| BaselineError::Read { path: path.to_owned(), error })?;
        let mut known = HashSet::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let keys = serde_json::from_str(line).ok().and_then(|document| keys_of_line(&document));
            known.extend(keys.ok_or_else(|| BaselineError::Line { path: path.to_owned(), line: index + 1 })?);
        }
        Ok(Self { known })
    }

    /// Takes out of `judged` what was known, and counts it there.
    pub fn subtract(&self, judged: &mut Judged) {
        // An earlier report may be from before lines were known by name.
        let names = [identity(judged), Some(judged.name.clone())];
        let names = || names.iter().flatten();
        let before = judged.findings().len() + judged.breaches.len();
        if let Ok(outcome) = &mut judged.result {
            outcome.findings.retain(|finding| !names().any(|name| self.known.contains(&key(name, finding))));
        }
        judged.breaches.retain(|breach| !names().any(|name| self.known.contains(&breach_key(name, breach))));
        judged.known = before - judged.findings().len() - judged.breaches.len();
    }
}

/// What stays the same of a document when its path does not. A running container has another path after every restart,
/// and a line another number when one is put in front of it.
fn identity(judged: &Judged) -> Option<String> {
    match (judged.labels.engine, &judged.labels.name) {
        (Some(engine), Some(name)) => Some(format!("{engine}:{name}")),
        _ => judged.known_as(),
    }
}

fn key(document: &str, finding: &Finding) -> [String; 4] {
    [document.to_owned(), finding.rule.to_string(), finding.pointer.as_str().to_owned(), finding.message.clone()]
}

fn breach_key(document: &str, breach: &Breach) -> [String; 4] {
    [document.to_owned(), validity::NAME.to_owned(), breach.pointer.as_str().to_owned(), breach.message.clone()]
}

fn keys_of_line(document: &Value) -> Option<Vec<[String; 4]>> {
    let text = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let container = document.get("container");
    let named = container.and_then(|labels| Some(format!("{}:{}", text(labels, "engine")?, text(labels, "name")?)));
    let name = named.or_else(|| text(document, "known_as")).or_else(|| text(document, "path"))?;
    let pointer = |value: &Value| text(value, "pointer");
    let key =
        |finding: &Value| Some([name.clone(), text(finding, "rule")?, pointer(finding)?, text(finding, "message")?]);
    let breach =
        |breach: &Value| Some([name.clone(), validity::NAME.to_owned(), pointer(breach)?, text(breach, "message")?]);
    let findings = document.get("findings")?.as_array()?.iter().map(key);
    findings.chain(document.get("spec").and_then(Value::as_array).into_iter().flatten().map(breach)).collect()
}
