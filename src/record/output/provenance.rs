//! Why each call is in the profile: which call, how often, where first.

use std::fmt::Write;

use super::profile::Made;
use crate::count::times;
use crate::escape::escape;
use crate::record::recording::{Call, Recording, Seen, Values};
use crate::record::strace::kept_argument;

/// A text of comments to keep beside the profile.
pub fn provenance(recording: &Recording, made: &Made) -> String {
    let mut out = String::from("# Why each system call is in the profile, by `batten record`.\n");
    let runs = recording.runs.len();
    for (position, run) in recording.runs.iter().enumerate() {
        let _ = writeln!(out, "# run {}: {}", position + 1, escape(run).replace('\n', " "));
    }
    let archs: Vec<&str> = made.profile.architectures.iter().map(|arch| arch.name()).collect();
    let _ = writeln!(out, "# architectures: {}", archs.join(" "));
    if let Some(capabilities) = recording.capabilities {
        let names: Vec<&str> = capabilities.iter().map(crate::capability::Capability::name).collect();
        let _ = writeln!(
            out,
            "# capabilities used: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        );
    }
    for note in &made.notes {
        let _ = writeln!(out, "# note: {}", escape(note).replace('\n', " "));
    }
    for (call, seen) in &recording.calls {
        write_seen(&mut out, recording, *call, seen, runs);
    }
    let shown = recording.syscalls();
    for added in made.added.iter().filter(|added| !shown.contains(&added.syscall)) {
        let why: Vec<&str> = added.why.iter().map(|why| why.text()).collect();
        let _ = writeln!(out, "\n{}\n    not seen: {}", added.syscall.name(), why.join("; "));
    }
    out
}

fn write_seen(out: &mut String, recording: &Recording, call: Call, seen: &Seen, runs: usize) {
    let abi = if call.arch == recording.arch { String::new() } else { format!(" ({})", call.arch.name()) };
    let _ = write!(
        out,
        "\n{}{abi}\n    seen {} in {} of {runs} runs",
        call.syscall.name(),
        times(seen.count),
        seen.seen_in
    );
    if seen.failed > 0 {
        let _ = write!(out, ", failed {}", times(seen.failed));
    }
    match (seen.not_permitted + seen.not_implemented, seen.only_refused()) {
        (0, _) => {}
        (_, true) => out.push_str(", REFUSED each time"),
        (refused, false) => {
            let _ = write!(out, ", refused {}", times(refused));
        }
    }
    out.push('\n');
    if seen.first.line > 0 {
        let (source, line) = (escape(&seen.first.source), seen.first.line);
        let _ = writeln!(out, "    first {source}:{line}: {}", escape(&seen.first.text).replace('\n', " "));
    } else if !seen.first.source.is_empty() {
        let _ = writeln!(out, "    first seen by {}", escape(&seen.first.source).replace('\n', " "));
    }
    match &seen.values {
        Some(Values::Few(values)) if !values.is_empty() => {
            let show = |value: &u32| {
                kept_argument(recording.arch, call.syscall)
                    .map_or_else(|| format!("{value:#x}"), |kept| kept.show(*value))
            };
            let shown: Vec<String> = values.keys().map(show).collect();
            let _ = writeln!(out, "    with {}", shown.join(", "));
        }
        Some(Values::Any(why)) => {
            let _ = writeln!(out, "    with any argument: {}", escape(why).replace('\n', " "));
        }
        _ => {}
    }
}
