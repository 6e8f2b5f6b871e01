//! What would change, as a unified diff or as a JSON patch (RFC 6902).

use serde_json::{Map, Value, json};
use similar::TextDiff;

use crate::spec::{Change, Document, Edit, ReadError, apply};

/// The change from `before` to `after` as a unified diff. Text on one line, as engines write it, is shown indented, so
/// that a person sees which member changed.
pub fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new) = (readable(before), readable(after));
    TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(3)
        .header(name, &format!("{name} (within the policy)"))
        .to_string()
}

fn readable(text: &str) -> String {
    if text.trim_end().contains('\n') {
        return text.to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default() + "\n",
        Err(_) => text.to_owned(),
    }
}

/// The same change as a JSON patch: applied to `before` it gives what `enforce` gives.
///
/// # Errors
/// [`ReadError`] when `before` or an edit is not JSON.
pub fn json_patch(before: &str, edits: &[Edit]) -> Result<Value, ReadError> {
    let mut text = before.to_owned();
    let mut operations = Vec::new();
    for edit in edits {
        let document = Document::parse(text)?;
        if let Some(operation) = operation(&document, edit) {
            operations.push(operation);
        }
        text = apply(&document, std::slice::from_ref(edit)).unwrap_or_default();
    }
    Ok(Value::Array(operations))
}

/// `add` creates one member, so what is missing above it goes into its value.
fn operation(document: &Document, edit: &Edit) -> Option<Value> {
    let exists = document.at(&edit.pointer).is_some();
    let Change::Set(fragment) = &edit.change else {
        return exists.then(|| json!({ "op": "remove", "path": edit.pointer.as_str() }));
    };
    let value: Value = serde_json::from_str(fragment.json()).ok()?;
    if exists {
        return Some(json!({ "op": "replace", "path": edit.pointer.as_str(), "value": value }));
    }
    let tokens: Vec<_> = edit.pointer.tokens().collect();
    let mut here = document.root();
    let mut path = crate::spec::Pointer::root();
    let mut depth = 0;
    while let Some(next) = here.step(&tokens[depth]).filter(|next| !next.is_null()) {
        here = next;
        path = path.child(&tokens[depth]);
        depth += 1;
    }
    let wrap = |inner, token: &std::borrow::Cow<'_, str>| Value::Object(Map::from_iter([(token.to_string(), inner)]));
    let value = tokens[depth + 1..].iter().rev().fold(value, wrap);
    Some(json!({ "op": "add", "path": path.child(&tokens[depth]).as_str(), "value": value }))
}
