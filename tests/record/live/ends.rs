//! How recordings end: by ^C, or killed, batten or who helps it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{BACKENDS, TICKING, containers, eventually, goes_on, interrupt, on_some_runtime, record_run, wrapper};
use crate::lab::{Lab, allowed, has, ran, runtime_command};

/// A recording of a container that goes on.
fn ticking(lab: &Lab, runtime: &str, backend: &str) -> Child {
    let _ = fs::remove_file(lab.path("rootfs/tmp/ticks"));
    lab.bundle(&["/bin/sh", "-c", TICKING], None, true);
    let mut batten = record_run(lab, runtime, &["--backend", backend]);
    let batten = batten.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    goes_on(lab);
    batten
}

/// A recording whose runtime does not come back from `step`, which it `does` before it hangs or not, and the file that says it
/// got there.
fn hanging(lab: &Lab, runtime: &str, (step, does): (&str, bool), options: &[&str]) -> (Command, PathBuf) {
    let _ = fs::remove_file(lab.path("rootfs/tmp/ticks"));
    lab.bundle(&["/bin/sh", "-c", TICKING], None, true);
    let mut batten = record_run(lab, runtime, &[&["--backend", "notify"], options].concat());
    let there = lab.path("there");
    let _ = fs::remove_file(&there);
    let done = if does { "\"$@\";" } else { "" };
    let there_text = there.display();
    let what = format!("case \" $* \" in *' {step} '*) {done} : > {there_text}; exec sleep 1000;; esac\nexec \"$@\"");
    wrapper(lab, runtime, &what);
    batten.stdout(Stdio::piped()).stderr(Stdio::piped());
    (batten, there)
}

/// Once the container is created, and before it is started.
const BEFORE_THE_PROGRAM: [(&str, bool); 2] = [("create", true), ("start", false)];

/// What `--start-within` lets a runtime that does come back come back here, in seconds: many times what it takes.
fn patience(lab: &Lab, runtime: &str) -> String {
    lab.bundle(&["/bin/true"], None, true);
    let begun = Instant::now();
    assert!(record_run(lab, runtime, &["--backend", "notify"]).output().unwrap().status.success());
    (5.0 * begun.elapsed().as_secs_f32()).ceil().to_string()
}

fn end_containers(lab: &Lab, runtime: &str) {
    for id in containers(lab) {
        let mut kill = runtime_command(runtime);
        kill.arg("--root").arg(lab.path("state")).args(["kill", &id, "KILL"]);
        assert!(kill.status().unwrap().success());
    }
}

fn nothing_is_left(lab: &Lab) {
    eventually(|| containers(lab).is_empty(), "no container is left");
    eventually(|| fs::read_dir(lab.path("scratch")).unwrap().count() == 0, "no folder is left");
    eventually(|| companions(lab, "").is_empty(), "no process of batten's is left");
}

/// The processes that help batten with a container of the lab.
fn companions(lab: &Lab, name: &str) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    let helps = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(&format!(" record {name}")) && line.contains(&lab.text(""))
    };
    pids.filter(helps).collect()
}

fn kill_with_9(pids: &[i32]) {
    assert!(!pids.is_empty());
    for pid in pids {
        kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap();
    }
}

#[test]
fn when_batten_is_killed_the_container_goes_on_and_in_the_end_nothing_is_left() {
    if !has("bpftool") {
        return;
    }
    on_some_runtime(|lab, runtime| {
        for backend in BACKENDS {
            let mut batten = ticking(lab, runtime, backend);
            let programs = programs_of_batten(&batten);
            assert!((backend == "bpf") == programs.iter().any(|program| is_in_the_kernel(program)), "{programs:?}");
            assert_eq!(companions(lab, "notify-agent").is_empty(), backend != "notify");
            batten.kill().unwrap();
            batten.wait().unwrap();
            goes_on(lab);
            eventually(|| !programs.iter().any(|program| is_in_the_kernel(program)), "no program is left");
            end_containers(lab, runtime);
            nothing_is_left(lab);
        }
    });
}

#[test]
fn when_batten_is_killed_before_it_knows_that_the_container_s_program_runs_the_container_goes_on() {
    on_some_runtime(|lab, runtime| {
        let (mut batten, there) = hanging(lab, runtime, ("start", true), &[]);
        let mut batten = batten.spawn().unwrap();
        eventually(|| there.exists(), "the runtime hangs");
        // What the runtime has started may still be the runtime itself.
        goes_on(lab);
        batten.kill().unwrap();
        batten.wait().unwrap();
        // Whoever clears up has made up his mind when the runtime is gone and a while has passed.
        (0..10).for_each(|_| goes_on(lab));
        end_containers(lab, runtime);
        nothing_is_left(lab);
    });
}

