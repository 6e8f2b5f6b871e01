//! daemon.json: members set and removed, while every byte that is not ours stays.

use std::path::Path;

use super::{EngineError, Setting, Value};
use crate::spec::{Document, Edit, Kind, Pointer, Value as Read, apply, quote};

/// How far members are indented where the file does not show it.
const INDENT: &str = "    ";

/// Every value of a text, by the keys that lead to it.
pub(super) fn values(path: &Path, text: &str) -> Result<Vec<(Vec<String>, Value)>, EngineError> {
    let mut all = Vec::new();
    collect(parse(path, text)?.root(), &mut Vec::new(), &mut all);
    Ok(all)
}

fn collect(value: Read<'_>, above: &mut Vec<String>, all: &mut Vec<(Vec<String>, Value)>) {
    if value.kind() != Kind::Object {
        all.extend(read(value).map(|value| (above.clone(), value)));
        return;
    }
    for (key, member) in value.members() {
        above.push(key.into_owned());
        collect(member, above, all);
        above.pop();
    }
}

fn read(value: Read<'_>) -> Option<Value> {
    match value.kind() {
        Kind::String => value.as_str().map(|text| Value::Text(text.into_owned())),
        Kind::Bool => value.as_bool().map(Value::Flag),
        Kind::Number => value.as_i64().map(Value::Number),
        Kind::Array => {
            let list: Option<Vec<_>> =
                value.items().map(|item| item.as_str().map(std::borrow::Cow::into_owned)).collect();
            list.map(Value::List)
        }
        Kind::Null | Kind::Object => None,
    }
}

/// The text with every setting in it.
pub(super) fn set(path: &Path, text: &str, settings: &[Setting]) -> Result<String, EngineError> {
    let mut text = if text.trim().is_empty() { "{\n}\n".to_owned() } else { text.to_owned() };
    for setting in settings {
        text = set_one(path, &text, setting)?;
    }
    Ok(text)
}

fn set_one(path: &Path, text: &str, setting: &Setting) -> Result<String, EngineError> {
    let document = parse(path, text)?;
    let mut here = document.root();
    let mut depth = 0;
    while let Some(next) = setting.path.get(depth).and_then(|key| here.get(key)) {
        here = next;
        depth += 1;
    }
    let missing = &setting.path[depth..];
    if missing.is_empty() && read(here).as_ref() == Some(&setting.value) {
        return Ok(text.to_owned());
    }
    if !missing.is_empty() && here.kind() != Kind::Object {
        return Err(EngineError::NotATable { path: path.to_owned(), key: setting.path[..depth].join(".") });
    }
    // A member that is null, or an object on one line, is edited where it stands.
    let null = missing.first().is_some_and(|key| here.member(key).is_some());
    let is_narrow = !here.raw().contains('\n');
    if missing.is_empty() || null || is_narrow {
        let pointer = setting.path.iter().fold(Pointer::root(), |pointer, key| pointer.child(key));
        return apply(&document, &[Edit::set(pointer, write(&setting.value))])
            .map_err(|_| EngineError::NotKept { path: path.to_owned() });
    }
    Ok(insert(text, here, missing, &setting.value))
}

/// Adds a member to an object of several lines, as its neighbours are written.
fn insert(text: &str, object: Read<'_>, missing: &[String], value: &Value) -> String {
    let indent_at = |offset: usize| {
        let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[line..];
        &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
    };
    let outer = indent_at(object.span().start);
    let first = object.members().next().map(|(_, member)| indent_at(member.span().start));
    let inner = first.map_or_else(|| format!("{outer}{INDENT}"), str::to_owned);
    let step = inner.strip_prefix(outer).filter(|step| !step.is_empty()).unwrap_or(INDENT);
    let mut with = String::new();
    let at = match object.members().last() {
        Some((_, last)) => {
            with.push(',');
            last.span().end
        }
        None => object.span().start + 1,
    };
    for (depth, key) in missing.iter().enumerate() {
        with.push_str(if depth > 0 { "{\n" } else { "\n" });
        with.push_str(&inner);
        with.push_str(&step.repeat(depth));
        quote(key, &mut with);
        with.push_str(": ");
    }
    with.push_str(&write(value));
    for depth in (0..missing.len() - 1).rev() {
        with.push('\n');
        with.push_str(&inner);
        with.push_str(&step.repeat(depth));
        with.push('}');
    }
    format!("{}{with}{}", &text[..at], &text[at..])
}

