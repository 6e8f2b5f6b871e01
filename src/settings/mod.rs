//! What holds for one container: who it is, each setting with the place that made it, and what is waived.
//!
//! [`crate::policy`] makes them of a policy's text, [`crate::rules`] judge by them.

mod choice;
mod declared;
mod origin;
mod subject;
mod waiver;

pub use choice::{Absent, Level, Mode, Own, Violation};
pub(crate) use declared::{Declared, Value, section};
pub use declared::{Kind, Section, Setting, Words};
pub(crate) use origin::OriginPlace;
pub use origin::{Origin, Sourced};
pub(crate) use subject::Match;
pub use subject::{Subject, SubjectKeys, glob};
pub(crate) use waiver::WaiverLayer;
pub use waiver::{Day, Waiver, Waivers};

use crate::capability::CapSet;
#[cfg(feature = "cli")]
use crate::seccomp::Syscall;
use crate::seccomp::{Abis, Word};

/// The name of the seccomp profile that batten brings along.
pub const BUILT_IN_PROFILE: &str = "builtin:default";

/// Everything that the rules ask.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "docs/policy.md describes each")]
pub struct Settings {
    pub mode: Sourced<Mode>,
    pub capabilities: Capabilities,
    pub seccomp: Seccomp,
    pub apparmor: AppArmor,
    pub no_new_privs: NoNewPrivs,
    pub annotations: Annotations,
    /// The level that lies under all of it, if the policy names one.
    pub level: Option<Chosen>,
    pub(crate) declared: Declared,
}

/// The level that holds for a container.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Which.
    pub level: Sourced<Level>,
    /// Its version, as the policy writes it.
    pub version: Sourced<String>,
    /// What its controls do with a violation.
    pub violation: Sourced<Violation>,
}

/// `[capabilities]`
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// What a container may hold at most, in any of the five sets.
    pub ceiling: Sourced<CapSet>,
    /// What happens to more.
    pub violation: Sourced<Violation>,
}

/// `[seccomp]`
#[derive(Debug, Clone)]
pub struct Seccomp {
    /// `builtin:default`, or the path of a profile.
    pub profile: Sourced<String>,
    /// In the profile's place, if the policy says so: what is let through, and nothing else is.
    pub allow: Option<Sourced<Vec<Word>>>,
    /// What is refused, whatever the profile says.
    pub deny: Sourced<Vec<Word>>,
    /// What happens to the bundle's own profile.
    pub own: Sourced<Own>,
    /// Which system call interfaces the filter answers for.
    pub abis: Sourced<Abis>,
    /// Whether calls that the filter refuses leave a record in the kernel's log.
    pub log_denials: Sourced<bool>,
    /// What happens to a bundle without a filter, or with a looser one.
    pub violation: Sourced<Violation>,
}

/// `[apparmor]`
#[derive(Debug, Clone)]
pub struct AppArmor {
    /// The profile that containers run under, if the policy names one.
    pub profile: Option<Sourced<String>>,
    /// Whether a container must name one, where the policy sets none.
    pub required: Sourced<bool>,
    /// The names (globs) that a bundle may bring itself.
    pub allowed: Sourced<Vec<String>>,
    /// Whether a profile may be one that only logs.
    pub complain: Sourced<bool>,
    /// What takes the place of a profile that is not loaded; without it such a container is refused.
    pub fallback: Option<Sourced<String>>,
    /// What happens to the bundle's own.
    pub own: Sourced<Own>,
    /// What happens where the host has no AppArmor.
    pub absent: Sourced<Absent>,
    /// What happens to a bundle out of policy.
    pub violation: Sourced<Violation>,
}

/// `[no_new_privs]`
#[derive(Debug, Clone)]
pub struct NoNewPrivs {
    /// Whether set-user-ID files and file capabilities must be inert.
    pub required: Sourced<bool>,
    /// What happens to a bundle without it.
    pub violation: Sourced<Violation>,
}

/// `[annotations]`
#[derive(Debug, Clone)]
pub struct Annotations {
    /// Powerful annotations (globs) that are let through.
    pub allow: Sourced<Vec<String>>,
    /// Annotations (globs) that are treated as powerful besides those batten knows.
    pub deny: Sourced<Vec<String>>,
    /// What happens to them.
    pub violation: Sourced<Violation>,
}

