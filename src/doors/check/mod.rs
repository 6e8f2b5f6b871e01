//! `batten check`: the judgement, run dry. Never writes.

mod against;
mod fail_on;
mod progress;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use self::against::Against;
use self::fail_on::FailOn;
use self::progress::Bar;
use super::input::{PolicyFiles, read_file};
use super::{Exit, refuse};
use crate::fleet::{Baseline, Item, Named, Summary, Text, in_order, items, running};
use crate::host::Host;
use crate::memo::Memo;
use crate::policy::Policy;
use crate::report::{Format, Judged, Style, Verdict, Writer, page};
use crate::rules::DocumentKind;

/// Says what the policy would do to bundles, and changes nothing
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten check ./bundle\n  batten check --running --format html > fleet.html\n  \
    batten check --recursive --format sarif /srv/bundles > batten.sarif\n  docker-spec | batten check --format json -\n  \
    batten check --running --against monday.json\n\n\
    Exit codes: 0 all within the policy, 1 some denied, 2 some would be fixed, 3 some unreadable, 4 bad policy or usage; \
    the highest that applies, in the order 3, 1, 2. With --fail-on: 1 what it names was found, 0 not, 3 some unreadable. \
    With --against: 1 also where something in the run would have failed.")]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Check {
    /// Bundle folders, config.json files, *.jsonl files with a document per line, quoted patterns; `-` is standard input
    #[arg(required_unless_present_any = ["running", "against"], value_name = "BUNDLE|FILE|PATTERN|-")]
    paths: Vec<PathBuf>,

    /// Search folders in depth for config.json files
    #[arg(long, short)]
    recursive: bool,

    /// Every input holds one document per line
    #[arg(long)]
    jsonl: bool,

    /// Judge what containerd, Docker, Podman and CRI-O run on this machine now
    #[arg(long)]
    running: bool,

    /// Look for the engines' state below this folder
    #[arg(long, value_name = "FOLDER", default_value = "/", requires = "running")]
    root: PathBuf,

    /// The documents are process files, as `runc exec --process` takes them
    #[arg(long)]
    process: bool,

    /// Would the policy have broken this run? Name recordings (`batten record … --save`) or strace's output; each call that
    /// would have been refused is reported. Without a bundle, for a container that asks for all that the policy permits
    #[arg(long, value_name = "FILE", conflicts_with = "process")]
    against: Vec<PathBuf>,

    #[command(flatten)]
    policy: PolicyFiles,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Say under each finding what its rule is for and what would change; text only
    #[arg(long)]
    explain: bool,

    /// Exit with 1 only for findings of this severity or above (low, medium, high, critical), or of this rule; may be
    /// given several times
    #[arg(long, value_name = "LEVEL|RULE")]
    fail_on: Vec<FailOn>,

    /// Report only what is not in this earlier report of --format jsonl
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Say at the end, on standard error, how many, how fast, and which rules
    #[arg(long)]
    stats: bool,
}

/// What one document came to: all that is kept of it.
struct Row {
    text: String,
    summary: Summary,
    fails: bool,
}

