//! TOML as administrators write it: values set and removed, while comments, order and spacing stay.

use std::path::Path;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value as Written};

use super::{EngineError, Setting, Value};

/// Every value of a text, by the keys that lead to it. Kinds that no setting about runtimes has are left out.
pub(super) fn values(path: &Path, text: &str) -> Result<Vec<(Vec<String>, Value)>, EngineError> {
    let mut all = Vec::new();
    collect(parse(path, text)?.as_table(), &mut Vec::new(), &mut all);
    Ok(all)
}

fn collect(table: &dyn TableLike, above: &mut Vec<String>, all: &mut Vec<(Vec<String>, Value)>) {
    for (key, item) in table.iter() {
        above.push(key.to_owned());
        if let Some(table) = item.as_table_like() {
            collect(table, above, all);
        } else if let Some(value) = item.as_value().and_then(read) {
            all.push((above.clone(), value));
        }
        above.pop();
    }
}

fn read(value: &Written) -> Option<Value> {
    match value {
        Written::String(text) => Some(Value::Text(text.value().clone())),
        Written::Integer(number) => Some(Value::Number(*number.value())),
        Written::Boolean(flag) => Some(Value::Flag(*flag.value())),
        Written::Array(array) => {
            let list: Option<Vec<_>> = array.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            list.map(Value::List)
        }
        Written::Float(_) | Written::Datetime(_) | Written::InlineTable(_) => None,
    }
}

/// The text with every setting in it.
pub(super) fn set(path: &Path, text: &str, settings: &[Setting]) -> Result<String, EngineError> {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{end}");
    let mut document = parse(path, &text)?;
    if document.to_string() != text {
        return Err(EngineError::NotKept { path: path.to_owned() });
    }
    for setting in settings {
        let (key, above) = setting.path.split_last().map_or(("", &[][..]), |(key, above)| (key.as_str(), above));
        let table = descend(document.as_table_mut(), above, false)
            .ok_or_else(|| EngineError::NotATable { path: path.to_owned(), key: above.join(".") })?;
        let mut value = write(&setting.value);
        match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) if read(old).as_ref() == Some(&setting.value) => {}
            // What stands around the old value, a comment behind it say, stays.
            Some(old) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            None => {
                table.insert(key, Item::Value(value));
            }
        }
    }
    Ok(document.to_string())
}

/// The table below `table` that `keys` lead to, made where it is missing.
fn descend<'t>(table: &'t mut dyn TableLike, keys: &[String], inline: bool) -> Option<&'t mut dyn TableLike> {
    let Some((key, rest)) = keys.split_first() else { return Some(table) };
    let item = table.entry(key).or_insert_with(|| {
        if inline {
            return Item::Value(Written::InlineTable(InlineTable::new()));
        }
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let inline = item.is_value();
    descend(item.as_table_like_mut()?, rest, inline)
}

/// The text without the settings that still have the value that batten gave them; what `before` has in their place comes
/// back. Gives the text, or none where nothing is left, and the settings that somebody has changed since.
pub(super) fn unset(
    path: &Path,
    text: &str,
    before: Option<&str>,
    settings: &[Setting],
) -> Result<(Option<String>, Vec<String>), EngineError> {
    let mut document = parse(path, text)?;
    let before = before.map(|text| parse(path, text)).transpose()?;
    let mut changed = Vec::new();
    for setting in settings {
        match find(document.as_table(), &setting.path).map(|item| item.as_value().and_then(read)) {
            Some(found) if found.as_ref() == Some(&setting.value) => {
                let old = before.as_ref().and_then(|before| find(before.as_table(), &setting.path));
                put_back(document.as_table_mut(), &setting.path, old, before.as_ref().map(DocumentMut::as_table), 0);
            }
            Some(_) => changed.push(setting.name()),
            None => {}
        }
    }
    let is_empty = before.is_none() && document.as_table().is_empty();
    Ok(((!is_empty).then(|| document.to_string()), changed))
}

fn find<'t>(table: &'t dyn TableLike, keys: &[String]) -> Option<&'t Item> {
    let (key, rest) = keys.split_first()?;
    let item = table.get(key)?;
    if rest.is_empty() { Some(item) } else { find(item.as_table_like()?, rest) }
}

