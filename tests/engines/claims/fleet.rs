//! `batten check --running`: what the engines run at this moment, found in their state without asking them.

use std::collections::{BTreeMap, BTreeSet};

use lab::{IMAGE, Room, on_every_runtime, soon};
use serde_json::Value;

/// What a dry run says of each document; the exit code is for no finding that these can have.
fn documents(room: &Room, args: &[&str]) -> Vec<Value> {
    let said = room.batten(&[&["check", "--fail-on", "waiver-expired", "--format", "jsonl"], args].concat());
    said.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const JOINED: &str = "namespace is joined, by the number of a process that is in it";

/// The findings, but for what a config.json alone does not show.
fn shown(document: &Value) -> Vec<&Value> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings.filter(|finding| !finding["message"].as_str().unwrap().ends_with(JOINED)).collect()
}

/// The rules that refuse each running container by `level`, by its name. What is said of one that runs is what is said
/// of its config.json where that lies among others.
fn refused(room: &Room, level: &str) -> BTreeMap<String, BTreeSet<String>> {
    room.write("/run/level.toml", &format!("level = '{level}'\n"));
    let policy = ["--policy", "/run/level.toml"];
    let mut rules = BTreeMap::new();
    for live in documents(room, &[&policy[..], &["--running"]].concat()) {
        let copy = "/run/elsewhere/config.json";
        let path = live["path"].as_str().unwrap();
        room.run("install", &["-D", path, copy]).assert_done();
        let offline = documents(room, &[&policy[..], &[copy]].concat());
        assert_eq!(shown(&offline[0]), shown(&live), "{path} by {level}");
        assert_eq!(offline[0]["spec"], live["spec"], "{path}");
        let of = |key: &str| live["container"][key].as_str().map(str::to_owned);
        let refusals = live["findings"].as_array().unwrap().iter().filter(|finding| finding["disposition"] == "denied");
        let found = refusals.map(|finding| finding["rule"].as_str().unwrap().to_owned());
        rules.insert(of("name").or(of("id")).unwrap(), found.collect());
    }
    rules
}

/// Each of `rules` must refuse `wild` by `level`, and not `tame`.
fn assert_told_apart(room: &Room, level: &str, rules: &[&str]) {
    let found = refused(room, level);
    for rule in rules {
        let names: Vec<&str> =
            found.iter().filter(|(_, rules)| rules.contains(*rule)).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["wild"], "{rule} by {level}: {found:#?}");
    }
}

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

const SYS_RESOURCE: u64 = 1 << 24;

/// What every engine must show of a container that asks for the host, and not of one that asks for nothing.
const BASELINE: [&str; 5] = ["privileged", "host-network", "host-pid", "capabilities", "bind-mounts"];
/// Capabilities and user that both have, the hardened level takes from both.
const RESTRICTED: [&str; 4] = ["privileged", "host-network", "host-pid", "bind-mounts"];
const CIS: [&str; 5] = ["privileged", "host-network", "host-pid", "host-sockets", "device-cgroup"];

fn assert_told_apart_by_every_level(room: &Room) {
    assert_told_apart(room, "privileged", &[]);
    assert_told_apart(room, "baseline", &BASELINE);
    assert_told_apart(room, "restricted", &RESTRICTED);
    assert_told_apart(room, "cis-docker", &CIS);
}

#[test]
fn a_docker_container_that_asks_for_the_host_is_found_by_every_level_while_it_runs() {
    on_every_runtime(|room| {
        let docker = room.bare_docker();
        docker.sleeper("tame", &[]);
        let socket = "/run/docker.sock:/run/docker.sock";
        let wishes = ["--network", "host", "--pid", "host", "--volume", socket];
        // Docker asks for CAP_SYS_RESOURCE even where the host has not got it, and the bare runtime fails then.
        let all: &[&str] = if lab::own_bounding_set() & SYS_RESOURCE > 0 {
            &["--privileged"]
        } else {
            &["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--device-cgroup-rule", "a *:* rwm"]
        };
        let run = [&["run", "--detach", "--name", "wild"], all, &wishes, &[IMAGE, "sleep", "1000"]];
        docker.run(&run.concat()).assert_done();
        assert_told_apart_by_every_level(room);
        let user = ["--user", "1000", "--security-opt", "no-new-privileges", "--cap-drop", "ALL"];
        docker.sleeper("hardened", &user);
        let found = refused(room, "restricted");
        assert!(
            ["user", "no-new-privs", "capabilities"].iter().all(|rule| found["tame"].contains(*rule)),
            "{found:#?}"
        );
        assert!(found["hardened"].is_empty(), "{found:#?}");
    });
}

