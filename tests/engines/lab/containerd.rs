//! containerd and its own command, ctr.

use crate::{Cri, IMAGE, Room, STATUS, Said};

const SOCKET: &str = "/run/containerd/containerd.sock";

/// A running daemon, with the image in it for ctr and for the CRI.
#[derive(Debug)]
pub struct Containerd<'r> {
    room: &'r Room,
}

impl<'r> Containerd<'r> {
    pub(crate) fn configure(room: &Room) {
        let config = format!(
            "version = 2\n\
             [plugins.'io.containerd.grpc.v1.cri']\n\
             sandbox_image = '{IMAGE}'\n\
             disable_tcp_service = true\n\
             restrict_oom_score_adj = true\n\
             disable_hugetlb_controller = true\n\
             [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\n\
             runtime_type = 'io.containerd.runc.v2'\n\
             [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]\n\
             BinaryName = '{}'\n",
            room.kind.path().display()
        );
        room.write("/etc/containerd/config.toml", &config);
    }

    pub(crate) fn start(room: &'r Room) -> Self {
        let containerd = Self { room };
        room.daemon(room.command("containerd"), "containerd", SOCKET);
        let archive = room.image();
        for namespace in ["default", "k8s.io"] {
            containerd.run(&["--namespace", namespace, "images", "import", archive]).assert_done();
        }
        containerd
    }

    /// `ctr ARGS`.
    pub fn run(&self, args: &[&str]) -> Said {
        self.room.run("ctr", args)
    }

    /// `ctr run --rm --runc-binary PROGRAM OPTIONS busybox ID cat /proc/self/status`.
    pub fn container(&self, program: &str, options: &[&str]) -> Said {
        let id = crate::unique();
        self.run(&[&["run", "--rm", "--runc-binary", program], options, &[IMAGE, &id], &STATUS].concat())
    }

    /// A container that sleeps until the room ends.
    pub fn sleeper(&self, program: &str, id: &str, options: &[&str]) {
        let line = [&["run", "--detach", "--runc-binary", program], options, &[IMAGE, id, "sleep", "1000"]];
        self.run(&line.concat()).assert_done();
    }

    /// `ctr task exec ID cat /proc/self/status`.
    pub fn exec(&self, id: &str) -> Said {
        self.run(&[&["task", "exec", "--exec-id", &crate::unique(), id][..], &STATUS].concat())
    }

    /// What a kubelet speaks.
    pub fn cri(&self) -> Cri {
        Cri::connect(&self.room.path(SOCKET))
    }
}
