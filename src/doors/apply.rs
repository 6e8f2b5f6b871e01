//! `batten apply`: brings bundles within the policy, in place.

use std::path::Path;

use clap::Args;

use super::check::exit_of;
use super::input::{Documents, file_of};
use super::{Exit, refuse, say};
use crate::fleet::{Judged, Verdict};
use crate::host::Host;
use crate::policy::Policy;
use crate::report;
use crate::spec::{Durability, TrustedFile};

/// Writes the policy into bundles; a denied or unreadable one stays as it is
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  batten apply ./bundle\n  batten apply --stdout - < config.json > within-policy.json\n\n\
    Exit codes: 0 all within the policy now, 1 some denied, 3 some unreadable or unwritable, 4 bad policy or usage."
)]
pub struct Apply {
    #[command(flatten)]
    documents: Documents,

    /// Print the result instead of writing it back; one document only
    #[arg(long)]
    stdout: bool,
}

impl Apply {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let policy = match self.documents.policy() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        let host = Host::detect_for(&policy);
        let from_stdin = self.documents.paths().any(|path| path == Path::new("-"));
        if from_stdin && !self.stdout {
            return refuse(Exit::Usage, &"standard input cannot be written back", "add --stdout");
        }
        if !self.stdout {
            let judged: Vec<_> = self.documents.paths().map(|path| self.write_back(path, &policy, &host)).collect();
            eprint_report(&judged, &policy);
            return without_fixes(exit_of(&judged));
        }
        if self.documents.paths().count() > 1 {
            return refuse(Exit::Usage, &"--stdout prints one document", "name one bundle at a time");
        }
        let judged = self.documents.judge(&policy, &host);
        eprint_report(&judged, &policy);
        let exit = without_fixes(exit_of(&judged));
        match judged.first().map(|one| &one.result) {
            Some(Ok(outcome)) if exit == Exit::Clean => say(&outcome.text).unwrap_or(exit),
            _ => exit,
        }
    }

    fn write_back(&self, path: &Path, policy: &Policy, host: &Host) -> Judged {
        let path = file_of(path);
        let name = path.display().to_string();
        let mut file = match TrustedFile::open(&path) {
            Ok(file) => file,
            Err(error) => return Judged::unreadable(name, error.to_string(), error.hint().to_owned()),
        };
        let judged = Judged::of(name.clone(), file.take_text(), self.documents.kind(), policy, host);
        match &judged.result {
            Ok(outcome) if judged.verdict() == Verdict::WouldFix => {
                match file.replace(outcome.text.as_bytes(), Durability::Disk) {
                    Ok(()) => judged,
                    Err(error) => Judged::unreadable(name, error.to_string(), error.hint().to_owned()),
                }
            }
            _ => judged,
        }
    }
}

/// What was fixed is within the policy now.
const fn without_fixes(exit: Exit) -> Exit {
    match exit {
        Exit::WouldFix => Exit::Clean,
        other => other,
    }
}

fn eprint_report(judged: &[Judged], policy: &Policy) {
    eprint!("{}", report::text(judged, policy).replace("would fix:", "fixed:").replace("would be fixed", "fixed"));
}
