//! The process that clears up after a recording whose batten was killed: started by batten itself, for nobody to type.

use std::path::PathBuf;

use clap::Args;

use crate::doors::{Exit, refuse};
use crate::record::live::{Left, guard};

/// Clears up when batten is killed
#[derive(Debug, Args)]
pub(super) struct Guard {
    #[arg(long)]
    folder: PathBuf,

    #[arg(long)]
    batten: u32,

    #[arg(long)]
    root: Option<PathBuf>,

    #[arg(long)]
    agent: Option<u32>,

    runtime: PathBuf,

    id: String,
}

impl Guard {
    /// Waits until nothing is left of the recording.
    pub(super) fn run(&self) -> Exit {
        let left = Left {
            runtime: self.runtime.clone(),
            root: self.root.clone(),
            id: self.id.clone(),
            folder: self.folder.clone(),
            batten: self.batten,
            agent: self.agent,
        };
        match guard(&left) {
            Ok(()) => Exit::Clean,
            Err(error) => refuse(Exit::Unreadable, &error, "batten record run starts it"),
        }
    }
}
