//! Podman: with batten-runtime as its runtime, and with batten as a precreate hook.

use lab::{Kind, on_every_runtime};

const PRIVILEGED: &[&str] = &["--privileged"];

/// `batten install podman` with these.
const WRAPPER: &[&str] = &["--default"];
const PRECREATE: &[&str] = &["--no-runtime", "--hook", "precreate"];

#[test]
fn without_batten_whoever_may_start_a_container_may_give_it_everything() {
    on_every_runtime(|room| {
        let podman = room.podman(WRAPPER).bare();
        podman.container(PRIVILEGED).status().assert_unrestricted("run --privileged");
        podman.sleeper("sleeper", &[]);
        let status = podman.exec("sleeper", PRIVILEGED);
        assert_eq!(status.caps("CapEff"), lab::own_bounding_set(), "exec --privileged: {status:?}");
    });
}

#[test]
fn what_a_container_asks_for_is_brought_within_the_policy_and_so_is_every_exec() {
    on_every_runtime(|room| {
        let podman = room.podman(WRAPPER);
        let wishes: [&[&str]; 4] = [&[], PRIVILEGED, &["--cap-add", "ALL"], &["--security-opt", "seccomp=unconfined"]];
        for wish in wishes {
            podman.container(wish).status().assert_within(&format!("run {wish:?} on {}", room.kind.name()));
        }
        podman.sleeper("sleeper", PRIVILEGED);
        for wish in [&[][..], PRIVILEGED] {
            podman.exec("sleeper", wish).assert_within(&format!("exec {wish:?} on {}", room.kind.name()));
        }
    });
}

#[test]
fn an_ordinary_user_s_containers_are_within_the_policy_in_his_namespace() {
    on_every_runtime(|room| {
        let podman = room.podman(WRAPPER).rootless();
        let bare = podman.bare().container(PRIVILEGED).status();
        assert!(bare.caps("CapEff") > lab::CEILING && !bare.is_filtered(), "without batten: {bare:?}");
        podman.container(PRIVILEGED).status().assert_within("run --privileged");
        podman.sleeper("sleeper", PRIVILEGED);
        podman.exec("sleeper", PRIVILEGED).assert_within("exec --privileged");
    });
}

#[test]
fn a_build_s_run_is_within_the_policy_with_whatever_capabilities_it_is_given() {
    on_every_runtime(|room| {
        let podman = room.podman(WRAPPER);
        podman.build(&[]).status().assert_within("RUN");
        let everything = ["--cap-add", "ALL", "--security-opt", "seccomp=unconfined"];
        podman.build(&everything).status().assert_within("RUN with everything");
        let bare = podman.bare().build(&everything).status();
        assert!(bare.caps("CapBnd") > lab::CEILING && !bare.is_filtered(), "without batten: {bare:?}");
    });
}

#[test]
fn a_precreate_hook_brings_a_container_within_the_policy_whatever_the_runtime() {
    on_every_runtime(|room| {
        let podman = room.podman(PRECREATE);
        for wish in [&[][..], PRIVILEGED] {
            podman.container(wish).status().assert_within(&format!("run {wish:?} on {}", room.kind.name()));
        }
    });
}

/// It comes too late to put anything right, and Podman writes each start's config.json anew. Not even what a precreate
/// hook has put right passes: Podman leaves out of it what is empty.
#[test]
fn a_create_runtime_hook_refuses_what_is_not_written_as_the_policy_asks() {
    on_every_runtime(|room| {
        let podman = room.podman(PRECREATE);
        podman.container(PRIVILEGED).assert_done();
        let before = room.traces();
        for hooks in [&["--hook", "create-runtime"][..], &["--hook", "precreate", "--hook", "create-runtime"]] {
            room.batten(&[&["install", "podman", "--no-runtime"], hooks].concat()).assert_done();
            // crun keeps what a hook says to itself.
            let why = if room.kind == Kind::Runc { &["config.json was out of policy: "][..] } else { &[] };
            podman.container(PRIVILEGED).assert_refused(why);
            before.assert_all_there_is(room, "a refused container");
        }
    });
}

/// crun takes no notice of a failed poststart hook, so the hook ends the container itself.
#[test]
fn a_poststart_hook_ends_what_the_kernel_does_not_hold_within_the_policy() {
    on_every_runtime(|room| {
        let podman = room.podman(&["--default", "--hook", "poststart"]);
        podman.sleeper("judged", PRIVILEGED);
        podman.run(&[
            "run",
            "--detach",
            "--runtime",
            "bare",
            "--name",
            "loose",
            "--privileged",
            lab::IMAGE,
            "sleep",
            "1000",
        ]);
        let running = || podman.run(&["ps", "--format", "{{.Names}}"]).stdout();
        assert!(lab::soon(|| running() == "judged"), "{}: {}", room.kind.name(), running());
    });
}

/// Podman calls no hook for an exec or a build; the wrapper is what covers them.
#[test]
fn what_a_precreate_hook_does_not_see_is_known() {
    on_every_runtime(|room| {
        let podman = room.podman(PRECREATE);
        podman.sleeper("sleeper", &[]);
        let status = podman.exec("sleeper", PRIVILEGED);
        assert_eq!(status.caps("CapEff"), lab::own_bounding_set(), "exec --privileged: {status:?}");
        assert!(!podman.exec("sleeper", &[]).no_new_privs(), "exec");
        let build = podman.build(&[]);
        if build.is_done() {
            let status = build.status();
            assert!(status.caps("CapBnd") > lab::CEILING, "build: {status:?}");
        } else {
            // buildah's hooks know no such stage, and it then builds nothing at all.
            build.assert_refused(&["unknown stage \"precreate\""]);
        }
    });
}

#[test]
fn a_refusal_reaches_whoever_typed_the_command_and_leaves_nothing_behind() {
    on_every_runtime(|room| {
        let podman = room.podman(WRAPPER);
        podman.container(&[]).assert_done();
        let before = room.traces();
        podman.sleeper("sleeper", &[]);
        assert_ne!(room.traces(), before, "a container that runs leaves traces");
        podman.run(&["rm", "--force", "--time", "0", "sleeper"]).assert_done();
        room.deny();
        podman.container(PRIVILEGED).assert_refused(&[
            "batten: the policy denies",
            "are above the ceiling at /process/capabilities",
            "/etc/batten/policy.toml:",
            "hint: ",
        ]);
        assert_eq!(podman.run(&["ps", "--all", "--quiet"]).stdout(), "");
        before.assert_all_there_is(room, "a refused container");
    });
}

/// Podman throws away what a precreate hook says, so the sentence has to be in the log.
#[test]
fn what_the_hook_refuses_does_not_start_and_the_log_says_why() {
    on_every_runtime(|room| {
        let podman = room.podman(PRECREATE);
        room.write("/etc/batten/runtime.toml", "log = '/run/batten.jsonl'\n");
        podman.container(&[]).assert_done();
        let before = room.traces();
        room.deny();
        podman.container(PRIVILEGED).assert_refused(&["exit status 1"]);
        assert_eq!(podman.run(&["ps", "--all", "--quiet"]).stdout(), "");
        before.assert_all_there_is(room, "a refused container");
        let log = room.read("/run/batten.jsonl");
        let last = log.lines().last().unwrap();
        assert!(
            last.contains("\"denied\"") && last.contains("are above the ceiling at /process/capabilities"),
            "{last}"
        );
    });
}
