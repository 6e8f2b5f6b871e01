//! JUnit's XML, as CI systems read it: a suite per document, a test case per finding.

use std::fmt::Write;

use super::markup::escaped;
use crate::finding::{Disposition, Finding};
use crate::fleet::Judged;
use crate::policy::Policy;
use crate::validity::{self, Breach, Force};

/// What stands before the suites.
pub(super) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"batten\">\n";

/// What stands behind them.
pub(super) const TAIL: &str = "</testsuites>\n";

/// One suite.
pub(super) fn document(judged: &Judged, policy: &Policy, spec_fails: bool) -> String {
    let name = escaped(&judged.name);
    let mut cases = String::new();
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    match &judged.result {
        Ok(outcome) => {
            for finding in &outcome.findings {
                tests += 1;
                failures += usize::from(finding.disposition >= Disposition::Fixed);
                skipped += usize::from(finding.disposition == Disposition::Waived);
                case(&mut cases, &name, finding, policy);
            }
        }
        Err(error) => {
            (tests, errors) = (1, 1);
            let (message, hint) = (escaped(&error.message), escaped(&error.hint));
            let _ = writeln!(
                cases,
                "<testcase classname=\"{name}\" name=\"readable\"><error type=\"unreadable\" message=\"{message}\">{hint}</error></testcase>"
            );
        }
    }
    for breach in &judged.breaches {
        tests += 1;
        let fails = spec_fails && breach.force == Force::Must;
        failures += usize::from(fails);
        spec(&mut cases, &name, breach, fails);
    }
    if tests == 0 {
        tests = 1;
        let _ = writeln!(cases, "<testcase classname=\"{name}\" name=\"{}\"/>", judged.words());
    }
    format!(
        "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n{cases}</testsuite>\n"
    )
}

fn spec(out: &mut String, document: &str, breach: &Breach, fails: bool) {
    let title = escaped(&format!("{} {}", validity::NAME, breach.pointer));
    let message = escaped(&breach.message);
    let (word, section, hint) = (breach.force.as_str(), breach.section, escaped(&breach.hint));
    let detail = format!("{section}&#10;hint: {hint}");
    let _ = write!(out, "<testcase classname=\"{document}\" name=\"{title}\">");
    let _ = if fails {
        write!(out, "<failure type=\"{word}\" message=\"{message}\">{detail}</failure>")
    } else {
        write!(out, "<system-out>{word}: {message}\n{detail}</system-out>")
    };
    out.push_str("</testcase>\n");
}

fn case(out: &mut String, document: &str, finding: &Finding, policy: &Policy) {
    let title = escaped(&format!("{} {}", finding.rule, finding.pointer));
    let message = escaped(&finding.message);
    let standard = finding.standard().map_or(String::new(), |standard| format!("\nstandard: {standard}"));
    let detail = escaped(&format!("policy: {}{standard}\nhint: {}", policy.cite(finding.origin), finding.hint));
    let _ = write!(out, "<testcase classname=\"{document}\" name=\"{title}\">");
    let word = finding.disposition.as_str();
    let _ = match finding.disposition {
        Disposition::Denied | Disposition::Fixed => {
            write!(out, "<failure type=\"{word}\" message=\"{message}\">{detail}</failure>")
        }
        Disposition::Waived => {
            let why = escaped(finding.waiver.as_deref().unwrap_or_default());
            write!(out, "<skipped message=\"{message}; waived: {why}\"/>")
        }
        Disposition::Reported => write!(out, "<system-out>{message}\n{detail}</system-out>"),
    };
    out.push_str("</testcase>\n");
}
