//! `batten record merge`: several runs as one recording.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::sink::{Sink, note_to};
use super::strace::{machine, read, say_notes};
use crate::doors::{Exit, refuse};
use crate::record::strace::Options;
use crate::record::{Recording, output};
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
        let mut merged: Option<Recording> = None;
        for path in &self.files {
            let read = match self.load(path) {
                Ok(read) => read,
                Err(exit) => return exit,
            };
            match &mut merged {
                None => merged = Some(read),
                Some(merged) => {
                    if let Err(error) = merged.merge(read) {
                        return refuse(Exit::Unreadable, &error, error.hint());
                    }
                }
            }
        }
        let recording = merged.unwrap_or_else(|| Recording::empty(Arch::NATIVE));
        let printed = if self.coverage {
            let saved = self.sink.keep(&recording);
            if saved == Exit::Clean { crate::doors::say(&recording.coverage()).unwrap_or(Exit::Clean) } else { saved }
        } else {
            self.sink.take(&recording)
        };
        if printed == Exit::Clean { self.answer(&recording) } else { printed }
    }

    /// Whether the recording is stable, where that was asked.
    fn answer(&self, recording: &Recording) -> Exit {
        let (quiet, runs) = (recording.quiet_runs(), recording.runs.len());
        note_to(&format!("{runs} runs, the last {quiet} without a new call or argument"));
        match self.stabilised {
            Some(wanted) if quiet < wanted as usize => {
                note_to(&format!("not stabilised: {} more quiet runs are wanted", wanted as usize - quiet));
                Exit::Denied
            }
            _ => Exit::Clean,
        }
    }

    fn load(&self, path: &Path) -> Result<Recording, Exit> {
        if let Some(text) = saved(path) {
            let loaded = output::load(&path.display().to_string(), &text);
            return loaded.map_err(|error| refuse(Exit::Unreadable, &error, error.hint()));
        }
        let arch = self.arch.map_or(Arch::NATIVE, Machine::arch);
        let options = Options { arch, arguments: self.sink.arguments() };
        let (recording, notes) =
            read(&[path.to_owned()], options).map_err(|error| refuse(Exit::Unreadable, &error, &error.hint()))?;
        say_notes(&notes, &recording);
        if recording.calls.is_empty() {
            let message = format!("no system call could be read in {}", path.display());
            return Err(refuse(Exit::Unreadable, &message, "give a recording that --save wrote, or strace's text"));
        }
        Ok(recording)
    }
}

/// The text of a saved recording, which begins as JSON does; strace's never begins so.
fn saved(path: &Path) -> Option<Vec<u8>> {
    let mut file = std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|seen| seen.is_file()))?;
    let mut first = [0; 1];
    file.read_exact(&mut first).ok()?;
    let mut text = first.to_vec();
    (first == *b"{").then(|| file.read_to_end(&mut text).ok())??;
    Some(text)
}
