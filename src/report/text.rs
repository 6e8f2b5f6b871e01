//! For the person at the keyboard.

use std::fmt::Write;

use super::escape;
use super::judged::{Judged, Verdict};
use crate::finding::{Disposition, Finding};
use crate::policy::Policy;

/// The findings of all documents and a closing line, without colours.
pub fn text(judged: &[Judged], policy: &Policy) -> String {
    let mut out = String::new();
    for one in judged {
        document(&mut out, one, policy);
    }
    summary(&mut out, judged);
    out
}

fn document(out: &mut String, judged: &Judged, policy: &Policy) {
    let verdict = match judged.verdict() {
        Verdict::Clean => "within the policy",
        Verdict::WouldFix => "would be fixed",
        Verdict::Denied => "denied",
        Verdict::Unreadable => "unreadable",
    };
    let _ = writeln!(out, "{}: {verdict}", escape(&judged.name));
    match &judged.result {
        Ok(outcome) => outcome.findings.iter().for_each(|finding| one_finding(out, judged, finding, policy)),
        Err(error) => {
            let _ = writeln!(out, "  {}\n  hint: {}", escape(&error.message), escape(&error.hint));
        }
    }
}

fn one_finding(out: &mut String, judged: &Judged, finding: &Finding, policy: &Policy) {
    let word = match finding.disposition {
        Disposition::Fixed => "would fix",
        other => other.as_str(),
    };
    let line = judged.line(&finding.pointer).map_or(String::new(), |line| format!(" (line {line})"));
    let _ = writeln!(out, "  {word}: {} [{}, {}]", escape(&finding.message), finding.rule, finding.severity.as_str());
    let _ = writeln!(out, "    at {}{line}", escape(&finding.pointer.to_string()));
    let _ = writeln!(out, "    policy: {}", escape(&cited(finding, policy)));
    if let Some(waiver) = &finding.waiver {
        let _ = writeln!(out, "    waiver: {}", escape(waiver));
    }
    let _ = writeln!(out, "    hint: {}", escape(&finding.hint));
}

/// The line that asked for it, and the one that made it fatal, where those are two.
fn cited(finding: &Finding, policy: &Policy) -> String {
    let asked = policy.cite(finding.origin);
    if finding.disposition != Disposition::Denied || policy.locate(finding.decided_by).is_none() {
        return asked;
    }
    format!("{asked}, denied by {}", policy.cite(finding.decided_by))
}

fn summary(out: &mut String, judged: &[Judged]) {
    let count = |verdict| judged.iter().filter(|one| one.verdict() == verdict).count();
    let _ = writeln!(
        out,
        "{} {}: {} within the policy, {} would be fixed, {} denied, {} unreadable",
        judged.len(),
        if judged.len() == 1 { "document" } else { "documents" },
        count(Verdict::Clean),
        count(Verdict::WouldFix),
        count(Verdict::Denied),
        count(Verdict::Unreadable),
    );
}
