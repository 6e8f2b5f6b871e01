//! What batten has registered with an engine: each file as it was before and as it was left, so that undoing gives the
//! very bytes back.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Content, Engine, EngineError, Format, Setting, Site, json_file, toml_file};
use crate::spec::{Durability, TrustedFile};

/// What was registered with one engine.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// 1.
    pub(super) version: u32,
    /// The files.
    pub(super) files: Vec<Left>,
    /// Folders that were made for them, the outermost first.
    pub(super) folders: Vec<PathBuf>,
}

/// A file as it was left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Left {
    /// Where, as the engine sees it.
    pub(super) path: PathBuf,
    /// Its text before; none where there was no file.
    pub(super) before: Option<String>,
    /// Its text after.
    pub(super) after: String,
    /// Its format, where only some settings in it are batten's.
    pub(super) format: Option<Format>,
    /// Those settings.
    pub(super) settings: Vec<Setting>,
}

/// What becomes of a file when it is undone.
pub(super) struct Undone {
    /// Its text; none for no file.
    pub(super) text: Option<String>,
    /// What somebody has changed since, and what becomes of it.
    pub(super) notes: Vec<String>,
    /// Whether something of batten's stays.
    pub(super) leaves_some: bool,
}

impl Left {
    /// How a file is left that had `before` in it.
    pub(super) fn new(path: &Path, before: Option<String>, after: String, content: &Content) -> Self {
        let (format, settings) = match content {
            Content::Settings { format, settings } => (Some(*format), settings.clone()),
            Content::Whole(_) => (None, Vec::new()),
        };
        Self { path: path.to_owned(), before, after, format, settings }
    }

    /// The file without what is batten's, as it is `now`.
    ///
    /// # Errors
    /// [`EngineError`] when somebody has edited it and it cannot be read any more.
    pub(super) fn undo(&self, now: Option<&str>) -> Result<Undone, EngineError> {
        let shown = self.path.display();
        let Some(now) = now else {
            let notes = self.before.iter().map(|_| format!("{shown} is gone since, and stays so"));
            return Ok(Undone { text: None, notes: notes.collect(), leaves_some: false });
        };
        if now == self.after || Some(now) == self.before.as_deref() {
            return Ok(Undone { text: self.before.clone(), notes: Vec::new(), leaves_some: false });
        }
        let before = self.before.as_deref();
        let (text, changed) = match self.format {
            Some(Format::Toml) => toml_file::unset(&self.path, now, before, &self.settings)?,
            Some(Format::Json) => json_file::unset(&self.path, now, before, &self.settings)?,
            None => {
                let note = format!("{shown} was edited since, and is left as it is: remove it by hand");
                return Ok(Undone { text: Some(now.to_owned()), notes: vec![note], leaves_some: true });
            }
        };
        let mut notes = vec![format!("{shown} was edited since: only batten's settings go, the edits stay")];
        notes.extend(changed.iter().map(|name| format!("{shown}: {name} was changed since, and is left as it is")));
        Ok(Undone { text, notes, leaves_some: !changed.is_empty() })
    }
}

impl Record {
    /// What is registered with `engine`; nothing where there is no record.
    ///
    /// # Errors
    /// [`EngineError`] when the record cannot be read.
    pub(super) fn load(site: &Site, engine: Engine) -> Result<Self, EngineError> {
        let path = Self::path(site, engine);
        let Some(text) = site.read(&path)? else { return Ok(Self::default()) };
        serde_json::from_str(&text).map_err(|error| EngineError::Record { path, error })
    }

    /// Where the record is.
    pub(super) fn path(site: &Site, engine: Engine) -> PathBuf {
        site.records().join(format!("{}.json", engine.as_str()))
    }

    /// Where the text that a file had before is, as a file of its own: for whoever has to do without batten.
    pub(super) fn backup(site: &Site, engine: Engine, file: &Path) -> PathBuf {
        let name = file.strip_prefix("/").unwrap_or(file).to_string_lossy().replace('/', "-");
        site.records().join(format!("{}.{name}.before", engine.as_str()))
    }

    /// Writes the record and the backups; an empty one removes them.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be written.
    pub(super) fn keep(&self, site: &Site, engine: Engine, last: &Self) -> Result<(), EngineError> {
        let folder = site.real(&site.records());
        if !self.files.is_empty() {
            std::fs::create_dir_all(&folder).map_err(EngineError::system("make the folder", &site.records()))?;
        }
        for file in &self.files {
            if let Some(before) = &file.before {
                write(site, &Self::backup(site, engine, &file.path), before, 0o600)?;
            }
        }
        let path = Self::path(site, engine);
        if self.files.is_empty() {
            remove(site, &path)?;
        } else {
            let text = serde_json::to_string_pretty(self)
                .map_err(|error| EngineError::Record { path: path.clone(), error })?;
            write(site, &path, &(text + "\n"), 0o600)?;
        }
        for file in &last.files {
            let is_kept = self.files.iter().any(|kept| kept.path == file.path && kept.before.is_some());
            if file.before.is_some() && !is_kept {
                remove(site, &Self::backup(site, engine, &file.path))?;
            }
        }
        Ok(())
    }
}

/// Writes a file anew, whole; one that is there keeps its mode and owner.
pub(super) fn write(site: &Site, path: &Path, text: &str, mode: u32) -> Result<(), EngineError> {
    let real = site.real(path);
    let file =
        if real.symlink_metadata().is_ok() { TrustedFile::open(&real) } else { TrustedFile::to_write(&real, mode) };
    Ok(file?.replace(text.as_bytes(), Durability::Disk)?)
}

/// Removes a file, if it is there.
pub(super) fn remove(site: &Site, path: &Path) -> Result<(), EngineError> {
    match std::fs::remove_file(site.real(path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EngineError::system("remove", path)(error)),
        _ => Ok(()),
    }
}
