//! `batten seccomp is-subset`: whether one profile lets through only what another does.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::explain;
use super::named::{Container, Named};
use crate::doors::format::Format;
use crate::doors::{Exit, conclude};
use crate::seccomp::{Arch, Filter, NotSubset, Reason, Syscall, Verdict, Witness, is_subset};

/// Asks whether the first profile lets through only what the second does
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp is-subset ./mine.json builtin:default || echo looser
  batten seccomp is-subset docker.json podman.json --caps CAP_SYS_ADMIN --format json

Exit codes: 0 yes, 1 no (with a call that shows it) or not known, 3 a profile is refused, 4 wrong usage.")]
pub(super) struct IsSubset {
    /// The profile that should be the stricter
    left: PathBuf,
    /// The one it is held against
    right: PathBuf,
    #[command(flatten)]
    container: Container,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl IsSubset {
    pub(super) fn run(&self) -> Exit {
        let (left, right) = match self.container.read_both(&self.left, &self.right) {
            Ok(both) => both,
            Err(exit) => return exit,
        };
        let answer = is_subset(&left.profile, &right.profile, Arch::NATIVE);
        let printed = match self.format {
            Format::Text => text(&answer),
            Format::Json => format!("{:#}\n", to_json(&answer, &left, &right)),
        };
        conclude(&printed, if answer.is_ok() { Exit::Clean } else { Exit::Denied })
    }
}

fn text(answer: &Result<(), NotSubset>) -> String {
    match answer {
        Ok(()) => "yes\n".to_owned(),
        Err(NotSubset::Looser(witness)) => format!("no: {witness}\n"),
        Err(error) => format!("not known: {error}\n"),
    }
}

/// `subset` is null where it is not known.
fn to_json(answer: &Result<(), NotSubset>, first: &Named, second: &Named) -> Value {
    match answer {
        Ok(()) => json!({ "subset": true, "why": null, "witness": null }),
        Err(NotSubset::Looser(witness)) => {
            json!({ "subset": false, "why": witness.to_string(), "witness": shown(witness, first, second) })
        }
        Err(error) => json!({ "subset": null, "why": error.to_string(), "witness": null }),
    }
}

fn shown(witness: &Witness, first: &Named, second: &Named) -> Value {
    let known = witness.call.as_deref().and_then(Syscall::from_name);
    json!({
        "call": witness.call,
        "number": known.and_then(|call| call.number(witness.arch)),
        "args": witness.args,
        "architecture": witness.arch.name(),
        "first": ruling(witness, witness.left, first),
        "second": ruling(witness, witness.right, second),
    })
}

/// What a profile says of the call, and where. Of rules that contend for it, the one that shows the difference.
fn ruling(witness: &Witness, verdict: Verdict, named: &Named) -> Value {
    let filter = Filter::new(&named.profile, Arch::NATIVE);
    let known = witness.call.as_deref().and_then(Syscall::from_name);
    let (by, rule) = if let Some(call) = known {
        let answer = filter.verdict(witness.arch, call, &witness.args);
        let other = answer.contenders.iter().find(|other| other.verdict == verdict && answer.verdict != verdict);
        explain::by(other.map_or(answer.reason, |other| Reason::Rule(other.rule)))
    } else {
        let answer = filter.verdict_on_unknown(witness.arch);
        // A name that batten has no number for: only a rule can have said something else.
        if answer.verdict == verdict { explain::by(answer.reason) } else { ("rule", None) }
    };
    json!({
        "verdict": explain::verdict(verdict),
        "by": by,
        "line": rule.and_then(|rule| named.line(rule, known)),
    })
}
