//! Containers that run already.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use super::{TICKING, eventually, goes_on, interrupt, on_every_runtime};
use crate::lab::{Lab, Ran, allowed, batten, ran, runtime_command, unique_id};

/// Those that can begin with a container that runs already.
const ATTACHING: [&str; 2] = ["bpf", "ptrace"];

/// A container that runs until it is told to end, and says in a file that it goes on.
struct Running<'l> {
    lab: &'l Lab,
    runtime: &'l str,
    id: String,
}

impl<'l> Running<'l> {
    fn start(lab: &'l Lab, runtime: &'l str) -> Self {
        lab.bundle(&["/bin/sh", "-c", TICKING], None, true);
        let running = Self { lab, runtime, id: unique_id() };
        let bundle = lab.text(".");
        let mut run = running.command(&["run", "--detach", "-b", &bundle, &running.id]);
        assert!(run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        running
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = runtime_command(self.runtime);
        command.arg("--root").arg(self.lab.path("state")).args(words);
        command
    }
}

/// Waits to be told, then does what the container itself never does.
const EXECUTED: &str = "while [ ! -e /tmp/go ]; do sleep 0.1; done; ls /bin";

fn is_traced(pid_file: &str) -> bool {
    let pid = fs::read_to_string(pid_file).unwrap_or_default();
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
    status.contains("TracerPid:") && !status.contains("TracerPid:\t0\n")
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["delete", "--force", &self.id]).status();
    }
}

#[test]
fn a_running_container_is_recorded_with_what_is_executed_into_it_and_goes_on() {
    on_every_runtime(|lab, runtime| {
        for backend in ATTACHING {
            let running = Running::start(lab, runtime);
            for old in ["rootfs/tmp/go", "exec.pid"] {
                let _ = fs::remove_file(lab.path(old));
            }
            let (root, why) = (lab.text("state"), lab.text("why"));
            let mut batten = Command::new(env!("CARGO_BIN_EXE_batten"))
                .args([
                    "record",
                    "--container",
                    &running.id,
                    "--backend",
                    backend,
                    "--root",
                    &root,
                    "--provenance",
                    &why,
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = BufReader::new(batten.stderr.take().unwrap());
            let mut begun = String::new();
            said.read_line(&mut begun).unwrap();
            assert!(begun.contains(&format!("recording container {} by {backend}", running.id)), "{begun}");
            let pid_file = lab.text("exec.pid");
            let words = ["exec", "--pid-file", &pid_file, &running.id, "/bin/sh", "-c", EXECUTED];
            let mut exec = running.command(&words).stdout(Stdio::null()).spawn().unwrap();
            // A tracer learns of the new process when it next looks.
            eventually(|| backend != "ptrace" || is_traced(&pid_file), "the executed program is traced");
            fs::write(lab.path("rootfs/tmp/go"), "").unwrap();
            assert!(exec.wait().unwrap().success(), "{runtime}");
            // A whole turn of the container's own loop is in the recording.
            (0..3).for_each(|_| goes_on(lab));
            interrupt(&batten);
            let mut stderr = String::new();
            said.read_to_string(&mut stderr).unwrap();
            let run = Ran { stderr, ..ran(batten.wait_with_output().unwrap()) };
            assert_eq!(run.code, 0, "{}", run.stderr);
            let calls = allowed(&run.stdout);
            let has = |name: &str| calls.iter().any(|call| call == name);
            // What the container itself does, and what only the executed programs do.
            assert!(has("nanosleep") || has("clock_nanosleep"), "{backend} on {runtime}: {calls:?}");
            assert!(has("getdents64"), "{backend} on {runtime}: {calls:?}");
            for said in [&run.stderr, &lab.read("why")] {
                assert_eq!(said.matches("recorded from the middle").count(), 1, "{said}");
            }
            goes_on(lab);
        }
    });
}

#[test]
fn notify_says_that_it_cannot_join_a_container_that_runs() {
    on_every_runtime(|lab, runtime| {
        let running = Running::start(lab, runtime);
        let root = lab.text("state");
        let run = batten(&["record", "container", &running.id, "--root", &root, "--backend", "notify"]);
        assert!(
            run.code == 3 && run.stderr.contains("once it runs") && run.stderr.contains("--backend bpf"),
            "{}",
            run.stderr
        );
        goes_on(lab);
    });
}
