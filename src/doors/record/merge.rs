//! `batten record merge`: several runs as one recording.

use std::path::PathBuf;

use clap::Args;

use super::sink::{Sink, note_to};
use super::source::recordings;
use super::strace::machine;
use crate::count::counted;
use crate::doors::Exit;
use crate::record::Recording;
use crate::record::strace::Options;
use crate::seccomp::{Arch, Machine};

/// Merges the recordings of several runs, and says how well they cover the workload
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten record merge monday.json tuesday.json wednesday.json > profile.json
  batten record merge --stabilised 5 runs/*.json --save all.json > profile.json
  batten record merge run1.strace run2.strace --coverage

Each file is one run, or several: a recording that --save wrote, strace's text, or a folder of strace -ff's.

Exit codes: 0 done, 1 --stabilised and the last runs still brought something new, 3 a file could not be read, 4 wrong usage.")]
pub(super) struct Merge {
    /// Recordings and strace's output, oldest first
    #[arg(required = true, value_name = "FILE|FOLDER")]
    files: Vec<PathBuf>,

    /// Answer whether the last N runs brought no new call and no new value of a kept argument
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    stabilised: Option<u32>,

    /// Print in how many of the runs each call was seen, instead of a profile
    #[arg(long, conflicts_with_all = ["policy_snippet", "output"])]
    coverage: bool,

    /// The machine that strace ran on, as Go names it; without it, this one
    #[arg(long, value_name = "GOARCH", value_parser = machine)]
    arch: Option<Machine>,

    #[command(flatten)]
    sink: Sink,
}

impl Merge {
    /// Runs the command.
    pub(super) fn run(&self) -> Exit {
        if let Err(exit) = self.sink.check() {
            return exit;
        }
        let arch = self.arch.map_or(Arch::NATIVE, Machine::arch);
        let options = Options { arch, arguments: self.sink.arguments() };
        let recording = match recordings(&self.files, options) {
            Ok(recording) => recording,
            Err(exit) => return exit,
        };
        let printed = if self.coverage {
            let saved = self.sink.keep(&recording);
            if saved == Exit::Clean { crate::doors::say(&recording.coverage()).unwrap_or(Exit::Clean) } else { saved }
        } else {
            self.sink.take(&recording, &[])
        };
        if printed == Exit::Clean { self.answer(&recording) } else { printed }
    }

    /// Whether the recording is stable, where that was asked.
    fn answer(&self, recording: &Recording) -> Exit {
        let (quiet, runs) = (recording.quiet_runs(), recording.runs.len());
        note_to(&format!("{}, the last {quiet} without a new call or argument", counted(runs as u64, "run")));
        match self.stabilised {
            Some(wanted) if quiet < wanted as usize => {
                let missing = counted((wanted as usize - quiet) as u64, "more quiet run");
                note_to(&format!("not stabilised: {missing} wanted"));
                Exit::Denied
            }
            _ => Exit::Clean,
        }
    }
}
