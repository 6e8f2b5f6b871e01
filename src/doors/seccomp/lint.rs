//! `batten seccomp lint`: what a profile says that its author hardly meant.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::input::{self, Source};
use super::named::Container;
use crate::doors::format::Format;
use crate::doors::input::one_standard_input;
use crate::doors::{Exit, conclude, refuse, remarks, say};
use crate::remark::{Level, Remark};
use crate::seccomp::lint::{CODES, Purpose, lint, lint_groups};
use crate::seccomp::{Dialect, builtin};
use crate::settings::BUILT_IN_PROFILE;
use crate::spec::Document;

/// Looks for what a profile says and its author hardly meant
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp lint profile.json
  batten seccomp lint --for kubernetes /var/lib/kubelet/seccomp/*.json
  batten seccomp lint --caps CAP_NET_ADMIN profile.json
  batten seccomp lint --codes

Exit codes: 0 nothing but notes, 1 warnings or errors, 3 a file is unreadable, 4 wrong usage.")]
pub(super) struct Lint {
    /// Files of any format, - for standard input, builtin:default
    #[arg(required_unless_present = "codes", value_name = "PROFILE")]
    files: Vec<PathBuf>,

    /// Who will read the files; without it, whoever their format is for
    #[arg(long = "for", value_enum, value_name = "ENGINE")]
    engine: Option<Engine>,

    /// How to print the remarks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// List every kind of remark
    #[arg(long, conflicts_with = "files")]
    codes: bool,

    #[command(flatten)]
    container: Container,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Engine {
    /// Docker
    Docker,
    /// Podman, Buildah and CRI-O
    Podman,
    /// containerd's own reading, and Kubernetes' localhost profiles on it
    #[value(alias = "containerd")]
    Kubernetes,
}

impl From<Engine> for Dialect {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Docker => Self::Moby,
            Engine::Podman => Self::Containers,
            Engine::Kubernetes => Self::Containerd,
        }
    }
}

impl Lint {
    pub(super) fn run(&self) -> Exit {
        if self.codes {
            return say(&codes()).unwrap_or(Exit::Clean);
        }
        if let Err(exit) = one_standard_input(self.files.iter().map(PathBuf::as_path)) {
            return exit;
        }
        let mut worst = Exit::Clean;
        let mut found: Vec<(&Path, Remark)> = Vec::new();
        for file in &self.files {
            match self.remarks(file) {
                Ok(remarks) => found.extend(remarks.into_iter().map(|remark| (file.as_path(), remark))),
                Err(exit) => worst = worst.max(exit),
            }
        }
        if found.iter().any(|(_, remark)| remark.level > Level::Note) {
            worst = worst.max(Exit::Denied);
        }
        conclude(&remarks::printed(&found, self.format), worst)
    }

    fn remarks(&self, file: &Path) -> Result<Vec<Remark>, Exit> {
        let purpose = Purpose {
            target: self.container.target(),
            fits_capabilities: self.container.has_caps(),
            engine: self.engine.map(Into::into),
        };
        if file == Path::new(BUILT_IN_PROFILE) {
            return remarks_on_built_in(&purpose);
        }
        match (input::read_any(file)?, self.engine) {
            (Source::Json(document), _) => Ok(lint(&document, &purpose)),
            (Source::Groups(profile), None) => Ok(lint_groups(&profile, &purpose)),
            (Source::Groups(_), Some(_)) => {
                let hint = "give engines the JSON form: batten seccomp convert";
                Err(refuse(Exit::Unreadable, &format!("{}: engines do not read TOML", input::name(file)), hint))
            }
        }
    }
}

/// The built-in profile has no text of its own for one container: what it comes to is looked at.
fn remarks_on_built_in(purpose: &Purpose) -> Result<Vec<Remark>, Exit> {
    let text = builtin(&purpose.target).to_json();
    let document = Document::parse(text.into_bytes())
        .map_err(|error| refuse(Exit::Unreadable, &format!("{BUILT_IN_PROFILE}: {error}"), error.hint()))?;
    Ok(lint(&document, purpose))
}

fn codes() -> String {
    CODES.iter().fold(String::new(), |mut out, code| {
        let _ = writeln!(out, "{:24} {:8} {}", code.name, code.level.as_str(), code.about);
        out
    })
}
