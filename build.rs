//! Turns `profiles/seccomp/default.toml` into tables, so that the shim starts without reading it, and says which sources
//! answers that are kept were worked out by.

#[allow(clippy::unreadable_literal, dead_code, reason = "the library's own table, read here as well")]
#[path = "src/seccomp/syscalls/table.rs"]
mod table;

#[allow(dead_code, reason = "the library's own grammar, read here as well")]
#[path = "src/seccomp/groups/grammar.rs"]
mod grammar;

#[path = "src/memo/sources.rs"]
mod sources;

use std::fmt::Write;
use std::path::Path;

use grammar::{Compared, Rule, alternatives};
use serde::Deserialize;

const SOURCE: &str = "profiles/seccomp/default.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    about: String,
    open: Open,
    #[serde(default)]
    calls: Vec<String>,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    refuse: Vec<Refusal>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Open {
    Word(String),
    Capabilities(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    call: String,
    errno: String,
}

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=src");
    let sources = sources::fingerprint(Path::new(".")).unwrap_or_else(|error| panic!("src: {error}"));
    println!("cargo::rustc-env=BATTEN_SOURCES={sources:016x}");
    let text = std::fs::read_to_string(SOURCE).unwrap_or_else(|error| panic!("{SOURCE}: {error}"));
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{SOURCE}: {error}"));
    let mut out = String::from("/// Every group of the built-in profile, in the file's order.\n");
    let _ = writeln!(out, "pub static GROUPS: [Group; {}] = [", file.group.len());
    for group in &file.group {
        write_group(&mut out, group);
    }
    out.push_str("];\n");
    let folder = std::env::var("OUT_DIR").unwrap_or_default();
    #[allow(clippy::disallowed_methods, reason = "a file of the build itself")]
    std::fs::write(Path::new(&folder).join("groups.rs"), out).unwrap_or_else(|error| panic!("{folder}: {error}"));
}

fn write_group(out: &mut String, group: &Group) {
    let _ = writeln!(out, "Group {{ name: {:?}, about: {:?}, open: {},", group.name, group.about, open(&group.open));
    let calls: Vec<String> = group.calls.iter().map(|name| call(name)).collect();
    let _ = writeln!(out, "calls: &[{}],", calls.join(", "));
    out.push_str("openings: &[\n");
    for rule in &group.rules {
        for name in &rule.calls {
            write_opening(out, rule, name);
        }
    }
    out.push_str("], refusals: &[\n");
    for refusal in &group.refuse {
        let _ = writeln!(out, "Refusal {{ call: {}, errno: {:?} }},", call(&refusal.call), refusal.errno);
    }
    out.push_str("] },\n");
}

fn open(open: &Open) -> String {
    match open {
        Open::Word(word) if word == "always" => "Open::Always".to_owned(),
        Open::Word(word) if word == "never" => "Open::Never".to_owned(),
        Open::Word(word) => panic!("{SOURCE}: open = {word:?}: write \"always\", \"never\" or a list of capabilities"),
        Open::Capabilities(names) => format!("Open::To(&{names:?})"),
    }
}

fn call(name: &str) -> String {
    match table::CALLS.iter().position(|(known, _)| *known == name) {
        Some(index) => format!("Syscall::at({index})"),
        None => panic!("{SOURCE}: no system call is named {name:?}"),
    }
}

fn write_opening(out: &mut String, rule: &Rule, name: &str) {
    assert!(
        rule.action.is_none() && rule.caps.is_none(),
        "{SOURCE}: {name}: a group's `open` says who, and rules open"
    );
    let wrong = |problem: String| -> ! { panic!("{SOURCE}: {name}: {problem}") };
    let (major, minor) = grammar::kernel(rule.kernel.as_deref()).unwrap_or_else(|problem| wrong(problem));
    let compat = grammar::compat(rule.abis.as_deref()).unwrap_or_else(|problem| wrong(problem));
    let head = format!(
        "call: {}, kernel: KernelVersion {{ major: {major}, minor: {minor} }}, compat: {compat}, archs: {}",
        call(name),
        archs(rule.archs.as_deref(), rule.not_archs.as_deref()),
    );
    for conditions in alternatives(&rule.when).unwrap_or_else(|problem| wrong(problem)) {
        let conditions: Vec<String> = conditions.iter().map(written).collect();
        let _ = writeln!(out, "Opening {{ {head}, conditions: &[{}] }},", conditions.join(", "));
    }
}

fn archs(only: Option<&[String]>, not: Option<&[String]>) -> String {
    let names =
        |names: &[String]| names.iter().map(|name| format!("Arch::{}", variant(name))).collect::<Vec<_>>().join(", ");
    match (only, not) {
        (None, None) => "Archs::All".to_owned(),
        (Some(only), None) => format!("Archs::Only(Cow::Borrowed(&[{}]))", names(only)),
        (None, Some(not)) => format!("Archs::Not(Cow::Borrowed(&[{}]))", names(not)),
        (Some(_), Some(_)) => panic!("{SOURCE}: a rule has both archs and not-archs"),
    }
}

/// `S390X` as the library spells it: `S390x`.
fn variant(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{first}{}", rest.to_lowercase())
}

fn written((arg, op, value, value_two): &Compared) -> String {
    format!("Condition {{ index: {arg}, value: {value:#018x}, value_two: {value_two:#018x}, op: Op::{op} }}")
}
