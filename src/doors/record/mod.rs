//! `batten record`: profiles from what a workload really does.

mod diff;
mod merge;
mod progress;
mod sink;
pub(super) mod source;
mod strace;

use clap::{Args, Subcommand};

use super::Exit;
use diff::Diff;
use merge::Merge;
use strace::Strace;

/// Makes profiles from what a workload really does
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Record {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Strace(Strace),
    Merge(Merge),
    Diff(Diff),
}

impl Record {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        match &self.action {
            Action::Strace(door) => door.run(),
            Action::Merge(door) => door.run(),
            Action::Diff(door) => door.run(),
        }
    }
}
