//! The shim as an engine calls it, but without one: bundles that ask for everything.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use batten::capability::{CapSet, Capability};
use serde_json::json;

use crate::image::ROOTFS;
use crate::{Room, SHIM, own_bounding_set};

const STATE: &str = "/run/state";

/// Bundles of one root filesystem.
#[derive(Debug)]
pub struct Bundles<'r> {
    room: &'r Room,
}

impl<'r> Bundles<'r> {
    /// None yet.
    pub fn of(room: &'r Room) -> Self {
        room.rootfs();
        fs::create_dir_all(room.path(STATE)).unwrap();
        Self { room }
    }

    /// Writes a bundle whose container runs `script`; gives its config.json for whoever is outside.
    pub fn write(&self, name: &str, script: &str) -> PathBuf {
        let every: Vec<_> = CapSet::from_bits(own_bounding_set()).iter().map(Capability::name).collect();
        let config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "user": { "uid": 0, "gid": 0 }, "cwd": "/", "env": ["PATH=/bin"], "args": ["sh", "-c", script],
                "noNewPrivileges": false,
                "capabilities": {
                    "bounding": every, "effective": every, "inheritable": every, "permitted": every, "ambient": every
                },
            },
            "root": { "path": ROOTFS },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
            ],
            "linux": { "namespaces": [
                { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }
            ] },
        });
        let file = format!("/run/bundles/{name}/config.json");
        self.room.write(&file, &config.to_string());
        self.room.path(&file)
    }

    /// `batten-runtime run` of a bundle, whose container has its name.
    pub fn run(&self, name: &str) -> Command {
        let mut command = self.room.command(SHIM);
        command.args(["--root", STATE, "run", "--bundle", &format!("/run/bundles/{name}"), name]);
        command
    }

    /// Takes away whatever there is of a container.
    pub fn delete(&self, name: &str) {
        let runtime = self.room.kind.path();
        let _ =
            self.room.command(runtime.to_str().unwrap()).args(["--root", STATE, "delete", "--force", name]).output();
    }

    /// The containers that the runtime knows of.
    pub fn known(&self) -> Vec<String> {
        let entries = fs::read_dir(self.room.path(STATE)).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        // crun keeps what it has compiled beside them.
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// A file of the containers' root filesystem, for whoever is outside.
    pub fn inside(&self, path: &str) -> PathBuf {
        self.room.path(&format!("{ROOTFS}{path}"))
    }
}
