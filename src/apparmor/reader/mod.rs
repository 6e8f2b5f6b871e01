//! Profiles in TOML: every setting typed, every name checked, nothing passed through.
//!
//! `docs/apparmor.md` is the reference. A profile that could mean something else than it says is refused, with the line.

mod sections;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::dialect::Version;
use super::language::Written;
use super::profile::{IncludePath, Profile, Rule, check_name};
use super::words::{Facility, Mode};
use crate::spec::Place;
use sections::{CapabilitySection, ChangeProfileSection, FileSection, MountSection, NetworkSection};
use sections::{PtraceSection, SignalSection, Verdict};

/// Largest text, in bytes.
pub const MAX_TEXT: usize = 1 << 20;

/// A profile's TOML that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TomlError {
    /// The file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The text is larger than any profile is.
    #[error("{}: the text has more than {MAX_TEXT} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The text is not UTF-8.
    #[error("{}: the text is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// The text is not TOML, or not a profile's.
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

impl TomlError {
    /// What the person who wrote the profile can do.
    pub fn hint(&self) -> &str {
        match self {
            Self::File { .. } => "check the path and its permissions",
            Self::TooLarge { .. } => "no profile is of this size; look at what was put at this path",
            Self::NotUtf8 { .. } => {
                "is it a profile at all? text is read as UTF-8; what apparmor_parser has compiled is for batten apparmor load"
            }
            Self::Syntax { .. } => "docs/apparmor.md lists every setting; bane's TOML is read with --from bane",
            Self::Setting { hint, .. } => hint,
        }
    }
}

/// The text that is read, for messages that point into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
}

impl<'t> Source<'t> {
    pub(super) fn new(path: &'t Path, text: &'t str) -> Result<Self, TomlError> {
        if text.len() > MAX_TEXT {
            return Err(TomlError::TooLarge { path: path.to_owned() });
        }
        Ok(Self { path, text })
    }

    pub(super) fn wrong(self, offset: usize, problem: impl Into<String>, hint: impl Into<String>) -> TomlError {
        let place = Place::of(self.text, offset);
        let line = self.text.lines().nth(place.line - 1).unwrap_or_default().to_owned();
        TomlError::Setting { path: self.path.to_owned(), place, line, problem: problem.into(), hint: hint.into() }
    }

    pub(super) fn parse<T: serde::de::DeserializeOwned>(self) -> Result<T, TomlError> {
        toml::from_str(self.text)
            .map_err(|error| TomlError::Syntax { path: self.path.to_owned(), error: Box::new(error) })
    }

    /// The value that `word` spells, from a closed list of words.
    pub(super) fn word<T>(self, word: &Spanned<String>, what: &str, all: &[T]) -> Result<T, TomlError>
    where
        T: Copy + std::fmt::Display,
    {
        let found = all.iter().copied().find(|known| known.to_string() == *word.get_ref());
        found.ok_or_else(|| {
            let words = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            self.wrong(
                word.span().start,
                format!("no {what} {:?} is known", word.get_ref()),
                format!("one of: {words}"),
            )
        })
    }
}

/// The words of the TOML, and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileToml {
    name: Spanned<String>,
    description: Option<String>,
    mode: Option<Spanned<String>>,
    abi: Option<Spanned<String>>,
    attach_disconnected: Option<bool>,
    mediate_deleted: Option<bool>,
    tunables: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    includes: Vec<Spanned<String>>,
    #[serde(default)]
    local: bool,
    #[serde(default)]
    capabilities: Option<Spanned<CapabilitySection>>,
    #[serde(default)]
    network: Vec<Spanned<NetworkSection>>,
    #[serde(default)]
    files: Vec<Spanned<FileSection>>,
    #[serde(default)]
    signal: Vec<Spanned<SignalSection>>,
    #[serde(default)]
    ptrace: Vec<Spanned<PtraceSection>>,
    #[serde(default)]
    mount: Vec<Spanned<MountSection>>,
    userns: Option<Spanned<Verdict>>,
    mqueue: Option<Spanned<Verdict>>,
    #[serde(default)]
    change_profile: Vec<Spanned<ChangeProfileSection>>,
}