#[test]
fn a_podman_container_that_asks_for_the_host_is_found_by_every_level_while_it_runs() {
    on_every_runtime(|room| {
        let podman = room.podman(&[]).bare();
        podman.sleeper("tame", &[]);
        room.run("mkdir", &["-p", "/run/podman"]).assert_done();
        room.run("touch", &["/run/podman/podman.sock"]).assert_done();
        let socket = "/run/podman/podman.sock:/run/podman/podman.sock";
        podman.sleeper("wild", &["--privileged", "--network", "host", "--pid", "host", "--volume", socket]);
        assert_told_apart_by_every_level(room);
    });
}

#[test]
fn a_containerd_container_that_asks_for_the_host_is_found_by_every_level_while_it_runs() {
    on_every_runtime(|room| {
        let containerd = room.containerd(&[]);
        let runtime = room.kind.path().display().to_string();
        containerd.sleeper(&runtime, "tame", &[]);
        let socket = "type=bind,src=/run/containerd/containerd.sock,dst=/containerd.sock,options=rbind:rw";
        let wishes = ["--privileged", "--net-host", "--with-ns", "pid:/proc/1/ns/pid", "--mount", socket];
        containerd.sleeper(&runtime, "wild", &wishes);
        assert_told_apart_by_every_level(room);
    });
}

#[test]
fn a_privileged_container_of_a_kubelet_is_found_by_the_baseline_while_it_runs() {
    on_every_runtime(|room| {
        let mut cri = room.containerd(&[]).cri();
        let pod = cri.pod("pod", "runc", true).unwrap();
        cri.container(&pod, true).unwrap();
        let found = refused(room, "baseline");
        assert!(["privileged", "capabilities"].iter().all(|rule| found["c"].contains(*rule)), "{found:#?}");
        assert!(["pod", "c"].iter().all(|name| found[*name].contains("host-network")), "{found:#?}");
    });
}

#[test]
fn a_container_that_joins_its_pod_on_the_host_s_network_is_found_while_it_runs() {
    on_every_runtime(|room| {
        let mut cri = room.containerd(&[]).cri();
        let pod = cri.pod("pod", "runc", false).unwrap();
        cri.container(&pod, false).unwrap();
        room.write("/run/network.toml", "host_network.violation = 'deny'\n");
        let live = documents(room, &["--policy", "/run/network.toml", "--running"]);
        let of = |name: &str| live.iter().find(|one| one["container"]["name"] == name).unwrap();
        let said = |one: &Value| {
            let findings = one["findings"].as_array().unwrap().iter();
            let found = findings.filter(|finding| finding["rule"] == "host-network");
            found.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(said(of("pod")), ["the host's network namespace is shared"]);
        assert_eq!(said(of("c")), [format!("the host's network {JOINED}")], "its bundle names /proc/PID/ns/net only");
    });
}

#[test]
fn what_podman_runs_in_a_storage_of_its_own_is_found_by_name_and_image() {
    on_every_runtime(|room| {
        let podman = room.podman(&[]).bare();
        podman.sleeper("shared", &[]);
        let own = ["--root", "/tmp/own/root", "--runroot", "/tmp/own/run", "--tmpdir", "/tmp/own/tmp"];
        room.run("sh", &["-c", &format!("podman save {IMAGE} >/tmp/image.tar")]).assert_done();
        podman.run(&[&own[..], &["load", "--input", "/tmp/image.tar"]].concat()).assert_done();
        let run = ["run", "--detach", "--name", "private", IMAGE, "sleep", "1000"];
        podman.run(&[&own[..], &run].concat()).assert_done();
        let names = || found(room).into_iter().map(|[engine, name, _]| format!("{engine} {name}")).collect::<Vec<_>>();
        let expected = ["podman private", "podman shared"];
        assert!(soon(|| names() == expected), "{:?}", names());
        assert!(found(room).iter().all(|[.., image]| image.contains("busybox")), "{:?}", found(room));
        podman.run(&[&own[..], &["kill", "private"]].concat()).assert_done();
        assert!(soon(|| names() == ["podman shared"]), "{:?}", names());
    });
}
