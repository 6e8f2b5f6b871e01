//! Settings from several files, the later ones over the earlier, and which file each came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{EngineError, Format, Site, Value, json_file, toml_file};

/// The values of some files, by the keys that lead to them.
#[derive(Debug, Default)]
pub(super) struct Layers {
    values: BTreeMap<Vec<String>, (Value, PathBuf)>,
    /// The files that were there.
    pub(super) files: Vec<PathBuf>,
}

impl Layers {
    /// Lays one file over the others, if it is there. `rename` may change a value's keys.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be read.
    pub(super) fn lay(
        &mut self,
        site: &Site,
        path: &Path,
        format: Format,
        rename: impl Fn(&mut [String]),
    ) -> Result<(), EngineError> {
        let Some(text) = site.read(path)? else { return Ok(()) };
        let values = match format {
            Format::Toml => toml_file::values(path, &text)?,
            Format::Json => json_file::values(path, &text)?,
        };
        for (mut keys, value) in values {
            rename(&mut keys);
            self.values.insert(keys, (value, path.to_owned()));
        }
        self.files.push(path.to_owned());
        Ok(())
    }

    /// Forgets everything below `keys`.
    pub(super) fn forget(&mut self, keys: &[&str]) {
        self.values.retain(|known, _| !starts_with(known, keys));
    }

    /// The value at `keys`.
    pub(super) fn get(&self, keys: &[&str]) -> Option<&Value> {
        self.values.iter().find(|(known, _)| *known == keys).map(|(_, (value, _))| value)
    }

    /// The string at `keys`.
    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys).and_then(Value::as_text)
    }

    /// The file that the value at `keys` came from.
    pub(super) fn file(&self, keys: &[&str]) -> Option<&Path> {
        self.values.iter().find(|(known, _)| *known == keys).map(|(_, (_, file))| file.as_path())
    }

    /// The names of the tables and values directly below `keys`.
    pub(super) fn names(&self, keys: &[&str]) -> Vec<String> {
        let below = self.values.keys().filter(|known| starts_with(known, keys));
        let mut names: Vec<String> = below.filter_map(|known| known.get(keys.len()).cloned()).collect();
        names.dedup();
        names
    }

    /// Everything below `keys`, by the keys from there on.
    pub(super) fn below(&self, keys: &[&str]) -> Vec<(Vec<String>, Value)> {
        let below = self.values.iter().filter(|(known, _)| starts_with(known, keys));
        below.map(|(known, (value, _))| (known[keys.len()..].to_vec(), value.clone())).collect()
    }
}

fn starts_with(known: &[String], keys: &[&str]) -> bool {
    known.len() > keys.len() && known.iter().zip(keys).all(|(known, key)| known == key)
}
