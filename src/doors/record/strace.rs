//! `batten record strace`: a profile from strace's text.

use std::path::PathBuf;

use clap::Args;

use super::progress::Bar;
use super::sink::{Sink, note_to};
use crate::count::counted;
use crate::doors::{Exit, refuse};
use crate::escape::escape;
use crate::record::Recording;
use crate::record::strace::{Input, InputError, Notes, Options, Reader, Unreadable};
use crate::seccomp::{Arch, Machine};

/// Makes a seccomp profile from strace's output, in any of its formats
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strace -f -o trace.txt nginx -t; batten record strace trace.txt > profile.json
  strace -ff -o logs/trace redis-server; batten record strace --args --provenance why.txt logs/ > profile.json
  zstdcat huge.zst | batten record strace --runtime runc --no-new-privs -
  batten record strace trace.txt --policy-snippet --name web --output /etc/batten/profiles/web.json

All files together are one run of the workload; `batten record merge` is for several.

Exit codes: 0 a profile was made, 1 --strict and some lines could not be read, 3 no call could be read, 4 wrong usage.")]
pub(super) struct Strace {
    /// strace's output files, folders of them (-ff), or - for standard input
    #[arg(required = true, value_name = "FILE|FOLDER|-")]
    files: Vec<PathBuf>,

    /// The machine that strace ran on, as Go names it; without it, this one
    #[arg(long, value_name = "GOARCH", value_parser = machine)]
    arch: Option<Machine>,

    /// Exit with 1 when a line could not be read
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    sink: Sink,
}

impl Strace {
    /// Runs the command.
    pub(super) fn run(&self) -> Exit {
        if let Err(exit) = self.sink.check() {
            return exit;
        }
        let arch = self.arch.map_or(Arch::NATIVE, Machine::arch);
        let options = Options { arch, arguments: self.sink.arguments() };
        let (recording, notes) = match read(&self.files, options) {
            Ok(read) => read,
            Err(error) => return refuse(Exit::Unreadable, &error, &error.hint()),
        };
        say_notes(&notes, &recording);
        if recording.calls.is_empty() {
            let message = format!("no system call could be read in {}", counted(notes.lines, "line"));
            return refuse(Exit::Unreadable, &message, "name a file that `strace -f -o FILE PROGRAM` wrote");
        }
        match self.sink.take(&recording, &[]) {
            Exit::Clean if self.strict && notes.unreadable.count > 0 => Exit::Denied,
            exit => exit,
        }
    }
}

/// Reads all of `paths` as one run.
pub(super) fn read(paths: &[PathBuf], options: Options) -> Result<(Recording, Notes), InputError> {
    let mut inputs = Vec::new();
    for path in paths {
        inputs.extend(Input::named(path)?);
    }
    let mut bar = Bar::new(inputs.iter().map(Input::length).sum());
    let mut reader = Reader::new(options);
    let read = inputs.iter().try_for_each(|input| input.read(&mut reader, &mut |bytes| bar.add(bytes)));
    bar.end();
    read.map(|()| reader.finish())
}

const CUT_ONE: &str = "stops in the middle of a call; the call counts";
const CUT_MANY: &str = "stop in the middle of a call; the calls count";

/// Says what could not be read.
pub(super) fn say_notes(notes: &Notes, recording: &Recording) {
    let calls = counted(recording.syscalls().len() as u64, "different system call");
    note_to(&format!("{}, {calls}", counted(notes.lines, "line")));
    say_lines(&notes.unreadable, "could not be read");
    say_lines(&notes.cut, if notes.cut.count == 1 { CUT_ONE } else { CUT_MANY });
}

fn say_lines(lines: &Unreadable, what: &str) {
    if lines.count > 0 {
        let shown = lines.first.iter().map(|line| format!("\n  {}:{}: {}", line.source, line.line, shown(&line.text)));
        let more = lines.count - lines.first.len() as u64;
        let rest = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        note_to(&format!("{} {what}:{}{rest}", counted(lines.count, "line"), shown.collect::<String>()));
    }
}

/// As much of it as fits on a line of a terminal: of what is no text each byte takes many characters.
fn shown(text: &str) -> String {
    const WIDTH: usize = 120;
    let text = escape(text);
    let (mut rest, mut shown) = (text.chars(), String::new());
    shown.extend(rest.by_ref().take(WIDTH));
    shown + if rest.next().is_some() { "…" } else { "" }
}

pub(super) fn machine(goarch: &str) -> Result<Machine, String> {
    let known = || Machine::all().map(Machine::goarch).collect::<Vec<_>>().join(", ");
    Machine::from_goarch(goarch).ok_or_else(|| format!("Go calls no machine that; it knows {}", known()))
}
