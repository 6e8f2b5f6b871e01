//! A write-back that is killed at any of its steps leaves the old file or the new one, whole.

use std::fs;
use std::process::Command;

/// strace delivers the signal when the given system call of `batten apply` begins, for every one it makes.
#[test]
fn killed_at_any_system_call_apply_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let old = r#"{"ociVersion":"1.0.2","process":{"cwd":"/","capabilities":{"bounding":["CAP_SYS_ADMIN"]}}}"#;
    fs::write(&path, old).unwrap();
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED killed_at_any_system_call…: strace is not installed (apt-get install strace)");
        return;
    }
    let apply = |extra: &[&str]| {
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null"]).args(extra).args([env!("CARGO_BIN_EXE_batten"), "apply"]);
        command.arg(folder.path()).output().unwrap()
    };
    assert!(apply(&[]).status.success(), "strace cannot trace here");
    let new = fs::read_to_string(&path).unwrap();
    assert!(new != old && !new.contains("SYS_ADMIN"), "{new}");

    // The calls that touch the folder; the ones before them cannot harm it.
    let (mut old_seen, mut new_seen) = (0, 0);
    for call in ["openat", "write", "fchmod", "fsync", "renameat,renameat2,rename", "close", "exit_group"] {
        for nth in 1..=60 {
            fs::write(&path, old).unwrap();
            let output = apply(&[&format!("--inject={call}:signal=KILL:when={nth}")]);
            match fs::read_to_string(&path).unwrap() {
                text if text == old => old_seen += 1,
                text if text == new => new_seen += 1,
                text => panic!("{call} {nth} left {text:?}"),
            }
            if output.status.success() {
                break;
            }
        }
    }
    assert!(old_seen > 10 && new_seen > 2, "the kills hit both sides: {old_seen} old, {new_seen} new");
    // What a killed run left beside the file does not stand in the way of the next one.
    fs::write(&path, old).unwrap();
    assert!(apply(&[]).status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), new);
}
