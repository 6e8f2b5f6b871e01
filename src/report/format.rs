//! The formats, one beside the other: what stands before the documents, for each, between and behind them. So a report
//! goes out as documents come in, whatever their number.

use serde_json::json;

use super::{github, html, json as stable, junit, sarif, text, unified};
use crate::fleet::Summary;
use crate::fleet::{Judged, Verdict};
use crate::policy::Policy;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON value, by schemas/report.schema.json
    Json,
    /// One JSON value per document and line; also what --baseline reads
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI
    Junit,
    /// Annotations of a GitHub workflow
    Github,
    /// One page to open in a browser, without a network
    Html,
}

/// Writes reports of one format.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'p> {
    /// The format.
    pub format: Format,
    /// What findings cite.
    pub policy: &'p Policy,
    /// How text looks.
    pub style: text::Style,
    /// Whether a document that breaks a MUST of the runtime-spec fails the run.
    pub spec_fails: bool,
}

impl Writer<'_> {
    /// What stands before the first document. HTML begins with its summary, so it gives all at the end.
    pub fn head(&self) -> String {
        match self.format {
            Format::Json => format!("{{\"version\":{},\"documents\":[\n", stable::SCHEMA_VERSION),
            Format::Sarif => sarif::head(),
            Format::Junit => junit::HEAD.to_owned(),
            Format::Text | Format::Jsonl | Format::Github | Format::Html => String::new(),
        }
    }

    /// One document; may be nothing.
    pub fn document(&self, judged: &Judged) -> String {
        match self.format {
            Format::Text => text::document(judged, self.policy, self.style),
            Format::Json => stable::document(judged, self.policy),
            Format::Jsonl => stable::document(judged, self.policy) + "\n",
            Format::Sarif => sarif::document(judged, self.policy, self.spec_fails),
            Format::Junit => junit::document(judged, self.policy, self.spec_fails),
            Format::Github => github::document(judged, self.spec_fails),
            Format::Html => html::document(judged, self.policy),
        }
    }

    /// The pieces of one document's diff, for the format that shows one.
    pub fn hunks(&self, judged: &Judged) -> Vec<String> {
        match &judged.result {
            Ok(outcome) if self.format == Format::Html => {
                html::hunks(&unified(&judged.name, judged.before(), &outcome.text))
            }
            _ => Vec::new(),
        }
    }

    /// What stands between two documents that are not nothing.
    pub const fn between(&self) -> &'static str {
        match self.format {
            Format::Json | Format::Sarif => ",\n",
            _ => "",
        }
    }

    /// What stands behind the last document.
    pub fn tail(&self, summary: &Summary) -> String {
        match self.format {
            Format::Text => text::summary(summary),
            Format::Json => {
                let mut counts = json!({
                    "documents": summary.documents(),
                    "clean": summary.count(Verdict::Clean),
                    "would_fix": summary.count(Verdict::WouldFix),
                    "denied": summary.count(Verdict::Denied),
                    "unreadable": summary.count(Verdict::Unreadable),
                    "spec_invalid": summary.invalid,
                });
                if summary.known > 0 {
                    counts["known"] = summary.known.into();
                }
                format!("\n],\"summary\":{counts}}}\n")
            }
            Format::Sarif => sarif::TAIL.to_owned(),
            Format::Junit => junit::TAIL.to_owned(),
            Format::Jsonl | Format::Github | Format::Html => String::new(),
        }
    }
}
