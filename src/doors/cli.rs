//! The command line of `batten`: one variant per door.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::Exit;
use super::apparmor::AppArmorCommand;
use super::apply::Apply;
use super::attest::Attest;
use super::check::Check;
#[cfg(feature = "embedded")]
use super::delete::Delete;
use super::denials::Denials;
use super::diff::Diff;
use super::doctor::Doctor;
use super::explain::Explain;
use super::hook::Hook;
use super::install::{Install, Uninstall};
use super::manual::{Completions, Man};
use super::policy::PolicyCommand;
use super::record::Record;
#[cfg(feature = "embedded")]
use super::run::Run;
use super::seccomp::SeccompCommand;
use super::status::Status;

/// Brings containers within one policy before their OCI runtime starts them.
#[derive(Debug, Parser)]
#[command(name = "batten", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
    Explain(Explain),
    Apply(Apply),
    Diff(Diff),
    Attest(Attest),
    Denials(Denials),
    Policy(PolicyCommand),
    Record(Box<Record>),
    Hook(Hook),
    Install(Install),
    Uninstall(Uninstall),
    Status(Status),
    Doctor(Doctor),
    #[cfg(feature = "embedded")]
    Run(Run),
    #[cfg(feature = "embedded")]
    Delete(Delete),
    Completions(Completions),
    Man(Man),
    Seccomp(SeccompCommand),
    #[command(name = "apparmor")]
    AppArmor(AppArmorCommand),
}

impl Command {
    fn run(&self) -> ExitCode {
        match self {
            Self::Check(door) => door.run().into(),
            Self::Explain(door) => door.run().into(),
            Self::Apply(door) => door.run().into(),
            Self::Diff(door) => door.run().into(),
            Self::Attest(door) => door.run().into(),
            Self::Denials(door) => door.run().into(),
            Self::Policy(door) => door.run().into(),
            Self::Record(door) => door.run().into(),
            Self::Hook(door) => door.run().into(),
            Self::Install(door) => door.run().into(),
            Self::Uninstall(door) => door.run().into(),
            Self::Status(door) => door.run().into(),
            Self::Doctor(door) => door.run().into(),
            #[cfg(feature = "embedded")]
            Self::Run(door) => door.run(),
            #[cfg(feature = "embedded")]
            Self::Delete(door) => door.run().into(),
            Self::Completions(door) => door.run().into(),
            Self::Man(door) => door.run().into(),
            Self::Seccomp(door) => door.run().into(),
            Self::AppArmor(door) => door.run().into(),
        }
    }
}

impl Cli {
    /// Parses the command line and goes through the door that it names.
    pub fn main() -> ExitCode {
        match Self::try_parse() {
            Ok(cli) => cli.command.run(),
            Err(error) => {
                let _ = error.print();
                if error.use_stderr() { Exit::Usage.into() } else { Exit::Clean.into() }
            }
        }
    }
}
