//! What can be wrong with a policy.

use std::path::PathBuf;

use crate::spec::{FileError, Place};

/// A policy that cannot be used; nothing starts under it.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A file could not be read or trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder of drop-ins could not be listed.
    #[error("cannot list the policy's drop-ins in {}: {error}", path.display())]
    DropIns {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// A file that a person named could not be read.
    #[error("cannot read the policy {}: {error}", path.display())]
    Named {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The text is not UTF-8.
    #[error("{}: the policy is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// The text is not TOML, or not a policy's.
    #[error("{}: {}", path.display(), error.to_string().trim_end())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the TOML reader says, with line and caret.
        #[source]
        error: Box<toml::de::Error>,
    },
    /// A setting that is well-formed but makes no sense.
    #[error("{}:{}: {problem}\n{}", path.display(), place.line, place.point_at(line))]
    Setting {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The line itself.
        line: String,
        /// What is wrong, in one clause.
        problem: String,
        /// What to write instead.
        hint: String,
    },
}

impl PolicyError {
    /// What the operator can do.
    pub fn hint(&self) -> &str {
        match self {
            Self::File(error) => error.hint(),
            Self::DropIns { .. } => "make the folder readable to the user who runs containers, or remove it",
            Self::Named { .. } => "check the path and its permissions",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::Syntax { .. } => "docs/policy.md lists every setting; `batten policy check FILE` tries a file out",
            Self::Setting { hint, .. } => hint,
        }
    }
}