/// The text without the settings that still have the value that batten gave them; what `before` has in their place comes
/// back. Gives the text, or none where nothing is left, and the settings that somebody has changed since.
pub(super) fn unset(
    path: &Path,
    text: &str,
    before: Option<&str>,
    settings: &[Setting],
) -> Result<(Option<String>, Vec<String>), EngineError> {
    let old = parse(path, before.unwrap_or_default())?;
    let mut text = text.to_owned();
    let mut changed = Vec::new();
    for setting in settings {
        let document = parse(path, &text)?;
        let pointers: Vec<Pointer> = (1..=setting.path.len())
            .map(|length| setting.path[..length].iter().fold(Pointer::root(), |pointer, key| pointer.child(key)))
            .collect();
        let Some(pointer) = pointers.last() else { continue };
        match document.at(pointer).map(read) {
            Some(found) if found.as_ref() == Some(&setting.value) => {}
            Some(_) => {
                changed.push(setting.name());
                continue;
            }
            None => continue,
        }
        let edit = match old.at(pointer) {
            Some(value) => Edit::set(pointer.clone(), value.raw()),
            // The outermost object that holds nothing else and was not there before goes as a whole.
            None => Edit::remove(
                pointers
                    .iter()
                    .find(|above| old.at(above).is_none() && document.at(above).is_some_and(is_chain))
                    .unwrap_or(pointer)
                    .clone(),
            ),
        };
        text = apply(&document, &[edit]).map_err(|_| EngineError::NotKept { path: path.to_owned() })?;
    }
    let is_empty = before.is_none() && parse(path, &text)?.root().members().next().is_none();
    Ok(((!is_empty).then_some(text), changed))
}

/// Whether each object in it holds one member only, down to a single value.
fn is_chain(value: Read<'_>) -> bool {
    let mut members = value.members();
    match (members.next(), members.next()) {
        (Some((_, only)), None) => is_chain(only),
        (None, None) => true,
        _ => false,
    }
}

fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Text(text) => quote(text, &mut out),
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                quote(item, &mut out);
            }
            out.push(']');
        }
    }
    out
}

/// An empty file is an empty object to dockerd.
fn parse(path: &Path, text: &str) -> Result<Document, EngineError> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    Document::parse(text).map_err(|error| EngineError::Json { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<Setting> {
        vec![Setting::new(["runtimes", "batten", "path"], "/b"), Setting::new(["default-runtime"], "batten")]
    }

    fn set_in(text: &str) -> String {
        set(Path::new("f"), text, &ours()).unwrap()
    }

    #[test]
    fn every_byte_that_is_not_ours_stays_and_ours_are_written_as_their_neighbours_are() {
        assert_eq!(
            set_in(
                "{\n  \"log-level\":\"warn\" ,\n  \"x\" : 1.50,\n  \"runtimes\": {\n    \"crun\": {\"path\":\"/c\"}\n  }\n}\n"
            ),
            "{\n  \"log-level\":\"warn\" ,\n  \"x\" : 1.50,\n  \"runtimes\": {\n    \"crun\": {\"path\":\"/c\"},\n    \"batten\": {\n      \"path\": \"/b\"\n    }\n  },\n  \"default-runtime\": \"batten\"\n}\n"
        );
        assert_eq!(
            set_in("{\n\t\"a\": []\n}"),
            "{\n\t\"a\": [],\n\t\"runtimes\": {\n\t\t\"batten\": {\n\t\t\t\"path\": \"/b\"\n\t\t}\n\t},\n\t\"default-runtime\": \"batten\"\n}"
        );
        assert_eq!(
            set_in("{\"a\":1}"),
            "{\"a\":1,\"runtimes\":{\"batten\":{\"path\":\"/b\"}},\"default-runtime\":\"batten\"}"
        );
    }

    #[test]
    fn an_empty_file_an_empty_object_and_null_will_do() {
        let written = "{\n    \"runtimes\": {\n        \"batten\": {\n            \"path\": \"/b\"\n        }\n    },\n    \"default-runtime\": \"batten\"\n}\n";
        assert_eq!(set_in(""), written);
        assert_eq!(set_in("{\n}\n"), written);
        for text in ["{}", "{\"runtimes\":null}", "{\n\"runtimes\": null\n}", "{\"default-runtime\":\"runc\"}"] {
            let after = set_in(text);
            let found = values(Path::new("f"), &after).unwrap();
            assert!(ours().into_iter().all(|setting| found.contains(&(setting.path, setting.value))), "{after}");
            assert_eq!(set_in(&after), after);
        }
    }

    #[test]
    fn taking_ours_out_of_an_edited_file_leaves_the_edits_and_brings_back_what_was_there() {
        let before = "{\n  \"default-runtime\": \"crun\",\n  \"runtimes\": {\n    \"crun\": {}\n  }\n}\n";
        let edited = set_in(before).replace("\"crun\": {}", "\"crun\": {\"path\": \"/new\"}");
        let (after, changed) = unset(Path::new("f"), &edited, Some(before), &ours()).unwrap();
        assert_eq!(after, Some(before.replace("{}", "{\"path\": \"/new\"}")));
        assert_eq!(changed, [""; 0]);
        let (after, changed) =
            unset(Path::new("f"), &set_in("{\"a\":1}").replace("/b", "/c"), Some("{\"a\":1}"), &ours()).unwrap();
        assert_eq!(after.as_deref(), Some("{\"a\":1,\"runtimes\":{\"batten\":{\"path\":\"/c\"}}}"));
        assert_eq!(changed, ["runtimes.batten.path"]);
    }

    #[test]
    fn what_two_readers_could_take_differently_is_not_edited() {
        for text in ["{\"a\":1,\"a\":2}", "[]", "{\"runtimes\":[]}", "{,}"] {
            assert!(set(Path::new("f"), text, &ours()).is_err(), "{text}");
        }
    }
}
