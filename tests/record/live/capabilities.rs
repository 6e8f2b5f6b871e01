//! The capabilities that a container used.

use super::{on_every_runtime, record_run, recorded, tweak};
use crate::lab::{Lab, ran, runtime_command, unique_id};

fn give(lab: &Lab, capabilities: &[&str]) {
    tweak(lab, |config| {
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = capabilities.into();
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
