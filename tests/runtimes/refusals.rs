//! Whatever is wrong, nothing starts, and the engine hears of it by both roads.

use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Kind, Lab, install, on_every_runtime, stderr};

/// Runs a bundle that must be refused: it would leave a file behind.
fn assert_refused(lab: &Lab, what: &str) {
    let log = lab.path("log.json");
    let _ = std::fs::remove_file(&log);
    let bundle = lab.path("b");
    let line =
        ["--log", log.to_str().unwrap(), "--log-format", "json", "run", "--bundle", bundle.to_str().unwrap(), &lab.id];
    let output = lab.shim(&line).output().unwrap();
    assert!(!output.status.success(), "{what}: {output:?}");
    assert!(output.stdout.is_empty(), "{what}: stdout is the runtime's: {output:?}");
    assert!(stderr(&output).contains("hint: "), "{what}: {output:?}");
    let entry: Value = serde_json::from_slice(&std::fs::read(&log).unwrap()).expect("one JSON object and nothing else");
    assert_eq!(entry["level"], "error");
    assert!(entry["msg"].as_str().unwrap().starts_with("batten: "), "{entry}");
    assert!(entry["time"].as_str().unwrap().ends_with('Z'), "{entry}");
    assert!(!lab.path("rootfs/tmp/started").exists(), "{what}: it started");
    assert!(!lab.path("state").join(&lab.id).exists(), "{what}: the runtime was called");
}

fn toucher(lab: &Lab) -> Value {
    lab.privileged(&["touch", "/tmp/started"])
}

#[test]
fn what_two_runtimes_read_differently_does_not_start() {
    on_every_runtime(|lab| {
        let text = toucher(&lab).to_string();
        for (what, text) in [
            ("a folded key", text.replacen("\"process\"", "\"Process\":{},\"process\"", 1)),
            ("a key twice", text.replacen("\"process\"", "\"process\":{},\"process\"", 1)),
            ("data behind", format!("{text} {{}}")),
            ("a wrong type", text.replacen("\"noNewPrivileges\":false", "\"noNewPrivileges\":\"false\"", 1)),
            ("half a file", text[..text.len() / 2].to_owned()),
            ("nothing", String::new()),
        ] {
            lab.write("b/config.json", &text);
            assert_refused(&lab, what);
            assert_eq!(std::fs::read_to_string(lab.path("b/config.json")).unwrap(), text, "{what}");
        }
    });
}

#[test]
fn what_the_policy_denies_does_not_start_and_says_why() {
    on_every_runtime(|lab| {
        lab.policy("capabilities.ceiling = ['CAP_KILL']\ncapabilities.violation = 'deny'\n");
        let bundle = lab.bundle("b", &toucher(&lab));
        assert_refused(&lab, "denied");
        let output = lab.run(&bundle);
        let message = stderr(&output);
        assert!(message.contains("above the ceiling") && message.contains("policy.toml:1"), "{message}");
        assert_eq!(output.status.code(), Some(1));
    });
}

