//! The settings that hold for one container, each with the place that set it.

use super::Origin;
use super::declared::{Declared, Section, Value, Words};
use super::levels::Chosen;
use super::model::{Absent, CapabilitiesLayer, Controls, Mode, Own, SeccompLayer, Set, Violation};
use super::origin::{OriginPlace, Sourced};
use super::read::{DeclaredLayer, Written};
use crate::capability::{CapSet, Capability};
use crate::rules::{RULES, UNASKED};
#[cfg(feature = "cli")]
use crate::seccomp::Syscall;
use crate::seccomp::{Abis, Word};

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
    pub(super) declared: Declared,
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
    pub(super) fn built_in() -> Self {
        Self {
            mode: built_in("mode", Mode::Enforce),
            capabilities: Capabilities {
                ceiling: built_in("capabilities.ceiling", CapSet::DOCKER),
                violation: built_in("capabilities.violation", Violation::Fix),
            },
            seccomp: Seccomp {
                profile: built_in("seccomp.profile", super::BUILT_IN_PROFILE.to_owned()),
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

    /// Lays the control settings of layer `index` over these.
    pub(super) fn lay(&mut self, index: usize, layer: &Controls) {
        put(&mut self.mode, index, &layer.mode);
        self.capabilities.lay(index, &layer.capabilities);
        self.seccomp.lay(index, &layer.seccomp);
        let apparmor = &mut self.apparmor;
        if let Some(profile) = &layer.apparmor.profile {
            let named = apparmor.profile.get_or_insert_with(|| built_in("apparmor.profile", String::new()));
            overwrite(named, index, profile.span().start, profile.get_ref().clone());
        }
        if let Some(fallback) = &layer.apparmor.fallback {
            let named = apparmor.fallback.get_or_insert_with(|| built_in("apparmor.fallback", String::new()));
            overwrite(named, index, fallback.span().start, fallback.get_ref().profile.clone());
        }
        put(&mut apparmor.required, index, &layer.apparmor.required);
        put(&mut apparmor.allowed, index, &layer.apparmor.allowed);
        put(&mut apparmor.complain, index, &layer.apparmor.complain);
        put(&mut apparmor.own, index, &layer.apparmor.own);
        put(&mut apparmor.absent, index, &layer.apparmor.absent);
        put(&mut apparmor.violation, index, &layer.apparmor.violation);
        put(&mut self.no_new_privs.required, index, &layer.no_new_privs.required);
        put(&mut self.no_new_privs.violation, index, &layer.no_new_privs.violation);
        put(&mut self.annotations.allow, index, &layer.annotations.allow);
        put(&mut self.annotations.deny, index, &layer.annotations.deny);
        put(&mut self.annotations.violation, index, &layer.annotations.violation);
        for set in &layer.declared {
            self.lay_declared(index, set);
        }
    }

    /// Sets a declared setting. That its value fits was checked when the layer was read.
    fn lay_declared(&mut self, index: usize, set: &DeclaredLayer) {
        let Some(section) = RULES[set.section].section else { return };
        let value = match (set.value.get_ref(), set.slot) {
            (Written::Word(word), 0) => Violation::of_word(word).map(Value::Violation),
            (Written::Flag(flag), _) => Some(Value::Flag(*flag)),
            (Written::Count(count), _) => u64::try_from(*count).ok().map(Value::Count),
            (Written::Words(words), _) => Some(Value::Words(Words::Set(words.clone()))),
            _ => None,
        };
        if let Some(value) = value {
            let name = slot_name(section, set.slot);
            self.declared.put(set.section, set.slot, value, Origin::layer(name, index, set.value.span().start));
        }
    }

    /// Whether the rule at `position` of the table has anything to do: at no cost where nobody switched it on.
    pub fn is_on(&self, position: usize) -> bool {
        if self.declared.is_empty() {
            return UNASKED >> position & 1 == 1;
        }
        let Some(section) = RULES[position].section else { return true };
        self.declared.violation(position, section) != Violation::Off
    }

    /// What the rule at `position` does with a violation, and where the policy says so.
    pub fn declared_violation(&self, position: usize) -> Sourced<Violation> {
        let Some(section) = RULES[position].section else { return built_in("violation", Violation::Off) };
        let set = self.declared.get(position, 0);
        let origin = set.map_or(Origin::built_in(section.violation), |set| set.origin);
        Sourced { value: self.declared.violation(position, section), origin }
    }

    /// What a declared setting holds and which line made it; where none did, the line that switched the control on.
    pub(super) fn declared_setting(&self, position: usize, key: &str) -> Sourced<Value> {
        let settings = RULES[position].section.map_or(&[][..], |section| section.settings);
        let Some(at) = settings.iter().position(|setting| setting.key() == key) else {
            debug_assert!(false, "{} declares no {key}", RULES[position].id);
            return built_in("violation", Value::Flag(true));
        };
        match self.declared.get(position, at + 1) {
            Some(set) => set.clone(),
            None => Sourced { value: settings[at].kind.unset(), origin: self.declared_violation(position).origin },
        }
    }
}

pub(super) fn slot_name(section: &Section, slot: usize) -> &'static str {
    if slot == 0 { section.violation } else { section.settings[slot - 1].name }
}

impl Capabilities {
    /// `ceiling` first, then `add`, then `drop`. Names were checked when the layer was read.
    fn lay(&mut self, index: usize, layer: &CapabilitiesLayer) {
        if let Some(ceiling) = &layer.ceiling {
            overwrite(&mut self.ceiling, index, ceiling.span().start, cap_set(ceiling.get_ref()));
        }
        if let Some(add) = &layer.add {
            let sum = self.ceiling.value.union(cap_set(add.get_ref()));
            overwrite(&mut self.ceiling, index, add.span().start, sum);
        }
        if let Some(drop) = &layer.drop {
            let rest = self.ceiling.value.difference(cap_set(drop.get_ref()));
            overwrite(&mut self.ceiling, index, drop.span().start, rest);
        }
        put(&mut self.violation, index, &layer.violation);
    }
}

impl Seccomp {
    /// `profile` and `allow` are two answers to one question: the later one holds. `deny` holds beside both.
    fn lay(&mut self, index: usize, layer: &SeccompLayer) {
        if layer.profile.is_some() {
            self.allow = None;
        }
        put(&mut self.profile, index, &layer.profile);
        if let Some(allow) = &layer.allow {
            let named = self.allow.get_or_insert_with(|| built_in("seccomp.allow", Vec::new()));
            overwrite(named, index, allow.span().start, words(allow.get_ref()));
        }
        if let Some(deny) = &layer.deny {
            overwrite(&mut self.deny, index, deny.span().start, words(deny.get_ref()));
        }
        put(&mut self.own, index, &layer.own);
        put(&mut self.abis, index, &layer.abis);
        put(&mut self.log_denials, index, &layer.log_denials);
        put(&mut self.violation, index, &layer.violation);
    }

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

/// Words were checked when the layer was read.
fn words(words: &[String]) -> Vec<Word> {
    words.iter().filter_map(|word| Word::read(word)).collect()
}

/// The named set or capability that a policy's word stands for.
pub(super) fn cap_word(word: &str) -> Option<CapSet> {
    match word {
        "@docker" => Some(CapSet::DOCKER),
        "@all" => Some(CapSet::ALL),
        name => Capability::from_name(name).map(CapSet::of),
    }
}

fn cap_set(words: &[String]) -> CapSet {
    words.iter().filter_map(|word| cap_word(word)).fold(CapSet::EMPTY, CapSet::union)
}

const fn built_in<T>(setting: &'static str, value: T) -> Sourced<T> {
    Sourced { value, origin: Origin::built_in(setting) }
}

fn put<T: Clone>(setting: &mut Sourced<T>, index: usize, layer: &Set<T>) {
    if let Some(set) = layer {
        overwrite(setting, index, set.span().start, set.get_ref().clone());
    }
}

fn overwrite<T>(setting: &mut Sourced<T>, index: usize, offset: usize, value: T) {
    setting.value = value;
    setting.origin.place = OriginPlace::Layer { index, offset };
    setting.origin.standard = None;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Policy, Subject};

    #[test]
    fn with_nothing_set_the_rules_look_that_say_so_in_their_row() {
        let settings = Policy::built_in().resolve(&Subject::default()).into_owned();
        for (position, rule) in super::RULES.iter().enumerate() {
            let unset = rule.section.is_none_or(|section| section.unset != super::Violation::Off);
            assert_eq!(settings.is_on(position), unset, "{}", rule.id);
        }
    }

    #[test]
    fn the_built_in_policy_is_policies_default_toml() {
        let written = Policy::parse(Path::new("default.toml"), include_str!("../../policies/default.toml")).unwrap();
        let shown = |policy: &Policy| {
            let mut settings = policy.resolve(&Subject::default()).into_owned();
            let declared: Vec<_> =
                settings.declared(true).into_iter().map(|(origin, value)| (origin.setting, value)).collect();
            settings.declared = super::Declared::default();
            format!("{settings:#?} {declared:#?}")
        };
        assert_eq!(shown(&Policy::built_in()), shown(&written));
    }
}
