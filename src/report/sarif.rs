//! SARIF 2.1.0 (OASIS), for code scanning services.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::finding::{Disposition, Finding, Severity};
use crate::fleet::Judged;
use crate::policy::Policy;
use crate::rules::{EXPIRED_WAIVER, RULES, UNUSED_WAIVER};
use crate::spec::Pointer;
use crate::validity::{self, Breach, Force};

/// What results besides those of the rules name, in this order behind them.
const OTHERS: [(&str, &str); 4] = [
    (EXPIRED_WAIVER.0, "A waiver's last day is over; it lets nothing pass any more."),
    (UNUSED_WAIVER.0, "A waiver that no container of the run needed."),
    (validity::NAME, "The document is what the OCI runtime-spec says it must be."),
    (UNREADABLE, "The document can be read, and every runtime reads it the same way."),
];

const UNREADABLE: &str = "unreadable";

/// What stands before the results.
pub(super) fn head() -> String {
    let descriptor = |id: &str, summary: &str, severity: Severity| {
        json!({
            "id": id,
            "shortDescription": { "text": summary },
            "help": { "text": format!("batten explain {id}") },
            "properties": { "security-severity": score(severity), "tags": ["security", "container"] },
        })
    };
    let own = RULES.iter().map(|rule| descriptor(rule.id.0, rule.summary, rule.severity));
    let others = OTHERS.iter().map(|(id, summary)| descriptor(id, summary, Severity::Low));
    let rules: Vec<Value> = own.chain(others).collect();
    let driver = json!({ "name": "batten", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules });
    format!(
        "{{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\
         \"columnKind\":\"utf16CodeUnits\",\"results\":["
    )
}

/// What stands behind them.
pub(super) const TAIL: &str = "]}]}\n";

/// The results of one document, without the commas between them and others.
pub(super) fn document(judged: &Judged, policy: &Policy, spec_fails: bool) -> String {
    let mut results: Vec<String> = match &judged.result {
        Ok(outcome) => outcome.findings.iter().map(|finding| result(judged, finding, policy).to_string()).collect(),
        Err(error) => vec![
            json!({
                "ruleId": UNREADABLE,
                "ruleIndex": index(UNREADABLE),
                "level": "error",
                "message": { "text": format!("{}. {}", error.message, error.hint) },
                "locations": [{ "physicalLocation": physical(judged, &Pointer::root()) }],
            })
            .to_string(),
        ],
    };
    results.extend(judged.breaches.iter().map(|breach| spec(judged, breach, spec_fails).to_string()));
    results.join(",\n")
}

fn spec(judged: &Judged, breach: &Breach, fails: bool) -> Value {
    json!({
        "ruleId": validity::NAME,
        "ruleIndex": index(validity::NAME),
        "level": match breach.force {
            Force::Must if fails => "error",
            Force::Must => "warning",
            Force::Note => "note",
        },
        "message": { "text": format!("{}. {}", breach.message, breach.hint) },
        "locations": [location(judged, &breach.pointer)],
        "properties": { "level": breach.force.as_str(), "section": breach.section },
    })
}

fn physical(judged: &Judged, pointer: &Pointer) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(judged.file()) } });
    if let Some(line) = judged.line(pointer) {
        physical["region"] = json!({ "startLine": line });
    }
    physical
}

fn location(judged: &Judged, pointer: &Pointer) -> Value {
    json!({
        "physicalLocation": physical(judged, pointer),
        "logicalLocations": [{ "fullyQualifiedName": pointer.as_str(), "kind": "member" }],
    })
}

/// Where the rule stands among the descriptors of the head.
fn index(id: &str) -> Option<usize> {
    let known = RULES.iter().map(|rule| rule.id.0).chain(OTHERS.iter().map(|(id, _)| *id));
    known.into_iter().position(|known| known == id)
}

fn result(judged: &Judged, finding: &Finding, policy: &Policy) -> Value {
    let mut value = json!({
        "ruleId": finding.rule.0,
        "ruleIndex": index(finding.rule.0),
        "level": match finding.disposition {
            Disposition::Denied => "error",
            Disposition::Fixed => "warning",
            Disposition::Reported | Disposition::Waived => "note",
        },
        "message": { "text": format!("{}. {}", finding.message, finding.hint) },
        "locations": [location(judged, &finding.pointer)],
        "properties": {
            "disposition": finding.disposition.as_str(),
            "severity": finding.severity.as_str(),
            "policy": policy.cite(finding.origin),
            "standard": finding.standard(),
        },
    });
    if let Some(waiver) = &finding.waiver.as_ref().filter(|_| finding.disposition == Disposition::Waived) {
        value["suppressions"] = json!([{ "kind": "external", "justification": waiver }]);
    }
    value
}

/// GitHub's bands: above 9.0 critical, 7.0 high, 4.0 medium.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
    }
}

/// A URI reference (RFC 3986) for a path.
fn uri(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