#[test]
fn the_host_s_network_does_not_come_in_by_the_number_of_a_process() {
    on_every_runtime(|lab| {
        lab.policy("host_network.violation = 'deny'\n");
        let joins = |process: u32| {
            let mut spec = toucher(&lab);
            let namespaces = spec["linux"]["namespaces"].as_array_mut().unwrap();
            namespaces.retain(|one| one["type"] != "network");
            namespaces.push(json!({"type": "network", "path": format!("/proc/{process}/ns/net")}));
            spec
        };
        lab.bundle("b", &joins(std::process::id()));
        assert_refused(&lab, "this test is on the host's network");
        let mut other = Command::new("unshare").args(["--net", "sleep", "1000"]).spawn().unwrap();
        let named = |file: &str| std::fs::read_link(file).unwrap();
        while named(&format!("/proc/{}/ns/net", other.id())) == named("/proc/self/ns/net") {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let output = lab.run(&lab.bundle("b", &joins(other.id())));
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(output.status.success(), "another container's may be joined: {output:?}");
        assert!(lab.path("rootfs/tmp/started").exists());
    });
}

#[test]
fn a_bad_policy_or_bad_settings_start_nothing() {
    on_every_runtime(|lab| {
        lab.bundle("b", &toucher(&lab));
        lab.policy("capabilitees.ceiling = []\n");
        assert_refused(&lab, "an unknown setting");
        lab.policy("");
        lab.write("runtime.toml", "runtim = '/usr/sbin/runc'\n");
        assert_refused(&lab, "an unknown setting of the shim");
        lab.write("runtime.toml", "runtime = '/nonexistent/runc'\n");
        assert_refused(&lab, "no such runtime");
        std::fs::remove_file(lab.path("runtime.toml")).unwrap();
        assert_refused(&lab, "settings that are named and not there");
    });
}

#[test]
fn a_bundle_that_others_could_change_does_not_start() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    on_every_runtime(|lab| {
        let config = lab.path("b/config.json");
        let text = toucher(&lab).to_string();
        std::fs::create_dir(lab.path("b")).unwrap();

        let real = lab.write("real.json", &text);
        symlink(&real, &config).unwrap();
        assert_refused(&lab, "a symbolic link");
        std::fs::remove_file(&config).unwrap();
        std::fs::hard_link(&real, &config).unwrap();
        assert_refused(&lab, "a hard link");
        std::fs::remove_file(&config).unwrap();
        nix::unistd::mkfifo(&config, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_refused(&lab, "a pipe");
        std::fs::remove_file(&config).unwrap();
        lab.write("b/config.json", &text);
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_refused(&lab, "writable to all");
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::chown(&config, Some(12345), None).unwrap();
        assert_refused(&lab, "a stranger's");
        std::os::unix::fs::chown(&config, Some(0), None).unwrap();
        std::fs::set_permissions(lab.path("b"), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_refused(&lab, "a folder that is writable to all");
        std::fs::set_permissions(lab.path("b"), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(lab.path("b"), Some(12345), None).unwrap();
        assert_refused(&lab, "a stranger's folder");
    });
}

#[test]
fn what_cannot_be_read_as_the_runtime_would_starts_nothing() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &toucher(&lab));
        let bundle = bundle.to_str().unwrap();
        for line in [
            &["--frob", "run", "--bundle", bundle, &lab.id][..],
            &["run", "--frob", "--bundle", bundle, &lab.id],
            &["run", "--bundle", bundle, "--bundle", bundle, &lab.id],
            &["run", "--bundle", bundle, &lab.id, "c2"],
            &["run", "--bundle", bundle, "../c1"],
            &["run", "--bundle", "", &lab.id],
            &["run", "--bun", bundle, &lab.id],
            &["Run", "--bundle", bundle, &lab.id],
            &["init"],
        ] {
            let output = lab.shim(line).output().unwrap();
            assert_eq!(output.status.code(), Some(4), "{line:?}: {output:?}");
            assert!(stderr(&output).contains("hint: "), "{line:?}: {output:?}");
            assert!(!lab.path("state").join(&lab.id).exists() && !lab.path("rootfs/tmp/started").exists(), "{line:?}");
        }
    });
}

#[test]
fn version_and_features_need_no_policy() {
    on_every_runtime(|lab| {
        lab.policy("nonsense");
        for line in [&["--version"][..], &["features"], &["--help"], &["list"]] {
            let (bare, shim) = (lab.bare(line).output().unwrap(), lab.shim(line).output().unwrap());
            assert_eq!(shim.status.code(), bare.status.code(), "{line:?}: {shim:?}");
            assert_eq!((shim.stdout, shim.stderr), (bare.stdout, bare.stderr), "{line:?}");
        }
    });
}

#[test]
fn a_start_that_is_not_refused_says_nothing_of_its_own() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(&["sh", "-c", "echo out; echo err >&2"]));
        let output = lab.run(&bundle);
        assert_eq!((&*output.stdout, &*output.stderr), (&b"out\n"[..], &b"err\n"[..]));
    });
}