/// Replaces the value by `old`, or removes it with every table that is empty then and was not there before.
fn put_back(table: &mut dyn TableLike, keys: &[String], old: Option<&Item>, before: Option<&Table>, depth: usize) {
    let Some(key) = keys.get(depth) else { return };
    if depth + 1 == keys.len() {
        match (old, table.get_mut(key)) {
            (Some(old), Some(item)) => *item = old.clone(),
            _ => drop(table.remove(key)),
        }
        return;
    }
    let Some(inner) = table.get_mut(key).and_then(Item::as_table_like_mut) else { return };
    put_back(inner, keys, old, before, depth + 1);
    let was_there = before.is_some_and(|before| find(before, &keys[..=depth]).is_some());
    if inner.is_empty() && !was_there {
        table.remove(key);
    }
}

fn write(value: &Value) -> Written {
    match value {
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(list) => Written::Array(list.iter().map(String::as_str).collect::<Array>()),
    }
}

fn parse(path: &Path, text: &str) -> Result<DocumentMut, EngineError> {
    text.parse().map_err(|error| EngineError::Toml { path: path.to_owned(), error: Box::new(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<Setting> {
        vec![
            Setting::new(["engine", "runtime"], "batten"),
            Setting::new(["engine", "runtimes", "batten"], vec!["/b".to_owned()]),
        ]
    }

    fn set_in(text: &str) -> String {
        set(Path::new("f"), text, &ours()).unwrap()
    }

    #[test]
    fn comments_order_and_spacing_stay() {
        let text = "# mine\n[engine]\nruntime   = \"crun\" # because\n# the end of it\n\n[engine.runtimes]\ncrun = [\"/c\"]\n\n# last\n[z]\na=1\n";
        let wanted = "# mine\n[engine]\nruntime   = \"batten\" # because\n# the end of it\n\n[engine.runtimes]\ncrun = [\"/c\"]\nbatten = [\"/b\"]\n\n# last\n[z]\na=1\n";
        assert_eq!(set_in(text), wanted);
    }

    #[test]
    fn a_table_may_be_missing_dotted_or_inline() {
        for text in
            ["", "a = 1", "engine.runtime = \"crun\"\n", "engine = { runtime = \"crun\", runtimes = { crun = [] } }\n"]
        {
            let after = set_in(text);
            let found = values(Path::new("f"), &after).unwrap();
            for setting in ours() {
                assert!(found.contains(&(setting.path.clone(), setting.value.clone())), "{text:?}: {after}");
            }
            assert_eq!(set_in(&after), after);
        }
    }

    #[test]
    fn taking_ours_out_of_an_edited_file_leaves_the_edits_and_brings_back_what_was_there() {
        let before = "[engine]\nruntime = \"crun\"\n";
        let edited = set_in(before).replace("[engine]\n", "# new\n[engine]\nnum_locks = 9\n");
        let (after, changed) = unset(Path::new("f"), &edited, Some(before), &ours()).unwrap();
        assert_eq!(after.as_deref(), Some("# new\n[engine]\nnum_locks = 9\nruntime = \"crun\"\n"));
        assert_eq!(changed, [""; 0]);
    }

    #[test]
    fn what_somebody_has_changed_since_stays_and_is_named() {
        let edited = set_in("").replace("\"batten\"", "\"mine\"");
        let (after, changed) = unset(Path::new("f"), &edited, None, &ours()).unwrap();
        assert_eq!(after.as_deref(), Some("[engine]\nruntime = \"mine\"\n"));
        assert_eq!(changed, ["engine.runtime"]);
    }

    #[test]
    fn a_text_that_would_not_come_back_as_it_was_is_refused() {
        // toml_edit writes other line ends.
        let result = set(Path::new("f"), "a = 1\r\nb = 2\r\n", &ours());
        assert!(
            matches!(result, Err(EngineError::NotKept { .. })) || result.unwrap().starts_with("a = 1\r\nb = 2\r\n")
        );
    }

    #[test]
    fn a_value_on_the_way_is_no_table() {
        assert!(matches!(set(Path::new("f"), "engine = 1\n", &ours()), Err(EngineError::NotATable { .. })));
    }
}
