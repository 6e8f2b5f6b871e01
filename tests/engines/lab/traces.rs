//! What a container leaves behind: mounts, control groups, state of the runtime and of the engine, processes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Room;

/// Where runtimes and engines keep what they know of a running container.
const STATES: [&str; 7] = [
    "/run/runc",
    "/run/crun",
    "/run/docker/runtime-runc",
    "/run/docker/runtime-runs",
    "/run/docker/containerd/daemon",
    "/run/containerd",
    "/run/containers/storage/overlay-containers",
];

/// All of it at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct Traces(BTreeSet<String>);

impl Traces {
    pub(crate) fn of(room: &Room) -> Self {
        let mut found = BTreeSet::new();
        for line in room.read("/proc/1/mountinfo").lines() {
            let point = line.split(' ').nth(4).unwrap();
            // Podman's storage is mounted onto itself while some podman runs.
            if point != "/var/lib/containers/storage/overlay" {
                found.insert(format!("mount {point}"));
            }
        }
        for process in room.run("ps", &["-eo", "args="]).stdout().lines() {
            let is_of_a_container = process.contains("containerd-shim") || process.contains("conmon");
            if is_of_a_container || process.starts_with("sleep 1000") {
                found.insert(format!("process {process}"));
            }
        }
        folders(&room.path("/sys/fs/cgroup"), 6, &mut found);
        for state in STATES {
            folders(&room.path(state), 5, &mut found);
        }
        Self(found)
    }

    /// Compares with what is there now, which may be on its way out for a while.
    pub fn assert_all_there_is(&self, room: &Room, what: &str) {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let now = Self::of(room);
            let new: Vec<_> = now.0.difference(&self.0).collect();
            if new.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "{what} has left behind: {new:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn folders(path: &Path, depth: usize, found: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let inside = entry.path().components().skip(4).collect::<std::path::PathBuf>();
        found.insert(format!("folder /{}", inside.display()));
        if depth > 0 {
            folders(&entry.path(), depth - 1, found);
        }
    }
}
