//! Proof from the kernel: `batten attest` and the poststart hook, on containers that were started in every way.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::lab::{Kind, Lab, on_every_runtime, quiet, stderr, wait_for};

/// Everything that the kernel of this machine can be asked for.
const POLICY: &str = "no_new_privs.required = true\n";

fn batten(lab: &Lab, line: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batten"));
    command.args(line).arg("--policy").arg(lab.path("policy.toml"));
    command.output().unwrap()
}

fn attest(lab: &Lab, line: &[&str]) -> (i32, Value) {
    let root = lab.path("state");
    let mut words = vec!["attest", "--format", "json", "--root", root.to_str().unwrap()];
    words.extend(line);
    let output = batten(lab, &words);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), report)
}

/// The findings of the only container, as (process, field).
fn fields(report: &Value) -> Vec<(u64, String)> {
    let processes = report["containers"][0]["processes"].as_array().unwrap();
    let of = |process: &Value| {
        let pid = process["pid"].as_u64().unwrap();
        let findings = process["findings"].as_array().unwrap().clone();
        findings.into_iter().map(move |finding| (pid, finding["field"].as_str().unwrap().to_owned()))
    };
    processes.iter().flat_map(of).collect()
}

fn pid_of(lab: &Lab) -> i32 {
    let state = lab.bare(&["state", &lab.id]).output().unwrap();
    let state: Value = serde_json::from_slice(&state.stdout).unwrap();
    i32::try_from(state["pid"].as_u64().unwrap()).unwrap()
}

/// A sleeping container that the bare runtime has started as its bundle asks.
struct Bare<'l>(&'l Lab);

impl<'l> Bare<'l> {
    fn start(lab: &'l Lab, config: &Value) -> Self {
        let mut config = config.clone();
        config["process"]["args"] = json!(["sleep", "1000"]);
        let bundle = lab.bundle("bare", &config);
        quiet(lab.bare(&["create", "--bundle", bundle.to_str().unwrap(), &lab.id]));
        quiet(lab.bare(&["start", &lab.id]));
        Self(lab)
    }
}

impl Drop for Bare<'_> {
    fn drop(&mut self) {
        let _ = self.0.bare(&["delete", "--force", &self.0.id]).output();
    }
}

#[test]
fn a_container_that_came_through_batten_attests_clean_by_id_by_pid_and_among_all() {
    on_every_runtime(|lab| {
        lab.policy(POLICY);
        let _sleeper = lab.sleeper(&lab.privileged(&[]));
        let pid = pid_of(&lab);
        for line in [
            &["--container", &*lab.id][..],
            &["--container", &lab.id[..lab.id.len() - 1]],
            &[&pid.to_string()],
            &["--all"],
        ] {
            let (code, report) = attest(&lab, line);
            assert_eq!(code, 0, "{line:?}: {report:#}");
            let one = &report["containers"][0];
            assert_eq!((one["id"].as_str(), one["pid"].as_i64()), (Some(&*lab.id), Some(pid.into())), "{line:?}");
            assert_eq!(one["verdict"], "clean");
            let process = &one["processes"][0];
            assert_eq!((&process["no_new_privs"], &process["seccomp"]["mode"]), (&json!(true), &json!("filter")));
            assert_eq!(process["seccomp"]["filters"], 1);
            let is_host = |kind: &str| process["namespaces"][kind]["is_host"].as_bool().unwrap();
            assert!(is_host("net") && !is_host("mnt") && !is_host("pid"), "{process:#}");
        }
        let text = batten(&lab, &["attest", "--root", lab.path("state").to_str().unwrap(), "--all"]);
        let text = String::from_utf8(text.stdout).unwrap();
        assert!(text.contains("within the policy") && text.contains("seccomp filter (1 filter)"), "{text}");
    });
}

#[test]
fn a_container_that_came_around_batten_shows_every_looser_field_and_its_policy_line() {
    on_every_runtime(|lab| {
        lab.policy(POLICY);
        let _bare = Bare::start(&lab, &lab.privileged(&[]));
        let (code, report) = attest(&lab, &["--container", &lab.id]);
        assert_eq!(code, 1, "{report:#}");
        let fields: Vec<String> = fields(&report).into_iter().map(|(_, field)| field).collect();
        for field in ["CapBnd", "CapEff", "CapInh", "CapPrm", "CapAmb", "NoNewPrivs", "Seccomp"] {
            assert!(fields.iter().any(|known| known == field), "{}: {field} in {fields:?}", lab.kind.name());
        }
        let findings = report["containers"][0]["processes"][0]["findings"].as_array().unwrap();
        let of = |field: &str| findings.iter().find(|finding| finding["field"] == field).unwrap();
        assert!(of("CapEff")["message"].as_str().unwrap().contains("CAP_SYS_ADMIN"));
        assert_eq!(of("NoNewPrivs")["policy"]["file"], lab.path("policy.toml").to_str().unwrap());
        assert_eq!(of("NoNewPrivs")["policy"]["line"], 1);
        assert_eq!(of("Seccomp")["value"], "0");
    });
}

