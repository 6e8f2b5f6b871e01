//! A layer laid over settings.

use super::model::{CapabilitiesLayer, Controls, SeccompLayer, Set};
use super::read::{DeclaredLayer, Written};
use crate::capability::{CapSet, Capability};
use crate::seccomp::Word;
use crate::settings::{Capabilities, OriginPlace, Seccomp, Settings, Sourced, Value, Violation, Words, built_in};

impl Settings {
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
        let value = match (set.value.get_ref(), set.slot) {
            (Written::Word(word), 0) => Violation::of_word(word).map(Value::Violation),
            (Written::Flag(flag), _) => Some(Value::Flag(*flag)),
            (Written::Count(count), _) => u64::try_from(*count).ok().map(Value::Count),
            (Written::Words(words), _) => Some(Value::Words(Words::Set(words.clone()))),
            _ => None,
        };
        if let Some(value) = value {
            let name = set.section.slot_name(set.slot);
            self.declared.put(
                set.position,
                set.slot,
                value,
                crate::settings::Origin::layer(name, index, set.value.span().start),
            );
        }
    }
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

    use super::super::Policy;
    use crate::settings::{Declared, Subject};

    #[test]
    fn the_built_in_policy_is_policies_default_toml() {
        let written = Policy::parse(Path::new("default.toml"), include_str!("../../policies/default.toml")).unwrap();
        let shown = |policy: &Policy| {
            let mut settings = policy.resolve(&Subject::default()).into_owned();
            let declared: Vec<_> =
                settings.declared(true).into_iter().map(|(origin, value)| (origin.setting, value)).collect();
            settings.declared = Declared::default();
            format!("{settings:#?} {declared:#?}")
        };
        assert_eq!(shown(&Policy::built_in()), shown(&written));
    }
}
