//! The stable format: `schemas/report.schema.json` describes it, and only a new number may change it.

use serde_json::{Map, Value, json};

use super::judged::{Judged, Verdict};
use crate::finding::Finding;
use crate::policy::{Origin, Policy, Subject};
use crate::spec::{Change, Edit};

/// The number of the format.
pub const SCHEMA_VERSION: u32 = 1;

/// All documents as one JSON value.
pub fn json(judged: &[Judged], policy: &Policy) -> Value {
    let count = |verdict| judged.iter().filter(|one| one.verdict() == verdict).count();
    json!({
        "version": SCHEMA_VERSION,
        "documents": judged.iter().map(|one| document(one, policy)).collect::<Vec<_>>(),
        "summary": {
            "documents": judged.len(),
            "clean": count(Verdict::Clean),
            "would_fix": count(Verdict::WouldFix),
            "denied": count(Verdict::Denied),
            "unreadable": count(Verdict::Unreadable),
        },
    })
}

fn document(judged: &Judged, policy: &Policy) -> Value {
    let mut value = json!({
        "path": judged.name,
        "verdict": judged.verdict().as_str(),
        "subject": subject(&judged.subject),
    });
    match &judged.result {
        Ok(outcome) => {
            value["findings"] = outcome.findings.iter().map(|finding| one_finding(judged, finding, policy)).collect();
        }
        Err(error) => {
            value["findings"] = json!([]);
            value["error"] = json!({ "message": error.message, "hint": error.hint });
        }
    }
    value
}

pub(crate) fn subject(subject: &Subject) -> Value {
    let named = [
        ("namespace", &subject.namespace),
        ("pod", &subject.pod),
        ("container", &subject.container),
        ("image", &subject.image),
    ];
    let mut value: Map<String, Value> =
        named.iter().filter_map(|(key, name)| Some(((*key).to_owned(), Value::from(name.as_deref()?)))).collect();
    if !subject.annotations.is_empty() {
        value.insert("annotations".to_owned(), json!(subject.annotations));
    }
    Value::Object(value)
}

fn one_finding(judged: &Judged, finding: &Finding, policy: &Policy) -> Value {
    json!({
        "rule": finding.rule.0,
        "severity": finding.severity.as_str(),
        "disposition": finding.disposition.as_str(),
        "pointer": finding.pointer.as_str(),
        "line": judged.line(&finding.pointer),
        "message": finding.message,
        "policy": origin(finding.origin, policy),
        "decided_by": origin(finding.decided_by, policy),
        "hint": finding.hint,
        "waiver": finding.waiver,
        "edits": finding.edits.iter().map(edit).collect::<Vec<_>>(),
    })
}

pub(crate) fn origin(origin: Origin, policy: &Policy) -> Value {
    let place = policy.locate(origin);
    json!({
        "setting": origin.setting,
        "file": place.map(|(path, _)| path.display().to_string()),
        "line": place.map(|(_, line)| line),
    })
}

fn edit(edit: &Edit) -> Value {
    match &edit.change {
        Change::Set(fragment) => json!({
            "op": "set",
            "path": edit.pointer.as_str(),
            "value": serde_json::from_str::<Value>(fragment.json()).unwrap_or(Value::Null),
        }),
        Change::Remove => json!({ "op": "remove", "path": edit.pointer.as_str() }),
    }
}
