//! Docker's format resolved for one container on one machine, as moby and container-libs do it.

use std::borrow::Cow;
use std::fmt;

use super::arch::Arch;
use super::docker::{Dialect, DockerProfile, Fidelity, items, min_kernel};
use super::errno::{self, Numbering};
use super::machine::Machine;
use super::profile::{Profile, ProfileError};
use super::resolved::{Names, Resolved, ResolvedRule};
use super::target::{KernelVersion, Target};
use crate::capability::{CapSet, Capability};
#[cfg(feature = "cli")]
use crate::spec::Place;
use crate::spec::Value;

/// What a profile's conditions are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'t> {
    /// The machine.
    pub machine: Machine,
    /// Its kernel.
    pub kernel: Kernel<'t>,
    /// The container's bounding set.
    pub bounding: Bounding<'t>,
}

/// A kernel, for `minKernel`.
#[derive(Debug, Clone, Copy)]
pub enum Kernel<'t> {
    /// By its two numbers.
    Version(KernelVersion),
    /// By what `uname -r` prints. moby reads it only when a condition asks, and fails only then.
    Release(&'t str),
}

impl fmt::Display for Kernel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "{}.{}", version.major, version.minor),
            Self::Release(release) => f.write_str(release),
        }
    }
}

/// A bounding set, for `caps`.
#[derive(Debug, Clone, Copy)]
pub enum Bounding<'t> {
    /// The kernel's capabilities.
    Set(CapSet),
    /// Names, compared letter by letter as moby and container-libs do.
    Names(&'t [String]),
}

impl Facts<'_> {
    /// What holds for `target`; `None` for an architecture that no engine runs on.
    pub fn of(target: &Target) -> Option<Self> {
        Some(Self {
            machine: Machine::from_arch(target.arch)?,
            kernel: Kernel::Version(target.kernel),
            bounding: Bounding::Set(target.caps),
        })
    }

    fn has(&self, capability: &str) -> bool {
        match self.bounding {
            Bounding::Set(set) => Capability::from_name(capability).is_some_and(|known| set.contains(known)),
            Bounding::Names(names) => names.iter().any(|name| name == capability),
        }
    }
}

/// A profile that cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The implementation refuses the profile, or crashes on it.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A condition asks for the kernel's version.
    #[error("the kernel release {release:?} does not begin with two numbers, and {asked} asks for them")]
    Kernel {
        /// What should have been a release.
        release: String,
        /// Who asks: pointer and place.
        asked: String,
    },
    /// A target that no engine runs on.
    #[error("no engine resolves profiles for {}", .0.name())]
    Machine(Arch),
}

impl ResolveError {
    /// Where, if the profile says.
    #[cfg(feature = "cli")]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Profile(error) => Some(error.place),
            Self::Kernel { .. } | Self::Machine(_) => None,
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Profile(error) => error.hint,
            Self::Kernel { .. } => "give what `uname -r` prints, as in 6.1.0-18-amd64",
            Self::Machine(_) => "name a machine's native architecture",
        }
    }
}