#[test]
fn when_batten_is_killed_before_the_container_s_program_runs_nothing_is_left() {
    on_some_runtime(|lab, runtime| {
        for step in BEFORE_THE_PROGRAM {
            let (mut batten, there) = hanging(lab, runtime, step, &[]);
            let mut batten = batten.spawn().unwrap();
            eventually(|| there.exists(), "the runtime hangs");
            assert_eq!(containers(lab).len(), 1, "{runtime}");
            batten.kill().unwrap();
            batten.wait().unwrap();
            nothing_is_left(lab);
        }
    });
}

#[test]
fn a_runtime_that_does_not_come_back_is_ended_and_nothing_is_left() {
    on_some_runtime(|lab, runtime| {
        let patience = patience(lab, runtime);
        for step in BEFORE_THE_PROGRAM {
            let run = ran(hanging(lab, runtime, step, &["--start-within", &patience]).0.output().unwrap());
            assert_eq!(run.code, 3, "{}", run.stderr);
            let said = format!("{} has not ended within {patience} s", step.0);
            assert!(run.stderr.contains(&said) && run.stderr.contains("hint: "), "{}", run.stderr);
            assert!(run.stdout.is_empty());
            nothing_is_left(lab);
        }
        let (mut batten, there) = hanging(lab, runtime, BEFORE_THE_PROGRAM[0], &[]);
        let batten = batten.spawn().unwrap();
        eventually(|| there.exists(), "the runtime hangs");
        interrupt(&batten);
        let run = ran(batten.wait_with_output().unwrap());
        assert!(run.code == 3 && run.stderr.contains("interrupted before"), "{}", run.stderr);
        nothing_is_left(lab);
    });
}

#[test]
fn when_who_answers_the_container_is_killed_that_is_said_and_the_container_ended() {
    on_some_runtime(|lab, runtime| {
        let batten = ticking(lab, runtime, "notify");
        kill_with_9(&companions(lab, "notify-agent"));
        let run = ran(batten.wait_with_output().unwrap());
        assert!(run.code == 3 && run.stdout.is_empty(), "{}", run.stderr);
        assert!(run.stderr.contains("answers the container has ended"), "{}", run.stderr);
        nothing_is_left(lab);

        let mut batten = ticking(lab, runtime, "notify");
        kill_with_9(&companions(lab, "notify-agent"));
        batten.kill().unwrap();
        batten.wait().unwrap();
        nothing_is_left(lab);
    });
}

/// The kernel's numbers of the BPF programs that `batten` has attached.
fn programs_of_batten(batten: &Child) -> BTreeSet<String> {
    let descriptors = fs::read_dir(format!("/proc/{}/fdinfo", batten.id())).unwrap();
    let texts = descriptors.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    let lines: Vec<String> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().filter_map(|line| Some(line.strip_prefix("prog_id:")?.trim().to_owned())).collect()
}

fn is_in_the_kernel(program: &str) -> bool {
    let shown = Command::new("bpftool").args(["prog", "show", "id", program]).output().unwrap();
    shown.status.success()
}

#[test]
fn a_container_that_batten_had_to_kill_at_the_end_did_not_fail() {
    on_some_runtime(|lab, runtime| {
        lab.bundle(&["/bin/sh", "-c", &TICKING.replacen("exit 0", "", 1)], None, true);
        let _ = fs::remove_file(lab.path("rootfs/tmp/ticks"));
        let mut batten = record_run(lab, runtime, &["--backend", "bpf"]);
        let mut batten = batten.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        goes_on(lab);
        // The first asks the container, the next one ends it.
        eventually(
            || {
                interrupt(&batten);
                std::thread::sleep(Duration::from_millis(200));
                batten.try_wait().unwrap().is_some()
            },
            "the recording ends",
        );
        let run = ran(batten.wait_with_output().unwrap());
        assert!(run.code == 0 && run.stderr.contains("did not end by SIGTERM"), "{}: {}", run.code, run.stderr);
        assert!(!allowed(&run.stdout).is_empty());
        nothing_is_left(lab);
    });
}

#[test]
fn an_interrupted_recording_ends_its_container_and_still_gives_the_profile() {
    on_some_runtime(|lab, runtime| {
        for backend in BACKENDS {
            let batten = ticking(lab, runtime, backend);
            interrupt(&batten);
            let run = ran(batten.wait_with_output().unwrap());
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert!(
                run.stderr.starts_with("note: recording bundle ") && run.stderr.contains(backend),
                "{}",
                run.stderr
            );
            assert!(allowed(&run.stdout).iter().any(|call| call == "openat" || call == "open"));
            nothing_is_left(lab);
        }
    });
}
