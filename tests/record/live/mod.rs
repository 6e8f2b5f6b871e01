//! Live recordings of real containers, by every backend, on every runtime.

mod agreement;
mod arguments;
mod bystanders;
mod capabilities;
mod ends;
mod filters;
mod running;
mod seen;
mod starts;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::{Lab, Ran, has, install, is_emulated, is_root, ran, runtime_command};
use seen::Seen;

/// From the best to the last resort.
const BACKENDS: [&str; 3] = ["bpf", "notify", "ptrace"];

/// Goes on until it is told to end, and says so in a file.
const TICKING: &str = "trap 'exit 0' TERM; while :; do echo tick >> /tmp/ticks; sleep 0.1; done";

/// Runs `test` with a lab for each runtime that is here.
fn on_every_runtime(test: impl Fn(&Lab, &str)) {
    if !is_root() {
        return;
    }
    for runtime in ["runc", "crun"] {
        if let (true, Some(lab)) = (has(runtime), Lab::new()) {
            test(&lab, runtime);
        }
    }
}

/// Runs `test` where the runtime has little part in what it shows.
fn on_some_runtime(test: impl Fn(&Lab, &str)) {
    on_every_runtime(|lab, runtime| {
        if !is_emulated() || runtime == "crun" {
            test(lab, runtime);
        }
    });
}

/// The runtime as a program: crun needs a wrapper on a hybrid host.
fn program_of(lab: &Lab, runtime: &str) -> PathBuf {
    wrapper(lab, runtime, "exec \"$@\"")
}

/// A program that does `what` with the runtime's words in `$@`.
fn wrapper(lab: &Lab, runtime: &str, what: &str) -> PathBuf {
    let command = runtime_command(runtime);
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")))
        .collect();
    let (text, path) = (lab.path("wrapper"), lab.path(runtime));
    fs::write(&text, format!("#!/bin/sh\nset -- {} \"$@\"\n{what}\n", words.join(" "))).unwrap();
    install(&text, &path);
    path
}

fn record_run(lab: &Lab, runtime: &str, options: &[&str]) -> Command {
    let mut batten = Command::new(env!("CARGO_BIN_EXE_batten"));
    batten.args(["record", "run", "--runtime", runtime, "--no-new-privs", "--root"]).arg(lab.path("state"));
    batten.arg("--runtime-path").arg(program_of(lab, runtime)).args(options);
    batten.env("TMPDIR", lab.path("scratch")).arg("--").arg(lab.path("."));
    batten
}

/// Records the bundle and gives what was seen.
fn recorded(lab: &Lab, runtime: &str, options: &[&str]) -> (Ran, Seen) {
    let saved = lab.text("saved.json");
    let _ = fs::remove_file(&saved);
    let run = ran(record_run(lab, runtime, &[options, &["--save", &saved]].concat()).output().unwrap());
    assert!(lab.path("saved.json").exists(), "{options:?} on {runtime}: {}: {}", run.code, run.stderr);
    let seen = Seen::read(lab, "saved.json");
    (run, seen)
}

fn eventually(mut is_so: impl FnMut() -> bool, what: &str) {
    // As long as an emulated machine may need for it.
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "not within 60 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Changes the bundle's config.json.
fn tweak(lab: &Lab, change: impl Fn(&mut Value)) {
    let mut config: Value = serde_json::from_str(&lab.read("config.json")).unwrap();
    change(&mut config);
    fs::write(lab.path("config.json"), config.to_string()).unwrap();
}

/// The containers of the lab. crun keeps a folder `.cache` beside them.
fn containers(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.path("state")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Whether a container of the lab does anything.
fn goes_on(lab: &Lab) {
    let ticks = || fs::metadata(lab.path("rootfs/tmp/ticks")).map_or(0, |file| file.len());
    let before = ticks();
    eventually(|| ticks() > before, "the container goes on");
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
}
