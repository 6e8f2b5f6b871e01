//! The stable format: `schemas/report.schema.json` describes it, and only a new number may change it.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::fleet::Judged;
use crate::fleet::Labels;
use crate::policy::Policy;
use crate::settings::{Origin, Subject};
use crate::spec::{Change, Edit, quote};
use crate::validity::Breach;

/// The number of the format.
pub const SCHEMA_VERSION: u32 = 1;

/// One document, as it stands in the report and on a line of `--format jsonl`.
///
/// Written as it goes, into one text: a fleet has thousands of these, and what an edit sets is JSON already, tens of
/// kilobytes for a filter.
pub(super) fn document(judged: &Judged, policy: &Policy) -> String {
    let edits = judged.findings().iter().flat_map(|finding| &finding.edits).map(|edit| size(edit) + 64);
    let size = edits.sum::<usize>() + judged.findings().len() * 640 + judged.breaches.len() * 320 + 256;
    let mut out = String::with_capacity(size);
    object(&mut out, |document| head(document, judged, policy));
    out
}

fn size(edit: &Edit) -> usize {
    match &edit.change {
        Change::Set(fragment) => fragment.json().len(),
        Change::Remove => 0,
    }
}

/// An object that is being written: its members so far are in `out`.
struct Object<'o> {
    out: &'o mut String,
    is_empty: bool,
}

fn object(out: &mut String, members: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    members(&mut Object { out, is_empty: true });
    out.push('}');
}

impl Object<'_> {
    /// The text to write the value of member `name` into; names here need no escapes.
    fn member(&mut self, name: &str) -> &mut String {
        self.out.push_str(if std::mem::take(&mut self.is_empty) { "\"" } else { ",\"" });
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    fn text(&mut self, name: &str, text: &str) {
        quote(text, self.member(name));
    }

    fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.member(name).push_str("null"),
        }
    }

    fn number_or_null(&mut self, name: &str, number: Option<usize>) {
        let out = self.member(name);
        let _ = match number {
            Some(number) => write!(out, "{number}"),
            None => out.write_str("null"),
        };
    }

    fn list<T>(&mut self, name: &str, items: &[T], mut item: impl FnMut(&mut Object<'_>, &T)) {
        let out = self.member(name);
        out.push('[');
        for (position, one) in items.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            object(out, |object| item(object, one));
        }
        out.push(']');
    }
}

fn head(document: &mut Object<'_>, judged: &Judged, policy: &Policy) {
    document.text("path", &judged.name);
    if let Some(name) = judged.known_as() {
        document.text("known_as", &name);
    }
    document.text("verdict", judged.verdict().as_str());
    object(document.member("subject"), |own| write_subject(own, &judged.subject));
    if judged.is_policy() {
        document.text("kind", "policy");
    }
    if !judged.labels.is_empty() {
        object(document.member("container"), |own| container(own, &judged.labels));
    }
    if let Err(error) = &judged.result {
        object(document.member("error"), |own| {
            own.text("message", &error.message);
            own.text("hint", &error.hint);
        });
    }
    if judged.known > 0 {
        document.number_or_null("known", Some(judged.known));
    }
    if !judged.breaches.is_empty() {
        document.list("spec", &judged.breaches, |own, breach| one_breach(own, judged, breach));
    }
    document.list("findings", judged.findings(), |own, finding| one_finding(own, judged, finding, policy));
}

fn one_breach(own: &mut Object<'_>, judged: &Judged, breach: &Breach) {
    own.text("level", breach.force.as_str());
    own.text("section", breach.section);
    own.text("pointer", breach.pointer.as_str());
    own.number_or_null("line", judged.line(&breach.pointer));
    own.text("message", &breach.message);
    own.text("hint", &breach.hint);
}

fn container(own: &mut Object<'_>, labels: &Labels) {
    let Labels { engine, id, name, image } = labels;
    for (key, text) in
        [("engine", *engine), ("id", id.as_deref()), ("name", name.as_deref()), ("image", image.as_deref())]
    {
        if let Some(text) = text {
            own.text(key, text);
        }
    }
}

fn write_subject(own: &mut Object<'_>, subject: &Subject) {
    let Subject { namespace, pod, container, image, is_sandbox: _, annotations } = subject;
    for (key, text) in [("namespace", namespace), ("pod", pod), ("container", container), ("image", image)] {
        if let Some(text) = text {
            own.text(key, text);
        }
    }
    if !annotations.is_empty() {
        own.member("annotations").push_str(&json!(annotations).to_string());
    }
}

fn one_finding(own: &mut Object<'_>, judged: &Judged, finding: &Finding, policy: &Policy) {
    own.text("rule", finding.rule.0);
    own.text("severity", finding.severity.as_str());
    own.text("disposition", finding.disposition.as_str());
    own.text("pointer", finding.pointer.as_str());
    own.number_or_null("line", judged.line(&finding.pointer));
    own.text("message", &finding.message);
    for (name, origin) in [("policy", finding.origin), ("decided_by", finding.decided_by)] {
        object(own.member(name), |own| write_origin(own, origin, policy));
    }
    own.text_or_null("standard", finding.standard());
    own.text("hint", &finding.hint);
    own.text_or_null("waiver", finding.waiver.as_deref());
    own.list("edits", &finding.edits, edit);
}

fn write_origin(own: &mut Object<'_>, origin: Origin, policy: &Policy) {
    let place = policy.locate(origin);
    own.text("setting", origin.setting);
    own.text_or_null("file", place.map(|(path, _)| path.to_string_lossy()).as_deref());
    own.number_or_null("line", place.map(|(_, line)| line));
}

fn edit(own: &mut Object<'_>, edit: &Edit) {
    own.text("op", if matches!(edit.change, Change::Set(_)) { "set" } else { "remove" });
    own.text("path", edit.pointer.as_str());
    let Change::Set(fragment) = &edit.change else { return };
    let value = own.member("value");
    // A report of lines must stay one.
    if fragment.json().contains('\n') {
        let set = serde_json::from_str::<Value>(fragment.json()).unwrap_or(Value::Null);
        value.push_str(&set.to_string());
    } else {
        value.push_str(fragment.json());
    }
}

/// The same as a value, for reports of other commands.
pub(crate) fn subject(subject: &Subject) -> Value {
    value(|own| write_subject(own, subject))
}

/// The same as a value, for an attestation.
pub(super) fn origin(origin: Origin, policy: &Policy) -> Value {
    value(|own| write_origin(own, origin, policy))
}

fn value(members: impl FnOnce(&mut Object<'_>)) -> Value {
    let mut out = String::new();
    object(&mut out, members);
    serde_json::from_str(&out).unwrap_or(Value::Null)
}
