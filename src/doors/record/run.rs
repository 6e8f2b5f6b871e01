//! `batten record run`: a container is started and recorded from its first instruction on.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::live::{How, seconds, take};
use super::sink::Sink;
use crate::doors::Exit;
use crate::record::live::{self, Start};

/// Starts a bundle and records what it calls
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten record run -- ./bundle > profile.json
  batten record run --args --runtime crun --no-new-privs --provenance why.txt -- ./bundle > profile.json
  batten record run --duration 60 --policy-snippet --name web --output /etc/batten/profiles/web.json -- ./bundle

The bundle is started as it is, by the real runtime, and not judged: a recording shows what the container wants. What it prints
goes to standard error. Recording begins with its program's first instruction and ends with it; ^C, or the end of
--duration, first sends it SIGTERM, and SIGKILL after 10 seconds (or at the next ^C).

Exit codes: 0 recorded, 1 recorded and the container ended with an error, 3 nothing could be recorded, 4 wrong usage.")]
pub(super) struct Run {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,

    /// The runtime's program, where it is not the one that --runtime finds
    #[arg(long, value_name = "PATH")]
    runtime_path: Option<PathBuf>,

    /// Where the runtime keeps its containers
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Leave out the seccomp filter that the bundle brings, so that what it refuses is recorded as well
    #[arg(long)]
    without_filter: bool,

    /// How long the runtime may take to create the container, and again to start it, its hooks included
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    start_within: Duration,

    #[command(flatten)]
    how: How,

    #[command(flatten)]
    sink: Sink,
}

impl Run {
    /// Runs the command.
    pub(super) fn run(&self) -> Exit {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let named = || self.sink.runtime().map(PathBuf::from);
        let start = Start {
            bundle: self.bundle.clone(),
            runtime: self.runtime_path.as_ref().map(absolute).or_else(named),
            root: self.root.clone(),
            without_filter: self.without_filter,
            patience: self.start_within,
        };
        let begun = |backend| self.how.say_begun(&format!("bundle {}", self.bundle.display()), backend);
        take(|| live::run(&start, self.how.asked(&self.sink), begun), &self.sink)
    }
}
