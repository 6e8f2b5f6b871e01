//! `batten seccomp lint`: what a profile says that its author hardly meant.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::input::{self, Source};
use super::named::Container;
use crate::doors::format::Format;
use crate::doors::{Exit, refuse, remarks, say};
use crate::remark::{Level, Remark};
use crate::seccomp::Dialect;
use crate::seccomp::lint::{CODES, Purpose, lint, lint_groups};

/// Looks for what a profile says and its author hardly meant
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp lint profile.json
  batten seccomp lint --for kubernetes /var/lib/kubelet/seccomp/*.json
  batten seccomp lint --caps CAP_NET_ADMIN profile.json
  batten seccomp lint --codes

Exit codes: 0 nothing but notes, 1 warnings or errors, 3 a file is unreadable, 4 wrong usage.")]
pub(super) struct Lint {
    /// Files of any format, or - for standard input
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
        say(&remarks::printed(&found, self.format)).unwrap_or(worst)
    }

    fn remarks(&self, file: &Path) -> Result<Vec<Remark>, Exit> {
        let purpose = Purpose {
            target: self.container.target(),
            fits_capabilities: self.container.has_caps(),
            engine: self.engine.map(Into::into),
        };
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

fn codes() -> String {
    CODES.iter().fold(String::new(), |mut out, code| {
        let _ = writeln!(out, "{:24} {:8} {}", code.name, code.level.as_str(), code.about);
        out
    })
}
