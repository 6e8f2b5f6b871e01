//! The command line of `batten`: one variant per door.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::Exit;
use super::apply::Apply;
use super::check::Check;
use super::diff::Diff;
use super::manual::{Completions, Man};
use super::policy::PolicyCommand;
use super::seccomp::SeccompCommand;

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
    Apply(Apply),
    Diff(Diff),
    Policy(PolicyCommand),
    Completions(Completions),
    Man(Man),
    Seccomp(SeccompCommand),
}

impl Command {
    fn run(&self) -> Exit {
        match self {
            Self::Check(door) => door.run(),
            Self::Apply(door) => door.run(),
            Self::Diff(door) => door.run(),
            Self::Policy(door) => door.run(),
            Self::Completions(door) => door.run(),
            Self::Man(door) => door.run(),
            Self::Seccomp(door) => door.run(),
        }
    }
}

impl Cli {
    /// Parses the command line and goes through the door that it names.
    pub fn main() -> ExitCode {
        match Self::try_parse() {
            Ok(cli) => cli.command.run().into(),
            Err(error) => {
                let _ = error.print();
                if error.use_stderr() { Exit::Usage.into() } else { Exit::Clean.into() }
            }
        }
    }
}
