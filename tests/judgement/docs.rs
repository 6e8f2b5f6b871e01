//! What a person can be told is in the documentation.

use std::fs;
use std::path::Path;

use batten::rules;

/// Where the messages are that can keep a container from starting.
const REFUSALS: [&str; 19] = [
    "apparmor/kernel.rs",
    "apparmor/loader.rs",
    "apparmor/parser.rs",
    "doors/start.rs",
    "enforce.rs",
    "policy/error.rs",
    "rules/seccomp.rs",
    "runtime/argv/error.rs",
    "runtime/config/mod.rs",
    "runtime/embedded.rs",
    "runtime/exec.rs",
    "runtime/external.rs",
    "runtime/find.rs",
    "runtime/handoff.rs",
    "runtime/state.rs",
    "runtime/terminal.rs",
    "spec/bundle.rs",
    "spec/edit.rs",
    "spec/error.rs",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts of `#[error("…")]`, with … for what is filled in.
fn messages(source: &str) -> Vec<String> {
    let texts = source.split("#[error(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    let mut found = Vec::new();
    for text in texts {
        let (mut message, mut characters, mut depth) = (String::new(), text.chars(), 0);
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => message.extend(characters.next().map(|next| if next == 'n' { ' ' } else { next })),
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    message.push('…');
                }
                _ if depth == 0 => message.push(character),
                _ => {}
            }
        }
        found.push(message);
    }
    found
}

#[test]
fn troubleshooting_has_every_rule_and_every_message_of_a_refused_start() {
    let page = read("docs/troubleshooting.md");
    let first_cells: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1)).collect();
    let mut absent = Vec::new();
    let pseudo = [rules::EXPIRED_WAIVER.0, rules::UNUSED_WAIVER.0];
    for rule in rules::names().chain(pseudo) {
        if !first_cells.iter().any(|cell| cell.contains(&format!("`{rule}`"))) {
            absent.push(format!("the rule {rule}"));
        }
    }
    let page = page.replace('\n', " ");
    let mut known = 0;
    for file in REFUSALS {
        for message in messages(&read(&format!("src/{file}"))) {
            // What only passes another message on has no words of its own.
            if !message.chars().any(char::is_alphabetic) {
                continue;
            }
            known += 1;
            if !page.contains(&format!("`{message}`")) {
                absent.push(format!("{file}: {message}"));
            }
        }
    }
    assert!(absent.is_empty(), "docs/troubleshooting.md lacks:\n{}", absent.join("\n"));
    assert!(known > 70, "the messages were found: {known}");
}

#[test]
fn the_recording_page_names_what_notify_cannot_cover() {
    let page = read("docs/record.md");
    let sentence = page.split("What `notify` cannot cover").nth(1).unwrap().split("With only").next().unwrap();
    let named: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let mut own = batten::record::live::RUNTIMES_OWN_CALLS.to_vec();
    own.retain(|call| *call != "write");
    assert_eq!(named, [vec!["write"], own].concat());
}
