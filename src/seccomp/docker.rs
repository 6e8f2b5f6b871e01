//! Docker's profile format: OCI's object, with conditions on capabilities, architecture and kernel. moby and
//! container-libs (Podman, Buildah, CRI-O) each read it in their own way; containerd reads the same file as plain OCI,
//! and every condition is lost. `docs/seccomp.md` compares the three.

use super::profile::ProfileError;
use super::target::KernelVersion;
use crate::spec::{ReadError, Refusal, Shape, Value};

/// Whose reading of a profile to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// moby/profiles `seccomp` v0.2.3, as in Docker 28 and 29.
    Moby,
    /// container-libs `common/pkg/seccomp` v0.67, as in Podman, Buildah and CRI-O.
    Containers,
    /// What containerd, and so Kubernetes on it, makes of a Localhost profile: plain OCI (`contrib/seccomp`).
    Containerd,
}

/// Where to leave the implementations' path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Nowhere: bugs included.
    Exact,
    /// Where they lose what the profile says: `archMap` entries that moby's misspelt names miss, `minKernel` conditions
    /// that container-libs does not know, error numbers of another machine than the target.
    Safe,
}

/// A profile in Docker's format, checked for one dialect. Borrows the document.
#[derive(Debug, Clone, Copy)]
pub struct DockerProfile<'d> {
    pub(super) root: Value<'d>,
    pub(super) dialect: Dialect,
    pub(super) fidelity: Fidelity,
}

impl<'d> DockerProfile<'d> {
    /// Checks `root` as the dialect's decoder would, and more strictly where decoders differ: keys that only fold to a
    /// known one are refused.
    ///
    /// # Errors
    /// [`ProfileError`] where the implementation refuses the file or crashes on it, and for folded keys.
    pub fn read(root: Value<'d>, dialect: Dialect, fidelity: Fidelity) -> Result<Self, ProfileError> {
        shape(dialect, fidelity).check(root).map_err(explain)?;
        let profile = Self { root, dialect, fidelity };
        if dialect != Dialect::Containerd {
            profile.rules().try_for_each(|rule| profile.check_rule(rule))?;
        }
        Ok(profile)
    }

    fn check_rule(&self, rule: Value<'d>) -> Result<(), ProfileError> {
        if rule.is_null() {
            return Err(ProfileError::at(rule, "the rule is null: engines crash on it", "remove it, or write a rule"));
        }
        if self.reads_min_kernel() {
            for conditions in ["includes", "excludes"] {
                min_kernel(rule.get(conditions))?;
            }
        }
        Ok(())
    }

    pub(super) fn reads_min_kernel(&self) -> bool {
        self.dialect == Dialect::Moby || self.fidelity == Fidelity::Safe
    }

    /// The rules, in the file's order.
    pub(super) fn rules(&self) -> impl Iterator<Item = Value<'d>> + use<'d> {
        items(self.root, "syscalls")
    }
}

/// The runtime-spec is not what a profile's author has at hand.
fn explain(error: ReadError) -> ProfileError {
    let hint = match error.refusal {
        Refusal::FoldedKey { .. } => "spell the key exactly so: engines in Go ignore case, other readers do not",
        Refusal::WrongType { .. } => "docs/seccomp.md gives the type of each member",
        _ => error.hint(),
    };
    ProfileError { hint, ..error.into() }
}

/// The items of an array member; none when it is absent or null.
pub(super) fn items<'d>(object: Value<'d>, key: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
    object.get(key).into_iter().flat_map(Value::items)
}

/// Whether `object` is one and has any of the members.
pub(super) fn has_any(object: Value<'_>, keys: &[&str]) -> bool {
    keys.iter().any(|key| object.get(key).is_some())
}

/// `includes.minKernel` or `excludes.minKernel`, by moby's `KernelVersion.UnmarshalJSON`: two numbers of at most 255.
/// The empty string is 0.0, which every kernel reaches.
pub(super) fn min_kernel(conditions: Option<Value<'_>>) -> Result<Option<KernelVersion>, ProfileError> {
    let Some(value) = conditions.and_then(|conditions| conditions.get("minKernel")) else { return Ok(None) };
    let version = value.as_str().unwrap_or_default();
    if version.is_empty() {
        return Ok(Some(KernelVersion { major: 0, minor: 0 }));
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u8>().ok().map(u64::from) } else { None }
    };
    let parts = version.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    match parts {
        Some((major, minor)) if (major, minor) != (0, 0) => Ok(Some(KernelVersion { major, minor })),
        _ => Err(ProfileError::at(
            value,
            format!("{version:?} is no kernel version"),
            "write two numbers of at most 255 with a dot between them, as in \"4.8\"",
        )),
    }
}

/// Go's `uint` has 64 bits on the machines that engines run on today; runtimes take 32 of an errno.
const UINT: Shape = Shape::Integer(0, u64::MAX);
const STRINGS: Shape = Shape::Array(&Shape::String);

const ARG: Shape = Shape::Object(&[("index", UINT), ("value", UINT), ("valueTwo", UINT), ("op", Shape::String)]);
const ARGS: Shape = Shape::Array(&ARG);
const ARCH_MAP: Shape = Shape::Array(&Shape::Object(&[("architecture", Shape::String), ("subArchitectures", STRINGS)]));

const MOBY_CONDITIONS: Shape = Shape::Object(&[("caps", STRINGS), ("arches", STRINGS), ("minKernel", Shape::String)]);
const CONTAINERS_CONDITIONS: Shape =
    Shape::Object(&[("caps", STRINGS), ("arches", STRINGS), ("minKernel", Shape::Any)]);

macro_rules! profile_shape {
    (errno: $errno:expr, conditions: $conditions:expr, comment: $comment:expr, arch_map: $arch_map:expr) => {
        Shape::Object(&[
            ("defaultAction", Shape::String),
            ("defaultErrnoRet", UINT),
            ("defaultErrno", $errno),
            ("architectures", STRINGS),
            ("archMap", $arch_map),
            ("flags", STRINGS),
            ("listenerPath", Shape::String),
            ("listenerMetadata", Shape::String),
            (
                "syscalls",
                Shape::Array(&Shape::Object(&[
                    ("name", $comment),
                    ("names", STRINGS),
                    ("action", Shape::String),
                    ("errnoRet", UINT),
                    ("errno", $errno),
                    ("args", ARGS),
                    ("comment", $comment),
                    ("includes", $conditions),
                    ("excludes", $conditions),
                ])),
            ),
        ])
    };
}

static MOBY: Shape =
    profile_shape!(errno: Shape::Any, conditions: MOBY_CONDITIONS, comment: Shape::String, arch_map: ARCH_MAP);
static CONTAINERS: Shape =
    profile_shape!(errno: Shape::String, conditions: CONTAINERS_CONDITIONS, comment: Shape::String, arch_map: ARCH_MAP);
static CONTAINERD: Shape =
    profile_shape!(errno: Shape::Any, conditions: Shape::Any, comment: Shape::Any, arch_map: Shape::Any);
static EVERY: Shape =
    profile_shape!(errno: Shape::String, conditions: MOBY_CONDITIONS, comment: Shape::String, arch_map: ARCH_MAP);

fn shape(dialect: Dialect, fidelity: Fidelity) -> &'static Shape {
    match (dialect, fidelity) {
        (_, Fidelity::Safe) => &EVERY,
        (Dialect::Moby, _) => &MOBY,
        (Dialect::Containers, _) => &CONTAINERS,
        (Dialect::Containerd, _) => &CONTAINERD,
    }
}
