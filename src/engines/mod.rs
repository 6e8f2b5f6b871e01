//! The engines that start containers, and how batten-runtime is made known to each in its own configuration.
//!
//! An engine's file says what it wants ([`Registration`]: files, and settings in them) and what it does now
//! ([`Coverage`]: which of its handlers start batten-runtime, which ways around are open). Everything else is the same
//! for all: edits that keep every byte that is not ours, a record of what was there before, undoing it.

mod buildkit;
mod containerd;
mod coverage;
mod crio;
mod docker;
mod error;
pub mod hooks;
mod install;
mod json_file;
mod layers;
mod podman;
mod record;
mod registration;
mod site;
mod toml_file;

use std::path::PathBuf;

use clap::ValueEnum;

pub use coverage::{Coverage, Handler, Way};
pub use error::EngineError;
pub use install::{Change, Plan, install, uninstall};
pub use registration::{Content, Format, Registration, Setting, Value, Wanted};
pub use site::{Site, Version, parse_version};

/// The programs' names where nothing else is said.
pub const RUNTIME: &str = "/usr/local/bin/batten-runtime";

/// An engine that batten-runtime can be registered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// containerd, for Kubernetes (CRI)
    Containerd,
    /// Docker (dockerd)
    Docker,
    /// Podman
    Podman,
    /// CRI-O
    Crio,
    /// BuildKit by itself (buildkitd)
    Buildkit,
}

/// What is to be registered.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct Request {
    /// The names that containers ask for; the first is the default, where that is wanted.
    pub names: Vec<String>,
    /// Whether containers that name no runtime get it.
    pub default: bool,
    /// batten-runtime, as the engine finds it; none when only hooks are wanted.
    pub runtime: Option<PathBuf>,
    /// Whether a name that stands for another runtime may be taken over.
    pub replace: bool,
    /// The hooks besides.
    pub hooks: Vec<hooks::Stage>,
    /// batten, for the hooks.
    pub batten: PathBuf,
    /// The engine's configuration, where it is not in its usual place.
    pub config: Option<PathBuf>,
    /// Whether builds inside of the engine are to go through it as well.
    pub builds: bool,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Containerd, Self::Docker, Self::Podman, Self::Crio, Self::Buildkit];

    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Crio => "crio",
            Self::Buildkit => "buildkit",
        }
    }

    /// Its program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Docker => "dockerd",
            Self::Podman => "podman",
            Self::Crio => "crio",
            Self::Buildkit => "buildkitd",
        }
    }

    /// The command by which it takes notice of its configuration; none where it reads it for each container.
    pub const fn restart(self, site: &Site) -> Option<&'static str> {
        match (self, site.is_user()) {
            (Self::Podman, _) => None,
            (Self::Containerd, false) => Some("systemctl restart containerd"),
            (Self::Containerd, true) => Some("systemctl --user restart containerd"),
            (Self::Docker, false) => Some("systemctl reload docker"),
            (Self::Docker, true) => Some("systemctl --user reload docker"),
            (Self::Crio, _) => Some("systemctl restart crio"),
            (Self::Buildkit, false) => Some("systemctl restart buildkit"),
            (Self::Buildkit, true) => Some("systemctl --user restart buildkit"),
        }
    }

    /// How it stands, if it is on the machine: its program, or a configuration of it.
    ///
    /// # Errors
    /// As [`Engine::coverage`].
    pub fn coverage_if_found(self, site: &Site) -> Result<Option<Coverage>, EngineError> {
        coverage::of(self, site)
    }

    fn registration(self, request: &Request, site: &Site) -> Result<Registration, EngineError> {
        match self {
            Self::Containerd => containerd::registration(request, site),
            Self::Docker => docker::registration(request, site),
            Self::Podman => podman::registration(request, site),
            Self::Crio => crio::registration(request, site),
            Self::Buildkit => buildkit::registration(request, site),
        }
    }

    /// What it does with containers as it is configured now.
    ///
    /// # Errors
    /// [`EngineError`] when its configuration cannot be read.
    pub fn coverage(self, site: &Site) -> Result<Coverage, EngineError> {
        match self {
            Self::Containerd => containerd::coverage(site),
            Self::Docker => docker::coverage(site),
            Self::Podman => podman::coverage(site),
            Self::Crio => crio::coverage(site),
            Self::Buildkit => buildkit::coverage(site),
        }
    }
}
