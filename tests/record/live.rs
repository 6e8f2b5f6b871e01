//! Live recordings of real containers, by every backend, on every runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::{Lab, Ran, allowed, has, is_root, ran, runtime_command, unique_id};

const BACKENDS: [&str; 3] = ["bpf", "notify", "ptrace"];
/// Those that can begin with a container that runs already.
const ATTACHING: [&str; 2] = ["bpf", "ptrace"];
/// The runtime calls these before anybody can answer.
const UNSEEN_BY_NOTIFY: [&str; 10] =
    ["futex", "getpid", "madvise", "mmap", "munmap", "nanosleep", "rt_sigreturn", "sched_yield", "tgkill", "write"];
/// Programs of the shell, of children, of pipes; and one that has nothing to do with them.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "ls /bin | cat > /dev/null; (echo a; cat /none); chroot / true; true"];

/// Threads, a child of a thread, sockets.
const THREADS: &str = r"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *number) {
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    if (!number && !fork()) { getsid(0); _exit(0); }
    if (!number) wait(0);
    getpgid(0);
    return 0;
}
int main(void) {
    pthread_t threads[3];
    for (long i = 0; i < 3; i++) pthread_create(&threads[i], 0, work, (void *)i);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
    return 0;
}
";

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

/// The runtime as a program: crun needs a wrapper on a hybrid host.
fn program_of(lab: &Lab, runtime: &str) -> PathBuf {
    let command = runtime_command(runtime);
    let words: Vec<String> =
        command.get_args().map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"))).collect();
    let path = lab.path(runtime);
    let text = format!("#!/bin/sh\nexec {} {} \"$@\"\n", command.get_program().to_string_lossy(), words.join(" "));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn record_run(lab: &Lab, runtime: &str, options: &[&str]) -> Command {
    let mut batten = Command::new(env!("CARGO_BIN_EXE_batten"));
    batten.args(["record", "run", "--runtime", runtime, "--no-new-privs", "--root"]).arg(lab.path("state"));
    batten.arg("--runtime-path").arg(program_of(lab, runtime)).args(options);
    batten.arg("--").arg(lab.path("."));
    batten
}

/// Records the bundle and gives what was seen.
fn recorded(lab: &Lab, runtime: &str, options: &[&str]) -> (Ran, Seen) {
    let saved = lab.text("saved.json");
    let run = ran(record_run(lab, runtime, &[options, &["--save", &saved]].concat()).output().unwrap());
    let seen = Seen::read(lab, "saved.json");
    (run, seen)
}

/// A recording, as `--save` writes it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// How often, by interface and name.
    calls: BTreeMap<(String, String), u64>,
    capabilities: Option<BTreeSet<String>>,
}

impl Seen {
    fn read(lab: &Lab, file: &str) -> Self {
        let text: Value = serde_json::from_str(&lab.read(file)).unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let calls = text["calls"].as_array().unwrap().iter();
        let calls = calls.map(|call| ((word(&call["arch"]), word(&call["name"])), call["count"].as_u64().unwrap()));
        let capabilities = text.get("capabilities").and_then(Value::as_array);
        Self { calls: calls.collect(), capabilities: capabilities.map(|all| all.iter().map(word).collect()) }
    }

    fn has(&self, name: &str) -> bool {
        self.calls.keys().any(|(_, known)| known == name)
    }

    fn without(&self, names: &[&str]) -> Self {
        let mut calls = self.calls.clone();
        calls.retain(|(_, name), _| !names.contains(&&**name));
        Self { calls, capabilities: self.capabilities.clone() }
    }

    /// How often each call was made, but for those that depend on whether two children end at the same time.
    fn counts(&self) -> BTreeMap<(String, String), u64> {
        let steady = self.calls.iter().filter(|((_, name), _)| name != "rt_sigreturn" && name != "wait4");
        steady.map(|(call, count)| (call.clone(), *count)).collect()
    }

    fn names(&self) -> BTreeSet<(String, String)> {
        self.calls.keys().cloned().collect()
    }
}

