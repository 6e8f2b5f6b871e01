//! `batten apparmor learn`: from the log to a diff of the TOML.

use std::path::{Path, PathBuf};

use clap::Args;

use super::note;
use crate::apparmor::learn::{Event, Heard, Lesson, Why, edit};
use crate::apparmor::{Profile, TomlError, check_name, read_text};
use crate::denials::{Accesses, Source};
use crate::doors::record::source::recordings;
use crate::doors::{Exit, refuse, say};
use crate::record::output::accesses;
use crate::record::strace::Options;
use crate::report;
use crate::seccomp::Arch;
use crate::spec::{Durability, TrustedFile};

/// Proposes the rules that a profile lacks, from what the kernel logged
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten apparmor complain web                                  # then run the workload
  batten apparmor learn --journal --profile web web.toml        # look at the diff
  batten apparmor learn --log /var/log/audit/audit.log --profile web web.toml --write
  dmesg | batten apparmor learn --log - --profile web > web.patch
  batten apparmor learn --recording all.json --profile web web.toml   # what batten record saw: capabilities, socket families

Prints a diff to the TOML and changes nothing without --write; without a TOML, the diff makes a new one. Process ids,
numbers and random names in paths become wildcards, and each is said. What the profile denies by name stays denied.

Exit codes: 0 nothing to add, 2 rules are proposed (or written), 3 the log or the TOML is unreadable, 4 wrong usage.")]
pub(super) struct Learn {
    /// The TOML to add to
    file: Option<PathBuf>,

    /// The profile's name, as the log has it
    #[arg(long, value_name = "NAME")]
    profile: String,

    /// A log: audit.log, kern.log, dmesg's output, the journal as JSON or export; `-` reads standard input. Only what the kernel
    /// itself wrote counts
    #[arg(long, value_name = "FILE", required_unless_present_any = ["journal", "recording"])]
    log: Vec<PathBuf>,

    /// The journal of this boot
    #[arg(long)]
    journal: bool,

    /// A recording of `batten record` (--save), or strace's text: the capabilities and socket families that it shows
    #[arg(long, value_name = "FILE")]
    recording: Vec<PathBuf>,

    /// Write the TOML instead of printing the diff
    #[arg(long, requires = "file")]
    write: bool,
}

impl Learn {
    pub(super) fn run(&self) -> Exit {
        match self.learn() {
            Ok(exit) | Err(exit) => exit,
        }
    }

    fn learn(&self) -> Result<Exit, Exit> {
        let (before, profile) = self.toml()?;
        let heard = self.hear()?;
        let lesson = profile.learn(&heard.events);
        self.explain(&heard, &lesson, &profile);
        if lesson.proposals.is_empty() && !lesson.needs_attach_disconnected {
            return Ok(Exit::Clean);
        }
        let name =
            self.file.as_ref().map_or_else(|| format!("{}.toml", self.profile), |file| file.display().to_string());
        let after = edit(&before, &lesson).map_err(|error| {
            refuse(Exit::Unreadable, &format!("{name}: {error}"), "docs/apparmor.md shows how the sections are written")
        })?;
        if let (true, Some(file)) = (self.write, &self.file) {
            return write(file, &after);
        }
        // Without a TOML, the diff is the whole new file.
        let old = if self.file.is_some() { before } else { String::new() };
        Ok(say(&report::unified(&name, &old, &after)).unwrap_or(Exit::WouldFix))
    }

    /// The TOML and the profile in it; a new one where none is named.
    fn toml(&self) -> Result<(String, Profile), Exit> {
        let unreadable = |error: TomlError| refuse(Exit::Unreadable, &error, error.hint());
        let Some(file) = &self.file else {
            check_name(&self.profile).map_err(|error| {
                refuse(Exit::Usage, &format!("no TOML can be written for {:?}: {error}", self.profile), error.hint())
            })?;
            return Ok((format!("name = \"{}\"\n", self.profile), Profile::new(&self.profile)));
        };
        let text = read_text(file).map_err(unreadable)?;
        let profile = Profile::from_toml(file, &text).map_err(unreadable)?;
        if profile.name != self.profile {
            let message = format!("{} is the profile {:?}, not {:?}", file.display(), profile.name, self.profile);
            return Err(refuse(Exit::Usage, &message, "name the TOML of the profile that the log is about"));
        }
        Ok((text, profile))
    }

    fn hear(&self) -> Result<Heard, Exit> {
        let files = self.log.iter().map(|path| match path.as_path() {
            path if path == Path::new("-") => Source::Stdin,
            path => Source::File(path.to_owned()),
        });
        let mut accesses = Accesses::of(&self.profile);
        for source in files.chain(self.journal.then_some(Source::Journal(None))) {
            let hint = match source {
                Source::Journal(_) => "is systemd's journal on this machine? --log reads files",
                _ => "name a file that the kernel's messages are in, or use --journal",
            };
            source.read(|heard| accesses.take(heard)).map_err(|error| refuse(Exit::Unreadable, &error, hint))?;
        }
        let mut heard = accesses.finish();
        if !self.recording.is_empty() {
            heard.events.extend(self.recorded()?);
        }
        Ok(heard)
    }

    fn recorded(&self) -> Result<Vec<Event>, Exit> {
        let recording = recordings(&self.recording, Options { arch: Arch::NATIVE, arguments: true })?;
        let events = accesses(&recording);
        if recording.capabilities.is_none() {
            note("note", "the recording does not show capabilities: batten record run and --container do");
        }
        Ok(events)
    }

    /// What a person should know before applying the diff.
    fn explain(&self, heard: &Heard, lesson: &Lesson, profile: &Profile) {
        if heard.is_incomplete {
            note(
                "warning",
                "the log says that messages were lost: learn again from a run that is logged in full (auditd, or audit_rate_limit=0)",
            );
        }
        if heard.events.is_empty() && (self.journal || !self.log.is_empty()) {
            let others = heard.others.iter().take(5).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            let others = if others.is_empty() {
                "nor about any other profile".to_owned()
            } else {
                format!("but about {others}")
            };
            note("note", &format!("the kernel has logged nothing about {:?} there, {others}", self.profile));
        }
        for proposal in &lesson.proposals {
            let what = proposal.describe();
            let comm = &proposal.comm;
            if let Some(from) = &proposal.from {
                note("note", &format!("{what}: made wider than {from}, which {comm} used"));
            }
            if let Some(concern) = proposal.concern {
                note("warning", &format!("{what}: {concern} ({comm}, {} times)", proposal.times));
            }
        }
        for left in &lesson.left {
            let why = match left.why {
                Why::Denied(at) => format!("denied by a rule of {:?} (rule {}), which stays", profile.name, at + 1),
                Why::Unknown => "batten writes no rule for it".to_owned(),
                Why::Unconfined => "it would leave confinement".to_owned(),
            };
            note("note", &format!("{} is not proposed: {why} ({} times)", left.what, left.times));
        }
    }
}

fn write(file: &Path, text: &str) -> Result<Exit, Exit> {
    let target = TrustedFile::open(file).map_err(|error| refuse(Exit::Unreadable, &error, error.hint()))?;
    target
        .replace(text.as_bytes(), Durability::Disk)
        .map_err(|error| refuse(Exit::Unreadable, &error, error.hint()))?;
    note("note", &format!("wrote {}; load it with batten apparmor load", file.display()));
    Ok(Exit::WouldFix)
}
