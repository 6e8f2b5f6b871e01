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
    assert!(early.stderr.contains("1 more quiet runs"), "{}", early.stderr);
    assert_eq!(batten(&["record", "merge", &saved, &three, &four, "--stabilised", "2"]).code, 0);
}
