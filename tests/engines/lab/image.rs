//! The image that every engine here runs: busybox, as an archive that Docker, Podman and containerd load.

use serde_json::json;

use crate::Room;

/// Its name, in full, as containerd wants it.
pub const IMAGE: &str = "docker.io/library/busybox:latest";

/// It as an archive, once [`Room::image`] has made it.
pub(crate) const ARCHIVE: &str = "/run/image/image.tar";

const APPLETS: &str = "sh cat echo grep id ls mkdir sleep true unshare";

/// The root filesystem in it.
pub(crate) const ROOTFS: &str = "/run/image/rootfs";

impl Room {
    /// Makes the root filesystem.
    pub(crate) fn rootfs(&self) {
        let script = format!(
            "mkdir -p {ROOTFS}; cd {ROOTFS}; mkdir bin dev etc proc sys tmp; cp \"$(command -v busybox)\" bin/; \
             for name in {APPLETS}; do ln -s busybox bin/$name; done"
        );
        self.run("sh", &["-ec", &script]).assert_done();
    }

    /// Makes the archive; gives its path in the room.
    pub(crate) fn image(&self) -> &'static str {
        self.rootfs();
        self.write("/run/image/manifest.json", &manifest().to_string());
        let layer = "tar -C rootfs -cf layer.tar .; sha256sum layer.tar";
        let sum = self.run("sh", &["-ec", &format!("cd /run/image; {layer}")]).stdout();
        let sum = sum.split(' ').next().unwrap();
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let config = json!({
            "architecture": architecture, "os": "linux",
            // What also serves as the pause image of a pod.
            "config": { "Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"] },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{sum}")] },
            "history": [{ "created_by": "tests/engines" }],
        });
        self.write("/run/image/config.json", &config.to_string());
        self.run("tar", &["-C", "/run/image", "-cf", ARCHIVE, "manifest.json", "config.json", "layer.tar"])
            .assert_done();
        ARCHIVE
    }
}

fn manifest() -> serde_json::Value {
    json!([{ "Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"] }])
}
