//! Proposals written into the TOML that they are for: what a person wrote there stays as it is.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::propose::{Lesson, Proposal};
use crate::apparmor::pattern::Pattern;
use crate::apparmor::profile::{Access, Rule};

/// TOML into which nothing can be written.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It is none.
    #[error("the text is no TOML: {0}")]
    Syntax(#[from] toml_edit::TomlError),
    /// A section is something else than a section.
    #[error("{0} is not a section of a profile")]
    Section(&'static str),
}

/// The TOML of a profile with the proposals added.
///
/// # Errors
/// [`EditError`] when the text is not a profile's.
pub fn edit(toml: &str, lesson: &Lesson) -> Result<String, EditError> {
    let mut document: DocumentMut = toml.parse()?;
    if lesson.needs_attach_disconnected {
        document["attach_disconnected"] = value(true);
    }
    let mut files: Vec<(Access, Vec<&Pattern>)> = Vec::new();
    for Proposal { rule, .. } in &lesson.proposals {
        match rule {
            Rule::Capability { set, .. } => {
                let names = set.iter().flat_map(|set| set.iter()).map(|capability| capability.name().to_owned());
                add_capabilities(&mut document, names)?;
            }
            Rule::File(file) => match files.iter_mut().find(|(access, _)| *access == file.access) {
                Some((_, paths)) => paths.push(&file.path),
                None => files.push((file.access, vec![&file.path])),
            },
            Rule::Facility { facility, .. } => {
                // A plain key has to stand before the first section.
                document.insert(facility.as_str(), value("allow"));
            }
            other => {
                if let Some((section, entry)) = section(other) {
                    push(&mut document, section, entry)?;
                }
            }
        }
    }
    for (access, paths) in files {
        let entry = [("paths", list(paths.iter().map(ToString::to_string))), ("access", list(access.words()))];
        push(&mut document, "files", entry.into_iter().collect())?;
    }
    Ok(document.to_string())
}

fn add_capabilities(document: &mut DocumentMut, names: impl Iterator<Item = String>) -> Result<(), EditError> {
    let section = document.entry("capabilities").or_insert_with(|| Item::Table(Table::new()));
    let table = section.as_table_like_mut().ok_or(EditError::Section("capabilities"))?;
    let allow = table.entry("allow").or_insert_with(|| value(Array::new()));
    let allow = allow.as_array_mut().ok_or(EditError::Section("capabilities.allow"))?;
    let is_spread = is_spread(allow);
    for name in names {
        // A comment behind the last entry stays on its line.
        let trailing = allow.trailing().as_str().unwrap_or_default().to_owned();
        let (comment, rest) = trailing.rsplit_once('\n').unwrap_or_default();
        allow.push(name);
        if is_spread && let Some(last) = allow.iter_mut().last() {
            last.decor_mut().set_prefix(format!("{comment}\n    "));
            allow.set_trailing(format!("\n{rest}"));
        }
    }
    Ok(())
}

/// Whether a list has its entries on lines of their own.
fn is_spread(array: &Array) -> bool {
    let starts_line = |entry: &Value| {
        entry.decor().prefix().and_then(toml_edit::RawString::as_str).is_some_and(|prefix| prefix.contains('\n'))
    };
    array.iter().next().is_some_and(starts_line)
}

type Entry = Vec<(&'static str, Value)>;

/// The section and the settings of a rule.
fn section(rule: &Rule) -> Option<(&'static str, Entry)> {
    let words = |words: Vec<String>| list(words);
    let text = |pattern: &Pattern| Value::from(pattern.to_string());
    Some(match rule {
        Rule::Network { family, kind, .. } => {
            let family = family.map(|family| ("families", list([family.as_str()])));
            let kind = kind.map(|kind| ("types", list([kind.as_str()])));
            ("network", family.into_iter().chain(kind).collect())
        }
        Rule::Signal { access, signals, peer, .. } => {
            let mut entry = vec![("access", words(access.iter().map(ToString::to_string).collect()))];
            if !signals.is_empty() {
                entry.push(("signals", words(signals.iter().map(ToString::to_string).collect())));
            }
            entry.extend(peer.as_ref().map(|peer| ("peers", list([peer.to_string()]))));
            ("signal", entry)
        }
        Rule::Ptrace { access, peer, .. } => {
            let mut entry = vec![("access", words(access.iter().map(ToString::to_string).collect()))];
            entry.extend(peer.as_ref().map(|peer| ("peers", list([peer.to_string()]))));
            ("ptrace", entry)
        }
        Rule::Mount(mount) => {
            let mut entry = vec![("operation", Value::from(mount.kind.as_str()))];
            if !mount.fstypes.is_empty() {
                entry.push(("fstypes", words(mount.fstypes.iter().map(ToString::to_string).collect())));
            }
            if !mount.options.is_empty() {
                entry.push(("options", words(mount.options.iter().map(ToString::to_string).collect())));
            }
            entry.extend(mount.source.as_ref().map(|source| ("source", text(source))));
            entry.extend(mount.target.as_ref().map(|target| ("target", text(target))));
            ("mount", entry)
        }
        Rule::ChangeProfile { target, .. } => {
            ("change_profile", target.as_ref().map(|target| ("to", text(target))).into_iter().collect())
        }
        Rule::Capability { .. } | Rule::Unix { .. } | Rule::File(_) | Rule::Facility { .. } => return None,
    })
}

/// A list of words; of many, one on a line.
fn list<T: Into<Value>>(words: impl IntoIterator<Item = T>) -> Value {
    let mut array: Array = words.into_iter().map(Into::into).collect();
    if array.len() > 1 && array.iter().any(|word| word.as_str().is_some_and(|word| word.starts_with(['/', '@']))) {
        array.iter_mut().for_each(|word| word.decor_mut().set_prefix("\n    "));
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    Value::Array(array)
}

fn push(document: &mut DocumentMut, section: &'static str, entry: Entry) -> Result<(), EditError> {
    match document.entry(section).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
        Item::ArrayOfTables(tables) => {
            let mut table = Table::new();
            for (key, setting) in entry {
                table.insert(key, value(setting));
            }
            tables.push(table);
            Ok(())
        }
        Item::Value(Value::Array(array)) => {
            let mut table = InlineTable::new();
            for (key, setting) in entry {
                table.insert(key, setting);
            }
            array.push(table);
            Ok(())
        }
        _ => Err(EditError::Section(section)),
    }
}
