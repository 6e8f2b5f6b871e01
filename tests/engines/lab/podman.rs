//! Podman, which starts its runtimes itself.

use crate::{IMAGE, Room, STATUS, Said, Status};

/// Podman with an empty storage of its own.
#[derive(Debug)]
pub struct Podman<'r> {
    room: &'r Room,
    options: &'static [&'static str],
}

impl<'r> Podman<'r> {
    pub(crate) fn configure(room: &Room) {
        // The limits: Podman raises them to the host's, which not every host lets it.
        let config = format!(
            r#"
[containers]
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "bare"
[engine.runtimes]
bare = ["{}"]
"#,
            room.kind.path().display()
        );
        room.write("/etc/containers/containers.conf", &config);
        let storage = "[storage]\ndriver = 'overlay'\nrunroot = '/run/containers/storage'\n\
                       graphroot = '/var/lib/containers/storage'\n";
        room.write("/etc/containers/storage.conf", storage);
    }

    pub(crate) fn prepare(room: &'r Room) -> Self {
        Self::configure(room);
        let podman = Self { room, options: &[] };
        podman.run(&["load", "--quiet", "--input", room.image()]).assert_done();
        podman
    }

    /// The same with the runtime itself in batten's place.
    #[must_use]
    pub const fn bare(&self) -> Self {
        Self { room: self.room, options: &["--runtime", "bare"] }
    }

    /// `podman ARGS`.
    pub fn run(&self, args: &[&str]) -> Said {
        self.room.run("podman", &[self.options, args].concat())
    }

    /// `podman run --rm OPTIONS busybox cat /proc/self/status`.
    pub fn container(&self, options: &[&str]) -> Said {
        self.run(&[&["run", "--rm"], options, &[IMAGE], &STATUS].concat())
    }

    /// A container that sleeps until the room ends.
    pub fn sleeper(&self, name: &str, options: &[&str]) {
        let line = [&["run", "--detach", "--name", name], options, &[IMAGE, "sleep", "1000"]];
        self.run(&line.concat()).assert_done();
    }

    /// `podman exec OPTIONS NAME cat /proc/self/status`.
    pub fn exec(&self, name: &str, options: &[&str]) -> Status {
        self.run(&[&["exec"], options, &[name], &STATUS].concat()).status()
    }

    /// What a build's RUN says of itself.
    pub fn build(&self, options: &[&str]) -> Said {
        let file = format!("FROM {IMAGE}\nRUN cat /proc/self/status\n");
        self.room.write("/run/build/Dockerfile", &file);
        self.run(&[&["build", "--no-cache", "--network", "none"], options, &["/run/build"]].concat())
    }
}
