//! `batten apparmor lint`: what a profile says that its author hardly meant.

use std::path::{Path, PathBuf};

use clap::Args;

use super::host_dialect;
use crate::apparmor::Parser;
use crate::apparmor::lint::{Level, Remark, lint};
use crate::apparmor::sources::{Source, SourceError};
use crate::doors::format::Format;
use crate::doors::{Exit, conclude, refuse, remarks};

/// Looks for what a profile says and its author hardly meant
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten apparmor lint web.toml
  batten apparmor lint /etc/apparmor.d/containers/* --format json

Reads TOML (*.toml) and text for apparmor_parser, which is asked as well where it is installed.
docs/apparmor.md explains each remark.

Exit codes: 0 nothing but notes, 1 warnings or errors, 3 a file is unreadable or no profile, 4 wrong usage.")]
pub(super) struct Lint {
    /// The profiles
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// How to print the remarks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Lint {
    pub(super) fn run(&self) -> Exit {
        let mut worst = Exit::Clean;
        let mut found = Vec::new();
        for file in &self.files {
            match remarks_on(file) {
                Ok(remarks) => found.extend(remarks.into_iter().map(|remark| (file.as_path(), remark))),
                Err(error) => worst = worst.max(refuse(Exit::Unreadable, &error, error.hint())),
            }
        }
        if found.iter().any(|(_, remark)| remark.level > Level::Note) {
            worst = worst.max(Exit::Denied);
        }
        conclude(&remarks::printed(&found, self.format), worst)
    }
}

fn remarks_on(file: &Path) -> Result<Vec<Remark>, SourceError> {
    let source = Source::read(file)?;
    let mut remarks = match &source {
        Source::Toml(written) => lint(written, false),
        Source::Text(file, _) => file.profiles.iter().flat_map(|written| lint(written, true)).collect(),
        Source::Compiled(_) => return Err(SourceError::Compiled { path: file.to_owned() }),
    };
    let text = source.text(host_dialect()).unwrap_or_default();
    if let Ok(parser) = Parser::find()
        && let Err(error) = parser.check(&text, &file.display().to_string())
    {
        let hint = match source {
            Source::Toml(_) => "the parser's line is that of the rendered profile: batten apparmor generate shows it",
            Source::Text(..) | Source::Compiled(_) => {
                "apparmor.d(5) describes the language; the parser loads nothing of this file"
            }
        };
        remarks.insert(0, Remark { code: "refused", level: Level::Error, line: 1, message: error.to_string(), hint });
    }
    Ok(remarks)
}
