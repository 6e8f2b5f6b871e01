//! Names, types, required members, ranges and enumerations: what a table can say, and the walk along it.

use super::Found;
use crate::spec::{Kind, Value};

/// What a value must be.
#[derive(Debug)]
pub(super) enum Grammar {
    /// Whatever JSON has.
    Any,
    /// `true` or `false`.
    Bool,
    /// Any string.
    Text,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A string that the function accepts; the words say which those are.
    Like(fn(&str) -> bool, &'static str),
    /// An integer between the two bounds, both included.
    Integer(i64, u64),
    /// Items of one grammar, at least so many.
    Array(&'static Grammar, usize),
    /// Any key, one grammar of value.
    Map(&'static Grammar),
    /// An object with these members and unknown ones.
    Object(&'static [Member]),
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    name: &'static str,
    grammar: Grammar,
    required: bool,
    section: Option<&'static str>,
}

/// A member that may be there.
pub(super) const fn may(name: &'static str, grammar: Grammar) -> Member {
    Member { name, grammar, required: false, section: None }
}

/// A member that must be there.
pub(super) const fn must(name: &'static str, grammar: Grammar) -> Member {
    Member { name, grammar, required: true, section: None }
}

impl Member {
    /// The same, described in another section than the object it is in.
    pub(super) const fn of(self, section: &'static str) -> Self {
        let Self { name, grammar, required, section: _ } = self;
        Self { name, grammar, required, section: Some(section) }
    }
}

impl Grammar {
    fn words(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Bool => "a boolean",
            Self::Text | Self::OneOf(_) | Self::Like(..) => "a string",
            Self::Integer(..) => "an integer",
            Self::Array(..) => "an array",
            Self::Map(_) | Self::Object(_) => "an object",
        }
    }

    const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Any => None,
            Self::Bool => Some(Kind::Bool),
            Self::Text | Self::OneOf(_) | Self::Like(..) => Some(Kind::String),
            Self::Integer(..) => Some(Kind::Number),
            Self::Array(..) => Some(Kind::Array),
            Self::Map(_) | Self::Object(_) => Some(Kind::Object),
        }
    }
}

/// Says what in `value` is not as `grammar` has it; `section` is where the specification describes it.
pub(super) fn walk(grammar: &Grammar, value: Value<'_>, section: &'static str, found: &mut Found) {
    if grammar.kind().is_some_and(|kind| kind != value.kind()) {
        return mistyped(grammar, value, section, found);
    }
    match grammar {
        Grammar::Any | Grammar::Bool | Grammar::Text => {}
        Grammar::OneOf(words) => one_of(words, value, section, found),
        Grammar::Like(fits, words) => {
            if let Some(text) = value.as_str().filter(|text| !fits(text)) {
                found.must(
                    section,
                    value,
                    format!("{text:?} is not {words}"),
                    "use a value that the specification has",
                );
            }
        }
        Grammar::Integer(least, most) => within(*least, *most, value, section, found),
        Grammar::Array(of, least) => {
            if !(matches!(of, Grammar::Text) && value.holds_only_strings()) {
                value.items().for_each(|item| walk(of, item, section, found));
            }
            if *least > 0 && value.items().take(*least).count() < *least {
                found.must(section, value, "at least one entry is needed", "write one, or leave the member out");
            }
        }
        Grammar::Map(of) => value.members().for_each(|(_, item)| walk(of, item, section, found)),
        Grammar::Object(members) => object(members, value, section, found),
    }
}

fn mistyped(grammar: &Grammar, value: Value<'_>, section: &'static str, found: &mut Found) {
    let wanted = grammar.words();
    if value.is_null() {
        let hint = "leave the member out: runtimes read null as absent, the specification has no null";
        return found.must(section, value, format!("null where {wanted} is specified"), hint);
    }
    let message = format!("{} where {wanted} is specified", value.kind().with_article());
    found.must(section, value, message, "use the type that the specification gives");
}

fn one_of(words: &[&str], value: Value<'_>, section: &'static str, found: &mut Found) {
    let Some(text) = value.as_str() else { return };
    if words.iter().any(|word| **word == *text) {
        return;
    }
    let hint = if words.len() <= 9 {
        format!("one of {}", words.join(", "))
    } else {
        "the section lists the values".to_owned()
    };
    found.must(section, value, format!("{text:?} is none of the specified values"), hint);
}

fn within(least: i64, most: u64, value: Value<'_>, section: &'static str, found: &mut Found) {
    let fits = match value.as_u64() {
        Some(number) => number <= most && i64::try_from(number).map_or(true, |number| number >= least),
        // `-0` has no unsigned reading to Go's decoder.
        None => least < 0 && value.as_i64().is_some_and(|number| number >= least),
    };
    if !fits {
        let message = format!("{} is not an integer from {least} to {most}", value.raw());
        found.must(section, value, message, "use a number in this range");
    }
}

fn object(members: &[Member], value: Value<'_>, section: &'static str, found: &mut Found) {
    // Bit n: the n-th member is there. No object of the specification has more than 64.
    let (mut seen, mut next) = (0_u64, 0);
    for child in value.children() {
        // Engines write the members in about this order, so each is first looked for behind the one before it.
        let is_key = |member: &Member| child.key_is(member.name);
        let ahead = members[next..].iter().position(is_key).map(|position| next + position);
        if let Some(index) = ahead.or_else(|| members[..next].iter().position(is_key)) {
            (seen, next) = (seen | 1 << index, index + 1);
            let member = &members[index];
            walk(&member.grammar, child, member.section.unwrap_or(section), found);
        } else {
            let key = child.key().unwrap_or_default();
            let message = format!("the member {key:?} is unknown to version {} of the specification", super::VERSION);
            let hint = "runtimes ignore it, unless they know it as an extension or from a newer version";
            found.note("config.md#configExtensibility", child, message, hint);
        }
    }
    for (index, member) in members.iter().enumerate() {
        if member.required && seen & 1 << index == 0 {
            let message = format!("the required member {:?} is missing", member.name);
            found.must(member.section.unwrap_or(section), value, message, "write it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::members;
    use super::Grammar;
    use crate::spec::{Document, PROCESS_SHAPE, SPEC_SHAPE, Shape};

    /// What `grammar` takes, `shape` must take.
    fn assert_stricter(grammar: &Grammar, shape: &Shape, at: &str) {
        match (grammar, shape) {
            (_, Shape::Any)
            | (Grammar::Bool, Shape::Bool)
            | (Grammar::Text | Grammar::OneOf(_) | Grammar::Like(..), Shape::String) => {}
            (Grammar::Integer(least, most), Shape::Integer(lowest, highest)) => {
                assert!(least >= lowest && most <= highest, "{at}: {grammar:?} and {shape:?}");
            }
            (Grammar::Array(of, _), Shape::Array(items)) => assert_stricter(of, items, &format!("{at}/0")),
            (Grammar::Map(of), Shape::Map(items)) => assert_stricter(of, items, &format!("{at}/*")),
            (Grammar::Object(own), Shape::Map(items)) => {
                own.iter().for_each(|member| assert_stricter(&member.grammar, items, &format!("{at}/{}", member.name)));
            }
            (Grammar::Object(own), Shape::Object(members)) => {
                for member in *own {
                    let same = members.iter().find(|(name, _)| *name == member.name);
                    let (_, shape) = same.unwrap_or_else(|| panic!("a start does not know {at}/{}", member.name));
                    assert_stricter(&member.grammar, shape, &format!("{at}/{}", member.name));
                }
            }
            _ => panic!("{at}: {grammar:?} and {shape:?}"),
        }
    }

    #[test]
    fn what_is_as_the_specification_says_is_never_refused_before_a_start_for_its_members() {
        assert_stricter(&members::SPEC, &SPEC_SHAPE, "");
        assert_stricter(&members::PROCESS_FILE, &PROCESS_SHAPE, "/process");
        for number in ["-0", "1.0", "1e1", "4294967296"] {
            let text = format!(r#"{{"ociVersion":"1.0.2","process":{{"cwd":"/","user":{{"uid":{number},"gid":0}}}}}}"#);
            let document = Document::parse(text).unwrap();
            assert!(document.check_spec().is_err(), "{number}");
            let mut found = super::Found::default();
            super::walk(&members::SPEC, document.root(), "config.md", &mut found);
            assert_eq!(found.all().len(), 1, "{number}");
        }
    }
}
