//! What `batten-runtime` adds to a container start.
//!
//! Interleaved rounds of the same command line: a stub runtime that exits at once, the stub behind a static program
//! that only does execve (the floor), and the stub behind the shim, for config.json files as engines write them. Then whole
//! container starts on runc, bare and through the shim. Prints medians; see docs/performance.md for how to read them.
//!
//! `cargo bench --bench shim`; rounds: `BATTEN_BENCH_ROUNDS=500`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Set for a run of this benchmark that only starts the shim once and prints the peak resident memory of its children.
const RESIDENT: &str = "BATTEN_BENCH_RESIDENT";

fn main() {
    if let Some(shim) = std::env::var_os(RESIDENT) {
        let args = std::env::args_os().skip(1);
        assert!(Command::new(shim).args(args).env_remove(RESIDENT).status().unwrap().success());
        println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss());
        return;
    }
    let rounds = std::env::var("BATTEN_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(500);
    let place = Place::new();
    println!("{:<34}{:>10}{:>12}{:>12}{:>10}", "config.json", "stub µs", "floor adds", "shim adds", "ratio");
    for (name, text) in configs() {
        place.compare(&name, &text, rounds);
    }
    println!("peak resident memory of the shim: {} KiB", place.peak_resident_kib());
    container_starts(&place);
}

/// Bundles of three sizes from the tree's own test data.
fn configs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/specs");
    let mut found: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort_by_key(|(_, text)| text.len());
    found
}

struct Place {
    /// In memory, as the bundles of engines are.
    folder: tempfile::TempDir,
    /// All three programs stand on one file system: what a page of a program costs depends on it.
    _programs: tempfile::TempDir,
    stub: PathBuf,
    floor: PathBuf,
    shim: PathBuf,
}

impl Place {
    fn new() -> Self {
        let tmpfs = Path::new("/dev/shm");
        let folder = if tmpfs.is_dir() { tempfile::tempdir_in(tmpfs) } else { tempfile::tempdir() }.unwrap();
        let programs = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let stub = built(programs.path(), "stub");
        let floor = built(programs.path(), "exec_only");
        let shim = programs.path().join("batten-runtime");
        fs::copy(built_shim(), &shim).unwrap();
        fs::write(
            folder.path().join("runtime.toml"),
            format!("runtime = \"{}\"\ndialect = \"runc\"\n", stub.display()),
        )
        .unwrap();
        Self { folder, _programs: programs, stub, floor, shim }
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    fn compare(&self, name: &str, text: &str, rounds: usize) {
        let (mut stub, mut floor, mut shim) = (Vec::new(), Vec::new(), Vec::new());
        fs::create_dir_all(self.bundle()).unwrap();
        for _ in 0..rounds {
            stub.push(self.timed(Command::new(&self.stub)));
            floor.push(self.timed({
                let mut command = Command::new(&self.floor);
                command.arg(&self.stub);
                command
            }));
            fs::write(self.bundle().join("config.json"), text).unwrap();
            shim.push(self.timed(Command::new(&self.shim)));
        }
        let (stub, floor, shim) = (median(stub), median(floor), median(shim));
        let (floor_adds, shim_adds) = (floor.saturating_sub(stub), shim.saturating_sub(stub));
        println!(
            "{:<34}{:>10}{:>12}{:>12}{:>10.2}",
            format!("{name} ({} KB)", text.len() / 1000),
            stub.as_micros(),
            floor_adds.as_micros(),
            shim_adds.as_micros(),
            shim_adds.as_secs_f64() / floor_adds.as_secs_f64(),
        );
    }

    fn peak_resident_kib(&self) -> u64 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        self.dress(&mut command);
        let output = command.env(RESIDENT, &self.shim).stdout(Stdio::piped()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }

    /// The command line and environment that an engine would give.
    fn dress(&self, command: &mut Command) {
        command.args(["--root", "/run/none", "create", "--bundle"]).arg(self.bundle()).arg("bench");
        command.env_clear().env("BATTEN_RUNTIME_CONFIG", self.folder.path().join("runtime.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
    }

    fn timed(&self, mut command: Command) -> Duration {
        self.dress(&mut command);
        let start = Instant::now();
        let status = command.status().unwrap();
        let took = start.elapsed();
        assert!(status.success(), "{command:?}");
        took
    }
}

fn built(folder: &Path, name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor").join(format!("{name}.rs"));
    let target = folder.join(name);
    let arch = std::env::consts::ARCH;
    let status = Command::new("rustc")
        .args(["--edition=2024", "-O", "-C", "panic=abort", "-C", "strip=symbols", "--target"])
        .arg(format!("{arch}-unknown-linux-musl"))
        .arg("-o")
        .args([&target, &source])
        .status()
        .unwrap();
    assert!(status.success(), "rustc {}", source.display());
    target
}

fn built_shim() -> PathBuf {
    let built = format!("target/{}-unknown-linux-musl/release/batten-runtime", std::env::consts::ARCH);
    let path = std::env::var_os("BATTEN_RUNTIME")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(built), PathBuf::from);
    assert!(path.is_file(), "{} is not built: make build", path.display());
    path
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A busybox container on runc, with the filter that Docker writes: bare, and through the shim.
fn container_starts(place: &Place) {
    let runc = ["/usr/sbin/runc", "/usr/bin/runc"].iter().map(Path::new).find(|path| path.is_file());
    let (Some(runc), true) = (runc, nix::unistd::geteuid().is_root() && Path::new("/bin/busybox").is_file()) else {
        println!("SKIPPED container starts: they need root, runc and /bin/busybox");
        return;
    };
    let config = place.folder.path().join("runc.toml");
    fs::write(&config, format!("runtime = \"{}\"\n", runc.display())).unwrap();
    let bundle = place.bundle();
    fs::create_dir_all(bundle.join("rootfs/bin")).unwrap();
    fs::copy("/bin/busybox", bundle.join("rootfs/bin/true")).unwrap();
    for folder in ["proc", "dev", "sys"] {
        fs::create_dir_all(bundle.join("rootfs").join(folder)).unwrap();
    }
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bench/container.json")).unwrap();
    let state = place.folder.path().join("state");
    let run = |program: &Path, number: usize| {
        fs::write(bundle.join("config.json"), &text).unwrap();
        let mut command = Command::new(program);
        command.arg("--root").arg(&state).args(["run", "--bundle"]).arg(&bundle).arg(format!("bench-{number}"));
        command.env("BATTEN_RUNTIME_CONFIG", &config).stdin(Stdio::null()).stdout(Stdio::null());
        let start = Instant::now();
        assert!(command.status().unwrap().success(), "{command:?}");
        start.elapsed()
    };
    let (mut bare, mut through) = (Vec::new(), Vec::new());
    for round in 0..40 {
        bare.push(run(runc, round * 2));
        through.push(run(&place.shim, round * 2 + 1));
    }
    let (bare, through) = (median(bare), median(through));
    println!(
        "container start on runc: bare {:.1} ms, through batten {:.1} ms, ratio {:.3}",
        bare.as_secs_f64() * 1e3,
        through.as_secs_f64() * 1e3,
        through.as_secs_f64() / bare.as_secs_f64(),
    );
}
