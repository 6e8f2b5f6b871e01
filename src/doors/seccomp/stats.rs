//! `batten seccomp stats`: what a profile costs.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::input;
use super::named::Container;
use crate::doors::format::Format;
use crate::doors::{Exit, refuse, say};
use crate::seccomp::compiled::{CompileError, libseccomp_version};
use crate::seccomp::{Abis, Arch, Stats, canonical};

/// Says how long a profile's program is, and how much of it the kernel runs for a call
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp stats docker.json
  batten seccomp stats builtin:default --format json

Compiles the profile with libseccomp three times: as it is written, and in the canonical form that batten hands to the runtime, with \
    32-bit interfaces and without.

Exit codes: 0 compiled, 3 the profile is refused, 4 wrong usage.")]
pub(super) struct StatsCommand {
    /// A file of any format, - for standard input, builtin:default
    profile: PathBuf,
    #[command(flatten)]
    container: Container,
    /// How to print the numbers
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl StatsCommand {
    pub(super) fn run(&self) -> Exit {
        let profile = match self.container.read(&self.profile) {
            Ok(named) => named.profile,
            Err(exit) => return exit,
        };
        let forms = [
            ("as written", profile.clone()),
            ("canonical, compat", canonical(&profile, Arch::NATIVE, Abis::Compat)),
            ("canonical, native", canonical(&profile, Arch::NATIVE, Abis::Native)),
        ];
        let stats = forms.into_iter().map(|(name, form)| Ok((name, Stats::of(&form, Arch::NATIVE)?)));
        let stats = match stats.collect::<Result<Vec<_>, CompileError>>() {
            Ok(stats) => stats,
            Err(error) => {
                let hint = "batten seccomp lint says what runtimes refuse";
                return refuse(Exit::Unreadable, &format!("{}: {error}", input::name(&self.profile)), hint);
            }
        };
        let printed = match self.format {
            Format::Text => text(&stats),
            Format::Json => format!("{:#}\n", to_json(&stats)),
        };
        say(&printed).unwrap_or(Exit::Clean)
    }
}

fn text(stats: &[(&str, Stats)]) -> String {
    let mut out = format!("libseccomp {}\n", libseccomp_version());
    for (name, form) in stats {
        let _ = writeln!(out, "{name}: {} instructions, {} rules, {} names", form.instructions, form.rules, form.names);
        for calls in &form.calls {
            let (tens, tenths) = (calls.average_tenths / 10, calls.average_tenths % 10);
            let _ = writeln!(
                out,
                "  {:22} {} of {} calls let through, {} from the kernel's bitmap; {tens}.{tenths} instructions a call, {} at most",
                calls.arch.name(),
                calls.let_through,
                calls.known,
                calls.from_bitmap,
                calls.longest,
            );
        }
    }
    out
}

fn to_json(stats: &[(&str, Stats)]) -> Value {
    let forms: Vec<Value> = stats
        .iter()
        .map(|(name, form)| {
            let calls: Vec<Value> = form.calls.iter().map(|calls| json!({
                "architecture": calls.arch.name(), "known": calls.known, "let_through": calls.let_through,
                "from_bitmap": calls.from_bitmap, "longest": calls.longest, "average_tenths": calls.average_tenths,
            })).collect();
            json!({ "form": name, "instructions": form.instructions, "rules": form.rules, "names": form.names, "interfaces": calls })
        })
        .collect();
    json!({ "libseccomp": libseccomp_version(), "forms": forms })
}
