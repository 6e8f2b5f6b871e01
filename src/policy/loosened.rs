//! Tighten-only layering: what lies higher may not let through what lies lower refuses, unless the policy says so.

use super::error::PolicyError;
use super::{Override, Policy};
use crate::rules::RULES;
use crate::seccomp::Abis;
use crate::settings::{Absent, AppArmor, Mode, Origin, OriginPlace, Seccomp, Settings, Sourced, Violation};

/// One setting that lets through more than it did below.
struct Loosened {
    /// Its rule, or `mode`.
    rule: &'static str,
    origin: Origin,
    /// Where it was made below.
    was: Origin,
}

impl Policy {
    /// Refuses settings that loosen the level, and overrides that loosen the policy, but for the rules that `loosenable`
    /// names. A policy that has neither is not held to this.
    pub(super) fn refuse_loosened(&self) -> Result<(), PolicyError> {
        if let Some(chosen) = &self.base.level {
            let mut floor = Settings::built_in();
            floor.lay_level(chosen.clone(), false);
            let level = chosen.level.value.as_str();
            // What the level does not ask for is the policy's own to say.
            let is_wrong = |found: &&Loosened| found.was.standard.is_some() && !self.may_loosen(found.rule);
            if let Some(found) = self.base.looser_than(&floor).iter().find(is_wrong) {
                let problem = format!("{} is looser than the level {level:?}", found.origin.setting);
                return Err(self.wrong(found.origin, problem, found.rule));
            }
        }
        if self.base.level.is_none() && self.loosenable.is_none() {
            return Ok(());
        }
        self.overrides.iter().try_for_each(|item| self.refuse_loosening(item))
    }

    fn refuse_loosening(&self, item: &Override) -> Result<(), PolicyError> {
        let by_level = |found: &Loosened| found.origin.is_preset() && self.may_loosen("level");
        for found in self.overridden(item).looser_than(&self.base) {
            if self.may_loosen(found.rule) || by_level(&found) {
                continue;
            }
            let own = Origin::layer(found.origin.setting, item.layer, item.offset);
            let (origin, word) = if found.origin.is_preset() { (own, "level") } else { (found.origin, found.rule) };
            let setting = found.origin.setting;
            let problem = format!("the override {:?} makes {setting} looser than the policy has it", item.body.name);
            return Err(self.wrong(origin, problem, word));
        }
        Ok(())
    }

    fn may_loosen(&self, rule: &str) -> bool {
        self.loosenable.as_ref().is_some_and(|named| named.value.iter().any(|word| word == rule || word == "*"))
    }

    fn wrong(&self, origin: Origin, problem: String, rule: &str) -> PolicyError {
        let (index, offset) = match origin.place {
            OriginPlace::Layer { index, offset } => (index, offset),
            OriginPlace::BuiltIn => (0, 0),
        };
        let hint = format!("take it out, or let it be loosened: loosenable = [\"{rule}\"] at the top of the policy");
        self.sources[index].wrong(offset, problem, hint)
    }
}

impl Settings {
    /// What lets through more here than in `floor`. Where a new profile cannot be told from the old one by its name, it
    /// counts as looser.
    fn looser_than(&self, floor: &Self) -> Vec<Loosened> {
        let mut found = Vec::new();
        let mut note = |rule, origin, was, is_looser: bool| {
            if is_looser {
                found.push(Loosened { rule, origin, was });
            }
        };
        let audits = self.mode.value == Mode::Audit && floor.mode.value == Mode::Enforce;
        note("mode", self.mode.origin, floor.mode.origin, audits);
        let (own, was) = (&self.capabilities, &floor.capabilities);
        if was.violation.value != Violation::Off {
            note("capabilities", own.violation.origin, was.violation.origin, drops(&own.violation, &was.violation));
            let above = !own.ceiling.value.difference(was.ceiling.value).is_empty();
            note("capabilities", own.ceiling.origin, was.ceiling.origin, above);
        }
        let (own, was) = (&self.seccomp, &floor.seccomp);
        if was.violation.value != Violation::Off {
            note("seccomp", own.violation.origin, was.violation.origin, drops(&own.violation, &was.violation));
            note("seccomp", own.origin(), was.origin(), own.may_allow_more_than(was));
            let opens = was.deny.value.iter().any(|word| !own.deny.value.contains(word));
            note("seccomp", own.deny.origin, was.deny.origin, opens);
            let wider = own.abis.value != was.abis.value && own.abis.value != Abis::Native;
            note("seccomp", own.abis.origin, was.abis.origin, wider);
        }
        let (own, was) = (&self.no_new_privs, &floor.no_new_privs);
        if was.violation.value != Violation::Off && was.required.value {
            note("no-new-privs", own.required.origin, was.required.origin, !own.required.value);
            note("no-new-privs", own.violation.origin, was.violation.origin, drops(&own.violation, &was.violation));
        }
        let (own, was) = (&self.annotations, &floor.annotations);
        if was.violation.value != Violation::Off {
            note("annotations", own.violation.origin, was.violation.origin, drops(&own.violation, &was.violation));
            note("annotations", own.allow.origin, was.allow.origin, !covers(&was.allow.value, &own.allow.value));
            let fewer = was.deny.value.iter().any(|key| !own.deny.value.contains(key));
            note("annotations", own.deny.origin, was.deny.origin, fewer);
        }
        self.apparmor.looser_than(&floor.apparmor, &mut |origin, was, looser| note("apparmor", origin, was, looser));
        for (position, rule) in RULES.iter().enumerate() {
            let Some(section) = rule.section else { continue };
            let looser = self.declared.looser_than(&floor.declared, position, section);
            found.extend(looser.into_iter().map(|(origin, was)| Loosened { rule: rule.id.0, origin, was }));
        }
        found
    }
}