#[test]
fn a_shell_that_was_executed_into_it_another_way_is_seen() {
    on_every_runtime(|lab| {
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let mut process = lab.privileged(&["sleep", "999"])["process"].clone();
        process.as_object_mut().unwrap().remove("noNewPrivileges");
        let file = lab.write("process.json", &process.to_string());
        quiet(lab.bare(&["exec", "--detach", "--process", file.to_str().unwrap(), &lab.id]));
        let (code, report) = attest(&lab, &["--container", &lab.id]);
        assert_eq!(code, 1, "{report:#}");
        let first = u64::try_from(pid_of(&lab)).unwrap();
        let found = fields(&report);
        assert!(found.iter().all(|(pid, _)| *pid != first), "{found:?}");
        assert!(found.iter().any(|(_, field)| field == "CapEff"), "{found:?}");
        drop(sleeper);
    });
}

#[test]
fn the_overrides_of_its_container_count() {
    on_every_runtime(|lab| {
        lab.policy(
            "capabilities.ceiling = []\nsubject.engine = 'containerd'\n\
             [[override]]\nname = 'net'\nmatch.namespace = 'net'\ncapabilities.ceiling = ['CAP_NET_ADMIN']\n",
        );
        let mut config = lab.privileged(&[]);
        config["annotations"] = json!({ "io.kubernetes.cri.sandbox-namespace": "net" });
        let _sleeper = lab.sleeper(&config);
        let (code, report) = attest(&lab, &[&pid_of(&lab).to_string()]);
        assert_eq!((code, &report["containers"][0]["subject"]["namespace"]), (0, &json!("net")), "{report:#}");
        lab.policy("capabilities.ceiling = []\n");
        assert_eq!(attest(&lab, &["--all"]).0, 1);
    });
}

#[test]
fn what_is_not_there_or_not_running_is_not_clean() {
    on_every_runtime(|lab| {
        let root = lab.path("state");
        let root = root.to_str().unwrap();
        let nobody = batten(&lab, &["attest", "--root", root, "--container", "nobody"]);
        assert_eq!(nobody.status.code(), Some(3));
        assert!(stderr(&nobody).contains("no container \"nobody\"") && stderr(&nobody).contains("hint: "));
        assert_eq!(batten(&lab, &["attest", "2147483647"]).status.code(), Some(3));
        assert_eq!(batten(&lab, &["attest"]).status.code(), Some(4));
        assert_eq!(batten(&lab, &["attest", "--all", "--container", "x"]).status.code(), Some(4));
        {
            let _bare = Bare::start(&lab, &lab.privileged(&[]));
            quiet(lab.bare(&["kill", &lab.id, "KILL"]));
            let ended = || {
                let output = batten(&lab, &["attest", "--root", root, "--container", &lab.id]);
                stderr(&output).contains("is not running").then(|| output.status.code())
            };
            assert_eq!(wait_for("the end", ended), Some(3));
            assert_eq!(
                attest(&lab, &["--all"]),
                (
                    0,
                    json!({
                        "version": 1, "containers": [], "summary": { "containers": 0, "clean": 0, "looser": 0, "unreadable": 0 }
                    })
                )
            );
        }
        lab.write("state/broken/state.json", "{");
        assert_eq!(attest(&lab, &["--all"]).0, 3, "a state that cannot be read hides a container");
    });
}

/// The calls that `--deep` names, with their interface.
fn looser_calls(report: &Value) -> Vec<String> {
    let processes = report["containers"][0]["processes"].as_array().unwrap();
    let findings = processes.iter().flat_map(|process| process["findings"].as_array().unwrap());
    let calls = findings.flat_map(|finding| finding["calls"].as_array().unwrap());
    calls.map(|call| format!("{} {}", call["name"].as_str().unwrap_or("?"), call["arch"].as_str().unwrap())).collect()
}

