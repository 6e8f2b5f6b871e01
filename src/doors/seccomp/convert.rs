//! `batten seccomp convert`: a profile in another format.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::input::{self, Source};
use super::named::Container;
use crate::doors::{Exit, refuse, say};
use crate::seccomp::{Dialect, GroupProfile, convert};
use crate::settings::BUILT_IN_PROFILE;
use crate::spec::Document;

/// Writes a profile in another format, or says what that format cannot say
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp convert podman.json --to docker
  batten seccomp convert docker.json --to kubernetes --caps @docker
  batten seccomp convert builtin:default --to oci --caps CAP_NET_BIND_SERVICE

With --caps the profile is resolved for one container on this machine and kernel, so that no condition is left. Profiles in \
    groups and builtin:default always are.

Exit codes: 0 written, 3 the profile is refused, or the format cannot say it, 4 wrong usage.")]
pub(super) struct Convert {
    /// A file of any format, - for standard input, builtin:default
    profile: PathBuf,
    /// The format to write
    #[arg(long, value_enum)]
    to: To,
    #[command(flatten)]
    container: Container,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    /// OCI's linux.seccomp, without conditions
    Oci,
    /// A localhost profile of Kubernetes: OCI's object
    Kubernetes,
    /// Docker's format
    Docker,
    /// container-libs' variant: Podman, Buildah and CRI-O
    Containers,
}

impl From<To> for Dialect {
    fn from(to: To) -> Self {
        match to {
            To::Oci | To::Kubernetes => Self::Containerd,
            To::Docker => Self::Moby,
            To::Containers => Self::Containers,
        }
    }
}

impl Convert {
    pub(super) fn run(&self) -> Exit {
        let written = if self.container.has_caps() || self.profile == Path::new(BUILT_IN_PROFILE) {
            self.container.read(&self.profile).map(|named| named.profile.to_json())
        } else {
            input::read_any(&self.profile).and_then(|source| match source {
                Source::Json(document) => self.convert(&document),
                Source::Groups(profile) => Ok(profile.resolve(&self.container.target()).to_json()),
            })
        };
        let follows_caps = self.profile == Path::new(BUILT_IN_PROFILE) || GroupProfile::is_named_by(&self.profile);
        if written.is_ok() && follows_caps && !self.container.has_caps() {
            eprintln!("note: resolved for the capabilities that Docker gives by default; --caps names others");
        }
        match written {
            Ok(text) => say(&(text + "\n")).unwrap_or(Exit::Clean),
            Err(exit) => exit,
        }
    }

    fn convert(&self, document: &Document) -> Result<String, Exit> {
        convert(document, self.to.into(), &self.container.target())
            .map_err(|error| refuse(Exit::Unreadable, &format!("{}: {error}", input::name(&self.profile)), error.hint))
    }
}
