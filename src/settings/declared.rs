//! Settings that a rule declares in its own file: what kinds there are, which way each is looser, and what a policy has
//! said of them. Only what somebody set is kept, so a control that nobody switched on takes no room.

use std::fmt;

use super::choice::Violation;
use super::origin::{Origin, Sourced};
use super::subject::glob;

/// The settings of one control: its table in the policy.
#[derive(Debug)]
pub struct Section {
    /// The table's name: `sysctls`.
    pub name: &'static str,
    /// Its setting `violation`, in full: `sysctls.violation`.
    pub violation: &'static str,
    /// What the control does with a violation where nobody says.
    pub unset: Violation,
    /// Its other settings.
    pub settings: &'static [Setting],
}

/// One setting of a control.
#[derive(Debug)]
pub struct Setting {
    /// As messages spell it: `sysctls.allowed`.
    pub name: &'static str,
    /// What it holds, and what it holds where nobody says.
    pub kind: Kind,
    /// What it means, in one clause, for the reference.
    pub meaning: &'static str,
}

/// What a setting holds; the kind says which way is looser.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Words that are let through: more of them is looser.
    Allow(&'static [&'static str]),
    /// Words that are refused or asked for: fewer of them is looser.
    Ask(&'static [&'static str]),
    /// `true` asks for more.
    Demand(bool),
    /// `true` lets more through.
    Permit(bool),
    /// The most there may be: a larger number is looser; 0 stands for no bound.
    Most(u64),
}

/// Declares the table of a rule: its name, what it does unasked, and its settings.
macro_rules! section {
    ($name:literal, $unset:ident $(, $key:literal: $kind:expr => $meaning:literal)* $(,)?) => {
        $crate::settings::Section {
            name: $name,
            violation: concat!($name, ".violation"),
            unset: $crate::settings::Violation::$unset,
            settings: &[$($crate::settings::Setting {
                name: concat!($name, ".", $key),
                kind: { use $crate::settings::Kind::*; $kind },
                meaning: $meaning,
            }),*],
        }
    };
}
pub(crate) use section;

impl Section {
    /// The name of a setting by its slot: 0 is the violation, else one more than its place among the settings.
    pub(crate) fn slot_name(&self, slot: usize) -> &'static str {
        if slot == 0 { self.violation } else { self.settings[slot - 1].name }
    }
}

impl Setting {
    /// The name inside its table: `allowed`.
    pub fn key(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, key)| key)
    }
}

impl Kind {
    /// What holds where nobody says.
    pub(crate) const fn unset(self) -> Value {
        match self {
            Self::Allow(words) | Self::Ask(words) => Value::Words(Words::Known(words)),
            Self::Demand(flag) | Self::Permit(flag) => Value::Flag(flag),
            Self::Most(count) => Value::Count(count),
        }
    }

    /// What such a setting is written as, for messages.
    pub(crate) const fn written(self) -> &'static str {
        match self {
            Self::Allow(_) | Self::Ask(_) => "a list of words",
            Self::Demand(_) | Self::Permit(_) => "true or false",
            Self::Most(_) => "a number from 0",
        }
    }

    /// Whether `new` lets through what `old` does not.
    fn is_looser(self, new: &Value, old: &Value) -> bool {
        match (self, new, old) {
            (Self::Allow(_), Value::Words(new), Value::Words(old)) => !new.iter().all(|word| old.covers(word)),
            (Self::Ask(_), Value::Words(new), Value::Words(old)) => !old.iter().all(|word| new.covers(word)),
            (Self::Demand(_), Value::Flag(new), Value::Flag(old)) => *old && !*new,
            (Self::Permit(_), Value::Flag(new), Value::Flag(old)) => *new && !*old,
            (Self::Most(_), Value::Count(new), Value::Count(old)) => *old != 0 && (*new == 0 || new > old),
            _ => true,
        }
    }
}

/// A list of words: a rule's own, or a policy's.
#[derive(Debug, Clone)]
pub enum Words {
    /// Written in batten.
    Known(&'static [&'static str]),
    /// Written in a policy.
    Set(Vec<String>),
}

