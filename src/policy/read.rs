//! From TOML to a layer. The tables of rules that declare their settings are read by one visitor, whatever their number.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::model::{Controls, Layer, OverrideLayer};
use crate::rules;
use crate::settings::{Section, Setting};

/// One declared setting as a layer makes it.
#[derive(Debug)]
pub(super) struct DeclaredLayer {
    /// The position of its rule.
    pub(super) position: usize,
    pub(super) section: &'static Section,
    /// 0 for the violation, else one more than its position among the rule's settings.
    pub(super) slot: usize,
    pub(super) value: Spanned<Written>,
}

/// A value as it is written; whether it fits its setting is for whoever lays it.
#[derive(Debug)]
pub(super) enum Written {
    Flag(bool),
    Count(i64),
    Word(String),
    Words(Vec<String>),
    /// Something that no setting is.
    Other,
}

impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(Table { into: Self::default(), own: &["loosenable", "subject", "override", "waiver"] })
    }
}

impl<'de> Deserialize<'de> for OverrideLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table { into: Self::default(), own: &["name", "match"] })
    }
}

/// A table that holds controls and a few members of its own.
trait Holder {
    fn controls(&mut self) -> &mut Controls;
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
    /// What must be there.
    const REQUIRED: &'static [&'static str];
}

impl Holder for Layer {
    const REQUIRED: &'static [&'static str] = &[];

    fn controls(&mut self) -> &mut Controls {
        &mut self.controls
    }

    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "loosenable" => self.loosenable = map.next_value()?,
            "subject" => self.subject = map.next_value()?,
            "override" => self.overrides = map.next_value()?,
            _ => self.waivers = map.next_value()?,
        }
        Ok(())
    }
}

impl Holder for OverrideLayer {
    const REQUIRED: &'static [&'static str] = &["name", "match"];

    fn controls(&mut self) -> &mut Controls {
        &mut self.controls
    }

    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "name" => self.name = map.next_value()?,
            _ => self.matches = map.next_value()?,
        }
        Ok(())
    }
}

/// The members that [`Controls`] spells out.
const SPELLED_OUT: &[&str] = &[
    "mode",
    "level",
    "level_version",
    "level_violation",
    "capabilities",
    "seccomp",
    "apparmor",
    "no_new_privs",
    "annotations",
];

fn take_control<'de, A: MapAccess<'de>>(controls: &mut Controls, key: &str, map: &mut A) -> Result<(), A::Error> {
    match key {
        "mode" => controls.mode = map.next_value()?,
        "level" => controls.level = map.next_value()?,
        "level_version" => controls.level_version = map.next_value()?,
        "level_violation" => controls.level_violation = map.next_value()?,
        "capabilities" => controls.capabilities = map.next_value()?,
        "seccomp" => controls.seccomp = map.next_value()?,
        "apparmor" => controls.apparmor = map.next_value()?,
        "no_new_privs" => controls.no_new_privs = map.next_value()?,
        _ => controls.annotations = map.next_value()?,
    }
    Ok(())
}

struct Table<H> {
    into: H,
    own: &'static [&'static str],
}

impl<'de, H: Holder> Visitor<'de> for Table<H> {
    type Value = H;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<H, A::Error> {
        let mut seen = 0;
        while let Some(key) = map.next_key_seed(TableKey { own: self.own })? {
            match key {
                Key::Own(key) => {
                    seen += usize::from(H::REQUIRED.contains(&key));
                    self.into.take(key, &mut map)?;
                }
                Key::SpelledOut(key) => take_control(self.into.controls(), key, &mut map)?,
                Key::Declared(position, section) => {
                    let into = &mut self.into.controls().declared;
                    map.next_value_seed(DeclaredTable { position, section, into })?;
                }
            }
        }
        if seen < H::REQUIRED.len() {
            return Err(A::Error::custom(format_args!("missing one of {}", H::REQUIRED.join(", "))));
        }
        Ok(self.into)
    }
}

enum Key {
    Own(&'static str),
    SpelledOut(&'static str),
    Declared(usize, &'static Section),
}

struct TableKey {
    own: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for TableKey {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for TableKey {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Key, E> {
        let among = |words: &'static [&'static str]| words.iter().find(|known| **known == word);
        if let Some(key) = among(SPELLED_OUT) {
            return Ok(Key::SpelledOut(key));
        }
        if let Some(key) = among(self.own) {
            return Ok(Key::Own(key));
        }
        rules::section(word).map(|(position, section)| Key::Declared(position, section)).ok_or_else(|| {
            let known = SPELLED_OUT.iter().chain(self.own).copied();
            let all = known.chain(rules::RULES.iter().filter_map(|rule| Some(rule.section?.name)));
            let near = all.clone().find(|name| name.replace('_', "-") == word.replace('_', "-"));
            match near {
                Some(near) => E::custom(format_args!("unknown field `{word}`, the setting is called `{near}`")),
                None => E::custom(format_args!("unknown field `{word}`, expected one of {}", list(all))),
            }
        })
    }
}

fn list<'w>(words: impl Iterator<Item = &'w str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The table of a rule that declares its settings.
struct DeclaredTable<'l> {
    position: usize,
    section: &'static Section,
    into: &'l mut Vec<DeclaredLayer>,
}

impl<'de> DeserializeSeed<'de> for DeclaredTable<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DeclaredTable<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(slot) = map.next_key_seed(SettingKey(self.section))? {
            let value = map.next_value()?;
            self.into.push(DeclaredLayer { position: self.position, section: self.section, slot, value });
        }
        Ok(())
    }
}

struct SettingKey(&'static Section);

impl<'de> DeserializeSeed<'de> for SettingKey {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for SettingKey {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<usize, E> {
        let settings = self.0.settings;
        if word == "violation" {
            return Ok(0);
        }
        let known = settings.iter().position(|setting| setting.key() == word);
        known.map(|position| position + 1).ok_or_else(|| {
            let all = settings.iter().map(Setting::key).chain(["violation"]);
            E::custom(format_args!("unknown field `{word}`, expected one of {}", list(all)))
        })
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, a list of words, a number, true or false")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Written, E> {
                Ok(Written::Flag(flag))
            }

            fn visit_i64<E>(self, count: i64) -> Result<Written, E> {
                Ok(Written::Count(count))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Written, E> {
                Ok(Written::Other)
            }

            fn visit_str<E>(self, word: &str) -> Result<Written, E> {
                Ok(Written::Word(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                Ok(Written::Words(words))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Written::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
