//! Profiles in files, whatever language they are written in, and where those of a name lie.

use std::path::{Path, PathBuf};

use super::dialect::POLICY_FOLDER;
use super::kernel::is_compiled;
use super::language::{PolicyFile, ScanError, Written};
use super::loader::CACHE;
use super::reader::{MAX_TEXT, TomlError};
use super::words::Mode;
use super::{Dialect, Profile};

/// Where batten's own profiles lie, in TOML or in the parser's language.
pub const PROFILES: &str = "/etc/batten/apparmor.d";

/// Largest compiled profile that is read, in bytes.
const MAX_COMPILED: usize = 16 << 20;

/// A file with profiles that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The TOML is no profile's, or the file could not be read.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// The file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The text is not in the parser's language.
    #[error("{}: {error}", path.display())]
    Scan {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: ScanError,
    },
    /// There is no profile in it.
    #[error("{}: no profile is in this file", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No file has a profile of that name.
    #[error("no file has a profile called {name:?}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The file is compiled, where text is needed.
    #[error("{} is compiled", path.display())]
    Compiled {
        /// The file.
        path: PathBuf,
    },
    /// The line on which the profile begins is none of the parser's language.
    #[error("{}:{line}: the head of {name:?} is not one that apparmor_parser takes", path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The profile.
        name: String,
    },
}

impl SourceError {
    /// What the operator can do.
    pub fn hint(&self) -> &str {
        match self {
            Self::Toml(error) => error.hint(),
            Self::File { error, .. } if error.kind() == std::io::ErrorKind::IsADirectory => "name the files in it",
            Self::File { .. } => "check the path and its permissions",
            Self::Scan { .. } => "close the quote; apparmor_parser would read on to the next one in the file",
            Self::Empty { .. } => "a profile is TOML (FILE.toml) or begins with profile NAME {",
            Self::Unknown { .. } => {
                "batten looks in /etc/batten/apparmor.d, its own cache and /etc/apparmor.d; name the file instead"
            }
            Self::Head { .. } => "a head is profile NAME flags=(FLAG, FLAG) {",
            Self::Compiled { .. } => "name the text that it was compiled from",
        }
    }
}

/// What a file holds.
#[derive(Debug)]
pub enum Source {
    /// A profile of batten's TOML.
    Toml(Box<Written>),
    /// Profiles in the parser's language, and the text.
    Text(PolicyFile, String),
    /// Profiles as the kernel takes them.
    Compiled(Vec<u8>),
}

impl Source {
    /// Reads a file. TOML is what is called `*.toml`.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read or holds no profile.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        use std::io::Read;
        let failed = |error| SourceError::File { path: path.to_owned(), error };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_COMPILED as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        if is_compiled(&bytes) {
            return Ok(Self::Compiled(bytes));
        }
        if bytes.len() > MAX_TEXT {
            return Err(TomlError::TooLarge { path: path.to_owned() }.into());
        }
        let text = String::from_utf8(bytes).map_err(|_| TomlError::NotUtf8 { path: path.to_owned() })?;
        if path.extension().is_some_and(|extension| extension == "toml") {
            return Ok(Self::Toml(Box::new(Written::from_toml(path, &text)?)));
        }
        let file =
            PolicyFile::parse(text.as_bytes()).map_err(|error| SourceError::Scan { path: path.to_owned(), error })?;
        if file.profiles.is_empty() {
            return Err(SourceError::Empty { path: path.to_owned() });
        }
        Ok(Self::Text(file, text))
    }

    /// The names of the profiles that load with it; a compiled file does not tell.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Toml(written) => vec![written.profile.name.as_str()],
            Self::Text(file, _) => file.profiles.iter().map(|written| written.profile.name.as_str()).collect(),
            Self::Compiled(_) => Vec::new(),
        }
    }

    /// Whether the file has the profile called `name` as one that is there for its name only and refuses nothing.
    pub fn is_unconfined(&self, name: &str) -> bool {
        let Self::Text(file, _) = self else { return false };
        let mut named = file.profiles.iter().filter(|written| written.profile.name == name);
        named.any(|written| written.flags.iter().any(|flag| flag == "unconfined"))
    }

    /// The text for the parser; `None` for what is compiled already.
    pub fn text(&self, dialect: Dialect) -> Option<String> {
        match self {
            Self::Toml(written) => Some(written.profile.render(dialect)),
            Self::Text(_, text) => Some(text.clone()),
            Self::Compiled(_) => None,
        }
    }

    /// The text with each profile in the mode that `mode_of` gives for its name, if any. `path` is for the message.
    ///
    /// # Errors
    /// [`SourceError`] where it is compiled, or a profile has a head of another language.
    pub fn in_modes(
        &self,
        path: &Path,
        mode_of: impl Fn(&str) -> Option<Mode>,
        dialect: Dialect,
    ) -> Result<String, SourceError> {
        match self {
            Self::Toml(written) => {
                let profile = &written.profile;
                let mode = mode_of(&profile.name).unwrap_or(profile.mode);
                Ok(Profile { mode, ..profile.clone() }.render(dialect))
            }
            Self::Text(file, text) => file.in_modes(text, mode_of).map_err(|written| SourceError::Head {
                path: path.to_owned(),
                line: written.line,
                name: written.profile.name.clone(),
            }),
            Self::Compiled(_) => Err(SourceError::Compiled { path: path.to_owned() }),
        }
    }
}

