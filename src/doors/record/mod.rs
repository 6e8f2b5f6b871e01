//! `batten record`: profiles from what a workload really does.

mod agent;
mod container;
mod diff;
mod guard;
mod live;
mod merge;
mod progress;
mod run;
mod sink;
pub(super) mod source;
mod strace;

use clap::{Args, Subcommand};

use super::Exit;
use crate::record::live::{AGENT, GUARD};
use agent::Agent;
use container::{Attach, Container};
use diff::Diff;
use guard::Guard;
use merge::Merge;
use run::Run;
use strace::Strace;

/// Makes profiles from what a workload really does
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  batten record strace trace.txt > profile.json
  batten record run -- ./bundle > profile.json
  batten record --container 3f2a9c --duration 60 > profile.json"
)]
pub struct Record {
    #[command(subcommand)]
    action: Option<Action>,

    /// Record a running container, by its id with the runtime or the beginning of it: as `batten record container ID`
    #[arg(long, value_name = "ID")]
    container: Option<String>,

    #[command(flatten, next_help_heading = "Options of --container")]
    attach: Attach,
}

#[derive(Debug, Subcommand)]
enum Action {
    Strace(Strace),
    Run(Run),
    Container(Container),
    Merge(Merge),
    #[command(name = AGENT, hide = true)]
    Agent(Agent),
    #[command(name = GUARD, hide = true)]
    Guard(Guard),
    Diff(Diff),
}

impl Record {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        match (&self.action, &self.container) {
            (Some(Action::Strace(door)), _) => door.run(),
            (Some(Action::Run(door)), _) => door.run(),
            (Some(Action::Container(door)), _) => door.run(),
            (Some(Action::Merge(door)), _) => door.run(),
            (Some(Action::Agent(door)), _) => door.run(),
            (Some(Action::Guard(door)), _) => door.run(),
            (Some(Action::Diff(door)), _) => door.run(),
            (None, Some(id)) => self.attach.run(id),
            (None, None) => super::refuse(
                Exit::Usage,
                &"nothing to record was named",
                "batten record run -- BUNDLE, batten record --container ID, or batten record strace FILE",
            ),
        }
    }
}
