//! Profiles of batten's own making on their way into the kernel: loaded once, compiled once.

use std::path::{Path, PathBuf};

use super::kernel::{Kernel, KernelError, LoadedMode};
use super::parser::{Parser, ParserError};
use super::{Dialect, Profile};
use crate::spec::{Durability, FileError, TrustedFile};

/// Where rendered profiles and what the parser made of them are kept.
pub const CACHE: &str = "/var/cache/batten/apparmor";

/// A profile that is not in the kernel and could not be brought there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The kernel could not be asked.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The parser could not load it.
    #[error(transparent)]
    Parser(#[from] ParserError),
    /// The cache could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder of the cache could not be made.
    #[error("cannot make the folder {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The parser said yes and the kernel still has none of that name.
    #[error("the AppArmor profile {name:?} was loaded and is not in the kernel's list")]
    Vanished {
        /// The profile.
        name: String,
    },
}

impl LoadError {
    /// What the operator can do.
    pub fn hint(&self) -> &str {
        match self {
            Self::Kernel(error) => error.hint(),
            Self::Parser(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Folder { .. } => "make it for root alone to write: install -d -m 0755 /var/cache/batten/apparmor",
            Self::Vanished { .. } => "is this a container or an AppArmor namespace? profiles are loaded on the host",
        }
    }
}

/// Brings `profile` into the kernel unless it is there, and says its mode. Made for profiles whose name changes with
/// their content: what is loaded under the name is the profile.
///
/// # Errors
/// [`LoadError`]; no container may start that names the profile.
pub fn ensure(profile: &Profile, dialect: Dialect, kernel: &Kernel, cache: &Path) -> Result<LoadedMode, LoadError> {
    if let Some(mode) = kernel.mode_of(&profile.name)? {
        return Ok(mode);
    }
    let parser = Parser::find()?;
    let file = keep(profile, dialect, cache)?;
    parser.load_file(&file, &cache.join("compiled"))?;
    kernel.mode_of(&profile.name)?.ok_or_else(|| LoadError::Vanished { name: profile.name.clone() })
}

/// The profile's text as a file: the parser's cache goes by file name and time.
fn keep(profile: &Profile, dialect: Dialect, cache: &Path) -> Result<PathBuf, LoadError> {
    let compiled = cache.join("compiled");
    std::fs::create_dir_all(&compiled).map_err(|error| LoadError::Folder { path: compiled, error })?;
    let path = cache.join(&profile.name);
    let text = profile.render(dialect);
    // What is there is only trusted where its owner is, and then it is the same text.
    if TrustedFile::open(&path).is_ok_and(|mut file| file.take_text() == text.as_bytes()) {
        return Ok(path);
    }
    TrustedFile::to_write(&path, 0o644)?.replace(text.as_bytes(), Durability::Process)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apparmor::{Label, Version, builtin};
    use crate::capability::CapSet;

    #[test]
    fn a_kept_profile_is_written_once_and_mended_when_it_was_changed() {
        let cache = tempfile::tempdir().unwrap();
        let dialect = Dialect::of(Version::V3_0);
        let profile = builtin::profile(CapSet::DOCKER, dialect, &Label::unconfined());
        let path = keep(&profile, dialect, cache.path()).unwrap();
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(keep(&profile, dialect, cache.path()).unwrap(), path);
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), written, "not written again");
        TrustedFile::open(&path).unwrap().replace(b"profile x { file, }", Durability::Process).unwrap();
        keep(&profile, dialect, cache.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), profile.render(dialect));
    }
}
