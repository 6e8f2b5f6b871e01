//! A running container's config.json, found again from what the runtime keeps of it: an exec is judged as its
//! container was.
//!
//! runc writes `ROOT/ID/state.json`, whose labels end with `bundle=PATH`; crun keeps its own `ROOT/ID/config.json`; youki's
//! state.json names the bundle. Labels before the last one come from annotations, so a container can have a `bundle=`
//! of its own choice among them (runc itself takes the first): only the last is the runtime's.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;

use super::argv::{Dialect, Invocation};
use super::config::ShimConfig;
use crate::spec::{Document, FileError, Pointer, Problem, ReadError, TrustedFile, Value};

/// A container whose config.json could not be found again.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Nobody says where the runtime keeps its state.
    #[error("it is not known where this runtime keeps its state")]
    NoRoot,
    /// There is no such container.
    #[error("no container {id:?} is found below {}", root.display())]
    NoContainer {
        /// The id.
        id: String,
        /// The runtime's root.
        root: PathBuf,
    },
    /// A file of the state, or the bundle's, could not be read or trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of the state, or the bundle's, is no strict JSON.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: ReadError,
    },
    /// The state does not say where the bundle is.
    #[error("{} does not name the container's bundle", path.display())]
    NoBundle {
        /// The state file.
        path: PathBuf,
    },
}

impl StateError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoRoot => "pass --root, or set root in /etc/batten/runtime.toml to the runtime's state folder",
            Self::NoContainer { .. } => "check the id, and that --root is the one the container was created with",
            Self::File(error) => error.hint(),
            Self::Read { error, .. } => error.hint(),
            Self::NoBundle { .. } => "batten knows the state of runc, crun and youki; report this runtime's to batten",
        }
    }
}

/// The config.json of container `id`.
///
/// # Errors
/// [`StateError`]; the container's policy is then not known, and nothing may be executed in it.
pub fn config_of(invocation: &Invocation, config: &ShimConfig, id: &str) -> Result<Document, StateError> {
    let root = match (invocation.global("root"), &config.root) {
        (Some(root), _) => PathBuf::from(root),
        (None, Some(root)) => root.clone(),
        (None, None) => default_root(invocation.dialect()).ok_or(StateError::NoRoot)?,
    };
    config_below(&root, id)
}

/// The config.json of container `id` of the runtime whose root is `root`.
///
/// # Errors
/// [`StateError`].
pub fn config_below(root: &Path, id: &str) -> Result<Document, StateError> {
    let folder = root.join(id);
    if let Some((path, state)) = read(&folder.join("state.json"), Document::parse)? {
        let bundle = bundle_of(&state).ok_or(StateError::NoBundle { path })?;
        return config_in(&bundle);
    }
    // crun's copy, made at create from what batten had judged.
    let copy = read(&folder.join("config.json"), Document::parse_spec)?;
    copy.map(|(_, document)| document)
        .ok_or_else(|| StateError::NoContainer { id: id.to_owned(), root: root.to_owned() })
}

/// The config.json in a bundle.
///
/// # Errors
/// [`StateError`].
pub fn config_in(bundle: &Path) -> Result<Document, StateError> {
    parse(TrustedFile::in_bundle(bundle)?, Document::parse_spec)
}