#[test]
fn deep_finds_nothing_in_what_the_shim_started_and_lets_it_go_on() {
    on_every_runtime(|lab| {
        for policy in
            ["", POLICY, "seccomp.abis = 'compat'\n", "capabilities.ceiling = ['@all']\nseccomp.abis = 'compat'\n"]
        {
            lab.policy(policy);
            let sleeper = lab.sleeper(&lab.privileged(&[]));
            quiet(lab.shim(&["exec", "--detach", &lab.id, "sleep", "997"]));
            let (code, report) = attest(&lab, &["--container", &lab.id, "--deep"]);
            assert_eq!(code, 0, "{} {policy}: {report:#}", lab.kind.name());
            assert_eq!(report["containers"][0]["processes"].as_array().unwrap().len(), 2);
            for process in report["containers"][0]["processes"].as_array().unwrap() {
                let status = || std::fs::read_to_string(format!("/proc/{}/status", process["pid"])).unwrap();
                wait_for("sleep again", || status().contains("State:\tS").then_some(()));
                assert!(status().contains("TracerPid:\t0"), "{}", status());
            }
            drop(sleeper);
        }
    });
}

#[test]
fn deep_names_the_call_that_a_filter_loosened_by_hand_lets_through() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(&["sleep", "1000"]));
        quiet({
            let mut apply = Command::new(env!("CARGO_BIN_EXE_batten"));
            apply.arg("apply").arg(&bundle).arg("--policy").arg(lab.path("policy.toml"));
            apply
        });
        let mut config = lab.config("b");
        let rules = config["linux"]["seccomp"]["syscalls"].as_array_mut().unwrap();
        rules.push(json!({ "names": ["mount"], "action": "SCMP_ACT_ALLOW" }));
        rules.push(json!({ "names": ["bpf"], "action": "SCMP_ACT_ALLOW",
            "args": [{ "index": 1, "value": 0x1_0000_0abc_u64, "op": "SCMP_CMP_EQ" }] }));
        let _bare = Bare::start(&lab, &config);
        let (code, report) = attest(&lab, &["--container", &lab.id]);
        assert_eq!(code, 0, "the mode and the number of filters are as they should be: {report:#}");
        let (code, report) = attest(&lab, &["--container", &lab.id, "--deep"]);
        assert_eq!(code, 1, "{report:#}");
        let arch = batten::seccomp::Arch::NATIVE.name();
        assert_eq!(looser_calls(&report), ["bpf", "mount"].map(|name| format!("{name} {arch}")), "{}", lab.kind.name());
        let finding = &report["containers"][0]["processes"][0]["findings"][0];
        assert_eq!(finding["calls"][0]["args"][1], 0x1_0000_0abc_u64);
        let message = finding["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("bpf(0, 4294970044), mount on {arch}: allowed by what is loaded")),
            "{message}"
        );
        let ended = poststart(&lab, "b", &["--kill", "--deep"], pid_of(&lab));
        assert!(ended.status.code() == Some(1) && stderr(&ended).contains("was ended"), "{ended:?}");
    });
}

fn poststart(lab: &Lab, bundle: &str, options: &[&str], pid: i32) -> Output {
    let bundle = lab.path(bundle);
    let state = json!({ "ociVersion": "1.0.2", "id": lab.id, "status": "running", "pid": pid, "bundle": bundle });
    poststart_with(lab, &state, options)
}