impl<'d> DockerProfile<'d> {
    /// Resolves the profile. `None` where the implementation switches seccomp off: neither a default action nor rules.
    ///
    /// # Errors
    /// [`ResolveError`] where the implementation refuses: both `name` and `names`, both `architectures` and `archMap`,
    /// an unknown error name, a condition on a kernel whose release cannot be read.
    pub fn resolve_for(&self, facts: &Facts<'_>) -> Result<Option<Resolved<'d>>, ResolveError> {
        let root = self.root;
        let text = |key| root.get(key).filter(|value| !is_empty(*value));
        if self.dialect != Dialect::Containerd && text("defaultAction").is_none() && self.rules().next().is_none() {
            return Ok(None);
        }
        let mut resolved = Resolved {
            root,
            default_errno_ret: self.errno(root, "defaultErrno", "defaultErrnoRet", facts)?,
            architectures: self.architectures(facts)?,
            flags: items(root, "flags").collect(),
            listener_path: text("listenerPath"),
            listener_metadata: text("listenerMetadata"),
            rules: Vec::with_capacity(self.rules().count()),
        };
        for rule in self.rules() {
            resolved.rules.extend(self.rule(rule, facts)?);
        }
        Ok(Some(resolved))
    }

    /// Resolves the profile for enforcement: a [`Profile`] that a runtime can load.
    ///
    /// # Errors
    /// As [`DockerProfile::resolve_for`], and for what no runtime could load, as [`Profile::read`].
    pub fn resolve(&self, target: &Target) -> Result<Option<Profile>, ResolveError> {
        let facts = Facts::of(target).ok_or(ResolveError::Machine(target.arch))?;
        Ok(self.resolve_for(&facts)?.map(|resolved| resolved.profile()).transpose()?)
    }

    fn architectures(&self, facts: &Facts<'_>) -> Result<Vec<Value<'d>>, ProfileError> {
        let named: Vec<_> = items(self.root, "architectures").collect();
        let wanted = match (self.fidelity, self.dialect) {
            (_, Dialect::Containerd) => return Ok(named),
            (Fidelity::Safe, _) => Some(facts.machine.arch()),
            (_, Dialect::Moby) => facts.machine.moby_arch_map(),
            (_, Dialect::Containers) => facts.machine.containers_arch_map(),
        };
        let mut map = items(self.root, "archMap").peekable();
        if let (false, Some(&entry)) = (named.is_empty(), map.peek()) {
            let problem = "`archMap` stands beside `architectures`, and engines refuse both together";
            return Err(ProfileError::at(entry, problem, "keep one of them"));
        }
        let entry = wanted.and_then(|arch| map.find(|entry| is(entry.get("architecture"), arch.name())));
        match entry {
            None => Ok(named),
            Some(entry) => {
                let own = entry.get("architecture").into_iter();
                Ok(own.chain(items(entry, "subArchitectures")).collect())
            }
        }
    }

    fn rule(&self, rule: Value<'d>, facts: &Facts<'_>) -> Result<Option<ResolvedRule<'d>>, ResolveError> {
        let names = match self.dialect {
            Dialect::Containerd => list(rule),
            Dialect::Moby => {
                // moby looks at the names even of rules that do not apply.
                let names = names(rule)?;
                if !self.applies(rule, facts)? {
                    return Ok(None);
                }
                names
            }
            Dialect::Containers => {
                if !self.applies(rule, facts)? {
                    return Ok(None);
                }
                match names(rule)? {
                    Names::List(list) if list.items().next().is_none() => Names::None,
                    names => names,
                }
            }
        };
        let errno_ret = self.errno(rule, "errno", "errnoRet", facts)?;
        if self.dialect == Dialect::Containers {
            if matches!(names, Names::None) {
                return Ok(None);
            }
            refuse_null_conditions(rule)?;
        }
        Ok(Some(ResolvedRule { at: rule, names, errno_ret }))
    }

    fn applies(&self, rule: Value<'d>, facts: &Facts<'_>) -> Result<bool, ResolveError> {
        let arch = match self.dialect {
            Dialect::Moby => facts.machine.moby(),
            Dialect::Containers | Dialect::Containerd => facts.machine.libseccomp(),
        };
        let names_arch = |conditions| items(conditions, "arches").any(|own| is_text(own, arch));
        let holds = |cap: Value<'_>| facts.has(&cap.as_str().unwrap_or_default());
        let excluded = |excludes| {
            let named = names_arch(excludes) || items(excludes, "caps").any(holds);
            Ok::<_, ResolveError>(named || self.reaches(excludes, facts)? == Some(true))
        };
        if rule.get("excludes").map_or(Ok(false), excluded)? {
            return Ok(false);
        }
        let Some(includes) = rule.get("includes") else { return Ok(true) };
        let any_arch = items(includes, "arches").next().is_none() || names_arch(includes);
        Ok(any_arch && items(includes, "caps").all(holds) && self.reaches(includes, facts)? != Some(false))
    }

    /// Whether the kernel is at least `minKernel`; `None` when nobody asks.
    fn reaches(&self, conditions: Value<'d>, facts: &Facts<'_>) -> Result<Option<bool>, ResolveError> {
        if !self.reads_min_kernel() {
            return Ok(None);
        }
        let Some(least) = min_kernel(Some(conditions))? else { return Ok(None) };
        let kernel = match facts.kernel {
            Kernel::Version(version) => Some(version),
            Kernel::Release(release) => KernelVersion::parse(release),
        };
        kernel.map(|kernel| Some(kernel >= least)).ok_or_else(|| ResolveError::Kernel {
            release: facts.kernel.to_string(),
            asked: conditions
                .get("minKernel")
                .map_or_else(String::new, |own| format!("{} ({})", own.pointer(), own.place())),
        })
    }

    /// container-libs' `getErrno`: a name or a number in a string goes before the number.
    fn errno(
        &self,
        object: Value<'d>,
        name: &str,
        number: &str,
        facts: &Facts<'_>,
    ) -> Result<Option<u64>, ProfileError> {
        let given = object.get(number).and_then(Value::as_u64);
        let named = object.get(name).filter(|value| self.dialect == Dialect::Containers && !is_empty(*value));
        let Some(value) = named else { return Ok(given) };
        let text = value.as_str().unwrap_or_default();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let found = if digits { text.parse().ok() } else { errno::number(&text, self.numbering(facts)) };
        found.map(|errno: u32| Some(errno.into())).ok_or_else(|| {
            let problem = format!("container-libs knows no error {text:?}");
            ProfileError::at(value, problem, "use a name such as EPERM or ENOSYS, or a number of 32 bits")
        })
    }

    /// container-libs takes the numbers of the machine that it was compiled for.
    fn numbering(&self, facts: &Facts<'_>) -> Numbering {
        match self.fidelity {
            Fidelity::Exact => Numbering::NATIVE,
            Fidelity::Safe => facts.machine.numbering(),
        }
    }
}

/// The rule's calls, by `name` or by `names`.
pub(super) fn names(rule: Value<'_>) -> Result<Names<'_>, ProfileError> {
    let list = list(rule);
    let Some(name) = rule.get("name").filter(|name| !is_empty(*name)) else { return Ok(list) };
    if items(rule, "names").next().is_some() {
        let problem = "`name` stands beside `names`, and engines refuse both together";
        return Err(ProfileError::at(name, problem, "put the name into `names`"));
    }
    Ok(Names::One(name))
}

fn refuse_null_conditions(rule: Value<'_>) -> Result<(), ProfileError> {
    let problem = "the condition is null: container-libs crashes on it";
    match items(rule, "args").find(|arg| arg.is_null()) {
        Some(null) => Err(ProfileError::at(null, problem, "remove it, or write a condition")),
        None => Ok(()),
    }
}

fn list(rule: Value<'_>) -> Names<'_> {
    rule.get("names").map_or(Names::None, Names::List)
}

fn is_empty(value: Value<'_>) -> bool {
    is_text(value, "")
}

/// Whether a Go string decoded from `value` is `text`; null leaves it empty.
fn is_text(value: Value<'_>, text: &str) -> bool {
    value.as_str().unwrap_or(Cow::Borrowed("")) == text
}

fn is(value: Option<Value<'_>>, text: &str) -> bool {
    value.is_some_and(|value| is_text(value, text))
}
