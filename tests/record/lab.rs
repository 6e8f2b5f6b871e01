//! A folder with a root file system, programs of both word sizes, and the runtimes of the machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Says that something is not tested; an error where everything must be.
fn missing(what: &str) {
    assert!(std::env::var_os("BATTEN_TEST_REQUIRE").is_none(), "BATTEN_TEST_REQUIRE is set, and {what}");
    eprintln!("\n*** SKIPPED: {what} ***\n");
}

pub(crate) fn has(program: &str) -> bool {
    let there =
        std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).exists()));
    if !there {
        missing(&format!("{program} is not installed"));
    }
    there
}

pub(crate) fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        missing("only root may start these containers");
    }
    root
}

/// Whether the processor is emulated, where a start of runc takes seconds: less is tried then, but of every kind.
pub(crate) fn is_emulated() -> bool {
    std::env::var_os("BATTEN_TEST_EMULATED").is_some()
}

/// One run of `batten`.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn batten(args: &[&str]) -> Ran {
    ran(Command::new(env!("CARGO_BIN_EXE_batten")).args(args).output().unwrap())
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The calls that a profile allows, with or without conditions.
pub(crate) fn allowed(profile: &str) -> Vec<String> {
    let profile: Value = serde_json::from_str(profile).unwrap_or_else(|error| panic!("{error}: {profile}"));
    let mut names: Vec<String> = profile["syscalls"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["action"] == "SCMP_ACT_ALLOW")
        .flat_map(|rule| rule["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A bundle and a folder for what is recorded of it.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Option<Self> {
        if !Path::new("/bin/busybox").exists() {
            missing("/bin/busybox (busybox-static) is not installed");
            return None;
        }
        let lab = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(lab.path("scratch")).unwrap();
        for folder in ["bin", "proc", "dev", "sys", "tmp"] {
            fs::create_dir_all(lab.path("rootfs").join(folder)).unwrap();
        }
        install(Path::new("/bin/busybox"), &lab.path("rootfs/bin/busybox"));
        for applet in ["sh", "ls", "cat", "echo", "true", "mkdir", "chroot", "nc", "sleep", "id"] {
            symlink("busybox", lab.path("rootfs/bin").join(applet)).unwrap();
        }
        Some(lab)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap()).into_owned()
    }

    /// Puts a program of `programs/` into the root file system; `false` where it cannot be built or run.
    pub(crate) fn put(&self, name: &str) -> bool {
        let built = programs().join(name);
        let there = cfg!(target_arch = "x86_64") && Command::new(&built).output().is_ok_and(|out| out.status.success());
        if there {
            install(&built, &self.path("rootfs/bin").join(name));
        } else {
            missing(&format!("tests/record/programs/{name} cannot be built and run"));
        }
        there
    }

    /// Traces a program as it runs in the root file system, with strace's `options`.
    pub(crate) fn strace(&self, options: &[&str], program: &[&str]) -> Ran {
        let mut strace = Command::new("strace");
        strace.args(options).arg("chroot").arg(self.path("rootfs")).args(program);
        ran(strace.output().unwrap())
    }

    /// Runs `args` as a container with `seccomp`.
    pub(crate) fn run(&self, runtime: &str, args: &[&str], seccomp: Option<&str>, no_new_privs: bool) -> Ran {
        self.bundle(args, seccomp, no_new_privs);
        self.start(runtime)
    }

    /// Runs the bundle as it is.
    pub(crate) fn start(&self, runtime: &str) -> Ran {
        let mut command = runtime_command(runtime);
        command.arg("--root").arg(self.path("state")).args(["run", "-b"]).arg(self.path(".")).arg(unique_id());
        ran(command.output().unwrap())
    }

    /// Writes the bundle's config.json.
    pub(crate) fn bundle(&self, args: &[&str], seccomp: Option<&str>, no_new_privs: bool) {
        let caps = json!(["CAP_KILL", "CAP_AUDIT_WRITE", "CAP_SYS_CHROOT"]);
        let mut config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "terminal": false, "user": {"uid": 0, "gid": 0}, "args": args, "cwd": "/",
                "env": ["PATH=/bin"], "noNewPrivileges": no_new_privs,
                "capabilities": {"bounding": caps, "effective": caps, "permitted": caps, "inheritable": [], "ambient": []},
            },
            "root": {"path": "rootfs"},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            ],
            "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}]},
        });
        if let Some(seccomp) = seccomp {
            config["linux"]["seccomp"] = serde_json::from_str(seccomp).unwrap();
        }
        fs::write(self.path("config.json"), config.to_string()).unwrap();
    }
}

/// Where the programs of `programs/` are, built: where BATTEN_TEST_PROGRAMS says, or here.
fn programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os("BATTEN_TEST_PROGRAMS") {
            return given.into();
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("record-programs");
        fs::create_dir_all(&folder).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/record/programs/build");
        let _ = Command::new(script).arg(&folder).status();
        folder
    })
}

/// Copies what is to be executed. By another process: a child that some other test forks while the copy is open for writing would
/// keep it busy (ETXTBSY).
pub(crate) fn install(from: &Path, to: &Path) {
    assert!(Command::new("install").arg("-m755").arg(from).arg(to).status().unwrap().success(), "{}", to.display());
}

pub(crate) fn unique_id() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    format!("record-{}-{}", std::process::id(), NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

/// crun refuses a hybrid cgroup tree: it gets the version 1 part of it.
pub(crate) fn runtime_command(runtime: &str) -> Command {
    if runtime == "crun" && Path::new("/sys/fs/cgroup/unified").exists() {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", "umount /sys/fs/cgroup/unified; exec crun \"$@\"", "crun"]);
        return command;
    }
    Command::new(runtime)
}
