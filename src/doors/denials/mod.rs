//! `batten denials`: what was refused, and to whom.

mod desk;
mod screen;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::format::Format;
use super::input::PolicyFiles;
use super::{Exit, refuse, say};
use crate::attest::containers;
use crate::denials::report::{json, text};
use crate::denials::{Containers, Forks, Heard, Moment, News, Reasons, Source};
use crate::host::Host;
use crate::runtime::config::{DecisionLog, ShimConfig};
use desk::Desk;
use screen::Screen;

/// Where auditd writes.
const AUDIT_LOG: &str = "/var/log/audit/audit.log";
/// The journal is here while it runs.
const JOURNAL: &str = "/run/systemd/journal/socket";
/// How often what is new is printed.
const TICK: Duration = Duration::from_millis(250);

/// Says what was refused to containers: system calls and accesses by the kernel's log, starts by batten's own
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten denials                                  # the audit log, the journal or the kernel's buffer, and batten's log
  batten denials --follow                         # a live table; lines where standard output is no terminal
  batten denials --follow --format json | logger  # one object per line, for a log shipper
  journalctl -k -o json | batten denials --log - --container web --fail-on-any

The kernel writes a record for a refused system call only where the filter asks for it: seccomp.log_denials in the policy.
A record names a process; whose it was is found while it lives, or with --follow by root.

Exit codes: 0 the logs were read, 1 --fail-on-any and something was refused, 3 a log could not be read, 4 bad policy or usage.")]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Denials {
    /// Logs of the kernel's or of batten's, in any format: audit.log, kern.log, dmesg's output, the journal as JSON or export;
    /// `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    log: Vec<PathBuf>,

    /// The journal of this boot, or since --since
    #[arg(long)]
    journal: bool,

    /// The kernel's own buffer, /dev/kmsg
    #[arg(long)]
    kmsg: bool,

    /// batten-runtime's log of decisions; without it, the one of its settings
    #[arg(long, value_name = "FILE")]
    decisions: Vec<PathBuf>,

    /// Go on, and show what comes
    #[arg(long, short)]
    follow: bool,

    /// With --follow: show a row again after so many seconds at the earliest, with all that was counted meanwhile
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "follow", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: u64,

    /// Only this container, by its id or the beginning of it, or by its name
    #[arg(long, value_name = "ID|NAME")]
    container: Option<String>,

    /// Only what came later: a time (2026-11-25T15:51:46Z), or how long ago (30s, 15m, 2h, 7d)
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Moment>,

    /// Exit with 1 when anything was refused
    #[arg(long)]
    fail_on_any: bool,

    /// Where runtimes keep their containers (their own --root); without it all places that engines use are looked in
    #[arg(long = "root", value_name = "DIR")]
    roots: Vec<PathBuf>,

    #[command(flatten)]
    policy: PolicyFiles,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn since(text: &str) -> Result<Moment, String> {
    let ago = |text: &str| {
        let (digits, unit) = text.split_at(text.len().checked_sub(1)?);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        digits.parse::<u64>().ok()?.checked_mul(seconds * 1000)
    };
    let moment = text.is_ascii().then(|| ago(text)).flatten().map(|ago| Moment(Moment::now().0.saturating_sub(ago)));
    moment
        .or_else(|| Moment::from_rfc3339(text))
        .ok_or_else(|| "write 30s, 15m, 2h, 7d or 2026-11-25T15:51:46Z".to_owned())
}