/// What strace sees of the container from its program's first instruction on.
fn straced(lab: &Lab, runtime: &str) -> Seen {
    let id = unique_id();
    let runtime = |words: &[&str]| {
        let mut command = runtime_command(runtime);
        command.arg("--root").arg(lab.path("state")).args(words);
        command
    };
    let (pid_file, bundle) = (lab.text("reference.pid"), lab.text("."));
    // The same kinds of files as the container gets below batten here: programs ask what they write to.
    let mut create = runtime(&["create", "-b", &bundle, "--pid-file", &pid_file, &id]);
    let mut create = create.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(create.wait().unwrap().success());
    let pid = lab.read("reference.pid");
    let mut strace = Command::new("strace")
        .args(["-f", "-n", "-o", &lab.text("reference"), "-p", pid.trim()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let traced = || fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap().contains("TracerPid:\t0\n");
    eventually(|| !traced(), "strace has the container");
    assert!(runtime(&["start", &id]).status().unwrap().success());
    strace.wait().unwrap();
    assert!(runtime(&["delete", "--force", &id]).status().unwrap().success());
    let text = lab.read("reference");
    let started = text.find("execve(").unwrap();
    let returned = if text[started..].lines().next().unwrap().contains("<unfinished") {
        started + text[started..].find("execve resumed").unwrap()
    } else {
        started
    };
    let program = &text[returned..][text[returned..].find('\n').unwrap() + 1..];
    fs::write(lab.path("reference"), program).unwrap();
    let saved = lab.text("reference.json");
    let read = crate::lab::batten(&["record", "strace", &lab.text("reference"), "--save", &saved]);
    assert_eq!(read.code, 0, "{}", read.stderr);
    Seen::read(lab, "reference.json")
}

fn eventually(is_so: impl Fn() -> bool, what: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < until, "not within 10 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Changes the bundle's config.json.
fn tweak(lab: &Lab, change: impl Fn(&mut Value)) {
    let mut config: Value = serde_json::from_str(&lab.read("config.json")).unwrap();
    change(&mut config);
    fs::write(lab.path("config.json"), config.to_string()).unwrap();
}

fn give(lab: &Lab, capabilities: &[&str]) {
    tweak(lab, |config| {
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = capabilities.into();
        }
    });
}

fn build(lab: &Lab, name: &str, source: &str) -> bool {
    if !has("gcc") {
        return false;
    }
    fs::write(lab.path(format!("{name}.c")), source).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(["-static", "-pthread", "-o"]).arg(lab.path("rootfs/bin").join(name)).arg(lab.path(format!("{name}.c")));
    assert!(gcc.status().unwrap().success());
    true
}

#[test]
fn every_backend_sees_what_strace_sees() {
    if !has("strace") {
        return;
    }
    on_every_runtime(|lab, runtime| {
        let threads = build(lab, "threads", THREADS);
        let small = lab.build_32();
        let programs = [
            (true, &SHELL[..], true),
            (true, &["/bin/ls", "-l", "/bin"], true),
            // How often threads wait for each other, and whether at all, is up to the scheduler.
            (threads, &["/bin/threads"], false),
            (small, &["/bin/small32"], true),
            (small, &["/bin/sh", "-c", "small32; small32"], true),
        ];
        for (_, program, counted) in programs.into_iter().filter(|(built, ..)| *built) {
            lab.bundle(program, None, true);
            let wanted = straced(lab, runtime);
            assert!(wanted.calls.len() > 2, "{wanted:?}");
            for backend in BACKENDS {
                let mut left_out = if backend == "notify" { UNSEEN_BY_NOTIFY.to_vec() } else { Vec::new() };
                if !counted {
                    left_out.push("futex");
                }
                let wanted = wanted.without(&left_out);
                let (run, seen) = recorded(lab, runtime, &["--backend", backend]);
                let seen = if counted { seen } else { seen.without(&left_out) };
                assert!(run.code == 0 || program == SHELL, "{}", run.stderr);
                assert_eq!(seen.names(), wanted.names(), "{backend} on {runtime}: {program:?}");
                if counted {
                    assert_eq!(seen.counts(), wanted.counts(), "{backend} on {runtime}: {program:?}");
                }
            }
        }
    });
}

#[test]
fn under_its_live_profile_the_program_runs_and_another_fails() {
    const WORK: [&str; 3] = ["/bin/sh", "-c", "ls /bin > /dev/null; echo done"];
    on_every_runtime(|lab, runtime| {
        for backend in BACKENDS {
            for arguments in [&[][..], &["--args"]] {
                lab.bundle(&WORK, None, true);
                let (run, _) = recorded(lab, runtime, &[&["--backend", backend], arguments].concat());
                assert_eq!(run.code, 0, "{}", run.stderr);
                let own = lab.run(runtime, &WORK, Some(&run.stdout), true);
                assert_eq!((own.code, own.stdout.trim()), (0, "done"), "{backend}: {}\n{}", own.stderr, run.stdout);
                let other = lab.run(runtime, &["/bin/chroot", "/", "/bin/echo", "done"], Some(&run.stdout), true);
                assert!(other.code != 0 && other.stderr.contains("not permitted"), "{backend}: {}", other.stderr);
            }
        }
    });
}

#[test]
fn a_32_bit_program_is_recorded_as_such() {
    on_every_runtime(|lab, runtime| {
        if !lab.build_32() {
            return;
        }
        for backend in BACKENDS {
            lab.bundle(&["/bin/small32"], None, true);
            let (run, seen) = recorded(lab, runtime, &["--backend", backend]);
            let of = |arch: &str| seen.calls.keys().filter(|(known, _)| known == arch).count();
            let own = if backend == "notify" { 1 } else { 3 };
            assert_eq!((of("SCMP_ARCH_X86"), of("SCMP_ARCH_X86_64")), (own, 0), "{backend}: {seen:?}");
            let own = lab.run(runtime, &["/bin/small32"], Some(&run.stdout), true);
            assert_eq!((own.code, own.stdout.trim()), (0, "32"), "{backend}: {}", own.stderr);
        }
    });
}

#[test]
fn kept_arguments_are_those_that_were_passed() {
    on_every_runtime(|lab, runtime| {
        if !build(lab, "threads", THREADS) {
            return;
        }
        lab.bundle(&["/bin/threads"], None, true);
        for backend in BACKENDS {
            let why = lab.text("why");
            let (run, _) = recorded(lab, runtime, &["--backend", backend, "--args", "--provenance", &why]);
            let text = lab.read("why");
            let block = text.split("\n\n").find(|block| block.starts_with("socketpair\n")).unwrap();
            assert!(block.contains("with AF_UNIX\n") || block.ends_with("with AF_UNIX"), "{backend}: {block}");
            let profile: Value = serde_json::from_str(&run.stdout).unwrap();
            let rules = profile["syscalls"].as_array().unwrap();
            let rule = rules.iter().find(|rule| rule["names"][0] == "socketpair").unwrap();
            assert_eq!(rule["args"][0]["valueTwo"], 1, "{backend}");
        }
    });
}

#[test]
fn the_capabilities_that_are_needed_are_recorded_and_are_enough() {
    const CHOWN: [&str; 4] = ["/bin/busybox", "chown", "5:5", "/tmp"];
    const MANY: [&str; 4] = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_KILL"];
    on_every_runtime(|lab, runtime| {
        let needed = |program: &[&str]| {
            lab.bundle(program, None, true);
            give(lab, &MANY);
            let (run, seen) = recorded(lab, runtime, &["--backend", "bpf"]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            let used = seen.capabilities.expect("capabilities are recorded");
            let text =
                if used.is_empty() { "none".to_owned() } else { used.iter().cloned().collect::<Vec<_>>().join(", ") };
            assert!(run.stderr.contains(&format!("capabilities used: {text}\n")), "{}", run.stderr);
            used.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(needed(&["/bin/busybox", "true"]), [""; 0], "{runtime}");
        assert_eq!(needed(&CHOWN), ["CAP_CHOWN"], "{runtime}");
        let runs_with = |capabilities: &[&str]| {
            lab.bundle(&CHOWN, None, true);
            give(lab, capabilities);
            let mut command = runtime_command(runtime);
            command.arg("--root").arg(lab.path("state")).args(["run", "-b"]).arg(lab.path(".")).arg(unique_id());
            ran(command.output().unwrap()).code == 0
        };
        assert!(runs_with(&["CAP_CHOWN"]) && !runs_with(&["CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_KILL"]), "{runtime}");
    });
}

#[test]
fn a_snippet_holds_the_capabilities_that_were_used() {
    on_every_runtime(|lab, runtime| {
        lab.bundle(&["/bin/busybox", "chown", "5:5", "/tmp"], None, true);
        give(lab, &["CAP_CHOWN", "CAP_KILL"]);
        let run = ran(record_run(lab, runtime, &["--backend", "bpf", "--policy-snippet"]).output().unwrap());
        assert!(run.stdout.contains("capabilities.ceiling = [\"CAP_CHOWN\"]\n"), "{}", run.stdout);
    });
}

/// A container that runs until it is told to end, and says in a file that it goes on.
struct Running<'l> {
    lab: &'l Lab,
    runtime: &'l str,
    id: String,
}

const TICKING: &str = "trap 'exit 0' TERM; while :; do echo tick >> /tmp/ticks; sleep 0.1; done";

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

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["delete", "--force", &self.id]).status();
    }
}

