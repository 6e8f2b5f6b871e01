//! `batten seccomp`: work on profiles by hand.

mod input;
mod resolve;

use clap::{Args, Subcommand};

use super::Exit;
use resolve::Resolve;

/// Resolves, combines, compares and explains seccomp profiles
#[derive(Debug, Args)]
pub struct SeccompCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Resolve(Resolve),
}

impl SeccompCommand {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        match &self.action {
            Action::Resolve(door) => door.run(),
        }
    }
}
