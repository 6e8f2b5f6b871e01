//! `batten delete`: ends what `batten run --detach` began.

use std::path::PathBuf;

use clap::Args;

use super::run::{EmbeddedRoot, container_id};
use super::{Exit, refuse};
use crate::runtime::embedded::Embedded;

/// Removes a container that `batten run --detach` started on the embedded runtime
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  batten delete --force web\n\nExit codes: 0 removed, 3 not there or not removable, 4 bad usage."
)]
pub struct Delete {
    /// The container's id
    #[arg(value_parser = container_id)]
    id: String,

    /// Kill it first where it still runs
    #[arg(short, long)]
    force: bool,

    #[command(flatten)]
    root: EmbeddedRoot,
}

impl Delete {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let root: PathBuf = self.root.path();
        match Embedded::new(root).load(&self.id).and_then(|container| container.delete(self.force)) {
            Ok(()) => Exit::Clean,
            Err(error) => refuse(Exit::Unreadable, &error, error.hint()),
        }
    }
}
