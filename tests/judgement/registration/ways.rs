//! `batten status`: what leads around batten-runtime.

use std::fs;

use super::{Machine, RUNTIME};

#[test]
fn builds_of_docker_are_an_open_way_until_dockerd_is_told_or_runc_on_path_is_batten() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["install", "docker", "--default"]);
    let way = |fail_on: &str| machine.batten(&["status", "docker", "--fail-on", fail_on]);
    assert_eq!((way("default").code, way("handler").code), (0, 1), "runc is a name that anyone can ask for");
    assert!(way("way").stdout.contains("open        docker build"), "{}", way("way").stdout);

    machine.program("/usr/sbin/dockerd", "an old one");
    let run = machine.batten(&["install", "docker", "--default", "--builds"]);
    assert_eq!((run.code, run.stderr.contains("cannot be told")), (4, true), "{}", run.stderr);
    machine.program("/usr/sbin/dockerd", "DOCKER_BUILDKIT_RUNC_COMMAND");
    machine.does(&["install", "docker", "--default", "--builds"]);
    assert!(way("way").stdout.contains("closed      docker build"), "{}", way("way").stdout);
    machine.does(&["install", "docker", "--default"]);
    assert!(way("way").stdout.contains("open        docker build"), "{}", way("way").stdout);

    fs::create_dir_all(machine.path("/usr/local/sbin")).unwrap();
    std::os::unix::fs::symlink(RUNTIME, machine.path("/usr/local/sbin/runc")).unwrap();
    assert_eq!(way("way").code, 0, "{}", way("way").stdout);
}

#[test]
fn a_user_s_own_settings_are_a_way_around() {
    let machine = Machine::new();
    machine.program("/usr/bin/podman", "");
    machine.program("/usr/bin/crun", "");
    machine.does(&["install", "podman", "--default", "--name", "crun", "--name", "runc"]);
    let status = || machine.batten(&["status", "podman", "--fail-on", "way"]);
    assert_eq!(status().code, 0, "{}", status().stdout);
    machine.write("/home/ada/.config/containers/containers.conf", "");
    assert_eq!(status().code, 1);
    assert!(status().stdout.contains("/home/ada/.config/containers/containers.conf"));
}

#[test]
fn status_says_the_same_to_machines() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["install", "docker", "--default"]);
    let run = machine.batten(&["status", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    crate::schema::assert_valid("status", &json);
    let docker = &json["engines"][0];
    assert_eq!((docker["engine"].as_str(), docker["default"].as_str()), (Some("docker"), Some("batten")));
    assert_eq!((docker["default_covered"].as_bool(), docker["all_covered"].as_bool()), (Some(true), Some(false)));
    assert_eq!(docker["handlers"][1]["starts"], "runc on PATH (/usr/sbin/runc)");
    assert_eq!(machine.batten(&["status", "crio"]).code, 3, "one that was named must be there");
    let nothing = Machine::new();
    assert_eq!(nothing.batten(&["status"]).code, 0);
}