fn poststart_with(lab: &Lab, state: &Value, options: &[&str]) -> Output {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_batten"))
        .args(["hook", "poststart"])
        .args(options)
        .arg("--policy")
        .arg(lab.path("policy.toml"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(state.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn poststart_lets_a_restricted_container_be_and_ends_a_looser_one_with_all_its_processes() {
    on_every_runtime(|lab| {
        {
            let _sleeper = lab.sleeper(&lab.privileged(&[]));
            let output = poststart(&lab, "sleeper", &["--kill"], pid_of(&lab));
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            assert!(pid_of(&lab) > 0);
        }
        let bare = Bare::start(&lab, &lab.privileged(&[]));
        quiet(lab.bare(&["exec", "--detach", &lab.id, "sleep", "998"]));
        let pid = pid_of(&lab);
        let only_said = poststart(&lab, "bare", &[], pid);
        assert_eq!(only_said.status.code(), Some(1), "{only_said:?}");
        assert!(stderr(&only_said).contains("CAP_SYS_ADMIN"), "{only_said:?}");
        let (_, report) = attest(&lab, &["--container", &lab.id]);
        let pids: Vec<u64> = fields(&report).into_iter().map(|(pid, _)| pid).collect();
        assert!(pids.iter().any(|one| i32::try_from(*one).unwrap() != pid), "the exec is there: {report:#}");
        let ended = poststart(&lab, "bare", &["--kill"], pid);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(stderr(&ended).contains("was ended"), "{ended:?}");
        let runs = |pid: &u64| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            !status.is_empty() && !status.contains("State:\tZ")
        };
        // Who has left its group and its mounts already is no zombie for another moment, and runs nothing of its program's.
        wait_for("the end of all", || (!pids.iter().any(runs)).then_some(()));
        drop(bare);
        let gone = poststart(&lab, "bare", &["--kill"], i32::MAX);
        assert!(gone.status.success(), "a container that has ended does nothing: {gone:?}");
    });
}

#[test]
fn poststart_in_a_bundle_that_came_around_batten_ends_it() {
    on_every_runtime(|lab| {
        let mut config = lab.privileged(&["sleep", "1000"]);
        let policy = lab.path("policy.toml");
        config["hooks"] = json!({ "poststart": [{
            "path": env!("CARGO_BIN_EXE_batten"),
            "args": ["batten", "hook", "poststart", "--kill", "--policy", policy],
            "env": ["PATH=/usr/bin:/bin"],
        }] });
        let bundle = lab.bundle("hooked", &config);
        let line = ["run", "--bundle", bundle.to_str().unwrap(), &lab.id];
        // Both runtimes wait for the end of the container, which comes 1000 seconds early.
        let begun = std::time::Instant::now();
        let output = lab.bare(&line).stdout(std::process::Stdio::null()).output().unwrap();
        assert!(begun.elapsed().as_secs() < 500 && !output.status.success(), "{output:?}");
        let _ = lab.bare(&["delete", "--force", &lab.id]).output();
        // What the shim starts passes the same hook.
        config["process"]["args"] = json!(["echo", "ran"]);
        lab.policy("no_new_privs.required = true\n");
        let output = lab.run(&lab.bundle("hooked", &config));
        assert!(output.status.success() && output.stdout == b"ran\n", "{}: {output:?}", lab.kind.name());
    });
}

/// runc calls the hook before the filter of a container with no_new_privs is loaded. Here the filter that the bundle
/// names is right, and the program is never given it: another file was there when the runtime read.
#[test]
fn what_comes_only_with_the_program_is_proven_when_it_runs() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let mut config = lab.privileged(&["sleep", "1000"]);
    config["process"]["noNewPrivileges"] = json!(true);
    config["process"]["capabilities"] =
        json!({ "bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": [] });
    let tame = lab.bundle("tame", &config);
    quiet({
        let mut apply = Command::new(env!("CARGO_BIN_EXE_batten"));
        apply.arg("apply").arg(&tame).arg("--policy").arg(lab.path("policy.toml"));
        apply
    });
    for (bundle, lives) in [(lab.bundle("unfiltered", &config), false), (tame.clone(), true)] {
        quiet(lab.bare(&["create", "--bundle", bundle.to_str().unwrap(), &lab.id]));
        let pid = pid_of(&lab);
        let state = json!({ "ociVersion": "1.0.2", "id": lab.id, "status": "created", "pid": pid, "bundle": tame });
        let hook = poststart_with(&lab, &state, &["--kill"]);
        assert!(hook.status.success(), "the filter is still to come: {hook:?}");
        quiet(lab.bare(&["start", &lab.id]));
        let status = || std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let runs = || status().contains("Name:\tsleep") && !status().contains("State:\tZ");
        if lives {
            wait_for("the program", || runs().then_some(()));
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(runs(), "{}", status());
        } else {
            wait_for("the end of it", || (!runs() && !status().contains("runc:")).then_some(()));
        }
        let _ = lab.bare(&["delete", "--force", &lab.id]).output();
    }
}

#[test]
fn processes_below_nested_groups_are_the_container_s() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    let _sleeper = lab.sleeper(&lab.privileged(&[]));
    let mut stray = Command::new("sleep").arg("1000").spawn().unwrap();
    let folder = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].map(|tree| std::path::Path::new(tree).join(&lab.id));
    let group = folder.iter().find(|folder| folder.is_dir()).expect("runc makes a group of the container's name");
    let nested = group.join("nested");
    std::fs::create_dir(&nested).unwrap();
    std::fs::write(nested.join("cgroup.procs"), stray.id().to_string()).unwrap();
    let (code, report) = attest(&lab, &["--container", &lab.id]);
    stray.kill().unwrap();
    stray.wait().unwrap();
    std::fs::remove_dir(&nested).unwrap();
    assert_eq!(code, 1, "a process of the host's in the container's group: {report:#}");
    assert!(fields(&report).iter().all(|(pid, _)| *pid == u64::from(stray.id())));
}
