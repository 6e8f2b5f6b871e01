//! Annotations on a pull request: GitHub's workflow commands.

use std::fmt::Write;

use crate::escape::escape;
use crate::finding::Disposition;
use crate::fleet::Judged;
use crate::spec::Pointer;
use crate::validity::{self, Force};

/// One line per finding.
pub(super) fn document(judged: &Judged, spec_fails: bool) -> String {
    let mut out = String::new();
    let file = property(judged.file());
    let on = |pointer: &Pointer| judged.line(pointer).map_or(String::new(), |line| format!(",line={line}"));
    match &judged.result {
        Ok(outcome) => {
            for finding in &outcome.findings {
                let command = match finding.disposition {
                    Disposition::Denied => "error",
                    Disposition::Fixed => "warning",
                    Disposition::Reported | Disposition::Waived => "notice",
                };
                let line = on(&finding.pointer);
                let title = property(&format!("{} ({})", finding.rule, finding.disposition.as_str()));
                let pointer = &finding.pointer;
                let standard = finding.standard().map_or(String::new(), |standard| format!("\nstandard: {standard}"));
                let text = message(&format!("{} (at {pointer}){standard}\nhint: {}", finding.message, finding.hint));
                let _ = writeln!(out, "::{command} file={file}{line},title={title}::{text}");
            }
        }
        Err(error) => {
            let text = message(&format!("{}\nhint: {}", error.message, error.hint));
            let line = on(&Pointer::root());
            let _ = writeln!(out, "::error file={file}{line},title=unreadable::{text}");
        }
    }
    for breach in &judged.breaches {
        let command = match breach.force {
            Force::Must if spec_fails => "error",
            Force::Must => "warning",
            Force::Note => "notice",
        };
        let line = on(&breach.pointer);
        let title = property(&format!("{} ({})", validity::NAME, breach.force.as_str()));
        let (said, pointer, section, hint) = (&breach.message, &breach.pointer, breach.section, &breach.hint);
        let text = message(&format!("{said} (at {pointer})\n{section}\nhint: {hint}"));
        let _ = writeln!(out, "::{command} file={file}{line},title={title}::{text}");
    }
    out
}

// actions/toolkit, packages/core/src/command.ts: escapeData and escapeProperty.
fn message(text: &str) -> String {
    escape(text).replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
