//! What stands in the way of registering batten-runtime.

use std::io;
use std::path::{Path, PathBuf};

use crate::runtime::find::FindError;
use crate::spec::{FileError, Problem, ReadError};

/// An engine's configuration could not be read, understood or changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EngineError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("cannot {action} {}: {error}", path.display())]
    System { action: &'static str, path: PathBuf, error: io::Error },
    #[error("{}: the file is not UTF-8", path.display())]
    NotUtf8 { path: PathBuf },
    #[error("{}: {error}", path.display())]
    Toml { path: PathBuf, error: Box<toml_edit::TomlError> },
    #[error("{}: {error}", path.display())]
    Json { path: PathBuf, error: ReadError },
    #[error("{}: {key} is no table, so nothing can be set in it", path.display())]
    NotATable { path: PathBuf, key: String },
    #[error("{}: it cannot be edited without touching what is not batten's", path.display())]
    NotKept { path: PathBuf },
    #[error("{}: {setting} is {found} already, so the name stands for another runtime", path.display())]
    Taken { path: PathBuf, setting: String, found: String },
    #[error("Docker keeps the name {name:?} for itself, and does not start with it in its configuration")]
    Reserved { name: String },
    #[error("the name {name:?} cannot be that of a runtime")]
    Name { name: String },
    #[error("{} gives dockerd {flag} on its command line; it does not start with the same in its configuration as well", path.display())]
    Flag { path: PathBuf, flag: &'static str },
    #[error("{engine} has no {stage} hooks that batten can register")]
    NoHook { engine: &'static str, stage: &'static str },
    #[error("{engine} has no builds that would need a setting of their own")]
    NoBuilds { engine: &'static str },
    #[error("the dockerd of this machine ({}) cannot be told which runtime builds use", path.display())]
    BuildsFixed { path: PathBuf },
    #[error(transparent)]
    Runtime(#[from] FindError),
    #[error("{} is not there", path.display())]
    Missing { path: PathBuf },
    #[error("{} is not batten-runtime", path.display())]
    NotBatten { path: PathBuf },
    #[error("{} is not an absolute path", path.display())]
    Relative { path: PathBuf },
    #[error("{}: the record of what was registered cannot be used: {error}", path.display())]
    Record { path: PathBuf, error: serde_json::Error },
    #[error("{} was changed by somebody else meanwhile", path.display())]
    Changed { path: PathBuf },
}

impl EngineError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(FileError { problem: Problem::Symlink, .. }) => {
                "name the file that the link leads to: --config FILE"
            }
            Self::File(FileError {
                problem: Problem::Owner(_) | Problem::WorldWritable(_) | Problem::Folder(_),
                ..
            }) => "whoever else can write there decides what the engine starts: give it to root, and chmod go-w",
            Self::File(error) => error.hint(),
            Self::System { .. } => "run as root; for an engine of your own user, as that user",
            Self::NotUtf8 { .. } => "save the file as UTF-8; the engine needs it as well",
            Self::Toml { .. } | Self::Json { .. } => "put the file right first; it was not touched",
            Self::NotATable { .. } => "the file was not touched; write that part as a table",
            Self::NotKept { .. } => {
                "the file was not touched; end its lines with \\n alone, or edit it by hand (--dry-run on a copy)"
            }
            Self::Taken { .. } => {
                "choose another name (--name), or take this one over with --replace; uninstall gives it back"
            }
            Self::Reserved { .. } => {
                "choose another name; docs/engines.md says how containers that ask for runc are covered"
            }
            Self::Name { .. } => "use letters, digits, - and _, as engines do",
            Self::Flag { .. } => "take it out there (systemctl edit docker), then run this again",
            Self::NoHook { .. } => {
                "Podman takes precreate, create-runtime and poststart, CRI-O and containerd the latter two, Docker and BuildKit none"
            }
            Self::NoBuilds { .. } => "leave --builds out: it is for dockerd's own BuildKit",
            Self::BuildsFixed { .. } => "put batten-runtime on its PATH as runc instead; docs/engines.md has the lines",
            Self::Runtime(error) => error.hint(),
            Self::Missing { .. } | Self::NotBatten { .. } => {
                "install it first (make install), or say where it is: --runtime-path /path/to/batten-runtime"
            }
            Self::Relative { .. } => "write the path from / on, as the engine will look for it",
            Self::Record { .. } => "the texts from before are beside it; put them back by hand, then remove the record",
            Self::Changed { .. } => "run the same command again",
        }
    }

    pub(super) fn system(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::System { action, path, error }
    }
}
