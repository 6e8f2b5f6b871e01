//! `batten run`: no runtime on the machine, or one of the machine's.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::lab::{CEILING, Kind, Lab, own_bounding_set, quiet, status_of, stderr, wait_for};

const STATUS: &[&str] = &["cat", "/proc/self/status"];

fn batten(lab: &Lab, line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batten"));
    command.args(line).args(["--policy", lab.path("policy.toml").to_str().unwrap()]).stdin(Stdio::null());
    command.env("BATTEN_RUNTIME_CONFIG", lab.write("log.toml", &format!("log = '{}'\n", lab.path("log").display())));
    command
}

fn run(lab: &Lab, options: &[&str]) -> Output {
    let (root, bundle) = (lab.path("root"), lab.path("b"));
    let mut line = vec!["run", "--root", root.to_str().unwrap()];
    line.extend(options);
    line.extend([bundle.to_str().unwrap(), &lab.id]);
    batten(lab, &line).output().unwrap()
}

/// Nothing of the container is left.
fn assert_gone(lab: &Lab) {
    for folder in ["root/state", "root/bundles"] {
        let left: Vec<_> = std::fs::read_dir(lab.path(folder)).into_iter().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_privileged_bundle_runs_within_the_ceiling_and_stays_as_it_was() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let config = lab.privileged(STATUS);
    lab.bundle("b", &config);
    let output = run(&lab, &[]);
    let status = status_of(&output);
    status.assert_within(CEILING, "embedded");
    assert_eq!(status.caps("CapEff"), own_bounding_set() & CEILING);
    assert!(status.is_filtered());
    assert!(stderr(&output).contains("above the ceiling"), "{output:?}");
    assert_eq!(lab.config("b"), config);
    assert_gone(&lab);
    let log = std::fs::read_to_string(lab.path("log")).unwrap();
    assert!(log.contains(r#""runtime":"embedded""#) && log.contains(r#""verdict":"fixed""#), "{log}");
}

#[test]
fn a_bundle_that_lists_no_capabilities_gets_none() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let mut config = lab.privileged(STATUS);
    config["process"].as_object_mut().unwrap().remove("capabilities");
    lab.bundle("b", &config);
    status_of(&run(&lab, &[])).assert_within(0, "embedded");
}

#[test]
fn a_bundle_without_a_process_runs_nothing() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let mut config = lab.privileged(STATUS);
    config.as_object_mut().unwrap().remove("process");
    lab.bundle("b", &config);
    let output = run(&lab, &[]);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(stderr(&output).contains("hint: "), "{output:?}");
    assert_gone(&lab);
}

#[test]
fn a_bundle_without_linux_is_restricted() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let mut config = lab.privileged(STATUS);
    config.as_object_mut().unwrap().remove("linux");
    lab.bundle("b", &config);
    let output = run(&lab, &[]);
    status_of(&output).assert_within(CEILING, "embedded");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Seccomp:\t2"), "{output:?}");
}

#[test]
fn a_seccomp_filter_holds_with_new_privileges_and_without() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    for no_new_privs in [true, false] {
        let mut config = lab.privileged(&["sh", "-c", "grep Seccomp: /proc/self/status; mkdir /tmp/d || echo refused"]);
        config["process"]["noNewPrivileges"] = json!(no_new_privs);
        config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" }],
        });
        lab.policy(&format!("no_new_privs.required = {no_new_privs}\nseccomp.own = 'combine'\n"));
        lab.bundle("b", &config);
        let output = run(&lab, &[]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("Seccomp:\t2") && said.contains("refused"), "{no_new_privs}: {output:?}");
    }
}

#[test]
fn paths_are_meant_from_the_bundle_on() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let mut config = lab.privileged(&["cat", "/tmp/f"]);
    config["root"]["path"] = json!("../rootfs");
    config["mounts"].as_array_mut().unwrap().push(json!({
        "destination": "/tmp", "type": "bind", "source": "shared", "options": ["bind", "ro"]
    }));
    lab.write("b/shared/f", "from the bundle");
    lab.bundle("b", &config);
    assert_eq!(String::from_utf8_lossy(&run(&lab, &[]).stdout), "from the bundle");
}

