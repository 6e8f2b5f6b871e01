//! The settings as a policy would write them: what `batten policy show` prints.

use crate::rules::RULES;
use crate::settings::{Origin, Settings, Violation};

impl Settings {
    /// Every declared setting and its value in TOML's spelling, in the order of the rules.
    pub fn declared(&self, with_unused: bool) -> Vec<(Origin, String)> {
        let mut lines = Vec::new();
        for (position, rule) in RULES.iter().enumerate() {
            let Some(section) = rule.section else { continue };
            let violation = self.declared_violation(position, section);
            lines.push((violation.origin, format!("\"{}\"", violation.value.as_str())));
            if violation.value == Violation::Off && !with_unused {
                continue;
            }
            for (at, setting) in section.settings.iter().enumerate() {
                let set = self.declared.get(position, at + 1);
                let origin = set.map_or(Origin::built_in(section.slot_name(at + 1)), |set| set.origin);
                lines.push((origin, set.map_or_else(|| setting.kind.unset(), |set| set.value.clone()).to_string()));
            }
        }
        lines
    }
}
