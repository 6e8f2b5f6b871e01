//! `batten doctor`: what this machine can enforce, and what would fail.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::format::Format;
use super::install::machine;
use super::{Exit, say};
use crate::doctor::{Check, Level, examine};
use crate::escape::escape;

/// Says what this machine can enforce, what the policy needs of it, and what would fail
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten doctor
  batten doctor --fail-on warning --format json | jq '.checks[] | select(.level != \"fine\")'

It looks at the kernel, batten-runtime and its settings, the runtimes and their known holes, the policy, the engines. It \
starts no container and changes nothing.

Exit codes: 0 nothing would fail, 1 something would, 4 wrong usage.")]
pub struct Doctor {
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Failure)]
    fail_on: FailOn,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The machine is this folder; what only a running machine can say is unknown then
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Containers have less around them than they could
    Warning,
    /// Containers would not start, or start without batten
    Failure,
}

impl Doctor {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let site = match machine(self.root.as_deref()) {
            Ok(site) => site,
            Err(exit) => return exit,
        };
        let checks = examine(&site);
        let bound = match self.fail_on {
            FailOn::Warning => Level::Warning,
            FailOn::Failure => Level::Failure,
        };
        let exit = if checks.iter().any(|check| check.level >= bound) { Exit::Denied } else { Exit::Clean };
        let printed = match self.format {
            Format::Text => say(&text(&checks)),
            Format::Json => {
                let list: Vec<_> = checks.iter().map(object).collect();
                say(&format!("{:#}\n", json!({ "version": 1, "checks": list })))
            }
        };
        printed.unwrap_or(exit)
    }
}

fn text(checks: &[Check]) -> String {
    let mut out = String::new();
    let mut area = "";
    for check in checks {
        if check.area != area {
            area = check.area;
            let _ = writeln!(out, "{area}");
        }
        let _ = writeln!(out, "  {:<8} {}: {}", check.level.as_str(), escape(&check.name), escape(&check.found));
        if let Some(hint) = &check.hint {
            let _ = writeln!(out, "           hint: {}", escape(hint));
        }
    }
    let count = |level| checks.iter().filter(|check| check.level == level).count();
    let of = |level, one: &str| match count(level) {
        1 => format!("1 {one}"),
        number => format!("{number} {one}s"),
    };
    let _ = writeln!(
        out,
        "\n{}, {}, {} cannot be known, {} fine",
        of(Level::Failure, "failure"),
        of(Level::Warning, "warning"),
        count(Level::Unknown),
        count(Level::Fine)
    );
    out
}

fn object(check: &Check) -> serde_json::Value {
    json!({ "area": check.area, "name": check.name, "level": check.level.as_str(), "found": check.found, "hint": check.hint })
}
