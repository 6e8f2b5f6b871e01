//! `batten seccomp`: work on profiles by hand.

mod combine;
mod convert;
mod diff;
mod explain;
mod input;
mod lint;
pub(super) mod named;
mod resolve;
#[cfg(feature = "embedded")]
mod stats;
mod subset;

use clap::{Args, Subcommand};

use super::Exit;
use combine::{Intersect, Merge};
use convert::Convert;
use diff::Diff;
use explain::{Explain, Groups};
use lint::Lint;
use resolve::Resolve;
#[cfg(feature = "embedded")]
use stats::StatsCommand;
use subset::IsSubset;

/// Resolves, combines, compares and explains seccomp profiles
#[derive(Debug, Args)]
pub struct SeccompCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Resolve(Resolve),
    Explain(Explain),
    Intersect(Intersect),
    Merge(Merge),
    IsSubset(IsSubset),
    Groups(Groups),
    Diff(Diff),
    Convert(Convert),
    #[cfg(feature = "embedded")]
    Stats(StatsCommand),
    Lint(Lint),
}

impl SeccompCommand {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        match &self.action {
            Action::Resolve(door) => door.run(),
            Action::Explain(door) => door.run(),
            Action::Intersect(door) => door.run(),
            Action::Merge(door) => door.run(),
            Action::IsSubset(door) => door.run(),
            Action::Groups(door) => door.run(),
            Action::Diff(door) => door.run(),
            Action::Convert(door) => door.run(),
            #[cfg(feature = "embedded")]
            Action::Stats(door) => door.run(),
            Action::Lint(door) => door.run(),
        }
    }
}
