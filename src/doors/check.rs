//! `batten check`: the judgement, run dry. Never writes.

use clap::{Args, ValueEnum};

use super::input::Documents;
use super::{Exit, refuse, say};
use crate::host::Host;
use crate::report::{self, Judged, Verdict};

/// Says what the policy would do to bundles, and changes nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  batten check /run/containerd/io.containerd.runtime.v2.task/k8s.io/*\n  docker-spec | batten check --format json -\n\n\
    Exit codes: 0 all within the policy, 1 some denied, 2 some would be fixed, 3 some unreadable, 4 bad policy or usage."
)]
pub struct Check {
    #[command(flatten)]
    documents: Documents,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Check {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let policy = match self.documents.policy() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        let judged = self.documents.judge(&policy, &Host::detect());
        let printed = match self.format {
            Format::Text => say(&report::text(&judged, &policy)),
            Format::Json => say(&format!("{:#}\n", report::json(&judged, &policy))),
        };
        printed.unwrap_or_else(|| exit_of(&judged))
    }
}

/// What all documents together come to.
pub fn exit_of(judged: &[Judged]) -> Exit {
    match judged.iter().map(Judged::verdict).max() {
        Some(Verdict::Unreadable) => Exit::Unreadable,
        Some(Verdict::Denied) => Exit::Denied,
        Some(Verdict::WouldFix) => Exit::WouldFix,
        Some(Verdict::Clean) | None => Exit::Clean,
    }
}
