//! `batten check --running`: what the engines run at this moment, found in their state without asking them.

use std::collections::BTreeSet;

use lab::{IMAGE, Room, on_every_runtime, soon};
use serde_json::Value;

/// Engine, name and image of everything that is found to run.
fn found(room: &Room) -> BTreeSet<[String; 3]> {
    // Exits with 0 for what is only out of policy, and not for what is unreadable or not valid.
    let said = room.batten(&["check", "--running", "--fail-on", "spec", "--format", "jsonl"]);
    let documents = said.stdout().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let containers = documents.iter().filter(|document| document["kind"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    containers
        .map(|document| {
            assert_ne!(document["verdict"], "unreadable", "{document:#}");
            let container = &document["container"];
            [text(&container["engine"]), text(&container["name"]), text(&container["image"])]
        })
        .collect()
}

fn named(engine: &str, name: &str, image: &str) -> [String; 3] {
    [engine, name, image].map(str::to_owned)
}

#[test]
fn what_docker_runs_is_found_by_name_and_image_and_what_has_stopped_is_not() {
    on_every_runtime(|room| {
        let docker = room.bare_docker();
        assert!(found(room).is_empty());
        docker.sleeper("shop", &[]);
        docker.sleeper("stopped", &[]);
        docker.run(&["kill", "stopped"]).assert_done();
        let expected = BTreeSet::from([named("docker", "shop", IMAGE)]);
        assert!(soon(|| found(room) == expected), "{:?}", found(room));
        let said = room.batten(&["check", "--running", "--fail-on", "spec"]).stdout();
        assert!(said.contains("container: docker ") && said.contains("above the ceiling"), "{said}");
    });
}

#[test]
fn what_podman_runs_is_found_by_name_and_image_and_what_has_stopped_is_not() {
    on_every_runtime(|room| {
        let podman = room.podman(&[]).bare();
        podman.sleeper("db", &[]);
        podman.sleeper("stopped", &[]);
        podman.run(&["kill", "stopped"]).assert_done();
        let one = |found: &BTreeSet<[String; 3]>| {
            found.len() == 1
                && found
                    .iter()
                    .all(|[engine, name, image]| engine == "podman" && name == "db" && image.contains("busybox"))
        };
        assert!(soon(|| one(&found(room))), "{:?}", found(room));
    });
}

#[test]
fn what_containerd_runs_is_found_also_what_its_cri_started() {
    on_every_runtime(|room| {
        let containerd = room.containerd(&[]);
        containerd.sleeper(&room.kind.path().display().to_string(), "by-ctr", &[]);
        let mut cri = containerd.cri();
        let pod = cri.pod("pod", "runc", false).unwrap();
        cri.container(&pod, false).unwrap();
        let seen = found(room);
        assert_eq!(seen.len(), 3, "ctr's, the pod's own and its container: {seen:?}");
        assert!(seen.iter().all(|[engine, ..]| engine == "containerd"), "{seen:?}");
        assert!(seen.iter().any(|[_, name, image]| name == "c" && image.contains("busybox")), "{seen:?}");
        assert!(seen.iter().any(|[_, name, _]| name == "pod"), "the pause container has its pod's name: {seen:?}");
        cri.remove(pod).unwrap();
        assert!(soon(|| found(room).len() == 1), "{:?}", found(room));
    });
}
