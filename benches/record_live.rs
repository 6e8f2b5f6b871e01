//! What a live recording costs the container that is recorded, per backend.
//!
//! Two workloads in a container on runc: one that does nothing but call (`dd` with blocks of one byte: a read and a write
//! each), and an ordinary one (a shell that lists, copies and hashes files). Rounds in turn: without a recording, with each
//! backend, and with `strace -f -o` and `strace -f -c`, which is what one would have used. The time is the container's
//! program's own, from its first instruction to its end, as it measures it itself. Prints medians and the fastest rounds,
//! with their ratios; of calls the time of one, as who is slow makes fewer of them.
//!
//! `cargo bench --bench record_live`, a minute and a half; rounds: `BATTEN_BENCH_ROUNDS=5`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A read and a write for each block.
fn calls(blocks: u32) -> String {
    format!("dd if=/dev/zero of=/dev/null bs=1 count={blocks} 2> /dev/null")
}

const ORDINARY: &str = "i=0; while [ $i -lt 8 ]; do ls -lR /bin > /tmp/list; cp /bin/busybox /tmp/copy; sha256sum /tmp/copy > /tmp/sum; \
                        gzip -c /tmp/copy > /tmp/copy.gz; i=$((i+1)); done";

/// How a round is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Not,
    By(&'static str),
    Strace(&'static [&'static str]),
}

impl Watched {
    /// So many that the round takes a second or so.
    fn blocks(self) -> u32 {
        match self {
            Self::Not | Self::By("bpf") => 400_000,
            Self::By("notify") => 50_000,
            Self::By(_) | Self::Strace(_) => 10_000,
        }
    }
}

fn main() {
    if !nix::unistd::geteuid().is_root() || !Path::new("/bin/busybox").is_file() {
        println!("SKIPPED: live recordings need root, runc and /bin/busybox");
        return;
    }
    let rounds = std::env::var("BATTEN_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let place = Place::new();
    let kinds = [
        ("not recorded", Watched::Not),
        ("bpf", Watched::By("bpf")),
        ("notify", Watched::By("notify")),
        ("ptrace", Watched::By("ptrace")),
        ("strace -f", Watched::Strace(&["-f"])),
        ("strace -f -c", Watched::Strace(&["-f", "-c"])),
    ];
    let in_turn = |name: &str, unit: &str, round: &dyn Fn(Watched) -> f64| {
        let mut times = vec![Vec::new(); kinds.len()];
        for _ in 0..rounds {
            for (times, (_, watched)) in times.iter_mut().zip(kinds) {
                times.push(round(watched));
            }
        }
        let times: Vec<(f64, f64)> = times.into_iter().map(median_and_least).collect();
        for ((kind, _), (median, least)) in kinds.iter().zip(&times) {
            let (of_median, of_least) = (median / times[0].0, least / times[0].1);
            println!(
                "{name:<12}{kind:<14}{median:>9.3} {unit} ratio {of_median:>6.2}, fastest {least:>9.3}, {of_least:>6.2}"
            );
        }
    };
    in_turn("one call", "µs", &|watched| {
        place.round(&calls(watched.blocks()), watched) * 1e6 / f64::from(2 * watched.blocks())
    });
    in_turn("ordinary", "s", &|watched| place.round(ORDINARY, watched));
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "proc", "dev", "tmp"] {
            fs::create_dir_all(place.path("rootfs").join(folder)).unwrap();
        }
        fs::copy("/bin/busybox", place.path("rootfs/bin/busybox")).unwrap();
        for applet in ["sh", "dd", "ls", "cp", "sha256sum", "gzip", "date"] {
            std::os::unix::fs::symlink("busybox", place.path("rootfs/bin").join(applet)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One container; gives the seconds that its script took.
    fn round(&self, script: &str, watched: Watched) -> f64 {
        // /proc/uptime has too few digits: the modification times of two files have enough.
        let script = format!(": > /tmp/begin; {script}; : > /tmp/end");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bench/container.json"));
        let mut config: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
        config["process"]["args"] = serde_json::json!(["/bin/sh", "-c", script]);
        config["process"]["terminal"] = false.into();
        config["root"] = serde_json::json!({"path": "rootfs"});
        config["linux"].as_object_mut().unwrap().remove("seccomp");
        fs::write(self.path("config.json"), config.to_string()).unwrap();
        match watched {
            Watched::By(backend) => self.recorded(backend),
            Watched::Not => self.started(&[]),
            Watched::Strace(options) => self.started(options),
        }
        let written = |name: &str| fs::metadata(self.path("rootfs/tmp").join(name)).unwrap().modified().unwrap();
        written("end").duration_since(written("begin")).unwrap().as_secs_f64()
    }

    fn recorded(&self, backend: &str) {
        let mut batten = Command::new(env!("CARGO_BIN_EXE_batten"));
        batten.args(["record", "run", "--runtime", "runc", "--backend", backend, "--root"]).arg(self.path("state"));
        batten.arg("--").arg(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(batten.status().unwrap().success(), "{batten:?}");
    }

    fn started(&self, strace: &[&str]) {
        let runc = |words: &[&str]| {
            let mut runc = Command::new("runc");
            runc.arg("--root").arg(self.path("state")).args(words).stdin(Stdio::null()).stdout(Stdio::null());
            assert!(runc.status().unwrap().success(), "{runc:?}");
        };
        let pid_file = self.path("pid").display().to_string();
        runc(&["create", "-b", &self.folder.path().display().to_string(), "--pid-file", &pid_file, "bench"]);
        let pid = fs::read_to_string(&pid_file).unwrap();
        let mut tracer = (!strace.is_empty()).then(|| {
            let mut command = Command::new("strace");
            command.args(strace).arg("-o").arg(self.path("trace")).args(["-p", &pid]).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        while tracer.is_some() && status(&pid).contains("TracerPid:\t0\n") {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        runc(&["start", "bench"]);
        if let Some(tracer) = &mut tracer {
            tracer.wait().unwrap();
        }
        while !(status(&pid).is_empty() || status(&pid).contains("State:\tZ")) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        runc(&["delete", "--force", "bench"]);
    }
}

fn status(pid: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

fn median_and_least(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}
