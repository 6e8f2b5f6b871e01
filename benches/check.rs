//! How fast `batten check` is over a fleet, and in how much memory.
//!
//! Writes specs of 10 to 60 KB, made of what engines wrote (`testdata/specs`) with other names, variables and
//! capabilities, and checks them: a thousand and ten thousand, to see whether time grows with their number and memory does
//! not; as they are, by a level that most of them are out of, and once more with nothing out of policy. Beside it, what
//! other ways cost: `jq . FILE`, and a process of batten per bundle.
//!
//! Commands take turns, and what counts is the median of their processor time, which a busy machine changes least.
//!
//! `cargo bench --bench check`; `BATTEN_BENCH_SPECS=10000`; `BATTEN_BENCH_PROGRAM=batten` measures that program instead of
//! the one that cargo built for the benchmark.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use batten::enforce::enforce;
use batten::host::Host;
use batten::policy::Policy;
use batten::rules::DocumentKind;
use batten::spec::Document;
use nix::sys::resource::{UsageWho, getrusage};

/// Set for a run of this benchmark that only runs one command and prints what it took.
const MEASURED: &str = "BATTEN_BENCH_MEASURED";

/// How often each is run; the median counts.
const ROUNDS: usize = 5;

fn main() {
    if std::env::var_os(MEASURED).is_some() {
        return measured();
    }
    let specs = std::env::var("BATTEN_BENCH_SPECS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().unwrap();
    let restricted = folder.path().join("restricted.toml");
    fs::write(&restricted, "level = 'restricted'\n").unwrap();
    let policy = restricted.to_str().unwrap();
    println!("{:<50}{:>8}{:>10}{:>14}{:>14}{:>10}", "", "wall ms", "cpu ms", "µs cpu each", "2 cores, 1/s", "peak MB");
    for count in [specs / 10, specs] {
        let fleet = Fleet::write(&folder.path().join(count.to_string()), count);
        println!(
            "{count} specs, {:.0} MB, {:.1} KB each",
            fleet.bytes as f64 / 1e6,
            fleet.bytes as f64 / 1e3 / count as f64
        );
        let (bundles, clean, lines) =
            (fleet.folder.to_str().unwrap(), fleet.clean.to_str().unwrap(), fleet.lines.to_str().unwrap());
        in_turn(
            count,
            &[
                ("check -r (text)", vec!["-r", bundles]),
                ("check -r --format jsonl", vec!["-r", "--format", "jsonl", bundles]),
                ("check -r --format sarif", vec!["-r", "--format", "sarif", bundles]),
                ("check -r --no-spec --format jsonl", vec!["-r", "--no-spec", "--format", "jsonl", bundles]),
                ("check fleet.jsonl --format jsonl", vec!["--format", "jsonl", lines]),
                ("check -r, level = restricted", vec!["-r", "--policy", policy, bundles]),
                (
                    "check -r --format jsonl, level = restricted",
                    vec!["-r", "--policy", policy, "--format", "jsonl", bundles],
                ),
                ("check -r, nothing out of policy", vec!["-r", clean]),
            ],
        );
        if count == specs {
            one_process_each(&fleet);
        }
    }
}

fn batten() -> String {
    std::env::var("BATTEN_BENCH_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_batten").to_owned())
}

struct Fleet {
    folder: PathBuf,
    /// The same, brought within the policy.
    clean: PathBuf,
    /// The same, one per line.
    lines: PathBuf,
    bytes: usize,
}

impl Fleet {
    fn write(folder: &Path, count: usize) -> Self {
        let [own, clean, lines] = ["own", "clean", "fleet.jsonl"].map(|name| folder.join(name));
        let mut fleet = Self { folder: own, clean, lines, bytes: 0 };
        let originals = originals();
        let mut seed = Seed(0x9e37_79b9_7f4a_7c15);
        let mut lines = String::new();
        for number in 0..count {
            let text = variant(&originals[number % originals.len()], number, &mut seed);
            bundle(&fleet.folder, number, &text);
            bundle(&fleet.clean, number, &within_policy(&text));
            fleet.bytes += text.len();
            lines.push_str(&text);
            lines.push('\n');
        }
        fs::write(&fleet.lines, lines).unwrap();
        fleet
    }
}

fn bundle(folder: &Path, number: usize, text: &str) {
    let bundle = folder.join(format!("ns{}/c{number}", number % 50));
    fs::create_dir_all(&bundle).unwrap();
    fs::write(bundle.join("config.json"), text).unwrap();
}