impl Words {
    /// The words, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (known, set) = match self {
            Self::Known(known) => (*known, &[][..]),
            Self::Set(set) => (&[][..], set.as_slice()),
        };
        known.iter().copied().chain(set.iter().map(String::as_str))
    }

    /// Whether a glob among the words matches `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.iter().any(|pattern| glob(pattern, text))
    }

    /// Whether `word` is one of them.
    pub fn has(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }

    /// Whether everything that the glob `word` matches is matched here, as far as that is plain to see.
    fn covers(&self, word: &str) -> bool {
        self.iter().any(|own| {
            let head = own.strip_suffix('*').filter(|head| !head.contains(['*', '?']));
            own == word || head.is_some_and(|head| word.starts_with(head))
        })
    }
}

/// What a setting holds.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Violation(Violation),
    Flag(bool),
    Count(u64),
    Words(Words),
}

impl fmt::Display for Value {
    /// In TOML's spelling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => write!(f, "\"{}\"", violation.as_str()),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Words(words) => f.debug_list().entries(words.iter()).finish(),
        }
    }
}

/// What was set of the declared settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    /// By section, then by position; 0 is the violation. Sorted.
    set: Vec<((u16, u16), Sourced<Value>)>,
}

impl Declared {
    pub(crate) const fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    pub(crate) fn put(&mut self, section: usize, slot: usize, value: Value, origin: Origin) {
        let key = key(section, slot);
        let sourced = Sourced { value, origin };
        match self.set.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => self.set[at].1 = sourced,
            Err(at) => self.set.insert(at, (key, sourced)),
        }
    }

    pub(crate) fn get(&self, section: usize, slot: usize) -> Option<&Sourced<Value>> {
        if self.set.is_empty() {
            return None;
        }
        let at = self.set.binary_search_by_key(&key(section, slot), |(key, _)| *key).ok()?;
        Some(&self.set[at].1)
    }

    /// What is looser here than in `floor`, where the floor looks at all; each with where the floor's was made.
    pub(crate) fn looser_than(&self, floor: &Self, section: usize, declared: &Section) -> Vec<(Origin, Origin)> {
        let was = floor.violation(section, declared);
        if was == Violation::Off {
            return Vec::new();
        }
        let origin = |at: &Self, slot, name| at.get(section, slot).map_or(Origin::built_in(name), |set| set.origin);
        let both = |slot, name| (origin(self, slot, name), origin(floor, slot, name));
        let mut found = Vec::new();
        if self.violation(section, declared).is_looser_than(was) {
            found.push(both(0, declared.violation));
        }
        for (position, setting) in declared.settings.iter().enumerate() {
            let held = |at: &Self| at.get(section, position + 1).map_or(setting.kind.unset(), |set| set.value.clone());
            if setting.kind.is_looser(&held(self), &held(floor)) {
                found.push(both(position + 1, setting.name));
            }
        }
        found
    }

    pub(crate) fn violation(&self, section: usize, declared: &Section) -> Violation {
        match self.get(section, 0) {
            Some(Sourced { value: Value::Violation(violation), .. }) => *violation,
            _ => declared.unset,
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "there are dozens of each")]
const fn key(section: usize, slot: usize) -> (u16, u16) {
    (section as u16, slot as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Value {
        Value::Words(Words::Set(words.iter().map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn each_kind_knows_which_way_is_looser() {
        let (allow, ask) = (Kind::Allow(&[]), Kind::Ask(&[]));
        for (kind, new, old, expected) in [
            (allow, words(&["a"]), words(&["a", "b"]), false),
            (allow, words(&["a", "b"]), words(&["a"]), true),
            (allow, words(&["web-1*"]), words(&["web-*"]), false),
            (allow, words(&["*"]), words(&["web-*"]), true),
            (allow, words(&["*"]), words(&["?"]), true),
            (ask, words(&["a", "b"]), words(&["a"]), false),
            (ask, words(&[]), words(&["a"]), true),
            (Kind::Demand(false), Value::Flag(false), Value::Flag(true), true),
            (Kind::Demand(false), Value::Flag(true), Value::Flag(false), false),
            (Kind::Permit(false), Value::Flag(true), Value::Flag(false), true),
            (Kind::Most(0), Value::Count(2), Value::Count(1), true),
            (Kind::Most(0), Value::Count(0), Value::Count(1), true),
            (Kind::Most(0), Value::Count(1), Value::Count(0), false),
        ] {
            assert_eq!(kind.is_looser(&new, &old), expected, "{kind:?}: {new} over {old}");
        }
    }
}
