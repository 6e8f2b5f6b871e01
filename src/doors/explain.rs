//! `batten explain`: what a rule is for.

use std::fmt::Write;

use clap::Args;

use super::{Exit, refuse, say};
use crate::policy::glob;
use crate::rules::{self, RULES, Rule};

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
        let Some(name) = &self.rule else { return say(&listed()).unwrap_or(Exit::Clean) };
        if let Some(rule) = rules::find(name) {
            return say(&explained(rule)).unwrap_or(Exit::Clean);
        }
        let near: Vec<_> = rules::names().filter(|known| glob(&format!("*{name}*"), known)).collect();
        let hint = if near.is_empty() { "batten explain lists the rules".to_owned() } else { near.join(", ") };
        refuse(Exit::Usage, &format!("no rule is called {name}"), &hint)
    }
}

fn listed() -> String {
    RULES.iter().fold(String::new(), |mut out, rule| {
        let _ = writeln!(out, "{:28} {:8} {}", rule.id.0, rule.severity.as_str(), rule.summary);
        out
    })
}

fn explained(rule: &Rule) -> String {
    let mut out = format!("{} ({})\n\n{}\n", rule.id, rule.severity.as_str(), rule.summary);
    let judged = if rule.judges_exec { "config.json, and the process file of an exec" } else { "config.json" };
    let _ = writeln!(out, "\njudges:  {judged}");
    let setting = rule.id.0.replace('-', "_");
    let _ = writeln!(out, "policy:  the setting of this name; docs/policy.md lists its values");
    let _ = writeln!(out, "fix:     batten diff BUNDLE shows the change, batten apply BUNDLE makes it");
    let _ = writeln!(out, "waive:   [[waiver]] with rule = \"{}\", reason, owner and expires", rule.id);
    let _ = writeln!(out, "docs:    docs/policy.md ({setting})");
    out
}
