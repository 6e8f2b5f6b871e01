//! `batten record container`: a running container is recorded from now on.

use std::path::PathBuf;

use clap::Args;

use super::live::{How, take};
use super::sink::Sink;
use crate::doors::Exit;
use crate::record::live::{self, Backend};

/// Records what a running container calls from now on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten record container 3f2a9c --duration 60 > profile.json
  batten record container web --root /run/containerd/runc/k8s.io --args --save monday.json > profile.json

Every process of the container is recorded, also those that are executed into it meanwhile. ^C ends the recording, and the
container goes on.

Exit codes: 0 recorded, 3 nothing could be recorded, 4 wrong usage.")]
pub(super) struct Container {
    /// The container, by its id with the runtime or the beginning of it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    attach: Attach,
}

/// How to record a running container, and what to make of it.
#[derive(Debug, Args)]
pub(super) struct Attach {
    /// Where the runtime keeps its containers (its own --root); without it all places that engines use are looked in
    #[arg(long = "root", value_name = "DIR")]
    roots: Vec<PathBuf>,

    #[command(flatten)]
    how: How,

    #[command(flatten)]
    sink: Sink,
}

impl Container {
    /// Runs the command.
    pub(super) fn run(&self) -> Exit {
        self.attach.run(&self.id)
    }
}

impl Attach {
    /// Records the container `id`.
    pub(super) fn run(&self, id: &str) -> Exit {
        let asked = self.how.asked(&self.sink);
        let begun = |id: &str, backend: Backend| self.how.say_begun(&format!("container {id}"), backend);
        take(|| live::attach(id, &self.roots, asked, begun), &self.sink)
    }
}