/// Whether a container of the lab does anything.
fn goes_on(lab: &Lab) {
    let ticks = || fs::metadata(lab.path("rootfs/tmp/ticks")).map_or(0, |file| file.len());
    let before = ticks();
    eventually(|| ticks() > before, "the container goes on");
}

#[test]
fn a_running_container_is_recorded_with_what_is_executed_into_it_and_goes_on() {
    on_every_runtime(|lab, runtime| {
        for backend in ATTACHING {
            let running = Running::start(lab, runtime);
            let batten = Command::new(env!("CARGO_BIN_EXE_batten"))
                .args(["record", "--container", &running.id, "--backend", backend, "--root", &lab.text("state")])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            // Nothing tells from outside that a recording has begun.
            std::thread::sleep(Duration::from_millis(1500));
            let exec = running.command(&["exec", &running.id, "/bin/sh", "-c", "id; sleep 0.5; ls /bin"]).output();
            assert!(exec.unwrap().status.success(), "{runtime}");
            interrupt(&batten);
            let run = ran(batten.wait_with_output().unwrap());
            assert_eq!(run.code, 0, "{}", run.stderr);
            let calls = allowed(&run.stdout);
            let has = |name: &str| calls.iter().any(|call| call == name);
            // What the container itself does, and what only the executed programs do.
            assert!(has("nanosleep") || has("clock_nanosleep"), "{backend} on {runtime}: {calls:?}");
            assert!(has("getdents64"), "{backend} on {runtime}: {calls:?}");
            assert!(run.stderr.contains("recorded from the middle"), "{}", run.stderr);
            goes_on(lab);
        }
    });
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
}

