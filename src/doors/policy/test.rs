//! `batten policy test`: is the policy what its cases say.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cases::{Case, CaseError, Tried, find};
use crate::doors::input::PolicyFiles;
use crate::doors::{Exit, conclude, refuse};
use crate::escape::escape;
use crate::fleet::in_order;
use crate::policy::Policy;
use crate::report::escaped;

/// Judges cases of a bundle each, and compares with what they expect
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  batten policy test --policy policy.toml tests\n  batten policy test --policy policy.toml --bless tests\n\n\
    A case is a folder with config.json (or process.json) and want.toml, at any depth; host.toml says for which machine \
    it is judged, and a policy.toml beside them is laid over the policy for this case. docs/policy-tests.md has an example to copy.\n\n\
    Exit codes: 0 every case is as it wants, 1 some are not, 4 bad policy, case or usage."
)]
pub(super) struct Test {
    /// The folder of cases
    folder: PathBuf,
    #[command(flatten)]
    policy: PolicyFiles,
    /// Write what was found as what is wanted; read the difference before you commit it
    #[arg(long)]
    bless: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// JUnit XML, for CI
    Junit,
}

impl Test {
    pub(super) fn run(&self) -> Exit {
        let policy = match self.policy.load() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        match self.results(&policy) {
            Ok(results) => {
                let failed = results.iter().any(|(_, tried)| !tried.difference.is_empty());
                let report = match self.format {
                    Format::Text => text(&results, &policy, self.bless),
                    Format::Junit => junit(&results),
                };
                conclude(&report, if failed && !self.bless { Exit::Denied } else { Exit::Clean })
            }
            Err(error) => refuse(Exit::Usage, &error, error.hint()),
        }
    }

    fn results(&self, policy: &Policy) -> Result<Vec<(Case, Tried)>, CaseError> {
        let (mut results, mut failed) = (Vec::new(), None);
        let work = |case: Case| case.run(policy).map(|tried| (case, tried));
        in_order(find(&self.folder)?.into_iter(), work, |result| match result {
            Ok(result) => {
                results.push(result);
                true
            }
            Err(error) => {
                failed = Some(error);
                false
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if self.bless {
            for (case, tried) in results.iter().filter(|(_, tried)| !tried.difference.is_empty()) {
                case.bless(tried)?;
            }
        }
        Ok(results)
    }
}

fn text(results: &[(Case, Tried)], policy: &Policy, blessed: bool) -> String {
    let mut out = String::new();
    for (case, tried) in results {
        let word = match tried.difference.is_empty() {
            true => "ok",
            false if blessed => "wrote",
            false => "FAIL",
        };
        let layer = if case.has_layer() { " (with its policy.toml over the policy)" } else { "" };
        let _ = writeln!(out, "{word:5} {}{layer}", escape(&case.name));
        for difference in &tried.difference {
            let _ = writeln!(out, "      {}", escape(&difference.to_string()));
        }
    }
    let wrong = results.iter().filter(|(_, tried)| !tried.difference.is_empty()).count();
    let (cases, right) = (results.len(), results.len() - wrong);
    let rest = if blessed { "written anew" } else { "not" };
    let _ = writeln!(out, "{cases} {}: {right} as wanted, {wrong} {rest}", if cases == 1 { "case" } else { "cases" });
    for untried in untried(results, policy) {
        let _ = writeln!(out, "note: no case tries {}", escape(&untried));
    }
    out
}

/// The overrides and waivers that no case needs: whoever changes them breaks no test.
fn untried(results: &[(Case, Tried)], policy: &Policy) -> Vec<String> {
    let overrides: BTreeSet<&str> =
        results.iter().flat_map(|(_, tried)| tried.overrides.iter().map(String::as_str)).collect();
    let outcomes = results.iter().filter_map(|(_, tried)| tried.judged.result.as_ref().ok());
    let waivers: BTreeSet<usize> = outcomes.flat_map(|outcome| outcome.used_waivers.iter().copied()).collect();
    let names =
        policy.override_names().filter(|name| !overrides.contains(name)).map(|name| format!("the override {name:?}"));
    let unused = policy.waivers().iter().enumerate().filter(|(index, _)| !waivers.contains(index));
    names
        .chain(
            unused.map(|(_, waiver)| format!("the waiver for {} at {}", waiver.rule(), policy.cite(waiver.origin()))),
        )
        .collect()
}

fn junit(results: &[(Case, Tried)]) -> String {
    let failures = results.iter().filter(|(_, tried)| !tried.difference.is_empty()).count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"batten policy test\">\n<testsuite name=\"policy\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">\n",
        results.len()
    );
    for (case, tried) in results {
        let name = escaped(&case.name);
        if tried.difference.is_empty() {
            let _ = writeln!(out, "<testcase classname=\"policy\" name=\"{name}\"/>");
            continue;
        }
        let lines: Vec<String> = tried.difference.iter().map(ToString::to_string).collect();
        let (first, all) = (escaped(&lines[0]), escaped(&lines.join("\n")));
        let _ = writeln!(
            out,
            "<testcase classname=\"policy\" name=\"{name}\"><failure message=\"{first}\">{all}</failure></testcase>"
        );
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}
