//! A run held against profiles and policies.

use serde_json::Value;

use crate::lab::{Lab, batten, has};

const RUN: &str = "execve(\"/bin/a\", [\"a\"], 0x7) = 0\nread(0, \"\", 1) = 0\nkeyctl(KEYCTL_READ, 1) = 0\n\
    socket(AF_VSOCK, SOCK_STREAM, 0) = 3\nsocket(AF_INET, SOCK_STREAM, 0) = 3\n\
    bpf(BPF_MAP_CREATE, {}, 8) = -1 EPERM (Operation not permitted)\n";

fn run(lab: &Lab) -> String {
    std::fs::write(lab.path("run"), RUN).unwrap();
    lab.text("run")
}

#[test]
fn a_policy_s_answer_to_a_run_names_each_refused_call_and_the_line_that_refuses_it() {
    let Some(lab) = Lab::new() else { return };
    let trace = run(&lab);
    std::fs::write(lab.path("policy.toml"), "[seccomp]\nprofile = \"builtin:default\"\n").unwrap();
    let policy = lab.text("policy.toml");
    let said = batten(&["check", "--policy", &policy, "--against", &trace]);
    assert_eq!(said.code, 1, "{}{}", said.stdout, said.stderr);
    for line in [
        "keyctl would have been refused with EPERM; the run made it once, first at",
        "socket(AF_VSOCK) would have been refused with EPERM",
        "bpf would have been refused with EPERM; it was refused in the run as well",
        "policy.toml:2 (seccomp.profile)",
        "any container: reported only",
    ] {
        assert!(said.stdout.contains(line), "{line}\n{}", said.stdout);
    }
    assert!(!said.stdout.contains("read would"), "{}", said.stdout);

    // A bundle's capabilities open calls: the judgement is the one that stands before its start.
    lab.bundle(&["/bin/true"], None, true);
    std::fs::write(lab.path("run"), "read(0, \"\", 1) = 0\nchroot(\"/\") = 0\nmount(\"a\", \"/\", 0, 0, 0) = 0\n")
        .unwrap();
    let bundle = batten(&["check", &lab.text("."), "--against", &trace, "--format", "json"]);
    let report: Value = serde_json::from_str(&bundle.stdout).unwrap();
    let messages: Vec<&str> = report["documents"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["disposition"] == "reported")
        .map(|finding| finding["message"].as_str().unwrap())
        .collect();
    assert!(bundle.code == 1 && messages.len() == 1 && messages[0].starts_with("mount "), "{messages:?}");
}

#[test]
fn a_run_that_the_policy_lets_through_is_no_finding_and_the_files_are_read_like_anywhere() {
    let Some(lab) = Lab::new() else { return };
    std::fs::write(lab.path("run"), "read(0, \"\", 1) = 0\nexit_group(0) = ?\n").unwrap();
    let saved = lab.text("saved.json");
    assert_eq!(batten(&["record", "merge", &lab.text("run"), "--save", &saved]).code, 0);
    let said = batten(&["check", "--against", &saved]);
    assert_eq!((said.code, said.stdout.lines().count()), (0, 2), "{}", said.stdout);
    let absent = batten(&["check", "--against", "/nowhere"]);
    assert!(absent.code == 3 && absent.stdout.is_empty() && absent.stderr.contains("hint: "), "{}", absent.stderr);
    assert_eq!(batten(&["check", "--process", "--against", &saved, &lab.text("run")]).code, 4);
}

#[test]
fn a_bundle_s_own_filter_is_told_from_the_policy_s() {
    let Some(lab) = Lab::new() else { return };
    std::fs::write(lab.path("run"), "read(0, \"\", 1) = 0\ngetuid() = 0\n").unwrap();
    let strict = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getuid"],"action":"SCMP_ACT_ERRNO"}]}"#;
    lab.bundle(&["/bin/true"], Some(strict), true);
    let said = batten(&["check", &lab.text("."), "--against", &lab.text("run")]);
    assert!(said.code == 1 && said.stdout.contains("by the bundle's own filter"), "{}", said.stdout);
    assert!(said.stdout.contains("(seccomp.own)"), "{}", said.stdout);
}

#[test]
fn diff_says_both_directions_and_a_profile_of_the_recording_differs_in_neither() {
    let (true, Some(lab)) = (has("strace"), Lab::new()) else { return };
    assert_eq!(lab.strace(&["-f", "-o", &lab.text("trace")], &["/bin/sh", "-c", "ls / | cat"]).code, 0);
    let (trace, profile) = (lab.text("trace"), lab.text("profile.json"));
    for arguments in [true, false] {
        let mut args = vec!["record", "strace", &trace, "--output", &profile];
        args.extend(arguments.then_some("--args"));
        assert_eq!(batten(&args).code, 0);
        let same = batten(&["record", "diff", &trace, "--against-profile", &profile]);
        assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{}", same.stderr);
    }
    std::fs::write(lab.path("more"), lab.read("trace") + "keyctl(KEYCTL_READ, 1) = 0\n").unwrap();
    let more = batten(&["record", "diff", &lab.text("more"), "--against-profile", &profile]);
    assert!(more.code == 1 && more.stdout.starts_with("- keyctl: refused with EPERM"), "{}", more.stdout);
    let surplus = batten(&["record", "diff", &trace, "--against-profile", "builtin:default", "--format", "json"]);
    let surplus: Value = serde_json::from_str(&surplus.stdout).unwrap();
    let unused: Vec<&str> = surplus["unused"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(unused.contains(&"shmget") && !unused.contains(&"read"), "{unused:?}");
    assert_eq!(batten(&["record", "diff", &trace]).code, 4);
}

#[test]
fn a_whole_fleet_is_held_against_a_run_and_the_bundles_that_would_break_it_are_named() {
    let Some(lab) = Lab::new() else { return };
    std::fs::write(lab.path("run"), "read(0, \"\", 1) = 0\ngetuid() = 0\n").unwrap();
    let strict = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getuid"],"action":"SCMP_ACT_ERRNO"}]}"#;
    for (name, filter) in [("fleet/one", None), ("fleet/two", Some(strict)), ("fleet/three", None)] {
        lab.bundle(&["/bin/true"], filter, true);
        std::fs::create_dir_all(lab.path(name)).unwrap();
        std::fs::copy(lab.path("config.json"), lab.path(name).join("config.json")).unwrap();
    }
    let args = ["check", "-r", &lab.text("fleet"), "--against", &lab.text("run"), "--format", "jsonl"];
    let said = batten(&args);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let breaks = |line: &&str| line.contains("getuid would have been refused");
    let broken: Vec<&str> = said.stdout.lines().filter(breaks).collect();
    assert!(broken.len() == 1 && broken[0].contains("fleet/two/config.json"), "{}", said.stdout);
    assert_eq!(said.stdout.lines().filter(|line| line.contains("/config.json\"")).count(), 3, "{}", said.stdout);
}