#[test]
fn the_exit_code_or_the_signal_comes_back() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    lab.bundle("b", &lab.privileged(&["sh", "-c", "exit 42"]));
    assert_eq!(run(&lab, &[]).status.code(), Some(42));
    // As the first process of its namespace it cannot kill itself; without one it can.
    let mut config = lab.privileged(&["sh", "-c", "kill -TERM $$"]);
    config["linux"]["namespaces"].as_array_mut().unwrap().retain(|namespace| namespace["type"] != "pid");
    lab.bundle("b", &config);
    assert_eq!(run(&lab, &[]).status.code(), Some(128 + 15));
    assert_gone(&lab);
}

#[test]
fn signals_reach_the_container() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let script = "trap 'exit 5' TERM; touch /tmp/ready; while :; do sleep 0.05; done";
    lab.bundle("b", &lab.privileged(&["sh", "-c", script]));
    let (root, bundle) = (lab.path("root"), lab.path("b"));
    let line = ["run", "--root", root.to_str().unwrap(), bundle.to_str().unwrap(), &lab.id];
    let mut child = batten(&lab, &line).spawn().unwrap();
    wait_for("the container", || lab.path("rootfs/tmp/ready").exists().then_some(()));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(5), None));
    assert_gone(&lab);
}

#[test]
fn the_container_s_program_starts_with_the_signals_of_who_calls_batten() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let line = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"];
    lab.bundle("b", &lab.privileged(&line));
    let said = |mut command: Command| String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned();
    let (root, bundle) = (lab.path("root"), lab.path("b"));
    let run = ["run", "--root", root.to_str().unwrap(), bundle.to_str().unwrap(), &lab.id];
    let outside = || {
        let mut grep = Command::new("grep");
        grep.args(&line[1..]);
        grep
    };
    assert_eq!(said(batten(&lab, &run)), said(outside()));

    // As a shell starts what goes to the background.
    let ignoring = |command: Command| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' INT QUIT; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        said(shell)
    };
    let inside = ignoring(batten(&lab, &run));
    assert_eq!((inside.lines().count(), inside), (2, ignoring(outside())));
}

#[test]
fn a_detached_container_runs_on_until_it_is_deleted() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    lab.bundle("b", &lab.privileged(&["sleep", "1000"]));
    let (root, bundle, pid_file) = (lab.path("root"), lab.path("b"), lab.path("pid"));
    let line = ["run", "--detach", "--root", root.to_str().unwrap(), "--pid-file", pid_file.to_str().unwrap()];
    quiet(batten(&lab, &[&line[..], &[bundle.to_str().unwrap(), &lab.id]].concat()));
    let pid = Pid::from_raw(std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap());
    kill(pid, None).unwrap();
    let again = run(&lab, &["--detach"]);
    assert!(stderr(&again).contains("already"), "{again:?}");

    let delete = |options: &[&str]| {
        let mut line = vec!["delete", "--root", root.to_str().unwrap(), &lab.id];
        line.extend(options);
        Command::new(env!("CARGO_BIN_EXE_batten")).args(&line).output().unwrap()
    };
    assert!(stderr(&delete(&[])).contains("is running"));
    assert!(delete(&["--force"]).status.success());
    assert!(stderr(&delete(&["--force"])).contains("no container"));
    assert_gone(&lab);
}

#[test]
fn a_container_with_a_terminal_has_one_in_the_foreground() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let mut config =
        lab.privileged(&["sh", "-c", "test -t 0 && test -t 1 && echo terminal; read line; echo \"<$line>\""]);
    config["process"]["terminal"] = json!(true);
    let mounts = config["mounts"].as_array_mut().unwrap();
    mounts.push(json!({
        "destination": "/dev/pts", "type": "devpts", "source": "devpts",
        "options": ["newinstance", "ptmxmode=0666", "mode=0620"]
    }));
    lab.bundle("b", &config);
    let (root, bundle, input) = (lab.path("root"), lab.path("b"), lab.write("input", "hello\n"));
    let line = ["run", "--root", root.to_str().unwrap(), bundle.to_str().unwrap(), &lab.id];
    let output = batten(&lab, &line).stdin(std::fs::File::open(input).unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("terminal\r\n") && said.contains("<hello>\r\n"), "{output:?}");
    let detached = run(&lab, &["--detach"]);
    assert!(stderr(&detached).contains("nobody is there to hold it"), "{detached:?}");
    assert_gone(&lab);
}