fn read(
    path: &Path,
    reader: impl Fn(Vec<u8>) -> Result<Document, ReadError>,
) -> Result<Option<(PathBuf, Document)>, StateError> {
    match TrustedFile::open(path) {
        Ok(file) => Ok(Some((path.to_owned(), parse(file, reader)?))),
        Err(FileError { problem: Problem::System(Errno::ENOENT), .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn parse(
    mut file: TrustedFile,
    reader: impl Fn(Vec<u8>) -> Result<Document, ReadError>,
) -> Result<Document, StateError> {
    reader(file.take_text()).map_err(|error| StateError::Read { path: file.path().to_owned(), error })
}

/// The bundle that a runtime's state names: runc's and youki's state.json, crun's status.
pub fn bundle_of(state: &Document) -> Option<PathBuf> {
    let absolute = |path: Cow<'_, str>| path.starts_with('/').then(|| PathBuf::from(&*path));
    if let Some(labels) = state.at(&Pointer::new("/config/labels")) {
        let label = labels.items().last().and_then(Value::as_str)?;
        return absolute(label.strip_prefix("bundle=")?.to_owned().into());
    }
    absolute(state.root().get("bundle")?.as_str()?)
}

/// Where a runtime keeps its state when no `--root` is given.
fn default_root(dialect: Dialect) -> Option<PathBuf> {
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| dir != OsStr::new("")).map(PathBuf::from);
    match dialect {
        // runc's main.go and shouldHonorXDGRuntimeDir.
        Dialect::Runc => {
            let own = runtime_dir.filter(|_| !geteuid().is_root() || (is_user_namespace() && !is_called_root()));
            Some(own.map_or_else(|| PathBuf::from("/run/runc"), |dir| dir.join("runc")))
        }
        // crun's get_run_directory, which asks for nothing else.
        Dialect::Crun => Some(runtime_dir.map_or_else(|| PathBuf::from("/run/crun"), |dir| dir.join("crun"))),
        Dialect::Common => None,
    }
}

fn is_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
}

fn is_called_root() -> bool {
    std::env::var_os("USER").is_some_and(|name| name == "root")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    fn file(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn version(document: &Document) -> String {
        document.root().get("ociVersion").unwrap().as_str().unwrap().into_owned()
    }

    #[test]
    fn runc_names_the_bundle_in_its_last_label() {
        let root = tempfile::tempdir().unwrap();
        let (bundle, spoof) = (root.path().join("bundle"), root.path().join("spoof"));
        file(&bundle.join("config.json"), r#"{"ociVersion":"1"}"#);
        file(&spoof.join("config.json"), r#"{"ociVersion":"spoofed"}"#);
        let labels = format!(r#""bundle={}","a=b","bundle={}""#, spoof.display(), bundle.display());
        file(&root.path().join("c1/state.json"), &format!(r#"{{"id":"c1","config":{{"labels":[{labels}]}}}}"#));
        assert_eq!(version(&config_below(root.path(), "c1").unwrap()), "1");
    }

    #[test]
    fn crun_keeps_a_copy_and_youki_names_the_bundle() {
        let root = tempfile::tempdir().unwrap();
        file(&root.path().join("crun/config.json"), r#"{"ociVersion":"crun"}"#);
        file(&root.path().join("crun/status"), "{}");
        assert_eq!(version(&config_below(root.path(), "crun").unwrap()), "crun");
        let bundle = root.path().join("bundle");
        file(&bundle.join("config.json"), r#"{"ociVersion":"youki"}"#);
        file(&root.path().join("youki/state.json"), &format!(r#"{{"bundle":"{}"}}"#, bundle.display()));
        assert_eq!(version(&config_below(root.path(), "youki").unwrap()), "youki");
    }

    #[test]
    fn a_container_that_is_not_there_or_says_nothing_is_refused() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(config_below(root.path(), "c1"), Err(StateError::NoContainer { .. })));
        file(&root.path().join("c1/state.json"), r#"{"config":{"labels":["bundle=relative"]}}"#);
        assert!(matches!(config_below(root.path(), "c1"), Err(StateError::NoBundle { .. })));
        file(&root.path().join("c1/state.json"), r#"{"config":{"labels":["bundle=/nonexistent"]}}"#);
        assert!(matches!(config_below(root.path(), "c1"), Err(StateError::File(_))));
        file(&root.path().join("c1/state.json"), r#"{"config":{},"config":{}}"#);
        assert!(matches!(config_below(root.path(), "c1"), Err(StateError::Read { .. })));
    }
}
