//! The settings as people write them, a line each: `runtime = "/usr/sbin/runc"`.
//!
//! Every container start reads the file, and TOML's reader takes longer over it than the judgement over the container. What is
//! read here means the same to it; all else (tables, escapes, mistakes) is left to it, which has the messages.

use serde::Deserialize;
use serde::de::value::{BoolDeserializer, Error, MapDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use super::ShimConfig;

/// The settings, if every line is plain and known.
pub(super) fn read(text: &str) -> Option<ShimConfig> {
    let mut settings = Vec::new();
    for line in text.lines() {
        if line.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return None;
        }
        let line = line.trim_matches([' ', '\t']);
        if !line.is_empty() && !line.starts_with('#') {
            let (key, value) = line.split_once('=')?;
            settings.push((key.trim_end_matches([' ', '\t']), Plain::read(value.trim_start_matches([' ', '\t']))?));
        }
    }
    ShimConfig::deserialize(MapDeserializer::new(settings.into_iter())).ok()
}

/// A value that stands for itself.
enum Plain<'t> {
    Bool(bool),
    Text(&'t str),
}

impl<'t> Plain<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let (value, rest) = if let Some(rest) = text.strip_prefix("true") {
            (Self::Bool(true), rest)
        } else if let Some(rest) = text.strip_prefix("false") {
            (Self::Bool(false), rest)
        } else {
            let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (inner, rest) = text[1..].split_once(quote)?;
            // `""` may begin a text of many lines.
            if inner.is_empty() || inner.contains('\\') {
                return None;
            }
            (Self::Text(inner), rest)
        };
        let rest = rest.trim_start_matches([' ', '\t']);
        (rest.is_empty() || rest.starts_with('#')).then_some(value)
    }
}

impl<'t> IntoDeserializer<'t, Error> for Plain<'t> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Plain<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Bool(value) => BoolDeserializer::new(value).deserialize_any(visitor),
            Self::Text(text) => StrDeserializer::new(text).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => StrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            Self::Bool(_) => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_documentation_shows_is_plain() {
        let text = "# of this host\nruntime = \"/usr/sbin/runc\" # Debian's\n\n\tdialect='crun'\nroot = '/r'\r\n\
                    log = \"syslog\"\nlog-required = true\nseccomp-log-flag = false\npolicy = \"/etc/p.toml\"\n";
        let settings = read(text).unwrap();
        assert_eq!(settings, toml::from_str(text).unwrap());
        assert_eq!(settings.runtime.unwrap().to_str(), Some("/usr/sbin/runc"));
        assert_eq!(settings.seccomp_log_flag, Some(false));
    }

    #[test]
    fn what_means_more_than_it_shows_is_left_to_toml() {
        for text in [
            "runtime = \"/a\\u0062\"",
            "runtime = \"\"\"/a\"\"\"",
            "\"runtime\" = \"/a\"",
            "runtime = \"/a",
            "runtime = \"/a\" dialect = \"runc\"",
            "[log]",
            "log-required = truely",
            "log = \"/a\"\nlog = \"/a\"",
            "runtim = \"/a\"",
            "log = true",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_means_the_same_to_toml(
            lines in prop::collection::vec(
                ("[ \t]{0,1}(runtime|dialect|root|log|log-required|policy|x|#)[ \t]{0,1}=?[ \t]{0,1}(\"|'|)(/[a-z\"'#= \u{e9}\\\\\u{7f}\r]{0,5}|runc|none|true|false|)(\"|'|)[ \t]{0,1}(#.{0,3})?", "(\n|\r\n|\r)"),
                0..4,
            ),
        ) {
            let text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
            if let Some(settings) = read(&text) {
                prop_assert_eq!(Ok(settings), toml::from_str::<ShimConfig>(&text), "{:?}", text);
            }
        }
    }
}
