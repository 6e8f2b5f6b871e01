//! The process that answers a container whose filter reports each call: started by batten itself, for nobody to type.

use clap::Args;

use crate::doors::{Exit, refuse};
use crate::record::live;

/// Answers the container of a recording by notify
#[derive(Debug, Args)]
pub(super) struct Agent {
    #[arg(long)]
    args: bool,

    /// What the recording is called
    run: String,

    /// Who records
    source: String,
}

impl Agent {
    /// Answers until the container has ended.
    pub(super) fn run(&self) -> Exit {
        match live::serve(self.args, &self.run, &self.source) {
            Ok(()) => Exit::Clean,
            Err(error) => refuse(Exit::Unreadable, &error, "batten record run --backend notify starts it"),
        }
    }
}
