//! The settings as a policy would write them: what `batten policy show` prints.

use super::declared::Words;
use super::origin::{Origin, Sourced};
use super::settings::{Settings, slot_name};
use super::{Violation, declared::Value};
use crate::rules::RULES;

impl Settings {
    /// The words of a declared setting of the rule at `position`.
    pub fn words(&self, position: usize, key: &str) -> Sourced<Words> {
        let Sourced { value, origin } = self.declared_setting(position, key);
        let value = if let Value::Words(words) = value { words } else { Words::Known(&[]) };
        Sourced { value, origin }
    }

    /// A declared flag of the rule at `position`.
    pub fn flag(&self, position: usize, key: &str) -> Sourced<bool> {
        let Sourced { value, origin } = self.declared_setting(position, key);
        Sourced { value: matches!(value, Value::Flag(true)), origin }
    }

    /// A declared number of the rule at `position`; 0 stands for no bound.
    pub fn count(&self, position: usize, key: &str) -> Sourced<u64> {
        let Sourced { value, origin } = self.declared_setting(position, key);
        Sourced { value: if let Value::Count(count) = value { count } else { 0 }, origin }
    }

    /// Every declared setting and its value in TOML's spelling, in the order of the rules.
    pub fn declared(&self, with_unused: bool) -> Vec<(Origin, String)> {
        let mut lines = Vec::new();
        for (position, rule) in RULES.iter().enumerate() {
            let Some(section) = rule.section else { continue };
            let violation = self.declared_violation(position);
            lines.push((violation.origin, format!("\"{}\"", violation.value.as_str())));
            if violation.value == Violation::Off && !with_unused {
                continue;
            }
            for (at, setting) in section.settings.iter().enumerate() {
                let set = self.declared.get(position, at + 1);
                let origin = set.map_or(Origin::built_in(slot_name(section, at + 1)), |set| set.origin);
                lines.push((origin, set.map_or_else(|| setting.kind.unset(), |set| set.value.clone()).to_string()));
            }
        }
        lines
    }
}
