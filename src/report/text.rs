//! For the person at the keyboard.

use std::fmt::Write;

use anstyle::AnsiColor;

use crate::escape::escape;
use crate::finding::{Disposition, Finding};
use crate::fleet::Summary;
use crate::fleet::{Judged, Verdict};
use crate::policy::Policy;
use crate::spec::Change;
use crate::validity::{self, Breach, Force};

/// How text looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Verdicts and dispositions in colour.
    pub colour: bool,
    /// Say under each finding what its rule is for and what would change.
    pub explain: bool,
}

impl Style {
    fn paint(self, colour: AnsiColor, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = colour.on_default().bold();
        format!("{style}{text}{style:#}")
    }
}

/// The findings of all documents and a closing line, without colours.
pub fn text(judged: &[Judged], policy: &Policy) -> String {
    let mut out = String::new();
    let mut counts = Summary::default();
    for one in judged {
        out.push_str(&document(one, policy, Style::default()));
        counts.add(one);
    }
    out + &summary(&counts)
}

/// One document and its findings.
pub(super) fn document(judged: &Judged, policy: &Policy, style: Style) -> String {
    let colour = match judged.verdict() {
        _ if judged.is_policy() => AnsiColor::Cyan,
        Verdict::Clean => AnsiColor::Green,
        Verdict::WouldFix => AnsiColor::Yellow,
        Verdict::Denied | Verdict::Unreadable => AnsiColor::Red,
    };
    let mut out = String::with_capacity(128 + judged.findings().len() * 512 + judged.breaches.len() * 320);
    let _ = writeln!(out, "{}: {}", escape(&judged.name), style.paint(colour, judged.words()));
    let labels = &judged.labels;
    // Only of what was found running: of other bundles' labels the path says enough.
    if labels.id.is_some() {
        let known = [labels.engine, labels.id.as_deref(), labels.name.as_deref(), labels.image.as_deref()];
        let words: Vec<&str> = known.into_iter().flatten().collect();
        let _ = writeln!(out, "  container: {}", escape(&words.join(" ")));
    }
    match &judged.result {
        Ok(outcome) => {
            for finding in &outcome.findings {
                one_finding(&mut out, judged, finding, policy, style);
            }
        }
        Err(error) => {
            let _ = writeln!(out, "  {}\n  hint: {}", escape(&error.message), escape(&error.hint));
        }
    }
    for breach in &judged.breaches {
        one_breach(&mut out, judged, breach, style);
    }
    out
}

fn one_breach(out: &mut String, judged: &Judged, breach: &Breach, style: Style) {
    let colour = if breach.force == Force::Must { AnsiColor::Yellow } else { AnsiColor::Cyan };
    let word = style.paint(colour, breach.force.as_str());
    let line = judged.line(&breach.pointer).map_or(String::new(), |line| format!(" (line {line})"));
    let _ = writeln!(out, "  {word}: {} [{}, {}]", escape(&breach.message), validity::NAME, breach.section);
    let _ = writeln!(out, "    at {}{line}", escape(&breach.pointer.to_string()));
    let _ = writeln!(out, "    hint: {}", escape(&breach.hint));
}

fn one_finding(out: &mut String, judged: &Judged, finding: &Finding, policy: &Policy, style: Style) {
    let (word, colour) = match finding.disposition {
        Disposition::Fixed => ("would fix", AnsiColor::Yellow),
        Disposition::Denied => ("denied", AnsiColor::Red),
        other => (other.as_str(), AnsiColor::Cyan),
    };
    let word = style.paint(colour, word);
    let line = judged.line(&finding.pointer).map_or(String::new(), |line| format!(" (line {line})"));
    let _ = writeln!(out, "  {word}: {} [{}, {}]", escape(&finding.message), finding.rule, finding.severity.as_str());
    let _ = writeln!(out, "    at {}{line}", escape(&finding.pointer.to_string()));
    let _ = writeln!(out, "    policy: {}", escape(&cited(finding, policy)));
    if let Some(standard) = finding.standard() {
        let _ = writeln!(out, "    standard: {standard}");
    }
    if let Some(waiver) = &finding.waiver {
        let _ = writeln!(out, "    waiver: {}", escape(waiver));
    }
    if style.explain {
        explained(out, finding);
    }
    let _ = writeln!(out, "    hint: {}", escape(&finding.hint));
}

fn explained(out: &mut String, finding: &Finding) {
    if let Some(rule) = crate::rules::find(finding.rule.0) {
        let _ = writeln!(out, "    why: {} (batten explain {})", rule.summary, rule.id);
    }
    for edit in &finding.edits {
        let _ = match &edit.change {
            Change::Remove => writeln!(out, "    fix: remove {}", escape(edit.pointer.as_str())),
            Change::Set(value) => {
                let value = value.json();
                let short: String = value.chars().take(160).collect();
                let more = if short.len() < value.len() { " … (batten diff shows all)" } else { "" };
                writeln!(out, "    fix: set {} to {}{more}", escape(edit.pointer.as_str()), escape(&short))
            }
        };
    }
}

/// The line that asked for it, and the one that made it fatal, where those are two.
fn cited(finding: &Finding, policy: &Policy) -> String {
    let asked = policy.cite(finding.origin);
    let is_one = finding.origin == finding.decided_by;
    if finding.disposition != Disposition::Denied || is_one || policy.locate(finding.decided_by).is_none() {
        return asked;
    }
    format!("{asked}, denied by {}", policy.cite(finding.decided_by))
}

/// The closing line.
pub(super) fn summary(summary: &Summary) -> String {
    let documents = summary.documents();
    let invalid = match summary.invalid {
        0 => String::new(),
        1 => "; 1 is not valid by the runtime-spec".to_owned(),
        invalid => format!("; {invalid} are not valid by the runtime-spec"),
    };
    let verdicts = [Verdict::Clean, Verdict::WouldFix, Verdict::Denied, Verdict::Unreadable];
    let mut counts = verdicts.map(|verdict| format!("{} {}", summary.count(verdict), verdict.words(summary.known > 0)));
    if summary.reported_only > 0 {
        let _ = write!(counts[0], " ({} reported only)", summary.reported_only);
    }
    let known = match summary.known {
        0 => String::new(),
        known => format!("; {known} in the baseline {}", if known == 1 { "is left out" } else { "are left out" }),
    };
    let noun = if documents == 1 { "document" } else { "documents" };
    format!("{documents} {noun}: {}{invalid}{known}\n", counts.join(", "))
}