impl Denials {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let policy = match self.policy.load() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        let sources = match self.sources() {
            Ok(sources) => sources,
            Err(exit) => return exit,
        };
        let host = Host::detect();
        let forks = if self.follow { forks() } else { None };
        let containers = Containers::new(containers::roots(&self.roots), "/".into()).with_forks(forks);
        let reasons = Reasons::new(&policy, &host);
        let mut desk = Desk::new(self, containers, reasons);
        let exit = if self.follow { self.follow(&mut desk, sources) } else { self.once(&mut desk, &sources.concat()) };
        let any = self.fail_on_any && desk.ledger.denials().next().is_some();
        if exit == Exit::Clean && any { Exit::Denied } else { exit }
    }

    /// What to read: batten's own log, which says who the containers are, and the kernel's.
    fn sources(&self) -> Result<[Vec<Source>; 2], Exit> {
        let config = ShimConfig::load().map_err(|error| refuse(Exit::Usage, &error, error.hint()))?;
        let mut decisions: Vec<Source> = self.decisions.iter().cloned().map(Source::File).collect();
        let is_named = !self.log.is_empty() || self.journal || self.kmsg;
        if let (DecisionLog::File(path), true) = (&config.log, self.decisions.is_empty() && !is_named)
            && path.exists()
        {
            decisions.push(Source::File(path.clone()));
        }
        let named = |path: &PathBuf| match path.as_path() {
            path if path == Path::new("-") => Source::Stdin,
            path => Source::File(path.to_owned()),
        };
        let mut sources: Vec<Source> = self.log.iter().map(named).collect();
        if self.journal {
            sources.push(Source::Journal(self.since));
        }
        if self.kmsg {
            sources.push(Source::Kmsg);
        }
        if !is_named {
            sources.push(self.kernel_log());
        }
        Ok([decisions, sources])
    }

    /// The most complete of the kernel's logs that this machine keeps.
    fn kernel_log(&self) -> Source {
        if Path::new(AUDIT_LOG).exists() {
            Source::File(AUDIT_LOG.into())
        } else if Path::new(JOURNAL).exists() {
            Source::Journal(self.since)
        } else {
            Source::Kmsg
        }
    }

    fn once(&self, desk: &mut Desk<'_>, sources: &[Source]) -> Exit {
        let mut read = Vec::new();
        for source in sources {
            let mut records = false;
            let hear = |heard| {
                records |= heard != Heard::Nothing;
                drop(desk.take(heard));
            };
            if let Err(error) = source.read(hear) {
                return refuse(Exit::Unreadable, &error, error.hint());
            }
            // A file that was named by mistake must not look like a machine where nothing was refused.
            read.push(source.name() + if records { "" } else { " (no record in it)" });
        }
        let names: Vec<String> = sources.iter().map(Source::name).collect();
        if self.format == Format::Text {
            eprintln!("read {}", read.join(", "));
        }
        desk.say_passed_over();
        let printed = match self.format {
            Format::Text => text(&desk.ledger),
            Format::Json => format!("{:#}\n", json(&desk.ledger, &names)),
        };
        say(&printed).unwrap_or(Exit::Clean)
    }

    fn follow(&self, desk: &mut Desk<'_>, [decisions, others]: [Vec<Source>; 2]) -> Exit {
        let mut news = match News::of(decisions, others) {
            Ok(news) => news,
            Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
        };
        let mut screen = Screen::new(self);
        let mut next = Instant::now();
        loop {
            let ended = news.hear(next, |heard| screen.touch(desk.take(heard)));
            if ended.is_some() || Instant::now() >= next {
                next = Instant::now() + TICK;
                screen.touch(desk.settle(ended.is_some()));
                if let Some(exit) = screen.show(&desk.ledger, ended.is_some()) {
                    return exit;
                }
            }
            match ended {
                Some(Ok(())) => return Exit::Clean,
                Some(Err(error)) => return refuse(Exit::Unreadable, &error, error.hint()),
                None => {}
            }
        }
    }
}

/// The kernel's news of processes, where they can be had.
fn forks() -> Option<std::sync::Arc<Forks>> {
    match Forks::listen() {
        Ok(forks) => Some(forks),
        Err(error) => {
            let note = "processes that are gone before their record is read will have no container";
            eprintln!("note: the kernel's news of processes cannot be had ({error}): {note}");
            None
        }
    }
}
