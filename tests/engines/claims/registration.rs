//! `batten install`, `status` and `uninstall`, on the engines that they are for.

use lab::{Kind, Room};

const FILES: [(&str, &str); 3] = [
    ("docker", "/etc/docker/daemon.json"),
    ("containerd", "/etc/containerd/config.toml"),
    ("podman", "/etc/containers/containers.conf"),
];

/// Every engine configured, none registered; what their files say.
fn configured(room: &Room) -> Vec<String> {
    room.configure_all();
    FILES.iter().map(|(_, file)| room.read(file)).collect()
}

#[test]
fn an_installed_engine_s_default_is_covered_and_uninstall_gives_back_the_very_bytes() {
    let Some(room) = Room::new(Kind::Runc) else { return };
    let before = configured(&room);
    for (engine, _) in FILES {
        let status = ["status", engine, "--fail-on", "default"];
        assert!(!room.batten(&status).is_done(), "{engine} is not covered yet");
        room.batten(&["install", engine, "--default"]).assert_done();
        room.batten(&status).assert_done();
        room.batten(&["uninstall", engine]).assert_done();
        assert!(!room.batten(&status).is_done(), "{engine} is not covered any more");
    }
    assert_eq!(FILES.map(|(_, file)| room.read(file)).to_vec(), before);
}

#[test]
fn a_running_docker_takes_notice_by_a_reload() {
    let Some(room) = Room::new(Kind::Runc) else { return };
    let docker = room.bare_docker();
    assert_ne!(docker.container(&[]).status().caps("CapBnd"), lab::CEILING);
    room.batten(&["install", "docker", "--default"]).assert_done();
    docker.reload();
    // Of the signal dockerd says nothing; its own answer does.
    let is_reloaded = || docker.run(&["info", "--format", "{{.DefaultRuntime}}"]).stdout() == "batten";
    assert!(lab::soon(is_reloaded), "{}", docker.run(&["info"]).all());
    docker.container(&["--privileged"]).status().assert_within("run --privileged");
}
