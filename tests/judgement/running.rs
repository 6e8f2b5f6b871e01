//! `batten check --running`: what runtimes keep of their containers, found and judged.

use std::fs;

use serde_json::Value;

use crate::batten::batten;
use crate::fleet::{PLAIN, file, place};

#[test]
fn running_names_engine_id_name_and_image_and_skips_what_does_not_run() {
    let (_folder, root) = place();
    let tasks = format!("{root}/run/containerd/io.containerd.runtime.v2.task");
    let annotated = PLAIN.replace(
        "\"process\"",
        "\"annotations\":{\"io.kubernetes.cri.container-name\":\"web\",\"io.kubernetes.cri.image-name\":\"img:1\"},\"process\"",
    );
    file(format!("{tasks}/k8s.io/c1/config.json"), &annotated);
    file(format!("{tasks}/moby/d1/config.json"), PLAIN);
    let own = r#"{"Name":"/shop","Config":{"Image":"shop:2"}}"#;
    file(format!("{root}/var/lib/docker/containers/d1/config.v2.json"), own);
    fs::create_dir_all(format!("{tasks}/moby/gone")).unwrap();
    let storage = format!("{root}/var/lib/containers/storage/overlay-containers");
    for (id, pid) in [("p1", "4242"), ("stopped", "4343")] {
        file(format!("{storage}/{id}/userdata/config.json"), PLAIN);
        file(format!("{root}/run/containers/storage/overlay-containers/{id}/userdata/pidfile"), pid);
    }
    fs::create_dir_all(format!("{root}/proc/4242")).unwrap();
    let names = r#"[{"id":"p1","names":["db"],"metadata":"{\"image-name\":\"db:3\"}"}]"#;
    file(format!("{storage}/containers.json"), names);
    let run = batten(&["check", "--running", "--root", &root, "--format", "jsonl"]);
    let containers: Vec<String> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["container"].clone())
        .map(|one| ["engine", "id", "name", "image"].map(|key| one[key].as_str().unwrap().to_owned()).join(" "))
        .collect();
    assert_eq!(containers, ["containerd c1 web img:1", "docker d1 shop shop:2", "podman p1 db db:3"]);
    assert_eq!((run.code, run.stderr.as_str()), (2, ""));
}

/// A process that lives as long as the test looks.
struct Sleeper(std::process::Child);

impl Sleeper {
    fn new() -> Self {
        Self(std::process::Command::new("sleep").arg("1000").spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn running_finds_what_only_the_state_of_a_runtime_names_once_and_says_what_it_cannot_read() {
    let (_folder, root) = place();
    let process = Sleeper::new();
    let state = |runtime: &str, id: &str, bundle: &str| {
        let text = format!(r#"{{"pid":{},"bundle":"{bundle}"}}"#, process.0.id());
        file(format!("{root}/run/{runtime}/{id}/status"), &text);
    };
    let task = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/c1";
    let storage = "/srv/podman/overlay-containers/p1/userdata";
    for bundle in [task, storage, "/bundles/web"] {
        file(format!("{root}{bundle}/config.json"), PLAIN);
    }
    let names = r#"[{"id":"p1","names":["db"],"metadata":"{\"image-name\":\"db:3\"}"}]"#;
    file(format!("{root}/srv/podman/overlay-containers/containers.json"), names);
    state("containerd/runc/k8s.io", "c1", task);
    state("crun", "p1", storage);
    state("crun", "web", "/bundles/web");
    // crun has its own copy of what it started.
    state("crun", "copied", "/bundles/removed");
    file(format!("{root}/run/crun/copied/config.json"), PLAIN);
    file(format!("{root}/run/runc/ended/state.json"), r#"{"init_process_pid":0}"#);
    file(format!("{root}/run/runc/broken/state.json"), "{");
    let own = format!("{root}/srv/runtime");
    state("../srv/runtime", "aside", "/bundles/aside");
    file(format!("{root}/bundles/aside/config.json"), PLAIN);
    file(format!("{root}/run/user/1000/crun/others/status"), "{}");
    let is_root =
        std::os::unix::fs::chown(format!("{root}/run/user/1000/crun/others/status"), Some(1000), None).is_ok();
    let run = batten(&["check", "--running", "--root", &root, "--format", "jsonl"]);
    let documents: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = documents.iter().map(|one| {
        let container = ["engine", "id", "name"].map(|key| one["container"][key].as_str().unwrap_or("-")).join(" ");
        format!("{container} {}", one["verdict"].as_str().unwrap())
    });
    let expected = [
        "containerd c1 - would-fix",
        "- - - unreadable",
        "- copied - would-fix",
        "podman p1 db would-fix",
        "- web - would-fix",
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected, "{}", run.stderr);
    assert!(documents[1]["path"].as_str().unwrap().ends_with("/run/runc/broken"), "{}", documents[1]);
    let others = format!("note: the containers in {root}/run/user/1000/crun are another user's and left out");
    assert!(!is_root || run.stderr.starts_with(&others), "{}", run.stderr);
    assert_eq!(run.code, 3);
    assert!(!run.stdout.contains("aside"), "{}", run.stdout);
    let mistyped = format!("{root}/srv/mistyped");
    let folders = ["--runtime-root", &own, "--runtime-root", &own, "--runtime-root", &mistyped];
    let run = batten(&[&["check", "--running", "--root", &root][..], &folders].concat());
    assert_eq!(run.stdout.matches("container: aside\n").count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("/srv/mistyped is no folder"), "{}", run.stdout);
}

#[test]
fn of_what_runs_a_namespace_joined_by_the_number_of_a_process_is_known_for_the_host_s() {
    let (_folder, root) = place();
    let policy = format!("{root}/policy.toml");
    file(&policy, "host_network.violation = 'deny'\n");
    let of = |process: &str, text: &str| file(format!("{root}/proc/{process}/ns/net"), text);
    of("1", "the host's");
    of("77", "a pod's");
    fs::create_dir_all(format!("{root}/proc/78/ns")).unwrap();
    std::os::unix::fs::symlink(format!("{root}/proc/1/ns/net"), format!("{root}/proc/78/ns/net")).unwrap();
    let joins = |process: &str| {
        let entry =
            format!(r#""linux":{{"namespaces":[{{"type":"network","path":"/proc/{process}/ns/net"}}]}},"process""#);
        PLAIN.replace("\"process\"", &entry)
    };
    let tasks = format!("{root}/run/containerd/io.containerd.runtime.v2.task/k8s.io");
    for process in ["77", "78"] {
        file(format!("{tasks}/{process}/config.json"), &joins(process));
    }
    let args = ["check", "--policy", &policy, "--fail-on", "host-network"];
    let run = batten(&[&args[..], &["--running", "--root", &root]].concat());
    assert_eq!(run.code, 1, "{}", run.stdout);
    let said = "the host's network namespace is joined, by the number of a process that is in it";
    assert_eq!(run.stdout.matches(said).count(), 1, "{}", run.stdout);
    assert!(run.stdout.split("k8s.io/78/").nth(1).unwrap().contains(said), "{}", run.stdout);
    let nowhere = batten(&["check", "--running", "--root", &format!("{root}/mistyped")]);
    assert!(nowhere.code == 3 && nowhere.stdout.contains("/mistyped is no folder"), "{}", nowhere.stdout);
    let offline = batten(&[&args[..], &[&format!("{tasks}/78")]].concat());
    assert_eq!(offline.code, 0, "a bundle alone does not show whose process that is: {}", offline.stdout);
}
