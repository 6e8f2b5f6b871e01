//! The stable format: `schemas/report.schema.json` describes it, and only a new number may change it.

use serde_json::{Map, Value, json};

use super::judged::Judged;
use crate::finding::Finding;
use crate::fleet::Labels;
use crate::policy::{Origin, Policy, Subject};
use crate::spec::{Change, Edit};
use crate::validity::Breach;

/// The number of the format.
pub const SCHEMA_VERSION: u32 = 1;

/// One document, as it stands in the report and on a line of `--format jsonl`.
pub(crate) fn document(judged: &Judged, policy: &Policy) -> Value {
    let mut value = json!({
        "path": judged.name,
        "verdict": judged.verdict().as_str(),
        "subject": subject(&judged.subject),
    });
    if judged.is_policy() {
        value["kind"] = "policy".into();
    }
    if !judged.labels.is_empty() {
        value["container"] = container(&judged.labels);
    }
    match &judged.result {
        Ok(outcome) => {
            value["findings"] = outcome.findings.iter().map(|finding| one_finding(judged, finding, policy)).collect();
        }
        Err(error) => {
            value["findings"] = json!([]);
            value["error"] = json!({ "message": error.message, "hint": error.hint });
        }
    }
    if !judged.breaches.is_empty() {
        value["spec"] = judged.breaches.iter().map(|breach| one_breach(judged, breach)).collect();
    }
    value
}

fn one_breach(judged: &Judged, breach: &Breach) -> Value {
    json!({
        "level": breach.force.as_str(),
        "section": breach.section,
        "pointer": breach.pointer.as_str(),
        "line": judged.line(&breach.pointer),
        "message": breach.message,
        "hint": breach.hint,
    })
}

fn container(labels: &Labels) -> Value {
    let named = [
        ("engine", labels.engine),
        ("id", labels.id.as_deref()),
        ("name", labels.name.as_deref()),
        ("image", labels.image.as_deref()),
    ];
    named
        .iter()
        .filter_map(|(key, text)| Some(((*key).to_owned(), Value::from((*text)?))))
        .collect::<Map<_, _>>()
        .into()
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
        "standard": finding.standard(),
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
