//! Recordings that do not begin.

use super::{BACKENDS, containers, on_some_runtime, record_run};
use crate::lab::{Lab, ran};

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
    on_some_runtime(|lab, runtime| {
        lab.bundle(&["/bin/nonexistent"], None, true);
        for backend in BACKENDS {
            let run = ran(record_run(lab, runtime, &["--backend", backend]).output().unwrap());
            assert_eq!(run.code, 3, "{}", run.stderr);
            assert!(run.stderr.contains("hint: ") && run.stdout.is_empty(), "{}", run.stderr);
            assert_eq!(containers(lab), [""; 0], "{runtime}");
        }
    });
}

#[test]
fn what_could_not_be_written_is_said_before_the_container_starts() {
    on_some_runtime(|lab, runtime| {
        lab.bundle(&["/bin/mkdir", "/tmp/ran"], None, true);
        let (absent, here) = (lab.text("absent/file"), lab.text("here"));
        for (options, code, said) in [
            (vec!["--output", &absent], 3, "cannot write"),
            (vec!["--save", &absent], 3, "cannot write"),
            (vec!["--provenance", &absent], 3, "cannot write"),
            (vec!["--format", "groups", "--output", &here], 4, "wrong ending"),
            (vec!["--save", &here, "--output", &here], 4, "for two things"),
            (vec!["--save", "here", "--provenance", "./here"], 4, "for two things"),
            (vec!["--output", "-"], 4, "- is no file"),
        ] {
            let run = ran(record_run(lab, runtime, &options).output().unwrap());
            assert!(run.code == code && run.stderr.contains(said), "{options:?}: {}: {}", run.code, run.stderr);
            assert!(!lab.path("rootfs/tmp/ran").exists(), "{options:?}");
        }
    });
}
