//! `batten explain`: what a rule is for.

use std::fmt::Write;

use clap::Args;

use super::{Exit, refuse, say};
use crate::policy::reference;
use crate::rules::{self, RULES};

/// Says what a rule is for and what to do about its findings; without a name, lists the rules
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  batten explain capabilities\n  batten explain\n\nExit codes: 0 known, 4 no such rule."
)]
pub struct Explain {
    /// The rule, as reports, policies and waivers name it
    rule: Option<String>,
}

impl Explain {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let Some(asked) = &self.rule else { return say(&listed()).unwrap_or(Exit::Clean) };
        // As a policy calls the rule's table, or as somebody wrote it at the head of a sentence.
        let name = &asked.to_lowercase().replace('_', "-");
        if let Some(rule) = rules::find(name) {
            return say(&reference::explained(rule)).unwrap_or(Exit::Clean);
        }
        if let Some((_, words)) = OTHERS.iter().find(|(other, _)| other == name) {
            return say(&format!("{name}\n\n{words}\n")).unwrap_or(Exit::Clean);
        }
        let near = near(name);
        let hint = if near.is_empty() { "`batten explain` lists the rules".to_owned() } else { near.join(", ") };
        refuse(Exit::Usage, &format!("no rule is called {asked:?}"), &hint)
    }
}

/// What reports name besides rules.
const OTHERS: [(&str, &str); 4] = [
    (
        "spec",
        "The document is not what the OCI runtime-spec, up to version 1.3.0, says it must be (invalid), or what it says it\n\
         should be, or holds what that version does not know (note). Each names the specification's section. No policy\n\
         is asked; a runtime may refuse such a document, ignore a part of it or do something of its own.\n\n\
         check:   --no-spec leaves it out, --fail-on spec exits with 1 for what is invalid",
    ),
    (
        "waiver-expired",
        "The last day of a waiver is over: what it let pass is judged as if it were not there. Renew it with a new reason,\n\
         or remove it.",
    ),
    (
        "waiver-unused",
        "Over a run of several documents, nothing needed this waiver. Remove it if the run saw all that the policy is for;\n\
         else look at its match and its values: it may name what no longer exists.",
    ),
    (
        "unreadable",
        "The document cannot be read, or two runtimes would read it differently; nothing would start from it.",
    ),
];

/// What may have been meant.
fn near(name: &str) -> Vec<&'static str> {
    let known: Vec<&str> = rules::names().chain(OTHERS.iter().map(|(other, _)| *other)).collect();
    let mut near: Vec<&str> = known.iter().copied().filter(|known| !name.is_empty() && known.contains(name)).collect();
    if near.is_empty() {
        near = similar::get_close_matches(name, &known, 3, 0.7);
    }
    near
}

fn listed() -> String {
    RULES.iter().fold(String::new(), |mut out, rule| {
        let _ = writeln!(out, "{:28} {:8} {}", rule.id.0, rule.severity.as_str(), rule.summary);
        out
    })
}
