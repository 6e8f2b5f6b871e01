//! apparmor_parser takes what is written, for the dialect of its version, and reads the name that was meant. On Debian
//! 12 that is a parser 3.0, in the guest of `tests/vm` one of 4.x.

use std::fs;
use std::path::{Path, PathBuf};

use batten::apparmor::bane::from_bane;
use batten::apparmor::language::PolicyFile;
use batten::apparmor::{Dialect, Exec, Label, Mode, Parser, Profile, Rule, Version, builtin};
use batten::capability::CapSet;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::hostile::{hostile, rule};

/// `None`, with a loud line, where there is no parser; that is a failure where everything has to be there.
fn parser() -> Option<Parser> {
    let parser = Parser::find().ok();
    if parser.is_none() {
        let required = ["CI", "BATTEN_TEST_REQUIRE"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(!required, "apparmor_parser (apparmor) is not installed");
        eprintln!("\n*** SKIPPED: apparmor_parser (apparmor) is not installed, so nothing asked it ***\n");
    }
    parser
}

/// The dialects that this parser understands: its own, and those of older ones whose ABI file it brings along.
fn dialects(parser: &Parser) -> Vec<Dialect> {
    let version = parser.version().unwrap();
    [Version::V3_0, Version::V4_0].into_iter().filter(|one| *one <= version).map(Dialect::of).collect()
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/apparmor").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn the_parser_takes_the_profile_for_every_set_of_capabilities() {
    let Some(parser) = parser() else { return };
    for dialect in dialects(&parser) {
        for set in [CapSet::EMPTY, CapSet::DOCKER, CapSet::ALL] {
            let profile = builtin::profile(set, dialect, &Label::unconfined());
            parser.check(&profile.render(dialect), &profile.name).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn the_parser_takes_every_example() {
    let Some(parser) = parser() else { return };
    for path in fixtures("profiles") {
        let profile = Profile::read_toml(&path).unwrap_or_else(|error| panic!("{error}"));
        takes(&parser, &profile);
    }
    for path in fixtures("bane") {
        let (profile, _) =
            from_bane(&path, &fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{error}"));
        takes(&parser, &profile);
    }
}

fn takes(parser: &Parser, profile: &Profile) {
    for dialect in dialects(parser) {
        // A profile that pins an ABI is for parsers that have it.
        if profile.abi.is_none_or(|abi| dialect.abi.is_some_and(|own| abi <= own)) {
            let text = profile.render(dialect);
            parser.check(&text, &profile.name).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(parser.names(&text, &profile.name).unwrap(), [profile.name.as_str()]);
        }
    }
}

/// A profile may name one way to execute a path only; two rules of chance may overlap.
fn with_one_transition(mut rules: Vec<Rule>) -> Vec<Rule> {
    let mut seen = false;
    for rule in &mut rules {
        if let Rule::File(file) = rule
            && (file.exec != Exec::INHERIT || file.access.includes(batten::apparmor::Access::EXECUTE))
            && std::mem::replace(&mut seen, true)
        {
            file.access = file.access.difference(batten::apparmor::Access::EXECUTE);
            file.exec = Exec::INHERIT;
        }
    }
    rules
}

#[test]
fn the_parser_takes_whatever_a_hostile_path_says_and_sees_one_profile() {
    let Some(parser) = parser() else { return };
    let strategy = (hostile(), prop::option::of(hostile()), prop::collection::vec(rule(), 0..8));
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(300) });
    let run = runner.run(&strategy, |(name, description, rules)| {
        // The parser lists one name per line.
        let name = format!("n{}", name.replace('\n', ""));
        let profile = Profile { description, rules: with_one_transition(rules), ..Profile::new(&name) };
        for dialect in dialects(&parser) {
            let text = profile.render(dialect);
            let names =
                parser.names(&text, "a profile").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(names.len(), 1, "{}", text);
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_mode_is_set_in_every_head_that_the_parser_takes_and_in_no_other() {
    let Some(parser) = parser() else { return };
    let mut heads = vec![
        ("profile flags", true),
        ("profile flags flags=(kill)", true),
        ("profile a (audit complain)", true),
        ("/a flags = (\"complain\",\n audit)", true),
        ("/a (com\\160lain, , audit)", true),
        ("profile a xattrs=(user.b=\"c d\" user.e) flags=(complain) # c\n", true),
        ("profile a flags=()", false),
        ("profile a flags=complain", false),
        ("profile a flags=(a <b>)", false),
        ("profile a flags=(complain) flags=(audit)", false),
        ("profile a flags=(complain) xattrs=(a=b)", false),
        ("profile a flags=(b= c)", false),
        ("profile a b c", false),
    ];
    if parser.version().unwrap() >= Version::V4_0 {
        heads.push(("profile a flags=(default_allow)", true));
        heads.push(("profile a flags=(complain attach_disconnected.path=/x)", true));
    }
    for (head, is_taken) in heads {
        let text = format!("{head} {{ }}\n");
        assert_eq!(parser.names(&text, "it").is_ok(), is_taken, "{text}");
        let file = PolicyFile::parse(text.as_bytes()).unwrap();
        for mode in [Mode::Enforce, Mode::Complain, Mode::Kill] {
            let Some(changed) = file.profiles[0].in_mode(&text, mode) else {
                assert!(!is_taken, "{text}");
                continue;
            };
            assert!(is_taken, "{text}");
            let names = parser.names(&changed, "it").unwrap_or_else(|error| panic!("{error}\n{changed}"));
            assert_eq!(names, parser.names(&text, "it").unwrap(), "{changed}");
        }
    }
}
