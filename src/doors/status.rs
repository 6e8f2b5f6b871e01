//! `batten status`: which engines start containers through batten-runtime, and what leads around it.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::format::Format;
use super::install::machine;
use super::{Exit, refuse, say};
use crate::engines::{Coverage, Engine, Handler, Way};
use crate::escape::escape;

/// Says which engines start containers through batten-runtime, and which ways around are open
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten status
  batten status docker --fail-on default
  batten status --format json | jq '.engines[].handlers[] | select(.covered | not)'

It reads the engines' files as they are now; an engine that was not reloaded since does what they said before.

Exit codes: 0 all is as --fail-on asks, 1 it is not, 3 a file cannot be read, or an engine that was named is not here, 4 \
wrong usage.")]
pub struct Status {
    /// The engines; all that are found on the machine where none is named
    engines: Vec<Engine>,

    /// What makes the answer a no
    #[arg(long, value_enum, default_value_t = FailOn::Handler)]
    fail_on: FailOn,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The machine is this folder
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A container that names no runtime goes around batten-runtime
    Default,
    /// Some name leads around it
    Handler,
    /// Any way that is known and not root's alone is open
    Way,
}

impl Status {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let site = match machine(self.root.as_deref()) {
            Ok(site) => site,
            Err(exit) => return exit,
        };
        let mut found = Vec::new();
        let mut exit = Exit::Clean;
        for engine in if self.engines.is_empty() { &Engine::ALL[..] } else { &self.engines } {
            match engine.coverage_if_found(&site) {
                Ok(Some(coverage)) => found.push(coverage),
                Ok(None) if self.engines.is_empty() => {}
                Ok(None) => {
                    let error = format!("{} is not on this machine", engine.as_str());
                    exit = exit.max(refuse(Exit::Unreadable, &error, "leave the name out to see what is"));
                }
                Err(error) => exit = exit.max(refuse(Exit::Unreadable, &error, error.hint())),
            }
        }
        let is_fine = |coverage: &Coverage| match self.fail_on {
            FailOn::Default => coverage.default_is_covered(),
            FailOn::Handler => coverage.all_are_covered(),
            FailOn::Way => coverage.is_closed(),
        };
        if !found.iter().all(is_fine) {
            exit = exit.max(Exit::Denied);
        }
        let printed = match self.format {
            Format::Text if found.is_empty() && exit == Exit::Clean => {
                say("no engine is found: containerd, dockerd, podman, crio, buildkitd\n")
            }
            Format::Text => say(&found.iter().map(text).collect::<Vec<_>>().join("\n")),
            Format::Json => {
                let engines: Vec<_> = found.iter().map(object).collect();
                say(&format!("{:#}\n", json!({ "version": 1, "engines": engines })))
            }
        };
        printed.unwrap_or(exit)
    }
}

/// One word for all of it.
fn verdict(coverage: &Coverage) -> &'static str {
    match () {
        () if coverage.all_are_covered() => "covered",
        () if coverage.default_is_covered() => "the default is covered, other names are not",
        () if coverage.handlers.iter().any(|handler| handler.is_covered) => "covered by name only, the default is not",
        () => "not covered",
    }
}

fn text(coverage: &Coverage) -> String {
    let mut out = format!("{}: {}\n", coverage.engine.as_str(), verdict(coverage));
    if let Some(version) = &coverage.version {
        let _ = writeln!(out, "  {}", escape(version));
    }
    let read: Vec<_> = coverage.files.iter().map(|file| file.display().to_string()).collect();
    let _ = writeln!(
        out,
        "  read: {}",
        if read.is_empty() { "no file".to_owned() } else { escape(&read.join(", ")).into_owned() }
    );
    for handler in &coverage.handlers {
        let _ = writeln!(out, "  {}", escape(&line(handler, &coverage.default)));
    }
    for way in &coverage.ways {
        out.push_str(&way_lines(way));
    }
    for note in &coverage.notes {
        let _ = writeln!(out, "  note: {}", escape(note));
    }
    if !coverage.default_is_covered() {
        let _ = writeln!(out, "  hint: batten install {} --default", coverage.engine.as_str());
    }
    out
}

fn line(handler: &Handler, default: &str) -> String {
    let covered = match (handler.is_covered, handler.is_absent) {
        (true, _) => "covered    ",
        (false, true) => "absent     ",
        (false, false) => "not covered",
    };
    let is_default = if handler.name == default { " (default)" } else { "" };
    let from = handler.file.as_ref().map_or_else(|| "built in".to_owned(), |file| file.display().to_string());
    format!("{covered} {}{is_default}: {} [{from}]", handler.name, handler.starts)
}

fn way_lines(way: &Way) -> String {
    let what = escape(&way.what);
    match (way.is_open, way.is_roots) {
        (false, _) => format!("  closed      {what}\n"),
        (true, false) => format!("  open        {what}\n              closed by: {}\n", escape(&way.closed_by)),
        (true, true) => format!("  root's      {what}\n              closed by: {}\n", escape(&way.closed_by)),
    }
}

fn object(coverage: &Coverage) -> serde_json::Value {
    let handlers: Vec<_> = coverage
        .handlers
        .iter()
        .map(|handler| {
            json!({
                "name": handler.name,
                "default": handler.name == coverage.default,
                "covered": handler.is_covered,
                "absent": handler.is_absent,
                "starts": handler.starts,
                "file": handler.file,
            })
        })
        .collect();
    let ways: Vec<_> = coverage
        .ways
        .iter()
        .map(|way| json!({ "what": way.what, "open": way.is_open, "root_only": way.is_roots, "closed_by": way.closed_by }))
        .collect();
    json!({
        "engine": coverage.engine.as_str(),
        "version": coverage.version,
        "files": coverage.files,
        "default": coverage.default,
        "default_covered": coverage.default_is_covered(),
        "all_covered": coverage.all_are_covered(),
        "handlers": handlers,
        "ways": ways,
        "notes": coverage.notes,
    })
}
