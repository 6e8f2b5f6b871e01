//! Turns `profiles/seccomp/default.toml` into tables, so that the shim starts without reading it.

#[allow(clippy::unreadable_literal, dead_code, reason = "the library's own table, read here as well")]
#[path = "src/seccomp/syscalls/table.rs"]
mod table;

use std::fmt::Write;
use std::path::Path;

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
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rule {
    calls: Vec<String>,
    #[serde(default)]
    when: Vec<When>,
    kernel: Option<String>,
    abis: Option<String>,
    archs: Option<Vec<String>>,
    not_archs: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    arg: u32,
    op: Option<String>,
    mask: Option<u64>,
    value: Option<u64>,
    any: Option<Vec<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    call: String,
    errno: String,
}

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=src/seccomp/syscalls/table.rs");
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
    let (major, minor) = rule.kernel.as_deref().map_or((0, 0), |kernel| {
        let numbers =
            kernel.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        numbers.unwrap_or_else(|| panic!("{SOURCE}: kernel = {kernel:?}: write two numbers, as in \"4.8\""))
    });
    let _: (u64, u64) = (major, minor);
    let compat = match rule.abis.as_deref() {
        None => false,
        Some("compat") => true,
        Some(other) => panic!("{SOURCE}: abis = {other:?}: write \"compat\" or leave it out"),
    };
    let head = format!(
        "call: {}, kernel: KernelVersion {{ major: {major}, minor: {minor} }}, compat: {compat}, archs: {}",
        call(name),
        archs(rule.archs.as_deref(), rule.not_archs.as_deref()),
    );
    for conditions in alternatives(&rule.when) {
        let _ = writeln!(out, "Opening {{ {head}, conditions: &[{}] }},", conditions.join(", "));
    }
}

/// The conditions that must all hold, once for each value of an `any`.
fn alternatives(when: &[When]) -> Vec<Vec<String>> {
    let mut alternatives = vec![Vec::new()];
    for condition in when {
        let written = match &condition.any {
            None => vec![compared(condition)],
            Some(values) => values.iter().map(|value| written(condition.arg, "Eq", *value, 0)).collect(),
        };
        alternatives = alternatives
            .iter()
            .flat_map(|so_far| written.iter().map(move |next| [so_far.as_slice(), std::slice::from_ref(next)].concat()))
            .collect();
    }
    alternatives
}

fn archs(only: Option<&[String]>, not: Option<&[String]>) -> String {
    let names =
        |names: &[String]| names.iter().map(|name| format!("\"SCMP_ARCH_{name}\"")).collect::<Vec<_>>().join(", ");
    match (only, not) {
        (None, None) => "Archs::All".to_owned(),
        (Some(only), None) => format!("Archs::Only(&[{}])", names(only)),
        (None, Some(not)) => format!("Archs::Not(&[{}])", names(not)),
        (Some(_), Some(_)) => panic!("{SOURCE}: a rule has both archs and not-archs"),
    }
}

fn compared(when: &When) -> String {
    let value = when.value.unwrap_or_else(|| panic!("{SOURCE}: a condition has neither value nor any"));
    let (op, value, value_two) = match (when.op.as_deref(), when.mask) {
        (Some("=="), Some(mask)) => ("MaskedEq", mask, value),
        (Some("=="), None) => ("Eq", value, 0),
        (Some("!="), None) => ("Ne", value, 0),
        (Some("<"), None) => ("Lt", value, 0),
        (Some("<="), None) => ("Le", value, 0),
        (Some(">"), None) => ("Gt", value, 0),
        (Some(">="), None) => ("Ge", value, 0),
        (op, _) => panic!("{SOURCE}: op = {op:?}: write ==, !=, <, <=, > or >=; a mask goes with == only"),
    };
    written(when.arg, op, value, value_two)
}

fn written(arg: u32, op: &str, value: u64, value_two: u64) -> String {
    assert!(arg < 6, "{SOURCE}: a call has arguments 0 to 5");
    format!("Condition {{ index: {arg}, value: {value:#018x}, value_two: {value_two:#018x}, op: Op::{op} }}")
}
