//! containerd, by ctr: `--runc-binary` names batten-runtime.

use lab::{SHIM, on_every_runtime};

#[test]
fn without_batten_whoever_may_start_a_container_may_give_it_everything() {
    on_every_runtime(|room| {
        let containerd = room.containerd(&[]);
        let runtime = room.kind.path();
        let runtime = runtime.to_str().unwrap();
        let status = containerd.container(runtime, &["--privileged", "--allow-new-privs"]).status();
        status.assert_unrestricted("run --privileged --allow-new-privs");
    });
}

#[test]
fn what_a_container_asks_for_is_brought_within_the_policy_and_so_is_every_exec() {
    on_every_runtime(|room| {
        let containerd = room.containerd(&[]);
        let wishes: [&[&str]; 4] =
            [&[], &["--privileged"], &["--privileged", "--allow-new-privs"], &["--cap-add", "CAP_SYS_ADMIN"]];
        for wish in wishes {
            let status = containerd.container(SHIM, wish).status();
            status.assert_within(&format!("run {wish:?} on {}", room.kind.name()));
        }
        containerd.sleeper(SHIM, "sleeper", &["--privileged"]);
        containerd.exec("sleeper").status().assert_within("exec");
    });
}

/// ctr executes with the container's own spec, as containerd keeps it: what had been asked for, not what was started.
#[test]
fn an_exec_is_judged_although_containerd_sends_what_the_container_had_asked_for() {
    on_every_runtime(|room| {
        let containerd = room.containerd(&[]);
        containerd.sleeper(room.kind.path().to_str().unwrap(), "bare", &["--privileged", "--allow-new-privs"]);
        containerd.exec("bare").status().assert_unrestricted("exec without batten");
        containerd.sleeper(SHIM, "sleeper", &["--privileged", "--allow-new-privs"]);
        containerd.exec("sleeper").status().assert_within("exec");
    });
}

#[test]
fn a_refusal_reaches_whoever_typed_the_command_and_leaves_nothing_behind() {
    on_every_runtime(|room| {
        let containerd = room.containerd(&[]);
        containerd.container(SHIM, &[]).assert_done();
        let before = room.traces();
        containerd.sleeper(SHIM, "sleeper", &[]);
        assert_ne!(room.traces(), before, "a container that runs leaves traces");
        containerd.run(&["tasks", "rm", "--force", "sleeper"]).assert_done();
        containerd.run(&["containers", "rm", "sleeper"]).assert_done();
        room.deny();
        containerd.container(SHIM, &["--privileged"]).assert_refused(&[
            "batten: the policy denies",
            "are above the ceiling at /process/capabilities",
            "/etc/batten/policy.toml:",
            "hint: ",
        ]);
        for list in [["containers", "ls", "--quiet"], ["tasks", "ls", "--quiet"]] {
            assert_eq!(containerd.run(&list).stdout(), "");
        }
        before.assert_all_there_is(room, "a refused container");
    });
}
