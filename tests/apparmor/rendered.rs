//! What is written is read back; what a hostile name or path says stays in its quotes.

use batten::apparmor::language::PolicyFile;
use batten::apparmor::{Dialect, Pattern, Profile, Rule, Version};
use proptest::prelude::*;

use crate::hostile::{hostile, pattern, rule};

/// Comments are for people; what the kernel gets has none.
fn without_comments(mut rules: Vec<Rule>) -> Vec<Rule> {
    for rule in &mut rules {
        if let Rule::File(file) = rule {
            file.comment = None;
        }
    }
    let mut unique: Vec<Rule> = Vec::new();
    for rule in rules {
        if !unique.contains(&rule) {
            unique.push(rule);
        }
    }
    unique
}

proptest! {
    #[test]
    fn what_was_rendered_reads_as_the_rules_that_were_meant(
        name in hostile(), description in prop::option::of(hostile()), rules in prop::collection::vec(rule(), 0..12), is_new: bool,
    ) {
        let name = format!("n{}", name.replace('\0', ""));
        let mut profile = Profile { description, ..Profile::new(&name) };
        profile.rules = rules;
        let dialect = Dialect::of(if is_new { Version::V4_0 } else { Version::V3_0 });
        let text = profile.render(dialect);
        let file = PolicyFile::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(file.profiles.len(), 1, "{}", text);
        let written = &file.profiles[0];
        prop_assert_eq!(&written.profile.name, &name);
        prop_assert_eq!(&written.flags, &["attach_disconnected", "mediate_deleted"]);
        prop_assert!(written.unknown.is_empty(), "{:?}\n{}", written.unknown, text);
        prop_assert_eq!(without_comments(written.profile.rules.clone()), without_comments(profile.lowered(dialect)), "{}", text);
    }

    #[test]
    fn a_pattern_is_spelled_as_it_was_read(pattern in pattern()) {
        prop_assert_eq!(Pattern::label(&pattern.to_string()), Ok(pattern));
    }

    #[test]
    fn any_bytes_are_a_file_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), text in hostile()) {
        let _ = PolicyFile::parse(&bytes);
        let _ = PolicyFile::parse(text.as_bytes());
    }
}
