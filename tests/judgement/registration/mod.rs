//! `batten install`, `uninstall` and `status`, on machines made of files.

mod containerd;
mod hooks;
mod ways;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::batten::{Run, batten};

/// What makes a file batten-runtime to whoever looks for it.
const MARK: &str = "BATTEN_RUNTIME_HANDOVER";
const RUNTIME: &str = "/usr/local/bin/batten-runtime";

struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    /// One with batten-runtime on it, and runc.
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        machine.program(RUNTIME, MARK);
        machine.program("/usr/local/bin/batten", MARK);
        machine.program("/usr/sbin/runc", "a runtime");
        fs::create_dir_all(machine.path("/var/lib")).unwrap();
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn batten(&self, words: &[&str]) -> Run {
        let root = self.root.path().to_str().unwrap();
        batten(&[words, &["--root", root]].concat())
    }

    /// Does it, and it must succeed.
    fn does(&self, words: &[&str]) -> Run {
        let run = self.batten(words);
        assert_eq!(run.code, 0, "{words:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "standard output is data");
        run
    }

    /// Every file and folder, and what is in it.
    fn all(&self) -> Vec<(PathBuf, Option<String>)> {
        fn collect(folder: &Path, all: &mut Vec<(PathBuf, Option<String>)>) {
            let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            entries.sort();
            for path in entries {
                let text = (!path.is_dir()).then(|| fs::read_to_string(&path).unwrap());
                all.push((path.clone(), text));
                if path.is_dir() {
                    collect(&path, all);
                }
            }
        }
        let mut all = Vec::new();
        collect(self.root.path(), &mut all);
        all
    }
}

/// Each engine, a configuration that it may have, and what is registered with it.
const ENGINES: [(&str, &str, &str, &[&str]); 6] = [
    (
        "docker",
        "/etc/docker/daemon.json",
        "{\n\t\"log-opts\" : {\"max-size\":\"10m\"},\n\t\"x-later\": 1.50e3\n}",
        &["\t\"log-opts\" : {\"max-size\":\"10m\"},", "\"x-later\": 1.50e3", "\t\"default-runtime\": \"batten\""],
    ),
    (
        "containerd",
        "/etc/containerd/config.toml",
        "# ours\nversion = 2\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    [plugins.\"io.containerd.grpc.v1.cri\".cni]\n      bin_dir = \"/usr/lib/cni\" # why\n",
        &["# ours\n", "bin_dir = \"/usr/lib/cni\" # why", "default_runtime_name = \"batten\""],
    ),
    (
        "containerd",
        "/etc/containerd/config.toml",
        "version = 3\n",
        &[
            "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.batten.options]\nBinaryName = \"/usr/local/bin/batten-runtime\"",
        ],
    ),
    (
        "podman",
        "/etc/containers/containers.conf.d/batten.conf",
        "# mine\n[engine]\nnum_locks = 9\n",
        &["num_locks = 9\nruntime = \"batten\""],
    ),
    ("crio", "/etc/crio/crio.conf.d/99-batten.conf", "", &["default_runtime = \"batten\""]),
    (
        "buildkit",
        "/etc/buildkit/buildkitd.toml",
        "debug = true\n",
        &["debug = true\n", "binary = \"/usr/local/bin/batten-runtime\""],
    ),
];

#[test]
fn what_is_there_stays_and_undoing_gives_the_very_bytes_back() {
    for (engine, file, before, wanted) in ENGINES {
        for before in [Some(before), None] {
            let machine = Machine::new();
            if let Some(before) = before {
                machine.write(file, before);
            }
            let untouched = machine.all();
            machine.does(&["install", engine, "--default"]);
            let after = machine.read(file);
            for line in wanted.iter().filter(|_| before.is_some()) {
                assert!(after.contains(line), "{engine}: {line:?} is not in\n{after}");
            }
            let installed = machine.all();
            assert!(machine.does(&["install", engine, "--default"]).stderr.contains("set so already"));
            assert_eq!(machine.all(), installed, "{engine}: the same once more changes nothing");
            machine.does(&["uninstall", engine]);
            assert_eq!(machine.all(), untouched, "{engine}: all is as it was");
            assert!(machine.does(&["uninstall", engine]).stderr.contains("registered nothing"));
        }
    }
}

#[test]
fn a_registered_engine_is_covered_and_an_unregistered_one_is_not() {
    for (engine, file, before, _) in ENGINES {
        let machine = Machine::new();
        machine.write(file, before);
        let status = || machine.batten(&["status", engine, "--fail-on", "default"]);
        machine.program(&format!("/usr/bin/{engine}"), "the engine");
        assert_eq!(status().code, 1, "{engine}: {}", status().stdout);
        machine.does(&["install", engine]);
        let named = status();
        let is_one_only = engine == "buildkit";
        assert_eq!(named.code, i32::from(!is_one_only), "{engine}: {}", named.stdout);
        machine.does(&["install", engine, "--default"]);
        assert_eq!(status().code, 0, "{engine}: {}", status().stdout);
        machine.does(&["uninstall", engine]);
        assert_eq!(status().code, 1, "{engine}: {}", status().stdout);
    }
}