impl Settings {
    /// What Docker gives a container by default, made a ceiling. `policies/default.toml` says the same in TOML.
    pub(crate) fn built_in() -> Self {
        Self {
            mode: built_in("mode", Mode::Enforce),
            capabilities: Capabilities {
                ceiling: built_in("capabilities.ceiling", CapSet::DOCKER),
                violation: built_in("capabilities.violation", Violation::Fix),
            },
            seccomp: Seccomp {
                profile: built_in("seccomp.profile", BUILT_IN_PROFILE.to_owned()),
                allow: None,
                deny: built_in("seccomp.deny", Vec::new()),
                own: built_in("seccomp.own", Own::Combine),
                abis: built_in("seccomp.abis", Abis::Native),
                log_denials: built_in("seccomp.log_denials", false),
                violation: built_in("seccomp.violation", Violation::Fix),
            },
            apparmor: AppArmor {
                profile: None,
                required: built_in("apparmor.required", false),
                allowed: built_in("apparmor.allowed", vec!["*".to_owned()]),
                complain: built_in("apparmor.complain", true),
                fallback: None,
                own: built_in("apparmor.own", Own::Keep),
                absent: built_in("apparmor.absent", Absent::Skip),
                violation: built_in("apparmor.violation", Violation::Fix),
            },
            no_new_privs: NoNewPrivs {
                required: built_in("no_new_privs.required", false),
                violation: built_in("no_new_privs.violation", Violation::Fix),
            },
            annotations: Annotations {
                allow: built_in("annotations.allow", Vec::new()),
                deny: built_in("annotations.deny", Vec::new()),
                violation: built_in("annotations.violation", Violation::Fix),
            },
            level: None,
            declared: Declared::default(),
        }
    }

    /// Whether a rule's own table says anything at all.
    pub(crate) const fn sets_declared(&self) -> bool {
        !self.declared.is_empty()
    }

    /// What the rule at `position` does with a violation, and where the policy says so.
    pub fn declared_violation(&self, position: usize, section: &Section) -> Sourced<Violation> {
        let set = self.declared.get(position, 0);
        let origin = set.map_or(Origin::built_in(section.violation), |set| set.origin);
        Sourced { value: self.declared.violation(position, section), origin }
    }

    /// What a declared setting holds and which line made it; where none did, the line that switched the control on.
    fn declared_setting(&self, position: usize, section: &Section, key: &str) -> Sourced<Value> {
        let Some(at) = section.settings.iter().position(|setting| setting.key() == key) else {
            debug_assert!(false, "{} declares no {key}", section.name);
            return built_in("violation", Value::Flag(true));
        };
        match self.declared.get(position, at + 1) {
            Some(set) => set.clone(),
            None => Sourced {
                value: section.settings[at].kind.unset(),
                origin: self.declared_violation(position, section).origin,
            },
        }
    }

    /// The words of a declared setting of the rule at `position`.
    pub fn words(&self, position: usize, section: &Section, key: &str) -> Sourced<Words> {
        let Sourced { value, origin } = self.declared_setting(position, section, key);
        let value = if let Value::Words(words) = value { words } else { Words::Known(&[]) };
        Sourced { value, origin }
    }

    /// A declared flag of the rule at `position`.
    pub fn flag(&self, position: usize, section: &Section, key: &str) -> Sourced<bool> {
        let Sourced { value, origin } = self.declared_setting(position, section, key);
        Sourced { value: matches!(value, Value::Flag(true)), origin }
    }

    /// A declared number of the rule at `position`; 0 stands for no bound.
    pub fn count(&self, position: usize, section: &Section, key: &str) -> Sourced<u64> {
        let Sourced { value, origin } = self.declared_setting(position, section, key);
        Sourced { value: if let Value::Count(count) = value { count } else { 0 }, origin }
    }
}

impl Seccomp {
    /// Where it was said what is let through.
    pub fn origin(&self) -> Origin {
        self.allow.as_ref().map_or(self.profile.origin, |allow| allow.origin)
    }

    /// The setting that has `call` refused.
    #[cfg(feature = "cli")]
    pub fn refused_by(&self, call: Syscall) -> Origin {
        let is_denied = self.deny.value.iter().any(|word| word.covers(call));
        if is_denied { self.deny.origin } else { self.origin() }
    }
}

pub(crate) const fn built_in<T>(setting: &'static str, value: T) -> Sourced<T> {
    Sourced { value, origin: Origin::built_in(setting) }
}
