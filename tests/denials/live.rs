//! The kernel's own records of real containers.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Says that something is not tested; an error where everything must be.
fn missing(what: &str) {
    assert!(std::env::var_os("BATTEN_TEST_REQUIRE").is_none(), "BATTEN_TEST_REQUIRE is set, and {what}");
    eprintln!("\n*** SKIPPED: {what} ***\n");
}

struct Lab {
    folder: TempDir,
    id: String,
}

/// mkdir(1) comes and goes in a millisecond: by the time its record is read it is gone. `times` is the shell's own call, and
/// the shell stays until it is told to go.
const WORK: &str =
    "mkdir /x; mkdir /y; times >/dev/null 2>&1; until busybox test -e /tmp/go; do busybox sleep 0.1; done; echo end";

impl Lab {
    /// `None`, with a loud line, where this machine cannot show it.
    fn new(name: &str) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            missing("only root may start containers and read the kernel's log");
            return None;
        }
        if !Path::new("/bin/busybox").exists() {
            missing("/bin/busybox (busybox-static) is not installed");
            return None;
        }
        if fs::File::open("/dev/kmsg").is_err() {
            missing("the kernel's log (/dev/kmsg) cannot be read here");
            return None;
        }
        let lab = Self { folder: tempfile::tempdir().unwrap(), id: format!("denials-{name}-{}", std::process::id()) };
        for folder in ["bin", "proc", "dev", "sys", "tmp"] {
            fs::create_dir_all(lab.path("rootfs").join(folder)).unwrap();
        }
        // By another process: a child that some other test forks while the copy is open for writing would keep it busy.
        let copied = Command::new("install").arg("/bin/busybox").arg(lab.path("rootfs/bin/busybox")).status().unwrap();
        assert!(copied.success());
        for applet in ["sh", "mkdir"] {
            symlink("busybox", lab.path("rootfs/bin").join(applet)).unwrap();
        }
        fs::write(lab.path("policy.toml"), "[seccomp]\nlog_denials = true\ndeny = [\"mkdir\", \"times\"]\n").unwrap();
        let config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "terminal": false, "user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "-c", WORK], "cwd": "/",
                "env": ["PATH=/bin"], "noNewPrivileges": true,
                "capabilities": {"bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": []},
            },
            "root": {"path": "rootfs"},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            ],
            "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}]},
        });
        fs::write(lab.path("config.json"), config.to_string()).unwrap();
        Some(lab)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Points the shim to `runtime`, with a log of its decisions.
    fn behind(&self, runtime: &str) {
        let settings =
            format!("runtime = '{runtime}'\nlog = '{}'\npolicy = '{}'\n", self.text("log"), self.text("policy.toml"));
        fs::write(self.path("runtime.toml"), settings).unwrap();
        fs::write(self.path("log"), "").unwrap();
    }

    /// Starts `batten denials --follow`, and waits until it hears the kernel's log and its news of processes.
    fn follow(&self) -> Child {
        let since = batten::denials::Moment::now().to_string();
        let child = Command::new(env!("CARGO_BIN_EXE_batten"))
            .args(["denials", "--kmsg", "--follow", "--format", "json", "--since", &since])
            .args([
                "--decisions",
                &self.text("log"),
                "--root",
                &self.text("state"),
                "--policy",
                &self.text("policy.toml"),
            ])
            .stdout(fs::File::create(self.path("found")).unwrap())
            .stderr(fs::File::create(self.path("said")).unwrap())
            .spawn()
            .unwrap();
        let folder = format!("/proc/{}/fd", child.id());
        let open = || -> Vec<_> {
            let entries = fs::read_dir(&folder).unwrap().filter_map(Result::ok);
            entries.filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
        };
        let hears = |name: &str| open().iter().any(|file| file.to_string_lossy().starts_with(name));
        let has_no_news = || fs::read_to_string(self.path("said")).unwrap().contains("cannot be had");
        let began = Instant::now();
        while !(hears("/dev/kmsg") && (hears("socket:") || has_no_news())) {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not listen: {:?}", open());
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// Lets the container end.
    fn go(&self) {
        fs::write(self.path("rootfs/tmp/go"), "").unwrap();
    }

    /// The rows that were printed once there is one that `is_wanted`; all there are after half a minute.
    fn found(&self, is_wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let text = fs::read_to_string(self.path("found")).unwrap();
            let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if rows.iter().any(&is_wanted) || began.elapsed() > Duration::from_secs(30) {
                return rows;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn shim(&self) -> Output {
        self.start().wait_with_output().unwrap()
    }

    fn start(&self) -> Child {
        let shim = std::env::var_os("BATTEN_RUNTIME").unwrap_or_else(|| env!("CARGO_BIN_EXE_batten-runtime").into());
        let mut command = if Path::new("/sys/fs/cgroup/unified").exists() {
            // crun refuses a hybrid cgroup tree: it gets the version 1 part of it.
            let mut command = Command::new("unshare");
            command.args(["-m", "sh", "-c", "umount /sys/fs/cgroup/unified; exec \"$@\"", "sh"]).arg(shim);
            command
        } else {
            Command::new(shim)
        };
        command.env("BATTEN_RUNTIME_CONFIG", self.path("runtime.toml"));
        command.args(["--root", &self.text("state"), "run", "--bundle", &self.text("."), &self.id]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Whether the kernel has written a record of `mkdir` at all; where it keeps none, or an audit daemon takes them, there is
/// nothing to find.
fn kernel_wrote(since: Instant) -> bool {
    let mut file = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(file.read(true), nix::libc::O_NONBLOCK);
    let mut file = file.open("/dev/kmsg").unwrap();
    let (mut record, mut wrote) = ([0; 8192], false);
    while let Ok(length) = file.read(&mut record) {
        wrote |= String::from_utf8_lossy(&record[..length]).contains("type=1326");
    }
    wrote && since.elapsed() < Duration::from_secs(60)
}

#[test]
fn a_refused_call_is_named_with_its_container_and_the_policy_s_line_though_the_process_is_gone() {
    let Some(lab) = Lab::new("crun") else { return };
    if !Path::new("/usr/bin/crun").exists() {
        return missing("crun is not installed");
    }
    lab.behind("/usr/bin/crun");
    let (mut follow, began) = (lab.follow(), Instant::now());
    let container = lab.start();
    let is_call = |row: &Value| row["kind"] == "seccomp" && row["what"] == "mkdir" && row["container"]["id"] == *lab.id;
    let rows = lab.found(is_call);
    // Once, while the container is there: its shell lives, so that its record leads to it by its control groups alone.
    let once =
        crate::denials(&["--kmsg", "--root", &lab.text("state"), "--container", &lab.id], Path::new("/dev/null"));
    lab.go();
    let ran = container.wait_with_output().unwrap();
    // The kernel's log and batten's own are read one after the other, in either order.
    let is_start = |row: &Value| row["kind"] == "start";
    let rows = if rows.iter().any(is_start) { rows } else { lab.found(is_start) };
    follow.kill().unwrap();
    follow.wait().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("can't create directory '/x': Operation not permitted"), "{said}");
    let notes = fs::read_to_string(lab.path("said")).unwrap();
    if !kernel_wrote(began) {
        return missing("this kernel writes no records to its log");
    }
    if notes.contains("cannot be had") && !rows.iter().any(is_call) {
        return missing("the kernel's news of processes cannot be had here");
    }
    assert!(once.stdout.contains("refused times [seccomp]"), "{}", once.stdout);
    let call = rows.iter().find(|row| is_call(row)).unwrap_or_else(|| panic!("{rows:#?}\n{notes}"));
    assert_eq!((&call["outcome"], &call["by"]), (&"refused".into(), &"policy".into()), "{call:#}");
    assert_eq!(call["program"]["exe"], "/bin/busybox");
    assert!(call["policy"].as_str().unwrap().ends_with("policy.toml:3 (seccomp.deny)"), "{call:#}");
    let start = rows.iter().find(|row| is_start(row)).unwrap_or_else(|| panic!("{rows:#?}\n{notes}"));
    assert_eq!((&start["outcome"], &start["container"]["id"]), (&"fixed".into(), &lab.id.as_str().into()), "{start:#}");
}

#[test]
fn a_runtime_without_the_flag_starts_the_container_all_the_same_and_check_says_what_is_missing() {
    let Some(lab) = Lab::new("runc") else { return };
    if !Path::new("/usr/sbin/runc").exists() {
        return missing("runc is not installed");
    }
    lab.behind("/usr/sbin/runc");
    lab.go();
    let ran = lab.shim();
    assert!(String::from_utf8_lossy(&ran.stdout).contains("end"), "{}", String::from_utf8_lossy(&ran.stderr));
    let features = Command::new("/usr/sbin/runc").arg("features").output().unwrap();
    let takes = String::from_utf8_lossy(&features.stdout).contains("supportedFlags");
    let log = fs::read_to_string(lab.path("log")).unwrap();
    assert_eq!(log.contains("leave no record"), !takes, "{log}");
    let flagged = fs::read_to_string(lab.path("config.json")).unwrap().contains("SECCOMP_FILTER_FLAG_LOG");
    assert_eq!(flagged, takes);
    let check = Command::new(env!("CARGO_BIN_EXE_batten"))
        .args(["check", "--policy", &lab.text("policy.toml"), &lab.text(".")])
        .env("BATTEN_RUNTIME_CONFIG", lab.path("runtime.toml"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&check.stdout).contains("leave no record"), !takes);
}

#[test]
fn batten_s_own_runtime_takes_the_flag() {
    let Some(lab) = Lab::new("embedded") else { return };
    lab.behind("/nonexistent/runc");
    lab.go();
    let (began, since) = (Instant::now(), batten::denials::Moment::now().to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_batten"));
    command.args([
        "run",
        "--root",
        &lab.text("own"),
        "--policy",
        &lab.text("policy.toml"),
        "--bundle",
        &lab.text("."),
        &lab.id,
    ]);
    let child = command.env("BATTEN_RUNTIME_CONFIG", lab.path("runtime.toml")).stdin(Stdio::null()).output().unwrap();
    assert!(String::from_utf8_lossy(&child.stdout).contains("end"), "{}", String::from_utf8_lossy(&child.stderr));
    if !kernel_wrote(began) {
        return missing("this kernel writes no records to its log");
    }
    let ran = crate::denials(&["--kmsg", "--since", &since], Path::new("/dev/null"));
    assert!(ran.stdout.contains("refused mkdir [seccomp]"), "{}", ran.stdout);
}
