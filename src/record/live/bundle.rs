//! The bundle that is started: the user's own, or a copy of its config.json where recording asks for another one. The user's
//! files are never written to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::guard::Guard;
use crate::record::output::{WriteError, write_new};
use crate::spec::{CONFIG, Document, FileError, ReadError, TrustedFile};

/// A bundle that cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its config.json cannot be read or trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its config.json is damaged, or two runtimes would read it differently.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: ReadError,
    },
    /// The folder is not there.
    #[error("cannot find {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No folder for the copy.
    #[error("cannot make a folder in {}: {error}", path.display())]
    Scratch {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl BundleError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::Read { error, .. } => error.hint(),
            Self::Folder { .. } => "name the folder that holds config.json",
            Self::Scratch { .. } | Self::Write(_) => "make room there, or set TMPDIR to another folder",
        }
    }
}

/// A folder that only this user can look into, and that goes with this value.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    /// Goes last: it is there for when the folder cannot be removed here.
    guard: Option<Guard>,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, BundleError> {
        let place = std::env::temp_dir();
        let made = nix::unistd::mkdtemp(&place.join("batten-record-XXXXXX"));
        made.map(|path| Self { path, guard: None })
            .map_err(|error| BundleError::Scratch { path: place, error: error.into() })
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Has `guard` watch over the folder from now on, and over what it knows of besides.
    pub(super) fn guard(&mut self, guard: Guard) {
        self.guard = Some(guard);
    }

    /// The container that it is for is created, with the first process `first`.
    pub(super) fn created(&mut self, first: u32) {
        if let Some(guard) = &mut self.guard {
            guard.created(first);
        }
    }

    /// The program of the container that it is for runs.
    pub(super) fn started(&mut self) {
        if let Some(guard) = &mut self.guard {
            guard.started();
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A bundle's config.json, to be changed for the recording.
#[derive(Debug)]
pub(super) struct Bundle {
    folder: PathBuf,
    config: Value,
    changed: bool,
}

impl Bundle {
    pub(super) fn open(folder: &Path) -> Result<Self, BundleError> {
        let absolute = |error| BundleError::Folder { path: folder.to_owned(), error };
        let folder = fs::canonicalize(folder).map_err(absolute)?;
        let mut file = TrustedFile::in_bundle(&folder)?;
        let text = file.take_text();
        let read = |error| BundleError::Read { path: folder.join(CONFIG), error };
        let document = Document::parse_spec(text.clone()).map_err(read)?;
        drop(document);
        // What the strict reader took the lax one takes too.
        let config = serde_json::from_slice(&text).unwrap_or_default();
        Ok(Self { folder, config, changed: false })
    }

    /// Whether a filter of its own is loaded.
    pub(super) fn has_filter(&self) -> bool {
        self.config.pointer("/linux/seccomp").is_some_and(Value::is_object)
    }

    /// Whether its program is to have a terminal.
    pub(super) fn wants_terminal(&self) -> bool {
        self.config.pointer("/process/terminal").and_then(Value::as_bool) == Some(true)
    }

    /// Leaves the filter out.
    pub(super) fn drop_filter(&mut self) {
        if let Some(linux) = self.config.pointer_mut("/linux").and_then(Value::as_object_mut) {
            self.changed |= linux.shift_remove("seccomp").is_some();
        }
    }

    /// Loads `filter`, in place of none.
    pub(super) fn set_filter(&mut self, filter: Value) {
        let linux = self.config.as_object_mut().map(|config| config.entry("linux").or_insert_with(|| json!({})));
        if let Some(linux) = linux.and_then(Value::as_object_mut) {
            linux.insert("seccomp".to_owned(), filter);
            self.changed = true;
        }
    }

    /// Leaves the terminal out: a recording is for nobody to type into.
    pub(super) fn drop_terminal(&mut self) {
        if let Some(terminal) = self.config.pointer_mut("/process/terminal") {
            self.changed |= *terminal == Value::Bool(true);
            *terminal = Value::Bool(false);
        }
        if let Some(process) = self.config.pointer_mut("/process").and_then(Value::as_object_mut) {
            process.shift_remove("consoleSize");
        }
    }

    /// The folder to give to the runtime: the bundle's own where nothing was changed, or `scratch` with a copy.
    pub(super) fn place(mut self, scratch: &Scratch) -> Result<PathBuf, BundleError> {
        if !self.changed {
            return Ok(self.folder);
        }
        self.make_absolute();
        let folder = scratch.join("bundle");
        let failed = |error| BundleError::Scratch { path: folder.clone(), error };
        fs::create_dir(&folder).map_err(failed)?;
        write_new(&folder.join(CONFIG), self.config.to_string().as_bytes())?;
        Ok(folder)
    }

    /// What is relative is relative to the bundle: the root, and what is bound into it (runtime-spec, config.md).
    fn make_absolute(&mut self) {
        let folder = self.folder.clone();
        let join = |path: &mut Value| {
            if let Some(relative) = path.as_str().filter(|path| !path.starts_with('/')) {
                *path = Value::from(folder.join(relative).to_string_lossy());
            }
        };
        if let Some(root) = self.config.pointer_mut("/root/path") {
            join(root);
        }
        let mounts = self.config.pointer_mut("/mounts").and_then(Value::as_array_mut);
        for mount in mounts.into_iter().flatten() {
            let options = mount.get("options").and_then(Value::as_array);
            let binds = options.is_some_and(|all| all.iter().any(|one| one == "bind" || one == "rbind"));
            if let (true, Some(source)) = (binds || mount["type"] == "bind", mount.get_mut("source")) {
                join(source);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    fn bundle(text: &str) -> (tempfile::TempDir, Bundle) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CONFIG), text).unwrap();
        let bundle = Bundle::open(folder.path()).unwrap();
        (folder, bundle)
    }

    const CONFIG_TEXT: &str = r#"{"ociVersion":"1.0.2","process":{"terminal":true,"cwd":"/","args":["sh"]},
        "root":{"path":"rootfs"},"mounts":[{"destination":"/a","source":"a","options":["rbind"]},
        {"destination":"/proc","type":"proc","source":"proc"}],"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}}"#;

    #[test]
    fn what_needs_no_change_is_started_as_it_is() {
        let (folder, bundle) = bundle(r#"{"ociVersion":"1.0.2","root":{"path":"rootfs"}}"#);
        let scratch = Scratch::new().unwrap();
        assert_eq!(bundle.place(&scratch).unwrap(), fs::canonicalize(folder.path()).unwrap());
    }

    #[test]
    fn a_changed_config_is_a_copy_that_finds_what_the_bundle_holds() {
        let (folder, mut bundle) = bundle(CONFIG_TEXT);
        assert!(bundle.has_filter() && bundle.wants_terminal());
        bundle.drop_filter();
        bundle.drop_terminal();
        let scratch = Scratch::new().unwrap();
        let copy = bundle.place(&scratch).unwrap();
        let text = fs::read_to_string(copy.join(CONFIG)).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        let own = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(config["root"]["path"], own.join("rootfs").display().to_string());
        assert_eq!(config["mounts"][0]["source"], own.join("a").display().to_string());
        assert_eq!(config["mounts"][1]["source"], "proc");
        assert!(config["linux"].get("seccomp").is_none() && config["process"]["terminal"] == false);
        assert_eq!(fs::read_to_string(folder.path().join(CONFIG)).unwrap(), CONFIG_TEXT, "the user's is untouched");
        let place = scratch.path.clone();
        drop(scratch);
        assert!(!place.exists());
    }
}