#[test]
fn batten_runtime_behind_batten_runtime_is_refused() {
    let Some(lab) = Lab::new(Kind::Runc) else { return };
    lab.bundle("b", &toucher(&lab));
    let shim = lab.path("batten-runtime").display().to_string();
    lab.write("runtime.toml", &format!("runtime = '{shim}'\n"));
    assert_refused(&lab, "itself");
    for script in [format!("#!/bin/sh\nexec {shim} \"$@\"\n"), format!("#!/bin/sh\n{shim} \"$@\"\n")] {
        let wrapper = lab.path("runc");
        install(&lab.write("wrapper", &script), &wrapper);
        lab.write("runtime.toml", &format!("runtime = '{}'\n", wrapper.display()));
        let output = lab.run(&lab.path("b"));
        assert!(stderr(&output).contains("calls batten-runtime again"), "{script}: {output:?}");
    }
}

#[test]
fn a_restore_under_another_profile_is_refused() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &toucher(&lab));
        let line = ["restore", "--lsm-profile", "apparmor:unconfined", "--bundle", bundle.to_str().unwrap(), &lab.id];
        let output = lab.shim(&line).output().unwrap();
        assert!(stderr(&output).contains("--lsm-profile"), "{output:?}");
        // And the bundle of one is judged.
        lab.policy("capabilities.violation = 'deny'\n");
        let output = lab.shim(&["restore", "--bundle", bundle.to_str().unwrap(), &lab.id]).output().unwrap();
        assert!(stderr(&output).contains("above the ceiling"), "{output:?}");
    });
}

#[test]
fn a_name_out_of_the_bundle_cannot_forge_a_line_of_the_log() {
    on_every_runtime(|lab| {
        let mut config = toucher(&lab);
        config["process"]["capabilities"]["inheritable"] = json!(["\u{1b}[2J\n{\"level\":\"info\"}"]);
        lab.policy("capabilities.violation = 'deny'\n");
        let bundle = lab.bundle("b", &config);
        assert_refused(&lab, "control characters");
        assert!(!stderr(&lab.run(&bundle)).contains('\u{1b}'));
    });
}

/// The same command, with redirections as a shell writes them.
fn redirected(command: &Command, redirections: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("exec \"$0\" \"$@\" {redirections}"))
        .arg(command.get_program())
        .args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

#[test]
fn a_refusal_reaches_the_log_though_every_standard_stream_is_closed() {
    on_every_runtime(|lab| {
        lab.policy("capabilities.ceiling = ['CAP_KILL']\ncapabilities.violation = 'deny'\n");
        let bundle = lab.bundle("b", &toucher(&lab));
        let text = std::fs::read_to_string(bundle.join("config.json")).unwrap();
        let log = lab.path("closed.log");
        let line = ["--log", log.to_str().unwrap(), "run", "--bundle", bundle.to_str().unwrap(), &lab.id];
        let shim = lab.shim(&line);
        for redirections in ["<&- >&- 2>&-", "2>&-", "<&- 2>&-"] {
            let status = redirected(&shim, redirections).status().unwrap();
            assert_eq!(status.code(), Some(1), "{redirections}");
            let logged = std::fs::read_to_string(&log).unwrap();
            assert_eq!(logged.lines().count(), 1, "{redirections}: {logged}");
            assert!(logged.contains("above the ceiling"), "{redirections}: {logged}");
            assert_eq!(std::fs::read_to_string(bundle.join("config.json")).unwrap(), text, "{redirections}");
            std::fs::remove_file(&log).unwrap();
        }
    });
}

#[test]
fn a_refusal_that_nobody_reads_is_a_refusal() {
    on_every_runtime(|lab| {
        lab.policy("capabilities.ceiling = ['CAP_KILL']\ncapabilities.violation = 'deny'\n");
        let bundle = lab.bundle("b", &toucher(&lab));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut shim = lab.shim(&["run", "--bundle", bundle.to_str().unwrap(), &lab.id]);
        let status = shim.stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(1), "an exit code, and no signal's");
    });
}
