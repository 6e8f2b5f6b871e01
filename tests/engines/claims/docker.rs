//! Docker.

use lab::{Status, on_every_runtime};

const PRIVILEGED: &[&str] = &["--privileged"];
const SYS_RESOURCE: u64 = 1 << 24;

#[test]
fn without_batten_whoever_may_start_a_container_may_give_it_everything() {
    on_every_runtime(|room| {
        let docker = room.bare_docker();
        // Docker asks for CAP_SYS_RESOURCE even where the host has not got it, and the bare runtime fails then.
        let everything = ["--cap-add", "ALL", "--security-opt", "seccomp=unconfined"];
        let without = ["--cap-drop", "SYS_RESOURCE"];
        let limits = if lab::own_bounding_set() & SYS_RESOURCE == 0 { &without[..] } else { &[] };
        docker.container(&[&everything, limits].concat()).status().assert_unrestricted("run with everything");
        if limits.is_empty() {
            docker.container(PRIVILEGED).status().assert_unrestricted("run --privileged");
            docker.sleeper("sleeper", &[]);
            let status = docker.exec("sleeper", PRIVILEGED);
            assert_eq!(status.caps("CapEff"), lab::own_bounding_set(), "exec --privileged: {status:?}");
            assert!(!status.no_new_privs(), "exec --privileged: {status:?}");
        }
    });
}

#[test]
fn what_a_container_asks_for_is_brought_within_the_policy_and_so_is_every_exec() {
    on_every_runtime(|room| {
        let docker = room.docker(&[]);
        let wishes: [&[&str]; 4] = [
            &[],
            PRIVILEGED,
            &["--cap-add", "ALL", "--security-opt", "no-new-privileges=false"],
            &["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
        ];
        for wish in wishes {
            let options = [&["--runtime", "batten"], wish].concat();
            docker.container(&options).status().assert_within(&format!("run {wish:?} on {}", room.kind.name()));
        }
        docker.sleeper("sleeper", &["--runtime", "batten", "--privileged"]);
        for wish in [&[][..], PRIVILEGED, &["--privileged", "--user", "0:0"]] {
            docker.exec("sleeper", wish).assert_within(&format!("exec {wish:?} on {}", room.kind.name()));
        }
    });
}

#[test]
fn as_the_default_runtime_it_covers_who_names_none_and_the_classic_builder() {
    on_every_runtime(|room| {
        let docker = room.docker(&["--default"]);
        docker.container(PRIVILEGED).status().assert_within("run --privileged");
        docker.build(false).status().assert_within("a build's RUN");
    });
}

/// BuildKit in dockerd, and Docker's own runtime of the name `runc`, are whatever dockerd finds by that name.
#[test]
fn as_the_runc_of_dockerd_s_path_it_covers_buildkit_and_the_runtime_of_that_name() {
    on_every_runtime(|room| {
        let docker = room.docker(&["--default"]);
        let of_runc = ["--runtime", "runc"];
        for status in [docker.build(true).status(), docker.container(&of_runc).status()] {
            assert_ne!(status.caps("CapBnd"), lab::CEILING, "the default runtime does not cover it: {status:?}");
        }
        room.run("mkdir", &["-p", "/usr/local/lib/batten"]).assert_done();
        room.run("ln", &["-s", lab::SHIM, "/usr/local/lib/batten/runc"]).assert_done();
        docker.build(true).status().assert_within("a build's RUN");
        docker.container(&of_runc).status().assert_within("run --runtime runc");
    });
}

#[test]
fn a_refusal_reaches_whoever_typed_the_command_and_leaves_nothing_behind() {
    on_every_runtime(|room| {
        let docker = room.docker(&["--default"]);
        docker.container(&[]).assert_done();
        let before = room.traces();
        docker.sleeper("sleeper", &[]);
        assert_ne!(room.traces(), before, "a container that runs leaves traces");
        docker.run(&["rm", "--force", "sleeper"]).assert_done();
        room.deny();
        docker.container(PRIVILEGED).assert_refused(&[
            "batten: the policy denies",
            "are above the ceiling at /process/capabilities",
            "/etc/batten/policy.toml:",
            "hint: ",
        ]);
        assert_eq!(docker.run(&["ps", "--all", "--quiet"]).stdout(), "");
        before.assert_all_there_is(room, "a refused container");
        docker.build(false).assert_refused(&["batten: the policy denies"]);

        room.policy("what is this?");
        docker.container(&[]).assert_refused(&["batten: ", "/etc/batten/policy.toml"]);
        before.assert_all_there_is(room, "a container without a policy");
    });
}

#[test]
fn a_refused_exec_says_so_and_leaves_its_container_as_it_was() {
    on_every_runtime(|room| {
        let docker = room.docker(&["--default"]);
        docker.sleeper("sleeper", &["--cap-drop", "ALL"]);
        let (before, status) = (room.traces(), docker.exec("sleeper", &[]));
        room.deny();
        let line = ["exec", "--privileged", "sleeper", "cat", "/proc/self/status"];
        docker.run(&line).assert_refused(&["batten: the policy denies", "hint: "]);
        before.assert_all_there_is(room, "a refused exec");
        assert_eq!(docker.exec("sleeper", &[]).caps("CapBnd"), status.caps("CapBnd"));
    });
}

#[test]
fn a_status_that_is_not_within_would_be_noticed() {
    let of_docker_s_own = "CapInh:\t0\nCapPrm:\ta80425fb\nCapEff:\ta80425fb\nCapBnd:\ta80425fb\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n";
    let status = Status::parse(of_docker_s_own);
    assert!(std::panic::catch_unwind(|| status.assert_within("Docker's own")).is_err());
}