impl Check {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let policy = match self.policy.load() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        let baseline = match self.baseline.as_deref().map(Baseline::read).transpose() {
            Ok(baseline) => baseline,
            Err(error) => {
                let hint = "write one with: batten check --format jsonl ... > baseline.jsonl";
                return refuse(Exit::Usage, &error, hint);
            }
        };
        let against = match Against::read(&self.against) {
            Ok(against) => against,
            Err(exit) => return exit,
        };
        let began = Instant::now();
        match self.report(&policy, baseline.as_ref(), against.as_ref()) {
            Ok((summary, fails)) => {
                if self.stats {
                    stats(&summary, began);
                }
                self.exit(&summary, fails)
            }
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Clean,
            Err(error) => {
                refuse(Exit::Unreadable, &format!("cannot write the output: {error}"), "make room and run again")
            }
        }
    }

    fn report(
        &self,
        policy: &Policy,
        baseline: Option<&Baseline>,
        against: Option<&Against>,
    ) -> std::io::Result<(Summary, bool)> {
        let host = Host { memo: Memo::of_process(), ..Host::detect_for(policy) };
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let writer = Writer { format: self.format, policy, style: Style { colour, explain: self.explain } };
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        out.write_all(writer.head().as_bytes())?;
        let (mut summary, mut fails, mut bar) = (Summary::default(), false, Bar::new());
        let (mut kept, mut first, mut failed) = (String::new(), true, Ok(()));
        let judge = |item| self.row(item, &writer, &host, baseline, against);
        in_order(self.items(policy), judge, |row| {
            let Some(row) = row else { return true };
            summary.merge(row.summary);
            fails |= row.fails;
            bar.step(summary.documents());
            if self.format == Format::Html {
                kept.push_str(&row.text);
            } else if !row.text.is_empty() {
                let between = if std::mem::take(&mut first) { "" } else { writer.between() };
                failed = out.write_all(between.as_bytes()).and_then(|()| out.write_all(row.text.as_bytes()));
            }
            failed.is_ok()
        });
        bar.end();
        failed?;
        let tail = if self.format == Format::Html { page(&summary, &kept) } else { writer.tail(&summary) };
        out.write_all(tail.as_bytes())?;
        out.flush()?;
        Ok((summary, fails))
    }

    fn items(&self, policy: &Policy) -> impl Iterator<Item = Item> {
        let any = (self.paths.is_empty() && !self.running).then(|| against::any_container(policy));
        let named = Named { recursive: self.recursive, lines: self.jsonl };
        let live = if self.running { running(&self.root) } else { Vec::new() };
        if self.running && live.is_empty() {
            eprintln!(
                "note: no running container of containerd, Docker, Podman or CRI-O below {}",
                self.root.display()
            );
        }
        self.paths.clone().into_iter().flat_map(move |path| items(path, named)).chain(live).chain(any)
    }

    /// Nothing for a container that is gone by now.
    fn row(
        &self,
        item: Item,
        writer: &Writer<'_>,
        host: &Host,
        baseline: Option<&Baseline>,
        against: Option<&Against>,
    ) -> Option<Row> {
        let mut judged = self.judge(item, writer.policy, host)?;
        let breaks = against.is_some_and(|against| against.add(&mut judged, writer.policy, host));
        if let Some(baseline) = baseline {
            baseline.subtract(&mut judged);
        }
        let mut summary = Summary::default();
        summary.add(&judged);
        let findings = judged.result.as_ref().map_or(&[][..], |outcome| &outcome.findings);
        let fails = breaks || findings.iter().any(|finding| self.fail_on.iter().any(|named| named.covers(finding)));
        Some(Row { text: writer.document(&judged), summary, fails })
    }

    fn judge(&self, item: Item, policy: &Policy, host: &Host) -> Option<Judged> {
        let Item { name, labels, text } = item;
        let text = match text {
            Text::Read(text) => Ok(text),
            Text::File(path) => read_file(&path),
            Text::Live(path) => match read_file(&path) {
                Err(_) if !path.exists() => return None,
                read => read,
            },
            Text::Missing(message, hint) => Err((message, hint)),
        };
        let kind = if self.process { DocumentKind::Process } else { DocumentKind::Spec };
        let judged = match text {
            Ok(text) => Judged::of(name, text, kind, policy, host),
            Err((message, hint)) => Judged::unreadable(name, message, hint),
        };
        Some(judged.labelled(labels))
    }

    fn exit(&self, summary: &Summary, fails: bool) -> Exit {
        match worst(summary.worst()) {
            Exit::Unreadable => Exit::Unreadable,
            _ if fails => Exit::Denied,
            _ if !self.fail_on.is_empty() => Exit::Clean,
            exit => exit,
        }
    }
}

/// What all documents together come to.
pub fn exit_of(judged: &[Judged]) -> Exit {
    worst(judged.iter().map(Judged::verdict).max())
}

const fn worst(verdict: Option<Verdict>) -> Exit {
    match verdict {
        Some(Verdict::Unreadable) => Exit::Unreadable,
        Some(Verdict::Denied) => Exit::Denied,
        Some(Verdict::WouldFix) => Exit::WouldFix,
        Some(Verdict::Clean) | None => Exit::Clean,
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn stats(summary: &Summary, began: Instant) {
    let (documents, seconds) = (summary.documents(), began.elapsed().as_secs_f64());
    let (rate, mega) = (documents as f64 / seconds, summary.bytes as f64 / 1e6);
    eprintln!("{documents} documents, {mega:.1} MB in {seconds:.2} s: {rate:.0} per second");
    for ((rule, disposition), count) in &summary.rules {
        eprintln!("  {count:>7} {rule} {}", disposition.as_str());
    }
}
