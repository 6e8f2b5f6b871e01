//! What the doors of live recordings share.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::sink::{Sink, note_to};
use crate::count::counted;
use crate::doors::{Exit, refuse};
use crate::record::live::{Asked, Backend, LiveError, Recorded};

/// How to record.
#[derive(Debug, Args)]
pub(super) struct How {
    /// How calls are seen; without it, the best that works here
    #[arg(long, value_enum)]
    backend: Option<BackendName>,

    /// Record for so many seconds at most
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BackendName {
    /// In the kernel: every call, its failures, and the capabilities that were used; Linux 5.11 and root
    Bpf,
    /// By a filter that reports each call to batten first: no results; not for running containers, nor for a bundle with a
    /// filter of its own
    Notify,
    /// From outside: every call and its failures; each one stops the container twice
    Ptrace,
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    let seconds = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    seconds.ok_or_else(|| "give a number of seconds, such as 60 or 0.5".to_owned())
}

impl How {
    /// What is asked for.
    pub(super) fn asked(&self, sink: &Sink) -> Asked {
        let backend = self.backend.map(|name| match name {
            BackendName::Bpf => Backend::Bpf,
            BackendName::Notify => Backend::Notify,
            BackendName::Ptrace => Backend::Ptrace,
        });
        Asked { backend, arguments: sink.arguments(), duration: self.duration }
    }

    /// Says that it is time to make the container work.
    pub(super) fn say_begun(&self, what: &str, backend: Backend) {
        let duration = self.duration.map_or_else(String::new, |time| format!("for {} s, or ", time.as_secs_f32()));
        note_to(&format!("recording {what} by {}, {duration}until it ends or ^C", backend.name()));
    }
}

/// Records, and writes what was recorded: not before it is clear that it can be written.
pub(super) fn take(record: impl FnOnce() -> Result<Recorded, LiveError>, sink: &Sink) -> Exit {
    if let Err(exit) = sink.check() {
        return exit;
    }
    let recorded = match record() {
        Ok(recorded) => recorded,
        Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
    };
    let recording = &recorded.recording;
    let calls = recording.syscalls().len() as u64;
    let times: u64 = recording.calls.values().map(|seen| seen.count).sum();
    note_to(&format!("{}, {times} in all", counted(calls, "different system call")));
    if let Some(used) = recording.capabilities {
        let names = if used.is_empty() { "none".to_owned() } else { used.to_string() };
        note_to(&format!("capabilities used: {names}"));
    }
    if calls == 0 {
        recorded.notes.iter().for_each(|note| note_to(note));
        let hint = "record for longer, or start the container anew: batten record run -- BUNDLE";
        return refuse(Exit::Unreadable, &"the container made no system call meanwhile", hint);
    }
    let failed = recorded.exit_code.filter(|code| *code != 0 && !recorded.was_ended_with(*code));
    match (sink.take(recording, &recorded.notes), failed) {
        (Exit::Clean, Some(code)) => {
            note_to(&format!("the container ended with {code}; what it called until then is recorded"));
            Exit::Denied
        }
        (exit, _) => exit,
    }
}
