//! `batten record diff`: a recording beside a profile that is there already.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::sink::{RuntimeName, note_to};
use super::source::recordings;
use super::strace::machine;
use crate::count::{counted, times};
use crate::doors::format::Format;
use crate::doors::seccomp::named::Container;
use crate::doors::{Exit, conclude};
use crate::escape::escape;
use crate::record::against::{Made, Refused, refused, unused};
use crate::record::strace::Options;
use crate::record::{Recording, additions};
use crate::seccomp::{Arch, Filter, Group, Machine, Reason, Syscall};

/// Compares what was recorded with a profile: what the profile refuses of it, and what it allows that no run made
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten record diff all.json --against-profile /etc/batten/profiles/web.json
  batten record diff trace.txt --against-profile builtin:default --caps CAP_NET_BIND_SERVICE
  batten record diff monday.json tuesday.txt --against-profile localhost/web.json --format json

The profile may be in OCI's or Docker's format. For a bundle and the machine's policy: batten check BUNDLE --against FILE.

Exit codes: 0 the profile refuses nothing that was recorded, 1 it does, 3 a file could not be read, 4 wrong usage.")]
pub(super) struct Diff {
    /// Recordings and strace's output, oldest first
    #[arg(required = true, value_name = "FILE|FOLDER")]
    files: Vec<PathBuf>,

    /// The profile: a file, localhost/NAME for one of kubelet's, or builtin:default
    #[arg(long, value_name = "PROFILE", required = true)]
    against_profile: PathBuf,

    #[command(flatten)]
    container: Container,

    /// The runtime that starts the container: what it needs for itself is no surplus
    #[arg(long, value_enum, default_value_t = RuntimeName::Any)]
    runtime: RuntimeName,

    /// The container runs with no_new_privs
    #[arg(long)]
    no_new_privs: bool,

    /// The machine that strace ran on, as Go names it; without it, this one
    #[arg(long, value_name = "GOARCH", value_parser = machine)]
    arch: Option<Machine>,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Diff {
    /// Runs the command.
    pub(super) fn run(&self) -> Exit {
        let arch = self.arch.map_or(Arch::NATIVE, Machine::arch);
        let recording = match recordings(&self.files, Options { arch, arguments: true }) {
            Ok(recording) => recording,
            Err(exit) => return exit,
        };
        let named = match self.container.read(&self.against_profile) {
            Ok(named) => named,
            Err(exit) => return exit,
        };
        let filter = Filter::new(&named.profile, recording.arch);
        let refused = refused(&recording, &filter);
        let needed = additions(&recording, self.runtime.into(), self.no_new_privs);
        let needed: Vec<Syscall> = needed.iter().map(|added| added.syscall).collect();
        let unused = unused(&recording, &needed, &filter);
        let idle: Vec<Arch> =
            filter.archs().iter().copied().filter(|arch| !recording.architectures().contains(arch)).collect();
        let printed = match self.format {
            Format::Text => text(&recording, &refused, &unused, &idle),
            Format::Json => format!("{:#}\n", to_json(&recording, &refused, &unused, &idle)),
        };
        let breaks = refused.iter().any(Refused::breaks);
        note_to(&summary(&recording, &refused));
        conclude(&printed, if breaks { Exit::Denied } else { Exit::Clean })
    }
}

fn summary(recording: &Recording, refused: &[Refused<'_>]) -> String {
    let (calls, runs) = (recording.syscalls().len(), recording.runs.len());
    let breaking = refused.iter().filter(|one| one.breaks()).count();
    let (calls, runs) = (counted(calls as u64, "different call"), counted(runs as u64, "run"));
    format!("{calls} in {runs}: the profile would have refused {breaking}")
}

fn text(recording: &Recording, refused: &[Refused<'_>], unused: &[Syscall], idle: &[Arch]) -> String {
    let mut out = String::new();
    for one in refused {
        let _ = writeln!(out, "- {}", line(recording, one));
    }
    for arch in idle {
        let _ = writeln!(out, "+ {}: no run made a call through that interface", arch.name());
    }
    for (group, calls) in grouped(unused) {
        let _ = writeln!(out, "+ {group}: {}", calls.join(" "));
    }
    out
}

fn line(recording: &Recording, one: &Refused<'_>) -> String {
    let call = one.name() + &one.shown_values(recording.arch);
    let abi = match one.made {
        Made::Call(call, _) if call.arch != recording.arch => format!(" ({})", call.arch.name()),
        Made::Number(arch, ..) if arch != recording.arch => format!(" ({})", arch.name()),
        _ => String::new(),
    };
    let may = if one.is_sure { "" } else { "perhaps, by its arguments, " };
    let was = if one.is_sure && !one.breaks() { ", as in the run" } else { "" };
    let (count, first) = match one.made {
        Made::Call(_, seen) => (seen.count, Some(&seen.first)),
        Made::Number(_, _, count) => (count, None),
    };
    let first = first.filter(|first| first.line > 0);
    let first = first.map_or(String::new(), |first| format!(", first {}:{}", escape(&first.source), first.line));
    format!("{call}{abi}: {may}{} ({}){was}; made {}{first}", one.verdict, reason(one.reason), times(count))
}

fn reason(reason: Reason) -> String {
    match reason {
        Reason::Rule(rule) => format!("rule {}", rule + 1),
        Reason::Default => "no rule allows it".to_owned(),
        Reason::ForeignArchitecture => "the profile does not answer for it".to_owned(),
    }
}

/// The calls by the group of the built-in profile that they are in, in the order of groups.
fn grouped(calls: &[Syscall]) -> Vec<(String, Vec<&'static str>)> {
    let mut left: BTreeSet<Syscall> = calls.iter().copied().collect();
    let mut groups = Vec::new();
    for group in &crate::seccomp::GROUPS {
        let own: Vec<Syscall> = group.all_calls().filter(|call| left.remove(call)).collect();
        if !own.is_empty() {
            groups.push((format!("@{}", group.name), own.into_iter().map(Syscall::name).collect()));
        }
    }
    if !left.is_empty() {
        groups.push(("in no group".to_owned(), left.into_iter().map(Syscall::name).collect()));
    }
    debug_assert!(groups.iter().all(|(name, _)| name == "in no group" || Group::named(&name[1..]).is_some()));
    groups
}

fn to_json(recording: &Recording, refused: &[Refused<'_>], unused: &[Syscall], idle: &[Arch]) -> Value {
    let refused: Vec<Value> = refused
        .iter()
        .map(|one| {
            let (arch, count, first) = match one.made {
                Made::Call(call, seen) => (call.arch, seen.count, Some(&seen.first)),
                Made::Number(arch, _, count) => (arch, count, None),
            };
            json!({
                "call": one.name(),
                "arch": arch.name(),
                "verdict": one.verdict.to_string(),
                "rule": if let Reason::Rule(rule) = one.reason { json!(rule + 1) } else { Value::Null },
                "sure": one.is_sure,
                "breaks": one.breaks(),
                "values": one.values,
                "count": count,
                "first": first.map(|first| json!({ "source": first.source, "line": first.line })),
            })
        })
        .collect();
    json!({
        "version": 1,
        "runs": recording.runs,
        "refused": refused,
        "unused": unused.iter().map(|call| call.name()).collect::<Vec<_>>(),
        "unused_architectures": idle.iter().map(|arch| arch.name()).collect::<Vec<_>>(),
    })
}
