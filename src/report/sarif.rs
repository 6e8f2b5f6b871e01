//! SARIF 2.1.0 (OASIS), for code scanning services.

use std::fmt::Write;

use serde_json::{Value, json};

use super::judged::Judged;
use crate::finding::{Disposition, Finding, Severity};
use crate::policy::Policy;
use crate::rules::RULES;

/// What stands before the results.
pub(super) fn head() -> String {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id.0,
                "shortDescription": { "text": rule.summary },
                "help": { "text": format!("batten explain {}", rule.id) },
                "properties": { "security-severity": score(rule.severity), "tags": ["security", "container"] },
            })
        })
        .collect();
    let driver = json!({ "name": "batten", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules });
    format!(
        "{{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"runs\":[{{\"tool\":{{\"driver\":{driver}}},\
         \"columnKind\":\"utf16CodeUnits\",\"results\":["
    )
}

/// What stands behind them.
pub(super) const TAIL: &str = "]}]}\n";

/// The results of one document, without the commas between them and others.
pub(super) fn document(judged: &Judged, policy: &Policy) -> String {
    let results: Vec<String> = match &judged.result {
        Ok(outcome) => outcome.findings.iter().map(|finding| result(judged, finding, policy).to_string()).collect(),
        Err(error) => vec![
            json!({
                "ruleId": "unreadable",
                "level": "error",
                "message": { "text": format!("{}. {}", error.message, error.hint) },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&judged.name) } } }],
            })
            .to_string(),
        ],
    };
    results.join(",\n")
}

fn result(judged: &Judged, finding: &Finding, policy: &Policy) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&judged.name) } });
    if let Some(line) = judged.line(&finding.pointer) {
        physical["region"] = json!({ "startLine": line });
    }
    let mut value = json!({
        "ruleId": finding.rule.0,
        "level": match finding.disposition {
            Disposition::Denied => "error",
            Disposition::Fixed => "warning",
            Disposition::Reported | Disposition::Waived => "note",
        },
        "message": { "text": format!("{}. {}", finding.message, finding.hint) },
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{ "fullyQualifiedName": finding.pointer.as_str(), "kind": "member" }],
        }],
        "properties": {
            "disposition": finding.disposition.as_str(),
            "severity": finding.severity.as_str(),
            "policy": policy.cite(finding.origin),
        },
    });
    if let Some(index) = RULES.iter().position(|rule| rule.id == finding.rule) {
        value["ruleIndex"] = index.into();
    }
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
