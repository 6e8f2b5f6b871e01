//! Podman, which starts its runtimes itself.

use crate::image::ARCHIVE;
use crate::{IMAGE, Room, STATUS, Said, Status};

/// Runs podman for an ordinary user.
const AS_USER: [&str; 9] = [
    "HOME=/tmp/user",
    "USER=user",
    "XDG_RUNTIME_DIR=/run/user/1000",
    "setpriv",
    "--reuid=1000",
    "--regid=1000",
    "--clear-groups",
    "--",
    "podman",
];

/// Such a user, with ids of his own to give away and a storage that asks nothing of the kernel.
const MAKE_USER: &str = "
    echo user:x:1000:1000::/tmp/user:/bin/sh >>/etc/passwd
    echo user:x:1000: >>/etc/group
    echo user:100000:65536 | tee /etc/subuid >/etc/subgid
    mkdir -p /tmp/user/.config/containers /run/user/1000
    printf '[storage]\ndriver = \"vfs\"\n' >/tmp/user/.config/containers/storage.conf
    chmod 700 /run/user/1000
    chown -R user:user /tmp/user /run/user/1000";

/// Podman with an empty storage of its own.
#[derive(Debug)]
pub struct Podman<'r> {
    room: &'r Room,
    program: &'static [&'static str],
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
        let podman = Self { room, program: &["podman"], options: &[] };
        podman.run(&["load", "--quiet", "--input", room.image()]).assert_done();
        podman
    }

    /// The same with the runtime itself in batten's place.
    #[must_use]
    pub const fn bare(&self) -> Self {
        Self { room: self.room, program: self.program, options: &["--runtime", "bare"] }
    }

    /// The same for an ordinary user of the room.
    #[must_use]
    pub fn rootless(&self) -> Self {
        self.room.run("sh", &["-ec", MAKE_USER]).assert_done();
        let podman = Self { room: self.room, program: &AS_USER, options: self.options };
        podman.run(&["load", "--quiet", "--input", ARCHIVE]).assert_done();
        podman
    }

    /// `podman ARGS`.
    pub fn run(&self, args: &[&str]) -> Said {
        self.room.run("env", &[self.program, self.options, args].concat())
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
