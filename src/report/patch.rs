//! What would change, as a unified diff or as a JSON patch (RFC 6902).

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use similar::{Algorithm, TextDiff};

use crate::spec::{Change, Document, Edit, ReadError, apply};

/// The change from `before` to `after` as a unified diff. Text on one line, as engines write it, is shown indented, so
/// that a person sees which member changed.
pub fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (old, new) = (indented(before), indented(after));
    // A filter that takes another's place differs in hundreds of lines: Myers' search takes eight times as long for them.
    TextDiff::configure()
        .algorithm(Algorithm::Histogram)
        .diff_lines(&*old, &*new)
        .unified_diff()
        .context_radius(3)
        .header(name, &format!("{name} (within the policy)"))
        .to_string()
}

/// JSON on one line with a line for each member and item, every other byte as it is; any other text unchanged.
fn indented(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || text.trim_end().contains('\n') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut rest) = (0, text.trim_end());
    while let Some(at) = rest.find(['"', '{', '[', '}', ']', ',', ':', ' ', '\t', '\r']) {
        let (plain, found) = rest.split_at(at);
        out.push_str(plain);
        let (mark, behind) = found.split_at(1);
        rest = behind;
        match mark {
            "\"" => {
                let (string, behind) = rest.split_at(string_end(rest));
                out.push('"');
                out.push_str(string);
                rest = behind;
            }
            "{" | "[" => {
                out.push_str(mark);
                let inside = rest.trim_start();
                if inside.starts_with(['}', ']']) {
                    out.push_str(&inside[..1]);
                    rest = &inside[1..];
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push_str(mark);
            }
            "," => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            _ => {}
        }
    }
    out.push_str(rest);
    out.push('\n');
    Cow::Owned(out)
}

/// How many bytes there are to the end of a string whose quote is behind, its other quote included.
fn string_end(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |end| end + 1)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_one_line_is_shown_as_a_person_would_write_it() {
        let texts = [
            r#"{"a":1.50,"b":[],"c":{},"d":[1,{"e":"x,{\"\\"}],"f":{"g":null}}"#,
            r#"{ "a" : [ true , { } , [ ] , "ü:" ] }"#,
            "{}",
        ];
        for text in texts {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(indented(text), serde_json::to_string_pretty(&value).unwrap() + "\n", "{text}");
        }
        for text in ["{\n}", "profile x {", "{\"a\":1}\n{\n"] {
            assert_eq!(indented(text), text, "as it is");
        }
    }
}
