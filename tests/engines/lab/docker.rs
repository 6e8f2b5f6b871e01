//! Docker: dockerd with the containerd that it starts, and its command.

use serde_json::{Value, json};

use crate::{IMAGE, Room, SHIM, STATUS, Said, Status};

/// A running daemon.
#[derive(Debug)]
pub struct Docker<'r> {
    room: &'r Room,
}

impl<'r> Docker<'r> {
    pub(crate) fn start(room: &'r Room, settings: Value) -> Self {
        let mut config = json!({
            // No bridge: the room's network is its own, and what these containers do needs none.
            "bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false,
            "storage-driver": "overlay2",
            "runtimes": { "batten": { "path": SHIM }, "bare": { "path": room.kind.path() } },
        });
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        config.as_object_mut().unwrap().extend(settings);
        room.write("/etc/docker/daemon.json", &config.to_string());
        let docker = Self { room };
        let mut command = room.command("dockerd");
        command.env("PATH", "/usr/local/lib/batten:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        room.daemon(command, "dockerd", "/run/docker.sock");
        docker.run(&["load", "--quiet", "--input", room.image()]).assert_done();
        docker
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