#[test]
fn when_batten_is_killed_the_container_goes_on_and_nothing_is_left_in_the_kernel() {
    if !has("bpftool") {
        return;
    }
    on_every_runtime(|lab, runtime| {
        for backend in BACKENDS {
            let _ = fs::remove_file(lab.path("rootfs/tmp/ticks"));
            lab.bundle(&["/bin/sh", "-c", TICKING], None, true);
            let mut batten = record_run(lab, runtime, &["--backend", backend]);
            let mut batten = batten.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            goes_on(lab);
            let programs = programs_of_batten(&batten);
            assert!((backend == "bpf") == programs.iter().any(|program| is_in_the_kernel(program)), "{programs:?}");
            assert_eq!(has_agent(lab), backend == "notify");
            batten.kill().unwrap();
            batten.wait().unwrap();
            goes_on(lab);
            eventually(|| !programs.iter().any(|program| is_in_the_kernel(program)), "no program is left");
            for entry in fs::read_dir(lab.path("state")).unwrap() {
                let id = entry.unwrap().file_name().to_string_lossy().into_owned();
                let mut delete = runtime_command(runtime);
                delete.arg("--root").arg(lab.path("state")).args(["delete", "--force", &id]);
                assert!(delete.status().unwrap().success());
            }
            eventually(|| !has_agent(lab), "who answers the container ends with it");
        }
    });
}

/// Whether a process answers the lab's container.
fn has_agent(lab: &Lab) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let folder = lab.text(".");
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .any(|line| line.contains("notify-agent") && line.contains(&folder))
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
fn an_interrupted_recording_ends_its_container_and_still_gives_the_profile() {
    on_every_runtime(|lab, runtime| {
        for backend in BACKENDS {
            let _ = fs::remove_file(lab.path("rootfs/tmp/ticks"));
            lab.bundle(&["/bin/sh", "-c", TICKING], None, true);
            let mut batten = record_run(lab, runtime, &["--backend", backend]);
            let batten = batten.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            goes_on(lab);
            interrupt(&batten);
            let run = ran(batten.wait_with_output().unwrap());
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert!(allowed(&run.stdout).iter().any(|call| call == "openat" || call == "open"));
            assert_eq!(fs::read_dir(lab.path("state")).unwrap().count(), 0, "no container is left");
        }
    });
}

