//! `batten apparmor enforce` and `complain`: the kernel has no switch, so the profile is loaded again in the other mode.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{host_dialect, note};
use crate::apparmor::sources::{self, Source, SourceError};
use crate::apparmor::{Kernel, KernelError, Mode, Parser, TomlError};
use crate::doors::{Exit, refuse};

/// One profile, by name or by file.
#[derive(Debug, Args)]
pub(super) struct SetMode {
    /// The profile's name, or its file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
}

impl SetMode {
    pub(super) fn run(&self, mode: Mode) -> Exit {
        let before = match Kernel::host().profiles() {
            Ok(profiles) => profiles,
            Err(error @ KernelError::Disabled) => return refuse(Exit::Denied, &error, error.hint()),
            Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
        };
        let (asked, path, source) = match self.source() {
            Ok(found) => found,
            Err(error @ SourceError::Unknown { .. }) => return refuse(Exit::Usage, &error, error.hint()),
            Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
        };
        let mode_before = |name: &str| before.iter().find(|loaded| loaded.name == name).map(|loaded| loaded.mode);
        // A file is loaded whole: who was not asked for stays as the kernel has it.
        let mode_of = |name: &str| {
            if asked.is_for(name) {
                Some(mode)
            } else {
                mode_before(name).and_then(|mode| Mode::from_word(mode.as_str()))
            }
        };
        let text = match source.in_modes(&path, mode_of, host_dialect()) {
            Ok(text) => text,
            Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
        };
        let file = path.display().to_string();
        if let Err(error) = Parser::find().and_then(|parser| parser.load(&text, &file)) {
            return refuse(Exit::Denied, &error, error.hint());
        }
        for name in source.names() {
            let was_loaded = mode_before(name).is_some();
            if asked.is_for(name) {
                let before = if was_loaded { "" } else { "was not loaded before, and " };
                note("note", &format!("{name:?} {before}is in {mode} mode until {file} is loaded again"));
                if mode != Mode::Complain && source.is_unconfined(name) {
                    note(
                        "warning",
                        &format!("{name:?} is unconfined in {file}: what its few rules do not allow is refused now"),
                    );
                }
            } else if !was_loaded {
                note("note", &format!("{name:?} is in the same file, and was loaded with it"));
            }
        }
        Exit::Clean
    }

    /// `./x` is a file. Any other word is a profile's name if there is one: profiles are called after programs, which
    /// are files as well.
    fn source(&self) -> Result<(Asked<'_>, PathBuf, Source), SourceError> {
        let path = Path::new(&self.profile);
        let read = || Source::read(path).map(|source| (Asked::File, path.to_owned(), source));
        if self.profile.starts_with("./") || self.profile.starts_with("../") {
            return read();
        }
        let unknown = match sources::find(&self.profile) {
            Ok((found, source)) => return Ok((Asked::Name(&self.profile), found, source)),
            Err(unknown) if path.is_file() => unknown,
            Err(unknown) => return Err(unknown),
        };
        match read() {
            // A program, of which no profile has the name.
            Err(SourceError::Toml(TomlError::TooLarge { .. } | TomlError::NotUtf8 { .. })) => Err(unknown),
            read => read,
        }
    }
}

/// Which profiles of the file are meant.
enum Asked<'n> {
    /// All.
    File,
    /// The one of this name, with its children.
    Name(&'n str),
}

impl Asked<'_> {
    fn is_for(&self, name: &str) -> bool {
        match self {
            Self::File => true,
            Self::Name(asked) => {
                name.strip_prefix(*asked).is_some_and(|rest| rest.is_empty() || rest.starts_with("//"))
            }
        }
    }
}
