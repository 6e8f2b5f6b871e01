//! One reader for every file that calls itself a seccomp profile.

use std::fmt;

use super::docker::{Dialect, DockerProfile, Fidelity, has_any, items};
use super::profile::{Profile, ProfileError};
use super::resolve::{Facts, ResolveError};
use super::resolved::Resolved;
use super::target::Target;
#[cfg(feature = "cli")]
use crate::spec::Place;
use crate::spec::Value;

/// In which format a profile is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OCI's `linux.seccomp`, without conditions: what runtimes, containerd and Kubernetes on it take.
    Oci,
    /// Docker's, with conditions.
    Docker,
    /// container-libs' variant of Docker's, with error names.
    Containers,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Oci => "OCI",
            Self::Docker => "Docker",
            Self::Containers => "container-libs",
        })
    }
}

impl Format {
    /// The format that `root` shows: container-libs alone has error names; conditions, maps of architectures, comments
    /// and single names are Docker's as well.
    pub fn of(root: Value<'_>) -> Self {
        let any = |keys: &[&str]| items(root, "syscalls").any(|rule| has_any(rule, keys));
        if has_any(root, &["defaultErrno"]) || any(&["errno"]) {
            Self::Containers
        } else if has_any(root, &["archMap"]) || any(&["name", "includes", "excludes", "comment"]) {
            Self::Docker
        } else {
            Self::Oci
        }
    }

    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::Oci | Self::Docker => Dialect::Moby,
            Self::Containers => Dialect::Containers,
        }
    }
}

/// Reads a profile of any format for enforcement: conditions are resolved for `target`, every one of them
/// ([`Fidelity::Safe`]), and what comes out can be loaded.
///
/// # Errors
/// [`ResolveError`] where [`DockerProfile::read`] and [`DockerProfile::resolve`] refuse, and for a profile with neither
/// a default action nor rules, which engines take for "no seccomp at all".
pub fn read_any(root: Value<'_>, target: &Target) -> Result<(Format, Profile), ResolveError> {
    let (format, resolved) = resolved(root, target)?;
    Ok((format, resolved.profile()?))
}

/// As [`read_any`], with the place of each rule.
///
/// # Errors
/// As [`read_any`].
#[cfg(feature = "cli")]
pub fn read_placed(root: Value<'_>, target: &Target) -> Result<(Profile, Vec<Place>), ResolveError> {
    let (_, resolved) = resolved(root, target)?;
    Ok((resolved.profile()?, resolved.places().collect()))
}

fn resolved<'d>(root: Value<'d>, target: &Target) -> Result<(Format, Resolved<'d>), ResolveError> {
    let format = Format::of(root);
    let facts = Facts::of(target).ok_or(ResolveError::Machine(target.arch))?;
    let resolved = DockerProfile::read(root, format.dialect(), Fidelity::Safe)?.resolve_for(&facts)?;
    let empty = || {
        let problem = "the profile has neither a default action nor rules, and engines take that for no seccomp at all";
        ProfileError::at(root, problem, "write a defaultAction, as in \"SCMP_ACT_ERRNO\"")
    };
    Ok((format, resolved.ok_or_else(empty)?))
}