impl AppArmor {
    fn looser_than(&self, was: &Self, note: &mut dyn FnMut(Origin, Origin, bool)) {
        if was.violation.value == Violation::Off {
            return;
        }
        note(self.violation.origin, was.violation.origin, drops(&self.violation, &was.violation));
        note(self.required.origin, was.required.origin, was.required.value && !self.required.value);
        note(self.complain.origin, was.complain.origin, self.complain.value && !was.complain.value);
        note(self.allowed.origin, was.allowed.origin, !covers(&was.allowed.value, &self.allowed.value));
        let skips = self.absent.value == Absent::Skip && was.absent.value == Absent::Deny;
        note(self.absent.origin, was.absent.origin, skips);
        for (own, was, may_come) in [(&self.profile, &was.profile, true), (&self.fallback, &was.fallback, false)] {
            let Some(own) = own else { continue };
            let differs = was.as_ref().map_or(!may_come, |was| was.value != own.value);
            note(own.origin, was.as_ref().map_or(own.origin, |was| was.origin), differs);
        }
    }
}

fn drops(own: &Sourced<Violation>, was: &Sourced<Violation>) -> bool {
    own.value.is_looser_than(was.value)
}

impl Seccomp {
    /// Whether it names another profile, or groups that were not named.
    fn may_allow_more_than(&self, other: &Self) -> bool {
        match (&self.allow, &other.allow) {
            (None, None) => self.profile.value != other.profile.value,
            (Some(own), Some(other)) => own.value.iter().any(|word| !other.value.contains(word)),
            _ => true,
        }
    }
}

/// Whether every one of `names` is among `patterns`, as far as that is plain to see.
fn covers(patterns: &[String], names: &[String]) -> bool {
    names.iter().all(|name| patterns.iter().any(|pattern| pattern == name || pattern == "*"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Policy;

    fn problem(text: &str) -> Option<String> {
        Policy::parse(Path::new("p.toml"), text).err().map(|error| format!("{error}\n{}", error.hint()))
    }

    const SUBJECT: &str = "[subject]\nengine = 'containerd'\n";

    fn with_override(head: &str, body: &str) -> Option<String> {
        problem(&format!("{head}\n{SUBJECT}[[override]]\nname = 'x'\nmatch = {{ namespace = 'a' }}\n{body}"))
    }

    #[test]
    fn without_a_level_or_loosenable_an_override_says_what_it_likes() {
        assert_eq!(with_override("", "capabilities.add = ['CAP_SYS_ADMIN']"), None);
    }

    #[test]
    fn an_override_may_tighten_under_a_level_and_loosen_nothing() {
        let level = "level = 'baseline'";
        assert_eq!(with_override(level, "level = 'restricted'\nsysctls.allowed = []"), None);
        for (body, named) in [
            ("capabilities.add = ['CAP_SYS_ADMIN']", "capabilities.ceiling"),
            ("mode = 'audit'", "mode"),
            ("sysctls.allowed = ['net.*']", "sysctls.allowed"),
            ("host_network.violation = 'report'", "host_network.violation"),
            ("seccomp.violation = 'off'", "seccomp.violation"),
            ("level = 'privileged'", "violation"),
        ] {
            let said = with_override(level, body).unwrap_or_else(|| panic!("{body}"));
            assert!(said.contains(named) && said.contains("loosenable = [\""), "{body}: {said}");
        }
    }

    #[test]
    fn an_override_loosens_what_the_policy_marks() {
        let level = "level = 'baseline'\nloosenable = ['capabilities', 'host-network']";
        assert_eq!(with_override(level, "capabilities.add = ['CAP_NET_ADMIN']\nhost_network.violation = 'off'"), None);
        assert!(with_override(level, "host_pid.violation = 'off'").unwrap().contains("host-pid"));
        assert_eq!(with_override("level = 'baseline'\nloosenable = ['level']", "level = 'privileged'"), None);
        assert!(with_override("loosenable = []", "no_new_privs.required = false").is_none(), "nothing was asked");
        assert!(
            with_override("loosenable = []\nno_new_privs.required = true", "no_new_privs.required = false").is_some()
        );
    }

    #[test]
    fn a_setting_of_the_file_does_not_undo_its_level_unseen() {
        let said = problem("level = 'restricted'\ncapabilities.ceiling = ['@docker']\n").unwrap();
        assert!(said.contains("p.toml:2") && said.contains("looser than the level \"restricted\""), "{said}");
        assert_eq!(
            problem("level = 'restricted'\nloosenable = ['capabilities']\ncapabilities.ceiling = ['@docker']\n"),
            None
        );
        assert_eq!(problem("level = 'restricted'\nmode = 'audit'\nannotations.violation = 'off'\n"), None);
        assert_eq!(problem("level = 'restricted'\ncapabilities.ceiling = []\nseccomp.own = 'keep'\n"), None);
    }
}
