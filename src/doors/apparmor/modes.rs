//! `batten apparmor enforce` and `complain`: the kernel has no switch, so the profile is loaded again in the other mode.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{host_dialect, note};
use crate::apparmor::sources::{self, Source, SourceError};
use crate::apparmor::{Kernel, Mode, Parser};
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
        if let Err(error) = Kernel::host().must_be_enabled() {
            return refuse(Exit::Denied, &error, error.hint());
        }
        let (path, source) = match self.source() {
            Ok(found) => found,
            Err(error @ SourceError::Unknown { .. }) => return refuse(Exit::Usage, &error, error.hint()),
            Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
        };
        let dialect = host_dialect();
        let is_file = path == Path::new(&self.profile);
        let mut names: Vec<String> = source.names().into_iter().map(str::to_owned).collect();
        names.retain(|name| is_file || *name == self.profile);
        if names.is_empty() {
            // Only a compiled file does not tell whom it has.
            names.push(self.profile.clone());
        }
        for name in &names {
            let text = match source.in_mode(&path, name, mode, dialect) {
                Ok(text) => text,
                Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
            };
            if let Err(error) = Parser::find().and_then(|parser| parser.load(&text, &format!("{name:?}"))) {
                return refuse(Exit::Denied, &error, error.hint());
            }
            note("note", &format!("{name:?} is in {mode} mode until {} is loaded again", path.display()));
        }
        Exit::Clean
    }

    /// What looks like a path is one.
    fn source(&self) -> Result<(PathBuf, Source), SourceError> {
        let path = Path::new(&self.profile);
        if path.is_file() || self.profile.contains('/') && !self.profile.starts_with('/') {
            return Source::read(path).map(|source| (path.to_owned(), source));
        }
        sources::find(&self.profile)
    }
}