/// The file that has the profile called `name`: batten's own folder first, then its cache, then the system's.
///
/// # Errors
/// [`SourceError::Unknown`] where none has. Files that cannot be read are passed over.
pub fn find(name: &str) -> Result<(PathBuf, Source), SourceError> {
    find_below(name, &[Path::new(PROFILES), Path::new(CACHE), Path::new(POLICY_FOLDER)])
}

fn find_below(name: &str, folders: &[&Path]) -> Result<(PathBuf, Source), SourceError> {
    for folder in folders {
        for path in files(folder, 2) {
            // Nearly all files of the system's folder are about something else. A child's name does not stand in its
            // file with its parent's before it.
            let last = name.rsplit("//").next().unwrap_or(name);
            let mentions = std::fs::read(&path).is_ok_and(|text| contains(&text, last.as_bytes()));
            let Some(source) = mentions.then(|| Source::read(&path).ok()).flatten() else { continue };
            if source.names().contains(&name) {
                return Ok((path, source));
            }
        }
    }
    Err(SourceError::Unknown { name: name.to_owned() })
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && text.windows(word.len()).any(|window| window == word)
}

/// The files of batten's own folder, in the order of their names; none where there is no such folder.
pub fn own_files() -> Vec<PathBuf> {
    files(Path::new(PROFILES), 0)
}

/// The regular files below a folder, in the order of their names, without hidden ones and what editors leave behind.
fn files(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| !is_left_over(path)).collect();
    paths.sort_unstable();
    let mut found = Vec::new();
    for path in paths {
        if path.is_file() {
            found.push(path);
        } else if depth > 0 && path.is_dir() && !path.ends_with("compiled") {
            found.extend(files(&path, depth - 1));
        }
    }
    found
}

fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".")
        || [&b"~"[..], b".dpkg-new", b".dpkg-old", b".bak", b".rpmnew", b".rpmsave"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the files are the tests' own")]
mod tests {
    use super::*;
    use crate::apparmor::Version;

    #[test]
    fn a_profile_is_found_by_its_name_whatever_its_file_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let (own, system) = (folder.path().join("own"), folder.path().join("system"));
        std::fs::create_dir_all(system.join("containers")).unwrap();
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("a.toml"), "name = 'web'\n").unwrap();
        std::fs::write(own.join("b.toml~"), "name = 'gone'\n").unwrap();
        std::fs::write(system.join("README"), "profile web is not here\"\n").unwrap();
        std::fs::write(system.join("containers/x"), "profile \"my web\" { profile db { } }\nprofile web { }\n")
            .unwrap();
        let find = |name| find_below(name, &[&own, &system]).map(|(path, _)| path);
        assert_eq!(find("web").unwrap(), own.join("a.toml"));
        assert_eq!(find("my web").unwrap(), system.join("containers/x"));
        assert_eq!(find("my web//db").unwrap(), system.join("containers/x"));
        assert!(matches!(find("gone"), Err(SourceError::Unknown { .. })));
        assert!(matches!(find(""), Err(SourceError::Unknown { .. })));
    }

    #[test]
    fn a_source_is_told_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Source::read(&path)
        };
        assert!(matches!(write("x.toml", b"name = 'x'"), Ok(Source::Toml(_))));
        assert!(matches!(write("y.bin", b"\x04\x08\x00version\x00\x02..."), Ok(Source::Compiled(_))));
        assert!(matches!(write("z", b"# nothing\n"), Err(SourceError::Empty { .. })));
        assert!(matches!(write("q", b"profile \"x {"), Err(SourceError::Scan { .. })));
        let text = write("p", b"profile p { }\n").unwrap();
        let dialect = Dialect::of(Version::V3_0);
        let complain = |source: &Source| source.in_modes(Path::new("f"), |_| Some(Mode::Complain), dialect);
        assert_eq!(complain(&text).unwrap(), "profile p flags=(complain) { }\n");
        let broken = write("b", b"\nprofile p flags=(complain { }\n").unwrap();
        assert!(matches!(complain(&broken), Err(SourceError::Head { line: 2, .. })));
        let compiled = write("c", b"\x04\x08\x00version\x00\x02...").unwrap();
        assert!(matches!(complain(&compiled), Err(SourceError::Compiled { .. })));
        assert_eq!(text.names(), ["p"]);
    }
}
