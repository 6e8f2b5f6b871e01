//! `batten diff`: what enforcement would change.

use clap::{Args, ValueEnum};

use super::check::exit_of;
use super::input::{Documents, one_standard_input};
use super::{Exit, conclude, refuse};
use crate::fleet::{Judged, Verdict};
use crate::host::Host;
use crate::policy::Policy;
use crate::report;
use crate::spec::Edit;

/// Shows what the policy would change in bundles
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten diff ./bundle\n  batten diff --format json-patch ./bundle | jq .\n\n\
    Exit codes: 0 nothing to change, 1 denied, 2 would be fixed, 3 unreadable, 4 bad policy or usage.")]
pub struct Diff {
    #[command(flatten)]
    documents: Documents,

    /// How to print the change
    #[arg(long, value_enum, default_value_t = Format::Unified)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people and patch(1)
    Unified,
    /// RFC 6902; one document only
    JsonPatch,
}

impl Diff {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let policy = match self.documents.policy() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        if self.format == Format::JsonPatch && self.documents.paths().count() > 1 {
            return refuse(Exit::Usage, &"a JSON patch is for one document", "name one bundle at a time");
        }
        if let Err(exit) = one_standard_input(self.documents.paths()) {
            return exit;
        }
        let judged = self.documents.judge(&policy, &Host::detect_for(&policy));
        let mut out = String::new();
        for one in &judged {
            match self.change(one) {
                Ok(change) => out.push_str(&change),
                Err(exit) => return exit,
            }
        }
        explain_refused(&judged, &policy);
        conclude(&out, exit_of(&judged))
    }

    fn change(&self, judged: &Judged) -> Result<String, Exit> {
        let Ok(outcome) = &judged.result else { return Ok(String::new()) };
        if self.format == Format::Unified {
            return Ok(report::unified(&judged.name, judged.before(), &outcome.text));
        }
        let edits: Vec<Edit> = outcome.findings.iter().flat_map(|finding| finding.edits.clone()).collect();
        match report::json_patch(judged.before(), &edits) {
            Ok(patch) => Ok(format!("{patch:#}\n")),
            Err(error) => Err(refuse(Exit::Unreadable, &error, error.hint())),
        }
    }
}

/// A diff says nothing of what does not start at all; standard error does.
fn explain_refused(judged: &[Judged], policy: &Policy) {
    for one in judged.iter().filter(|one| one.verdict() >= Verdict::Denied) {
        eprint!("{}", report::text(std::slice::from_ref(one), policy));
    }
}