impl Profile {
    /// Reads a profile's TOML; `path` is what messages call it.
    ///
    /// # Errors
    /// [`TomlError`] when the text is no profile or says something that makes no sense.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, TomlError> {
        Written::from_toml(path, text).map(|written| written.profile)
    }

    /// Reads a profile's TOML file.
    ///
    /// # Errors
    /// As [`Profile::from_toml`], and when the file cannot be read.
    pub fn read_toml(path: &Path) -> Result<Self, TomlError> {
        Self::from_toml(path, &read_text(path)?)
    }
}

impl Written {
    /// Reads a profile's TOML with the lines of its sections.
    ///
    /// # Errors
    /// As [`Profile::from_toml`].
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, TomlError> {
        let source = Source::new(path, text)?;
        let toml: ProfileToml = source.parse()?;
        let mut written = Self::new(String::new(), Place::of(text, toml.name.span().start).line);
        written.profile = head(source, &toml)?;
        let mut add = |offset: usize, read: &dyn Fn(&mut Vec<Rule>) -> Result<(), TomlError>| {
            read(&mut written.profile.rules)?;
            written.lines.resize(written.profile.rules.len(), Place::of(text, offset).line);
            Ok(())
        };
        if let Some(section) = &toml.capabilities {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        for section in &toml.network {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        for section in &toml.files {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        for section in &toml.signal {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        for section in &toml.ptrace {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        for section in &toml.mount {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        for (verdict, facility) in [(&toml.userns, Facility::Userns), (&toml.mqueue, Facility::Mqueue)] {
            let Some(verdict) = verdict else { continue };
            add(verdict.span().start, &|rules| {
                rules.push(verdict.get_ref().rule(facility));
                Ok(())
            })?;
        }
        for section in &toml.change_profile {
            add(section.span().start, &|rules| section.get_ref().read(source, rules))?;
        }
        Ok(written)
    }
}

/// All of a profile but its rules.
fn head(source: Source<'_>, toml: &ProfileToml) -> Result<Profile, TomlError> {
    let name = toml.name.get_ref();
    check_name(name).map_err(|error| source.wrong(toml.name.span().start, error.to_string(), error.hint()))?;
    let mut profile = Profile::new(name);
    profile.description.clone_from(&toml.description);
    if let Some(mode) = &toml.mode {
        profile.mode = source.word(mode, "mode", Mode::ALL)?;
    }
    if let Some(abi) = &toml.abi {
        profile.abi = Some(read_abi(source, abi)?);
    }
    profile.attach_disconnected = toml.attach_disconnected.unwrap_or(true);
    profile.mediate_deleted = toml.mediate_deleted.unwrap_or(true);
    profile.local = toml.local;
    profile.tunables = match &toml.tunables {
        Some(paths) => read_paths(source, paths)?,
        None => IncludePath::new("tunables/global").into_iter().collect(),
    };
    profile.includes = read_paths(source, &toml.includes)?;
    Ok(profile)
}

/// The text of a file that is no larger than a profile may be.
///
/// # Errors
/// [`TomlError`] when it cannot be read, is too large or not UTF-8.
pub fn read_text(path: &Path) -> Result<String, TomlError> {
    use std::io::Read;
    let failed = |error| TomlError::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_TEXT {
        return Err(TomlError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| TomlError::NotUtf8 { path: path.to_owned() })
}

fn read_abi(source: Source<'_>, abi: &Spanned<String>) -> Result<Version, TomlError> {
    match abi.get_ref().as_str() {
        "3.0" => Ok(Version::V3_0),
        "4.0" => Ok(Version::V4_0),
        other => {
            let hint = "abi is \"3.0\" or \"4.0\"; without it the newest that the parser has is taken";
            Err(source.wrong(abi.span().start, format!("no ABI {other:?} is known"), hint))
        }
    }
}

fn read_paths(source: Source<'_>, paths: &[Spanned<String>]) -> Result<Vec<IncludePath>, TomlError> {
    let read = |path: &Spanned<String>| {
        IncludePath::new(path.get_ref()).ok_or_else(|| {
            let hint = "name a file below /etc/apparmor.d, such as \"abstractions/base\" or \"tunables/global\"";
            source.wrong(path.span().start, format!("{:?} cannot be included", path.get_ref()), hint)
        })
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
