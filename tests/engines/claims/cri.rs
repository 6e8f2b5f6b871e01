//! containerd's CRI, as a kubelet speaks it: the handler `batten` names batten-runtime.

use lab::{Cri, Pod, Room, Status, on_every_runtime};

/// Starts a container and gives what its first process and an exec say of themselves.
fn both(room: &Room, cri: &mut Cri, pod: &Pod, is_privileged: bool) -> [Status; 2] {
    let container = cri.container(pod, is_privileged).unwrap();
    let exec = cri.exec(&container).unwrap();
    // The exec came after the first process had written its log.
    [Status::parse(&room.read("/run/pods/c.log")), exec]
}

#[test]
fn without_batten_a_privileged_container_may_do_everything() {
    on_every_runtime(|room| {
        let mut cri = room.containerd(&[]).cri();
        let pod = cri.pod("bare", "runc", true).unwrap();
        for status in both(room, &mut cri, &pod, true) {
            status.assert_unrestricted("a privileged container");
        }
    });
}

#[test]
fn a_pod_s_containers_and_what_a_kubelet_executes_in_them_are_within_the_policy() {
    on_every_runtime(|room| {
        let mut cri = room.containerd(&[]).cri();
        for is_privileged in [false, true] {
            let pod = cri.pod(&format!("pod-{is_privileged}"), "batten", is_privileged).unwrap();
            for status in both(room, &mut cri, &pod, is_privileged) {
                status.assert_within(&format!("privileged: {is_privileged}, on {}", room.kind.name()));
            }
            cri.remove(pod).unwrap();
        }
    });
}

#[test]
fn as_the_default_handler_it_covers_pods_that_name_none() {
    on_every_runtime(|room| {
        let mut cri = room.containerd(&["--default"]).cri();
        let pod = cri.pod("pod", "", true).unwrap();
        for status in both(room, &mut cri, &pod, true) {
            status.assert_within("a privileged container");
        }
    });
}

/// Hooks cannot change what the runtime has read: what is out of policy does not start. A pod's own pause container begins
/// without them.
#[test]
fn hooks_in_the_spec_that_it_begins_with_refuse_and_prove() {
    on_every_runtime(|room| {
        room.write("/etc/batten/runtime.toml", "log = '/run/batten.jsonl'\n");
        let hooks = ["--no-runtime", "--hook", "create-runtime", "--hook", "poststart"];
        let mut cri = room.containerd(&hooks).cri();
        let pod = cri.pod("pod", "", true).unwrap();
        assert!(cri.container(&pod, true).is_err(), "a privileged container");
        let log = room.read("/run/batten.jsonl");
        assert!(log.contains("\"command\":\"createRuntime\"") && log.contains("out of policy"), "{log}");
        room.policy("mode = 'audit'\n");
        cri.container(&pod, true).unwrap();
        let log = room.read("/run/batten.jsonl");
        assert!(log.contains("\"command\":\"poststart\""), "{log}");
    });
}

#[test]
fn a_refusal_reaches_the_kubelet_and_leaves_nothing_behind() {
    on_every_runtime(|room| {
        let mut cri = room.containerd(&[]).cri();
        let first = cri.pod("first", "batten", true).unwrap();
        cri.container(&first, true).unwrap();
        let running = room.traces();
        cri.remove(first).unwrap();
        let pod = cri.pod("pod", "batten", true).unwrap();
        let before = room.traces();
        assert_ne!(before, running, "a container that runs leaves traces");
        room.deny();
        let refusal = cri.container(&pod, true).unwrap_err();
        for sentence in ["batten: the policy denies", "are above the ceiling at /process/capabilities", "hint: "] {
            assert!(refusal.message().contains(sentence), "{refusal:?}");
        }
        assert_eq!(cri.containers().unwrap(), 0);
        before.assert_all_there_is(room, "a refused container");

        let refusal = cri.pod("other", "batten", true).unwrap_err();
        assert!(refusal.message().contains("batten: the policy denies"), "{refusal:?}");
        before.assert_all_there_is(room, "a refused sandbox");
    });
}
