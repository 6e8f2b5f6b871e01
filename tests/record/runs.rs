//! Recordings over time.

use crate::lab::{Lab, batten};

fn trace(lab: &Lab, name: &str, calls: &str) -> String {
    let text: String = calls.split(' ').fold(String::new(), |text, call| text + call + "(0) = 0\n");
    std::fs::write(lab.path(name), text).unwrap();
    lab.text(name)
}

#[test]
fn runs_are_merged_counted_and_judged_stable() {
    let Some(lab) = Lab::new() else { return };
    let (one, two) = (trace(&lab, "one", "read write"), trace(&lab, "two", "read getpid"));
    let (three, four) = (trace(&lab, "three", "read"), trace(&lab, "four", "write"));
    let saved = lab.text("saved.json");
    assert_eq!(batten(&["record", "merge", &one, &two, "--save", &saved]).code, 0);
    let coverage = batten(&["record", "merge", &saved, &three, "--coverage"]);
    let row = |call: &str| coverage.stdout.lines().find(|line| line.starts_with(call)).unwrap().to_owned();
    assert!(row("read").contains("3 of 3") && row("getpid").contains("1 of 3"), "{}", coverage.stdout);
    assert!(row("getpid").ends_with("run 2"), "{}", coverage.stdout);
    let early = batten(&["record", "merge", &saved, &three, "--stabilised", "2"]);
    assert_eq!(early.code, 1, "{}", early.stderr);
    assert!(early.stderr.contains("1 more quiet run wanted"), "{}", early.stderr);
    assert_eq!(batten(&["record", "merge", &saved, &three, &four, "--stabilised", "2"]).code, 0);
}

#[test]
fn apparmor_learns_from_a_recording_what_that_is_sure_of() {
    let Some(lab) = Lab::new() else { return };
    std::fs::write(lab.path("run"), "socket(AF_INET, SOCK_STREAM, 0) = 3\nopen(\"/etc/shadow\", O_RDONLY) = 3\n")
        .unwrap();
    let saved = lab.text("saved.json");
    assert_eq!(batten(&["record", "strace", &lab.text("run"), "--args", "--save", &saved]).code, 0);
    let recording = lab.read("saved.json").replacen("\"runs\"", "\"capabilities\": [\"CAP_CHOWN\"], \"runs\"", 1);
    std::fs::write(lab.path("saved.json"), recording).unwrap();
    let learnt = batten(&["apparmor", "learn", "--recording", &saved, "--profile", "web"]);
    assert_eq!(learnt.code, 2, "{}", learnt.stderr);
    assert!(learnt.stdout.contains("CAP_CHOWN") && learnt.stdout.contains("inet"), "{}", learnt.stdout);
    assert!(!learnt.stdout.contains("shadow"), "{}", learnt.stdout);
    let text = batten(&["apparmor", "learn", "--recording", &lab.text("run"), "--profile", "web"]);
    assert!(text.stderr.contains("does not show capabilities"), "{}", text.stderr);
}