#[test]
fn a_dry_run_prints_a_diff_that_patch_takes_and_changes_nothing() {
    for (engine, file, before, _) in ENGINES {
        let machine = Machine::new();
        machine.write(file, before);
        let untouched = machine.all();
        let run = machine.batten(&["install", engine, "--default", "--dry-run"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert_eq!(machine.all(), untouched);
        let copy = tempfile::tempdir().unwrap();
        let copied = copy.path().join("f");
        fs::write(&copied, before).unwrap();
        fs::write(copy.path().join("diff"), &run.stdout).unwrap();
        let patched = std::process::Command::new("patch").current_dir(copy.path()).args(["f", "diff"]).output();
        machine.does(&["install", engine, "--default"]);
        let patched = patched.expect("patch, which `make deps` installs");
        assert!(patched.status.success(), "{engine}: {}\n{}", String::from_utf8_lossy(&patched.stdout), run.stdout);
        assert_eq!(fs::read_to_string(copied).unwrap(), machine.read(file));
        assert_eq!(machine.batten(&["install", engine, "--default", "--dry-run"]).code, 0);
        assert_eq!(machine.batten(&["uninstall", engine, "--dry-run"]).code, 2);
    }
}

#[test]
fn an_edit_made_since_survives_the_undoing_and_is_named() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{\n  \"debug\": false\n}\n");
    machine.does(&["install", "docker", "--default"]);
    let edited = machine.read("/etc/docker/daemon.json").replace("false", "true");
    machine.write("/etc/docker/daemon.json", &edited);
    let run = machine.does(&["uninstall", "docker"]);
    assert!(run.stderr.contains("/etc/docker/daemon.json was edited since"), "{}", run.stderr);
    assert_eq!(machine.read("/etc/docker/daemon.json"), "{\n  \"debug\": true\n}\n");
}

#[test]
fn what_somebody_has_pointed_elsewhere_since_stays_and_the_exit_code_says_so() {
    let machine = Machine::new();
    machine.does(&["install", "docker", "--default"]);
    let edited = machine
        .read("/etc/docker/daemon.json")
        .replace("\"default-runtime\": \"batten\"", "\"default-runtime\": \"crun\"");
    machine.write("/etc/docker/daemon.json", &edited);
    let run = machine.batten(&["uninstall", "docker"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("default-runtime was changed since"), "{}", run.stderr);
    let left = machine.read("/etc/docker/daemon.json");
    assert!(left.contains("crun") && !left.contains("batten"), "{left}");
}

#[test]
fn the_last_command_counts_and_undoing_has_the_text_from_before_the_first() {
    let machine = Machine::new();
    let before = "{\"default-runtime\":\"crun\"}";
    machine.write("/etc/docker/daemon.json", before);
    machine.does(&["install", "docker", "--name", "one", "--default"]);
    machine.does(&["install", "docker", "--name", "two", "--name", "three"]);
    let after = machine.read("/etc/docker/daemon.json");
    assert!(after.contains("two") && after.contains("three") && !after.contains("one"), "{after}");
    assert!(after.contains("\"default-runtime\":\"crun\""), "{after}");
    machine.does(&["uninstall", "docker"]);
    assert_eq!(machine.read("/etc/docker/daemon.json"), before);
}

#[test]
fn the_text_from_before_is_kept_where_a_person_finds_it() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{}");
    let run = machine.does(&["install", "docker"]);
    let backup = "/var/lib/batten/engines/docker.etc-docker-daemon.json.before";
    assert!(run.stderr.contains(backup), "{}", run.stderr);
    assert_eq!(machine.read(backup), "{}");
    let mode = fs::metadata(machine.path(backup)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "a daemon.json may hold a proxy's password");
}

#[test]
fn a_name_that_stands_for_another_runtime_is_taken_over_only_when_asked() {
    let machine = Machine::new();
    let before = "[engine.runtimes]\ncrun = [\"/usr/bin/crun\"]\n";
    machine.write("/etc/containers/containers.conf", before);
    machine.write("/etc/docker/daemon.json", "{\"runtimes\":{\"crun\":{\"path\":\"/usr/bin/crun\"}}}");
    for engine in ["podman", "docker"] {
        let run = machine.batten(&["install", engine, "--name", "crun"]);
        assert_eq!(run.code, 4);
        assert!(run.stderr.contains("/usr/bin/crun") && run.stderr.contains("--replace"), "{}", run.stderr);
        machine.does(&["install", engine, "--name", "crun", "--default", "--replace"]);
        assert_eq!(machine.batten(&["status", engine, "--fail-on", "default"]).code, 0);
    }
    assert_eq!(machine.read("/etc/containers/containers.conf"), before);
    let run = machine.batten(&["install", "docker", "--name", "runc"]);
    assert_eq!((run.code, run.stderr.contains("keeps the name \"runc\" for itself")), (4, true), "{}", run.stderr);
}

#[test]
fn what_would_break_the_engine_is_refused() {
    let machine = Machine::new();
    let refused = |words: &[&str], code: i32, says: &str| {
        let untouched = machine.all();
        let run = machine.batten(words);
        assert_eq!(run.code, code, "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(says) && run.stderr.contains("\nhint: "), "{words:?}: {}", run.stderr);
        assert_eq!(machine.all(), untouched);
    };
    refused(&["install", "docker", "--runtime-path", "/nowhere"], 4, "is not there");
    refused(&["install", "docker", "--runtime-path", "/usr/sbin/runc"], 4, "is not batten-runtime");
    refused(&["install", "docker", "--runtime-path", "runc"], 4, "is not an absolute path");
    refused(&["install", "docker", "--name", "a b"], 4, "cannot be that of a runtime");
    refused(&["install", "docker", "--hook", "poststart"], 4, "no poststart hooks");
    refused(&["install", "crio", "--hook", "precreate"], 4, "no precreate hooks");
    machine.write("/etc/docker/daemon.json", "{\"a\":1,\"a\":2}");
    refused(&["install", "docker"], 3, "stands twice");
    machine.write("/etc/docker/daemon.json", "{\"runtimes\":[]}");
    refused(&["install", "docker"], 3, "is no table");
    machine.write("/etc/containerd/config.toml", "version = \n");
    refused(&["install", "containerd"], 3, "config.toml");
    machine.write("/etc/default/docker", "# --default-runtime=x\nDOCKER_OPTS=\"--default-runtime=crun\"\n");
    machine.write("/etc/docker/daemon.json", "{}");
    refused(&["install", "docker", "--default"], 3, "on its command line");
    machine.does(&["install", "docker"]);
}

/// The record is written before the files: a kill in between leaves something that can be undone.
#[test]
fn what_was_written_half_way_can_be_undone_and_done_again() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["install", "docker", "--default"]);
    let whole = machine.all();
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["install", "docker", "--default"]);
    assert_eq!(machine.all(), whole);
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["uninstall", "docker"]);
    assert_eq!(machine.read("/etc/docker/daemon.json"), "{}");
    assert!(!machine.path("/var/lib/batten").exists());
}

