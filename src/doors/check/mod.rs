//! `batten check`: the judgement, run dry. Never writes.

mod against;
mod fail_on;
mod progress;
mod sheet;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use self::against::Against;
use self::fail_on::FailOn;
use self::sheet::{Row, Sheet};
use super::input::{PolicyFiles, one_standard_input, read_file};
use super::{Exit, refuse};
use crate::fleet::{Baseline, Item, Judged, Named, Running, Summary, Text, Verdict, in_order, items, running};
use crate::host::{Host, Namespaces};
use crate::memo::Memo;
use crate::policy::Policy;
use crate::report::{Format, Style, Writer};
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

    /// Judge what runs on this machine now: under containerd, Docker, Podman, CRI-O, or runc, crun and youki themselves
    #[arg(long)]
    running: bool,

    /// Look for the engines' state below this folder
    #[arg(long, value_name = "FOLDER", default_value = "/", requires = "running")]
    root: PathBuf,

    /// Besides the known places, look for running containers where a runtime was told to keep its state (`runc --root`);
    /// may be given several times
    #[arg(long, value_name = "FOLDER", requires = "running")]
    runtime_root: Vec<PathBuf>,

    /// The documents are process files, as `runc exec --process` takes them
    #[arg(long, conflicts_with = "running")]
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

    /// Exit with 1 only for findings of this severity or above (low, medium, high, critical), of this rule, or for a
    /// document that breaks a MUST of the runtime-spec (spec); may be given several times
    #[arg(long, value_name = "LEVEL|RULE|spec")]
    fail_on: Vec<FailOn>,

    /// Do not say where a document is not what the runtime-spec says it must be
    #[arg(long)]
    no_spec: bool,

    /// Report only what is not in this earlier report of --format jsonl
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Say at the end, on standard error, how many, how fast, and which rules
    #[arg(long)]
    stats: bool,
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
        if self.no_spec && self.fail_on.iter().any(|named| named.is_spec()) {
            return refuse(Exit::Usage, &"--fail-on spec needs what --no-spec leaves out", "give one of them");
        }
        if let Err(exit) = one_standard_input(self.paths.iter().map(PathBuf::as_path)) {
            return exit;
        }
        let began = Instant::now();
        match self.report(&policy, baseline.as_ref(), against.as_ref()) {
            Ok((summary, fails)) => {
                if self.stats {
                    stats(&summary, began);
                }
                self.exit(&summary, fails)
            }
            // The reader went away before all were judged: nobody may take that for a clean run.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Unreadable,
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
        let live = Host { namespaces: Namespaces::Of(self.root.join("proc")), ..host.clone() };
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let spec_fails = self.fail_on.iter().any(|named| named.is_spec());
        let writer = Writer { format: self.format, policy, style: Style { colour, explain: self.explain }, spec_fails };
        let mut sheet = Sheet::begin(writer, std::io::stdout().lock())?;
        let judge = |item: Item| {
            let host = if matches!(item.text, Text::Live(_)) { &live } else { &host };
            let mut judged = self.judge(item, policy, host)?;
            let breaks = against.is_some_and(|against| against.add(&mut judged, policy, host));
            Some(self.row(judged, breaks, &writer, baseline))
        };
        in_order(self.items(policy), judge, |row| row.is_none_or(|row| sheet.add(row)));
        // Of one container it says nothing that a policy's other waivers do not concern it.
        if sheet.summary.documents() > 1 {
            for report in sheet.waivers.reports(policy, host.today()) {
                sheet.add(self.row(report, false, &writer, baseline));
            }
        }
        sheet.end()
    }

    fn items(&self, policy: &Policy) -> impl Iterator<Item = Item> {
        let any = (self.paths.is_empty() && !self.running).then(|| against::any_container(policy));
        let named = Named { recursive: self.recursive, lines: self.jsonl };
        let live = if self.running { self.live() } else { Vec::new() };
        self.paths.clone().into_iter().flat_map(move |path| items(path, named)).chain(live).chain(any)
    }

    fn live(&self) -> Vec<Item> {
        let Running { items, of_others } = running(&self.root, &self.runtime_root);
        for folder in of_others {
            eprintln!(
                "note: the containers in {} are another user's and left out; run this as that user to judge them",
                folder.display()
            );
        }
        if items.is_empty() {
            let places = [&self.root].into_iter().chain(&self.runtime_root).map(|path| path.display().to_string());
            eprintln!("note: no running container is found below {}", places.collect::<Vec<_>>().join(" or "));
        }
        items
    }

    /// `breaks`: whether a run that the document was held against would have failed.
    fn row(&self, mut judged: Judged, breaks: bool, writer: &Writer<'_>, baseline: Option<&Baseline>) -> Row {
        if let Some(baseline) = baseline {
            baseline.subtract(&mut judged);
        }
        let mut summary = Summary::default();
        summary.add(&judged);
        let named = judged.findings().iter().any(|finding| self.fail_on.iter().any(|named| named.covers(finding)));
        let fails = breaks || named || (writer.spec_fails && summary.invalid > 0);
        let used_waivers = judged.result.as_ref().map(|outcome| outcome.used_waivers.clone()).unwrap_or_default();
        let empty = judged.is_policy() && judged.findings().is_empty();
        let text = if empty { String::new() } else { writer.document(&judged) };
        Row { text, hunks: writer.hunks(&judged), summary, fails, used_waivers }
    }

    /// Nothing for a container that is gone by now.
    fn judge(&self, item: Item, policy: &Policy, host: &Host) -> Option<Judged> {
        let Item { name, labels, text } = item;
        let mut line_of = None;
        let text = match text {
            Text::Read(text) => Ok(text),
            Text::Line(text, file, number) => {
                line_of = Some((file, number));
                Ok(text)
            }
            Text::File(path) => read_file(&path),
            Text::Live(path) => match read_file(&path) {
                Err(_) if !path.exists() => return None,
                read => read,
            },
            Text::Missing(message, hint) => Err((message, hint)),
        };
        let kind = if self.process { DocumentKind::Process } else { DocumentKind::Spec };
        let judged = match text {
            Ok(text) if self.no_spec => Judged::of(name, text, kind, policy, host),
            Ok(text) => Judged::with_spec(name, text, kind, policy, host),
            Err((message, hint)) => Judged::unreadable(name, message, hint),
        };
        let judged = judged.labelled(labels);
        Some(match line_of {
            Some((file, number)) => judged.on_line(file, number),
            None => judged,
        })
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
    let noun = if documents == 1 { "document" } else { "documents" };
    eprintln!("{documents} {noun}, {mega:.1} MB in {seconds:.2} s: {rate:.0} per second");
    for ((rule, disposition), count) in &summary.rules {
        eprintln!("  {count:>7} {rule} {}", disposition.as_str());
    }
}