#[test]
fn the_runtime_s_own_calls_and_its_hooks_are_not_the_container_s() {
    on_every_runtime(|lab, runtime| {
        lab.bundle(&["/bin/busybox", "true"], None, true);
        tweak(lab, |config| {
            let hook = serde_json::json!({"path": "/bin/mkdir", "args": ["mkdir", "/tmp/made"]});
            config["hooks"] = serde_json::json!({"startContainer": [hook]});
        });
        for backend in BACKENDS {
            let _ = fs::remove_dir(lab.path("rootfs/tmp/made"));
            let (run, seen) = recorded(lab, runtime, &["--backend", backend]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert!(lab.path("rootfs/tmp/made").is_dir(), "the hook ran");
            for other in ["mkdir", "execve", "mount", "capset", "futex"] {
                assert!(!seen.has(other), "{backend} on {runtime}: {other}");
            }
        }
    });
}

#[test]
fn what_the_bundle_s_own_filter_refuses_is_seen_as_refused_and_let_through_only_where_asked() {
    const FILTER: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}"#;
    on_every_runtime(|lab, runtime| {
        let program = ["/bin/busybox", "mkdir", "/tmp/made"];
        lab.bundle(&program, Some(FILTER), true);
        let config = lab.read("config.json");
        let (run, seen) = recorded(lab, runtime, &["--backend", "bpf"]);
        assert_eq!(run.code, 1, "mkdir failed: {}", run.stderr);
        assert!(seen.has("mkdir") && run.stderr.contains("mkdir was refused with EPERM"), "{}", run.stderr);
        assert!(!lab.path("rootfs/tmp/made").exists());
        let refused = ran(record_run(lab, runtime, &["--backend", "notify"]).output().unwrap());
        assert!(refused.code == 3 && refused.stderr.contains("--without-filter"), "{}", refused.stderr);
        for backend in BACKENDS {
            let _ = fs::remove_dir(lab.path("rootfs/tmp/made"));
            let (run, seen) = recorded(lab, runtime, &["--backend", backend, "--without-filter"]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert!(seen.has("mkdir") && lab.path("rootfs/tmp/made").exists(), "{backend}");
        }
        assert_eq!(lab.read("config.json"), config, "the user's bundle is untouched");
    });
}

#[test]
fn notify_says_that_it_cannot_join_a_container_that_runs() {
    on_every_runtime(|lab, runtime| {
        let running = Running::start(lab, runtime);
        let root = lab.text("state");
        let run = crate::lab::batten(&["record", "container", &running.id, "--root", &root, "--backend", "notify"]);
        assert!(
            run.code == 3 && run.stderr.contains("once it runs") && run.stderr.contains("--backend bpf"),
            "{}",
            run.stderr
        );
        goes_on(lab);
    });
}

#[test]
fn what_cannot_be_recorded_is_refused_with_what_to_do() {
    let Some(lab) = Lab::new() else { return };
    let batten = |args: &[&str]| crate::lab::batten(args);
    let nowhere = batten(&["record", "run", "--", &lab.text("nowhere")]);
    assert_eq!(nowhere.code, 3);
    assert!(nowhere.stderr.contains("nowhere") && nowhere.stderr.contains("hint: "), "{}", nowhere.stderr);
    let unknown = batten(&["record", "--container", "no-such-container"]);
    assert_eq!(unknown.code, 3);
    assert!(unknown.stderr.contains("no container \"no-such-container\" is found"), "{}", unknown.stderr);
    assert_eq!(batten(&["record", "--duration", "5"]).code, 4);
    assert_eq!(batten(&["record", "run", "--duration", "-1", "--", "b"]).code, 4);
    assert!(nowhere.stdout.is_empty() && unknown.stdout.is_empty());
}

#[test]
fn a_bundle_that_does_not_start_leaves_no_container() {
    on_every_runtime(|lab, runtime| {
        lab.bundle(&["/bin/nonexistent"], None, true);
        for backend in BACKENDS {
            let run = ran(record_run(lab, runtime, &["--backend", backend]).output().unwrap());
            assert_eq!(run.code, 3, "{}", run.stderr);
            assert!(run.stderr.contains("hint: ") && run.stdout.is_empty(), "{}", run.stderr);
            let left = fs::read_dir(lab.path("state")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{runtime}");
        }
    });
}