/// Rootless engines have their configuration below the user's own folder.
#[test]
fn a_user_registers_it_with_his_own_engines() {
    use std::os::unix::process::CommandExt;
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can be another user");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let runtime = home.path().join("batten-runtime");
    fs::write(&runtime, MARK).unwrap();
    let program = home.path().join("batten");
    // By another process: a descriptor that this one has open for writing goes to whatever another test starts meanwhile, and
    // such a file cannot be executed (ETXTBSY).
    let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_batten")).arg(&program).status().unwrap();
    assert!(copied.success());
    for path in [home.path(), &runtime, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(path, Some(1000), Some(1000)).unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command.args(words).env_clear().env("HOME", home.path()).uid(1000).gid(1000);
        Run::from(command.output().unwrap())
    };
    for (engine, file) in [("docker", "docker/daemon.json"), ("podman", "containers/containers.conf.d/batten.conf")] {
        let installed = run(&["install", engine, "--default"]);
        assert_eq!(installed.code, 0, "{}", installed.stderr);
        let text = fs::read_to_string(home.path().join(".config").join(file)).unwrap();
        assert!(text.contains(runtime.to_str().unwrap()), "{text}");
        assert_eq!(run(&["uninstall", engine]).code, 0);
        assert!(!home.path().join(".config").exists() && !home.path().join(".local").exists(), "{engine}");
    }
}

#[test]
fn a_link_is_not_followed_out_of_the_machine() {
    let machine = Machine::new();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::create_dir_all(machine.path("/etc/docker")).unwrap();
    std::os::unix::fs::symlink(outside.path(), machine.path("/etc/docker/daemon.json")).unwrap();
    let run = machine.batten(&["install", "docker"]);
    assert_eq!((run.code, run.stderr.contains("symbolic link")), (3, true), "{}", run.stderr);
    assert_eq!(fs::read_to_string(outside.path()).unwrap(), "");
}
