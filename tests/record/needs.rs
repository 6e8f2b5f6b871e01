//! What the runtimes here need is within what was measured.

use std::process::Command;

use crate::lab::{has, is_emulated, is_root, ran};

const MEASURED: &str = include_str!("../../src/record/runtime-needs.txt");

#[test]
fn the_runtimes_here_need_no_more_than_was_measured() {
    if !is_root() || !has("strace") || !has("runc") || !has("jq") {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/measure-runtime-needs.sh");
    // A start under strace takes ten seconds where the processor is emulated: one for each kind, as a user with groups.
    let starts: &[&str] = if is_emulated() { &["1", "1000"] } else { &["3"] };
    let run = ran(Command::new(script).args(starts).output().unwrap());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("runc privileges"), "{}", run.stdout);
    for line in run.stdout.lines() {
        let mut words = line.split(' ');
        let key = format!("{} {} ", words.next().unwrap(), words.next().unwrap());
        let known = MEASURED.lines().find(|known| known.starts_with(&key)).unwrap();
        let known: Vec<&str> = known.split(' ').collect();
        let new: Vec<&str> = words.filter(|call| !known.contains(call)).collect();
        assert!(
            new.is_empty(),
            "{key} also needs {new:?}: measure again and add the lines to src/record/runtime-needs.txt"
        );
    }
}
