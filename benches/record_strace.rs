//! How fast strace's text is read, against `wc -l` on the same file, and in how much memory.
//!
//! The text is a real trace's kinds of lines, repeated to BATTEN_BENCH_MB megabytes (1000 unless told). Prints medians of five
//! rounds in turn, by the clock and by processor time, which other programs on the machine disturb less; the last file is four
//! times as long and shows that the memory does not grow.
//!
//! `cargo bench --bench record_strace`
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

const LINES: [&str; 12] = [
    "openat(AT_FDCWD, \"/usr/lib/x86_64-linux-gnu/libselinux.so.1\", O_RDONLY|O_CLOEXEC) = 3",
    "read(3, \"\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0>\\0\\1\\0\\0\\0\"..., 832) = 832",
    "newfstatat(3, \"\", {st_mode=S_IFREG|0644, st_size=174312, ...}, AT_EMPTY_PATH) = 0",
    "mmap(NULL, 181960, PROT_READ, MAP_PRIVATE|MAP_DENYWRITE, 3, 0) = 0x7f5e42eb2000",
    "close(3)                          = 0",
    "access(\"/etc/ld.so.preload\", R_OK) = -1 ENOENT (No such file or directory)",
    "futex(0x7f1f2c0009d0, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>",
    "epoll_wait(5, [{events=EPOLLIN, data={u32=11, u64=11}}], 512, -1) = 1",
    "<... futex resumed>)              = 0",
    "write(1, \"a line of a log that some server writes all day long\\n\", 53) = 53",
    "fcntl(7, F_GETFL)                 = 0x8802 (flags O_RDWR|O_NONBLOCK|O_LARGEFILE)",
    "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8948, si_uid=0, si_status=0} ---",
];

fn main() {
    if let Some(path) = std::env::var_os("BATTEN_BENCH_RESIDENT") {
        run_batten(Path::new(&path));
        println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss());
        return;
    }
    let megabytes: u64 = std::env::var("BATTEN_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let folder = tempfile::tempdir().unwrap();
    for (name, leader, size) in
        [("plain", "", megabytes), ("-f -tt -T", "8903 12:35:17.363947 ", megabytes), ("plain, 4x", "", 4 * megabytes)]
    {
        let path = folder.path().join("trace");
        let bytes = write(&path, leader, size * 1_000_000);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            theirs.push(seconds(|| {
                assert!(Command::new("wc").arg("-l").arg(&path).stdout(Stdio::null()).status().unwrap().success());
            }));
            ours.push(seconds(|| run_batten(&path)));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let speed = |time: f64| bytes / time / 1e6;
        println!(
            "{name:<10} {:>6.0} MB: batten {:>6.0} MB/s ({:>6.0} of processor time), wc -l {:>6.0} ({:>6.0}), peak {} KiB",
            bytes / 1e6,
            speed(ours.clock),
            speed(ours.processor),
            speed(theirs.clock),
            speed(theirs.processor),
            resident(&path)
        );
    }
}

#[allow(clippy::cast_precision_loss, reason = "a size")]
fn write(path: &Path, leader: &str, size: u64) -> f64 {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let mut written = 0;
    while written < size {
        for line in LINES {
            let end = if leader.is_empty() || !line.contains(" = ") { "" } else { " <0.000123>" };
            writeln!(file, "{leader}{line}{end}").unwrap();
            written += (leader.len() + line.len() + end.len() + 1) as u64;
        }
    }
    written as f64
}

fn run_batten(path: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batten"));
    let status = command.args(["record", "strace"]).arg(path).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
}

/// The peak memory of one run, in a process of its own so that no other child counts.
fn resident(path: &Path) -> String {
    let me = std::env::current_exe().unwrap();
    let out = Command::new(me).env("BATTEN_BENCH_RESIDENT", path).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Seconds of one run.
#[derive(Clone, Copy)]
struct Time {
    clock: f64,
    processor: f64,
}

fn seconds(work: impl FnOnce()) -> Time {
    let (began, before) = (Instant::now(), processor());
    work();
    Time { clock: began.elapsed().as_secs_f64(), processor: processor() - before }
}

/// What children that have ended used so far.
#[allow(clippy::cast_precision_loss, reason = "seconds")]
fn processor() -> f64 {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    [used.user_time(), used.system_time()].iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum()
}

fn median(times: Vec<Time>) -> Time {
    let middle = |of: fn(&Time) -> f64| {
        let mut all: Vec<f64> = times.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Time { clock: middle(|time| time.clock), processor: middle(|time| time.processor) }
}
