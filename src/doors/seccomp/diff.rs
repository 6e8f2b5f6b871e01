//! `batten seccomp diff`: what each of two profiles lets through and the other does not, in words.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::input;
use super::named::Container;
use crate::doors::format::Format;
use crate::doors::{Exit, conclude};
use crate::escape::escape;
use crate::seccomp::{Arch, Arguments, Differences, Filter, Gap};

/// Says what each of two profiles lets through and the other does not
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp diff builtin:default ./mine.json
  batten seccomp diff docker.json podman.json --caps CAP_SYS_ADMIN --format json

Exit codes: 0 they answer every call alike, 1 they differ, 3 a profile is refused, 4 wrong usage.")]
pub(super) struct Diff {
    /// A file of any format, - for standard input, builtin:default
    first: PathBuf,
    /// The other one
    second: PathBuf,
    #[command(flatten)]
    container: Container,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Diff {
    pub(super) fn run(&self) -> Exit {
        let (first, second) = match self.container.read_both(&self.first, &self.second) {
            Ok((first, second)) => (first.profile, second.profile),
            Err(exit) => return exit,
        };
        let found = Differences::between(&Filter::new(&first, Arch::NATIVE), &Filter::new(&second, Arch::NATIVE));
        let printed = match self.format {
            Format::Text => self.text(&found),
            Format::Json => format!("{:#}\n", to_json(&found)),
        };
        conclude(&printed, if found.is_empty() { Exit::Clean } else { Exit::Denied })
    }

    fn text(&self, found: &Differences) -> String {
        let (first, second) = (input::name(&self.first), input::name(&self.second));
        let (first, second) = (escape(&first).into_owned(), escape(&second).into_owned());
        let mut out = String::new();
        for (own, other, archs) in [(&first, &second, &found.archs_of_first), (&second, &first, &found.archs_of_second)]
        {
            for arch in archs {
                let _ = writeln!(out, "{}: answered by {own}, killed by {other}", arch.name());
            }
        }
        for (head, gaps) in [
            (format!("{first} lets further than {second}:"), &found.first_lets_further),
            (format!("{second} lets further than {first}:"), &found.second_lets_further),
            ("refused by both, with different numbers:".to_owned(), &found.otherwise),
        ] {
            if !gaps.is_empty() {
                let _ = writeln!(out, "{head}");
                sections(&mut out, gaps, &first, &second);
            }
        }
        for call in &found.undecided {
            let _ = writeln!(out, "not known: the conditions on {call} are too intricate to compare");
        }
        if out.is_empty() { "no difference\n".to_owned() } else { out }
    }
}

/// Calls of which the same is said stand together.
fn sections(out: &mut String, gaps: &[Gap], first: &str, second: &str) {
    let mut told = vec![false; gaps.len()];
    for (at, gap) in gaps.iter().enumerate() {
        if std::mem::replace(&mut told[at], true) {
            continue;
        }
        let mut calls = vec![shown(gap)];
        for (later, other) in gaps.iter().enumerate().skip(at + 1) {
            let same = (&other.first, &other.second) == (&gap.first, &gap.second);
            if same && interfaces(&other.archs) == interfaces(&gap.archs) && !told[later] {
                told[later] = true;
                calls.push(shown(other));
            }
        }
        let _ = writeln!(out, "  {}{}", calls.join(", "), interfaces(&gap.archs));
        let _ = writeln!(out, "    {first}: {}\n    {second}: {}", gap.first, gap.second);
    }
}

fn shown(gap: &Gap) -> String {
    let Some(call) = &gap.call else { return "every call that batten does not know".to_owned() };
    format!("{}{}", escape(call), Arguments(&gap.example))
}

/// The machine's own interface needs no mention.
fn interfaces(archs: &[Arch]) -> String {
    if archs.contains(&Arch::NATIVE) {
        return String::new();
    }
    let names: Vec<_> = archs.iter().map(|arch| arch.name()).collect();
    format!(" on {}", names.join(", "))
}

fn to_json(found: &Differences) -> Value {
    let names = |archs: &[Arch]| archs.iter().map(|arch| arch.name()).collect::<Vec<_>>();
    let list = |gaps: &[Gap]| -> Vec<Value> {
        let object = |gap: &Gap| json!({ "call": gap.call, "architectures": names(&gap.archs), "first": gap.first, "second": gap.second, "example": gap.example });
        gaps.iter().map(object).collect()
    };
    json!({
        "architectures_of_first": names(&found.archs_of_first),
        "architectures_of_second": names(&found.archs_of_second),
        "first_lets_further": list(&found.first_lets_further),
        "second_lets_further": list(&found.second_lets_further),
        "different_numbers": list(&found.otherwise),
        "undecided": found.undecided,
    })
}
