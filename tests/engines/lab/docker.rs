//! Docker: dockerd with the containerd that it starts, and its command.

use serde_json::json;

use crate::{IMAGE, Room, STATUS, Said, Status};

/// A running daemon.
#[derive(Debug)]
pub struct Docker<'r> {
    room: &'r Room,
}

impl<'r> Docker<'r> {
    pub(crate) fn configure(room: &Room) {
        let config = json!({
            // No bridge: the room's network is its own, and what these containers do needs none.
            "bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false,
            "storage-driver": "overlay2",
            "runtimes": { "bare": { "path": room.kind.path() } }, "default-runtime": "bare",
        });
        room.write("/etc/docker/daemon.json", &config.to_string());
    }

    pub(crate) fn start(room: &'r Room) -> Self {
        let docker = Self { room };
        let mut command = room.command("dockerd");
        command.env("PATH", "/usr/local/lib/batten:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        room.daemon(command, "dockerd", "/run/docker.sock");
        docker.run(&["load", "--quiet", "--input", room.image()]).assert_done();
        docker
    }

    /// Has it read daemon.json again, as `systemctl reload docker` does.
    pub fn reload(&self) {
        self.room.run("sh", &["-c", "kill -HUP $(cat /run/docker.pid)"]).assert_done();
    }

    /// `docker ARGS`.
    pub fn run(&self, args: &[&str]) -> Said {
        self.room.run("docker", args)
    }

    /// `docker run --rm OPTIONS busybox cat /proc/self/status`.
    pub fn container(&self, options: &[&str]) -> Said {
        let line = [&["run", "--rm", "--network", "none"], options, &[IMAGE], &STATUS].concat();
        self.run(&line)
    }

    /// A container that sleeps until the room ends.
    pub fn sleeper(&self, name: &str, options: &[&str]) {
        let line = [&["run", "--detach", "--network", "none", "--name", name], options, &[IMAGE, "sleep", "1000"]];
        self.run(&line.concat()).assert_done();
    }

    /// `docker exec OPTIONS NAME cat /proc/self/status`.
    pub fn exec(&self, name: &str, options: &[&str]) -> Status {
        self.run(&[&["exec"], options, &[name], &STATUS].concat()).status()
    }

    /// What a build's RUN says of itself; by BuildKit, or by the classic builder.
    pub fn build(&self, buildkit: bool) -> Said {
        let file = format!("FROM {IMAGE}\nRUN cat /proc/self/status\n");
        self.room.write("/run/build/Dockerfile", &file);
        let mut command = self.room.command("docker");
        command.env("DOCKER_BUILDKIT", if buildkit { "1" } else { "0" });
        let progress: &[&str] = if buildkit { &["--progress", "plain"] } else { &[] };
        command.args([&["build", "--no-cache", "--network", "none"], progress, &["/run/build"]].concat());
        Said::of(command)
    }
}
