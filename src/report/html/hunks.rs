//! What would change, each piece once: containers of one engine change in the same places, and a filter that takes another's
//! has hundreds of lines.

use std::collections::HashMap;
use std::fmt::Write;

use crate::report::markup::escaped;

/// A piece longer than this is cut: `batten diff` shows it whole.
const LONGEST: usize = 400;

/// The pieces of a unified diff, as HTML. Where they stand in the file is left out: what engines write is one line.
pub(in crate::report) fn hunks(diff: &str) -> Vec<String> {
    let mut hunks: Vec<Vec<&str>> = Vec::new();
    for line in diff.lines() {
        if line.starts_with("@@ ") {
            hunks.push(Vec::new());
        } else if let Some(hunk) = hunks.last_mut() {
            hunk.push(line);
        }
    }
    hunks.iter().map(|hunk| marked(hunk)).collect()
}

fn marked(lines: &[&str]) -> String {
    let mut out = String::from("<pre tabindex=\"0\">");
    for line in lines.iter().take(LONGEST) {
        let text = escaped(line);
        let _ = match line.as_bytes().first() {
            Some(b'+') => writeln!(out, "<ins>{text}</ins>"),
            Some(b'-') => writeln!(out, "<del>{text}</del>"),
            _ => writeln!(out, "{text}"),
        };
    }
    if lines.len() > LONGEST {
        let _ = writeln!(out, "… {} more lines: batten diff shows all", lines.len() - LONGEST);
    }
    out + "</pre>"
}

/// The pieces of all containers.
#[derive(Debug, Default)]
pub(super) struct Hunks {
    known: HashMap<String, usize>,
    html: String,
}

impl Hunks {
    /// What stands in a container's place for its own pieces: their numbers, by which the page's script finds them.
    pub(super) fn shared(&mut self, hunks: Vec<String>) -> String {
        let numbers: Vec<String> = hunks.into_iter().map(|hunk| self.number(hunk).to_string()).collect();
        if numbers.is_empty() {
            return String::new();
        }
        format!(
            "<details class=\"diff\" data-hunks=\"{}\"><summary>What would change</summary></details>\n",
            numbers.join(" ")
        )
    }

    fn number(&mut self, hunk: String) -> usize {
        let next = self.known.len();
        if let Some(number) = self.known.get(&hunk) {
            return *number;
        }
        self.html.push_str(&hunk);
        self.html.push('\n');
        self.known.insert(hunk, next);
        next
    }

    /// All of them, in the order of their numbers.
    pub(super) fn html(&self) -> &str {
        &self.html
    }
}
