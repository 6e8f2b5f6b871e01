//! The stable format: `schemas/report.schema.json` describes it, and only a new number may change it.

use std::fmt::Write;

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
///
/// What an edit sets is JSON already, tens of kilobytes for a filter: it goes out as it is, without being read.
pub(crate) fn document(judged: &Judged, policy: &Policy) -> String {
    let findings: Vec<String> = judged
        .findings()
        .iter()
        .map(|finding| with(one_finding(judged, finding, policy), "edits", &edits(finding)))
        .collect();
    with(head(judged), "findings", &format!("[{}]", findings.join(",")))
}

/// The object `value` with one member more, whose value is JSON already.
fn with(value: Value, name: &str, json: &str) -> String {
    let mut out = value.to_string();
    out.pop();
    let comma = if out.len() > 1 { "," } else { "" };
    let _ = write!(out, "{comma}\"{name}\":{json}}}");
    out
}

fn edits(finding: &Finding) -> String {
    let edits: Vec<String> = finding.edits.iter().map(edit).collect();
    format!("[{}]", edits.join(","))
}

fn head(judged: &Judged) -> Value {
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
    if let Err(error) = &judged.result {
        value["error"] = json!({ "message": error.message, "hint": error.hint });
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

fn edit(edit: &Edit) -> String {
    let value = json!({ "op": if matches!(edit.change, Change::Set(_)) { "set" } else { "remove" }, "path": edit.pointer.as_str() });
    match &edit.change {
        // A report of lines must stay one.
        Change::Set(fragment) if fragment.json().contains('\n') => {
            let set = serde_json::from_str::<Value>(fragment.json()).unwrap_or(Value::Null);
            with(value, "value", &set.to_string())
        }
        Change::Set(fragment) => with(value, "value", fragment.json()),
        Change::Remove => value.to_string(),
    }
}