#[test]
fn what_is_denied_or_ambiguous_does_not_run() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let config = lab.privileged(&["touch", "/tmp/started"]);
    lab.bundle("b", &config);
    lab.policy("capabilities.violation = 'deny'\n");
    assert_eq!(run(&lab, &[]).status.code(), Some(1));
    lab.policy("");
    lab.write("b/config.json", &config.to_string().replacen("\"process\"", "\"Process\":{},\"process\"", 1));
    assert_eq!(run(&lab, &[]).status.code(), Some(3));
    lab.policy("nonsense");
    assert_eq!(run(&lab, &[]).status.code(), Some(4));
    lab.policy("");
    let mut user = config;
    user["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
    lab.bundle("b", &user);
    let output = run(&lab, &[]);
    assert!(stderr(&output).contains("user namespaces") && stderr(&output).contains("--runtime runc"), "{output:?}");
    assert!(!lab.path("rootfs/tmp/started").exists());
}

#[test]
fn it_runs_on_cgroup_v1_hybrid_and_v2() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    lab.bundle("b", &lab.privileged(STATUS));
    let (root, bundle) = (lab.path("root"), lab.path("b"));
    let line = ["run", "--root", root.to_str().unwrap(), bundle.to_str().unwrap(), &lab.id];
    let batten = batten(&lab, &line);
    for (layout, change) in [
        ("as it is here", ":"),
        ("v1", "umount /sys/fs/cgroup/unified"),
        ("v2", "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup"),
    ] {
        let in_namespace = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(["-m", "sh", "-c", script, "sh"]).arg(batten.get_program()).args(batten.get_args());
            command.envs(batten.get_envs().filter_map(|(name, value)| Some((name, value?)))).output().unwrap()
        };
        if !in_namespace(change).status.success() {
            eprintln!("\n*** SKIPPED: this machine cannot show cgroups as {layout} ***\n");
            continue;
        }
        let output = in_namespace(&format!("{change}; exec \"$@\""));
        status_of(&output).assert_within(CEILING, layout);
        assert_gone(&lab);
    }
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_the_start() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    lab.bundle("b", &lab.privileged(&["/bin/nothing"]));
    let output = run(&lab, &[]);
    assert!(!output.status.success() && stderr(&output).contains("/bin/nothing"), "{output:?}");
    assert_gone(&lab);
}

#[test]
fn the_bundle_may_be_named_by_option_by_word_or_not_at_all() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let bundle = lab.bundle("b", &lab.privileged(&["echo", "ran"]));
    let (root, folder, id) = (lab.path("root"), bundle.to_str().unwrap(), &*lab.id);
    for (words, from) in [
        (&["--bundle", folder, id][..], "/"),
        (&["-b", folder], "/"),
        (&[folder, id], "/"),
        (&["./b"], lab.path(".").to_str().unwrap()),
        (&["b", id], lab.path(".").to_str().unwrap()),
        (&["b"], lab.path(".").to_str().unwrap()),
        (&[id], folder),
        (&[], folder),
    ] {
        let line = [&["run", "--root", root.to_str().unwrap()], words].concat();
        let output = batten(&lab, &line).current_dir(from).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ran\n", "{words:?}: {output:?}");
    }
    for words in [&["a", "b", "c"][..], &["--bundle", folder, "a", "b"], &[folder, "../x"]] {
        let line = [&["run", "--root", root.to_str().unwrap()], words].concat();
        assert_eq!(batten(&lab, &line).output().unwrap().status.code(), Some(4), "{words:?}");
    }
}

#[test]
fn a_runtime_of_the_machine_runs_what_batten_has_judged() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    lab.bundle("b", &lab.privileged(STATUS));
    for runtime in ["runc", "/usr/sbin/runc"] {
        if std::path::Path::new("/usr/sbin/runc").exists() {
            status_of(&run(&lab, &["--runtime", runtime])).assert_within(CEILING, runtime);
        }
    }
    let nothing = run(&lab, &["--runtime", "/nonexistent"]);
    assert!(stderr(&nothing).contains("hint: "), "{nothing:?}");
}