fn within_policy(text: &str) -> String {
    thread_local! {
        static HOST: Host = Host { memo: batten::memo::Memo::of_process(), ..Host::detect() };
    }
    let (policy, document) = (Policy::built_in(), Document::parse_spec(text).unwrap());
    let subject = policy.subject_of(&document);
    HOST.with(|host| enforce(document, DocumentKind::Spec, &subject, &policy, host)).unwrap().text
}

/// What Docker, Podman and containerd wrote, without the one that is large by itself.
fn originals() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/specs");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().contains("many-variables"));
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap().trim().replace('\n', " ")).collect()
}

/// A generator that gives the same numbers on every machine (xorshift64).
struct Seed(u64);

impl Seed {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Another container: its own name, more variables up to a size between 10 and 60 KB, one capability more or less.
fn variant(original: &str, number: usize, seed: &mut Seed) -> String {
    let size = 10_000 + seed.below(50_000);
    let mut more = String::new();
    let mut variable = 0;
    while original.len() + more.len() < size {
        let _ = write!(
            more,
            "\"SERVICE_{variable}_OF_{number}=tcp://10.{}.{}.{}:80\",",
            seed.below(256),
            seed.below(256),
            seed.below(256)
        );
        variable += 1;
    }
    let mut text = original.replacen("\"env\":[", &format!("\"env\":[{more}"), 1);
    if seed.below(3) == 0 {
        text = text.replacen("\"CAP_CHOWN\"", "\"CAP_SYS_PTRACE\",\"CAP_CHOWN\"", 1);
    }
    text.replacen("\"cwd\":\"/", &format!("\"cwd\":\"/srv/{number}/"), 1)
}

/// Wall and processor time in milliseconds, and peak resident memory in KiB.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    peak: i64,
}

/// Runs one command in a process whose children are that command alone.
fn measure(program: &str, args: &[&str]) -> Cost {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg(program)
        .args(args)
        .env(MEASURED, "1")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    #[allow(clippy::cast_possible_truncation, reason = "KiB")]
    let peak = numbers[2] as i64;
    Cost { wall: numbers[0], cpu: numbers[1], peak }
}

fn measured() {
    let args: Vec<_> = std::env::args_os().skip(1).filter(|arg| arg != "--bench").collect();
    let began = Instant::now();
    let status = Command::new(&args[0]).args(&args[1..]).env_remove(MEASURED).stdout(Stdio::null()).status().unwrap();
    let wall = began.elapsed().as_secs_f64() * 1e3;
    assert!(status.code().is_some_and(|code| code <= 2), "{status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let time = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    println!("{wall} {} {}", time(usage.user_time()) + time(usage.system_time()), usage.max_rss());
}

/// Runs each of `commands` in its turn, some times over.
fn in_turn(count: usize, commands: &[(&str, Vec<&str>)]) {
    let batten = batten();
    let mut costs = vec![Vec::new(); commands.len()];
    for _ in 0..ROUNDS {
        for ((_, args), costs) in commands.iter().zip(&mut costs) {
            costs.push(measure(&batten, &[&["check"], args.as_slice()].concat()));
        }
    }
    for ((name, _), costs) in commands.iter().zip(costs) {
        report(name, count, &costs);
    }
}

fn report(name: &str, count: usize, costs: &[Cost]) {
    let median = |of: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = costs.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (wall, cpu) = (median(|cost| cost.wall), median(|cost| cost.cpu));
    let peak = costs.iter().map(|cost| cost.peak).max().unwrap();
    let each = cpu * 1e3 / count as f64;
    println!("{name:<50}{wall:>8.0}{cpu:>10.0}{each:>14.1}{:>14.0}{:>10.1}", 2e6 / each, peak as f64 / 1024.0);
}

/// For scale: a process for each of some hundred files.
fn one_process_each(fleet: &Fleet) {
    const SOME: usize = 200;
    let files: Vec<String> =
        (0..SOME).map(|n| format!("{}/ns{}/c{n}/config.json", fleet.folder.display(), n % 50)).collect();
    let each = |name: &str, program: &str, args: &[&str]| {
        let began = Instant::now();
        for file in &files {
            Command::new(program).args(args).arg(file).stdout(Stdio::null()).status().unwrap();
        }
        let wall = began.elapsed().as_secs_f64() * 1e3;
        println!("{:<50}{wall:>8.0} for {SOME} files, {:.0} in a second", name, SOME as f64 / wall * 1e3);
    };
    if Command::new("jq").arg("--version").stdout(Stdio::null()).status().is_ok() {
        each("jq . FILE", "jq", &["."]);
    } else {
        println!("jq is not installed: not compared");
    }
    each("batten check FILE", &batten(), &["check"]);
}
