//! `batten policy`: is it right, what does it say for one container, and is it what its cases want.

mod test;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::input::{PolicyFiles, file_of};
use super::{Exit, refuse, say};
use crate::policy::Policy;
use crate::settings::{Origin, Settings, Subject};
use crate::spec::{Document, TrustedFile};

/// Checks the policy, and shows what it says for one container
#[derive(Debug, Args)]
pub struct PolicyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Reads the policy as a container start would, and says what is wrong with it
    #[command(after_help = "Example:\n  batten policy check ./policy.toml\n\nExit codes: 0 usable, 4 not.")]
    Check {
        /// Policy files, laid over each other in this order; the machine's policy when none is named
        files: Vec<PathBuf>,
    },
    /// Shows the settings that hold for a bundle, and the line that made each
    #[command(after_help = "Example:\n  batten policy show ./bundle\n  batten policy show --policy ./policy.toml")]
    Show {
        /// The bundle; without one, the settings that hold before any override
        bundle: Option<PathBuf>,
        /// Show the settings of controls that are off, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        policy: PolicyFiles,
    },
    Test(test::Test),
}

impl PolicyCommand {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        match &self.action {
            Action::Check { files } => check(files),
            Action::Show { bundle, all, policy } => show(bundle.as_deref(), *all, policy),
            Action::Test(test) => test.run(),
        }
    }
}

fn check(files: &[PathBuf]) -> Exit {
    let loaded = if files.is_empty() { Policy::load() } else { Policy::load_files(files) };
    match loaded {
        Ok(policy) => say(&format!("{}: the policy can be used\n", names(&policy))).unwrap_or(Exit::Clean),
        Err(error) => refuse(Exit::Usage, &error, error.hint()),
    }
}

fn names(policy: &Policy) -> String {
    if policy.sources().is_empty() {
        return "built-in (no file in /etc/batten)".to_owned();
    }
    policy.sources().iter().map(|source| source.path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn show(bundle: Option<&Path>, all: bool, files: &PolicyFiles) -> Exit {
    let policy = match files.load() {
        Ok(policy) => policy,
        Err(error) => return refuse(Exit::Usage, &error, error.hint()),
    };
    let subject = match bundle.map(|bundle| subject_of(bundle, &policy)) {
        None => Subject::default(),
        Some(Ok(subject)) => subject,
        Some(Err(exit)) => return exit,
    };
    let mut out = format!("policy: {}\n", names(&policy));
    let overrides = policy.overrides_for(&subject);
    if !overrides.is_empty() {
        let _ = writeln!(out, "overrides: {}", overrides.join(", "));
    }
    settings(&mut out, &policy, &policy.resolve(&subject), all);
    say(&out).unwrap_or(Exit::Clean)
}

fn subject_of(bundle: &Path, policy: &Policy) -> Result<Subject, Exit> {
    let mut file =
        TrustedFile::open(&file_of(bundle)).map_err(|error| refuse(Exit::Unreadable, &error, error.hint()))?;
    let document =
        Document::parse_spec(file.take_text()).map_err(|error| refuse(Exit::Unreadable, &error, error.hint()))?;
    Ok(policy.subject_of(&document))
}

/// One `setting = value   # where` line each, in TOML's spelling.
fn settings(out: &mut String, policy: &Policy, settings: &Settings, all: bool) {
    let mut line = |origin: Origin, value: String| {
        let place =
            policy.locate(origin).map_or("built-in".to_owned(), |(path, line)| format!("{}:{line}", path.display()));
        let standard = origin.standard.map_or(String::new(), |standard| format!(" ({standard})"));
        let _ = writeln!(out, "{} = {value}   # {place}{standard}", origin.setting);
    };
    let word = |value: &dyn std::fmt::Debug| format!("\"{}\"", format!("{value:?}").to_lowercase());
    let list = |names: Vec<String>| {
        format!("[{}]", names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "))
    };
    line(settings.mode.origin, word(&settings.mode.value));
    if let Some(chosen) = &settings.level {
        line(chosen.level.origin, format!("\"{}\"", chosen.level.value.as_str()));
        line(chosen.version.origin, format!("{:?}", chosen.version.value));
        line(chosen.violation.origin, word(&chosen.violation.value));
    }
    let own = &settings.capabilities;
    line(own.ceiling.origin, list(own.ceiling.value.iter().map(|capability| capability.to_string()).collect()));
    line(own.violation.origin, word(&own.violation.value));
    let own = &settings.seccomp;
    match &own.allow {
        Some(allow) => line(allow.origin, format!("{:?}", allow.value)),
        None => line(own.profile.origin, format!("{:?}", own.profile.value)),
    }
    line(own.deny.origin, format!("{:?}", own.deny.value));
    line(own.own.origin, word(&own.own.value));
    line(own.abis.origin, word(&own.abis.value));
    line(own.log_denials.origin, own.log_denials.value.to_string());
    line(own.violation.origin, word(&own.violation.value));
    let own = &settings.apparmor;
    if let Some(profile) = &own.profile {
        line(profile.origin, format!("{:?}", profile.value));
    }
    line(own.required.origin, own.required.value.to_string());
    line(own.allowed.origin, list(own.allowed.value.clone()));
    line(own.complain.origin, own.complain.value.to_string());
    if let Some(fallback) = &own.fallback {
        line(fallback.origin, format!("{{ when = \"missing\", profile = {:?} }}", fallback.value));
    }
    line(own.own.origin, word(&own.own.value));
    line(own.absent.origin, word(&own.absent.value));
    line(own.violation.origin, word(&own.violation.value));
    let own = &settings.no_new_privs;
    line(own.required.origin, own.required.value.to_string());
    line(own.violation.origin, word(&own.violation.value));
    let own = &settings.annotations;
    line(own.allow.origin, list(own.allow.value.clone()));
    line(own.deny.origin, list(own.deny.value.clone()));
    line(own.violation.origin, word(&own.violation.value));
    for (origin, value) in settings.declared(all) {
        line(origin, value);
    }
}
