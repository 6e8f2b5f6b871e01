//! `batten install`, `uninstall` and `status`, on machines made of files.

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
fn the_new_handler_has_the_settings_of_the_default_one() {
    let machine = Machine::new();
    let config = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n\
                  pod_annotations = [\"a.*\"]\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\nSystemdCgroup = true\nBinaryName = \"/x\"\n";
    machine.write("/etc/containerd/config.toml", config);
    machine.does(&["install", "containerd", "--default"]);
    let after = machine.read("/etc/containerd/config.toml");
    let ours = &after[after.find("runtimes.batten]").unwrap()..];
    assert!(ours.contains("SystemdCgroup = true") && ours.contains("pod_annotations = [\"a.*\"]"), "{after}");
    assert!(ours.contains("BinaryName = \"/usr/local/bin/batten-runtime\""), "{after}");
    machine.write("/etc/crio/crio.conf", "[crio.runtime]\ndefault_runtime = \"runc\"\n[crio.runtime.runtimes.runc]\nruntime_root = \"/run/runc\"\nallowed_annotations = [\"io.x\"]\n");
    machine.does(&["install", "crio"]);
    let after = machine.read("/etc/crio/crio.conf.d/99-batten.conf");
    assert!(after.contains("runtime_root = \"/run/runc\"") && after.contains("io.x"), "{after}");
}

#[test]
fn containerd_takes_a_drop_in_only_where_its_main_file_imports_it_and_it_merges() {
    let drop_in = "/etc/containerd/conf.d/batten.toml";
    let imports = "version = 3\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n";
    for (config, version, drops_in) in
        [(imports, "2.2", true), (imports, "2.0", false), ("version = 3\n", "2.2", false), (imports, "", false)]
    {
        let machine = Machine::new();
        machine.write("/etc/containerd/config.toml", config);
        let version = if version.is_empty() { vec![] } else { vec!["--engine-version", version] };
        machine.does(&[&["install", "containerd", "--default"], &version[..]].concat());
        assert_eq!(machine.path(drop_in).exists(), drops_in, "{config:?} {version:?}");
        assert_eq!(machine.read("/etc/containerd/config.toml") == config, drops_in);
        assert_eq!(machine.batten(&["status", "containerd", "--fail-on", "default"]).code, 0);
        machine.does(&["uninstall", "containerd"]);
        assert!(!machine.path("/etc/containerd/conf.d").exists());
    }
}

#[test]
fn what_a_containerd_imports_says_nothing_of_how_its_main_file_is_written() {
    let machine = Machine::new();
    machine.write("/etc/containerd/config.toml", "version = 2\nimports = [\"conf.d/*.toml\"]\n");
    machine.write("/etc/containerd/conf.d/a.toml", "version = 3\n");
    machine.does(&["install", "containerd", "--engine-version", "2.0"]);
    let main = machine.read("/etc/containerd/config.toml");
    assert!(main.contains("io.containerd.grpc.v1.cri") && !main.contains("io.containerd.cri.v1"), "{main}");
}

#[test]
fn a_drop_in_of_containerd_takes_no_name_over_unasked() {
    let machine = Machine::new();
    let main = "version = 3\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n\
                [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]\nBinaryName = '/usr/bin/crun'\n";
    machine.write("/etc/containerd/config.toml", main);
    let words = ["install", "containerd", "--name", "crun", "--engine-version", "2.2"];
    let run = machine.batten(&words);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(
        run.stderr.contains("/etc/containerd/config.toml: the BinaryName of the handler crun is \"/usr/bin/crun\""),
        "{}",
        run.stderr
    );
    machine.does(&[&words[..], &["--replace", "--default"]].concat());
    assert_eq!(machine.read("/etc/containerd/config.toml"), main);
    assert_eq!(machine.batten(&["status", "containerd", "--fail-on", "default"]).code, 0);
}

#[test]
fn an_import_of_an_old_containerd_replaces_the_whole_section_and_status_sees_it() {
    let machine = Machine::new();
    machine.write("/etc/containerd/config.toml", "version = 2\nimports = [\"conf.d/*.toml\"]\n");
    machine.does(&["install", "containerd", "--default"]);
    machine.write(
        "/etc/containerd/conf.d/z.toml",
        "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"x\"\n",
    );
    assert_eq!(machine.batten(&["status", "containerd", "--fail-on", "default"]).code, 1);
    let run = machine.does(&["install", "containerd", "--default"]);
    assert!(
        run.stderr.contains("replaces all of it") && run.stderr.contains("warning: the default is \"runc\""),
        "{}",
        run.stderr
    );
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
    fs::copy(env!("CARGO_BIN_EXE_batten"), &program).unwrap();
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

#[test]
fn builds_of_docker_are_an_open_way_until_dockerd_is_told_or_runc_on_path_is_batten() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["install", "docker", "--default"]);
    let way = |fail_on: &str| machine.batten(&["status", "docker", "--fail-on", fail_on]);
    assert_eq!((way("default").code, way("handler").code), (0, 1), "runc is a name that anyone can ask for");
    assert!(way("way").stdout.contains("open        docker build"), "{}", way("way").stdout);

    machine.program("/usr/sbin/dockerd", "an old one");
    let run = machine.batten(&["install", "docker", "--default", "--builds"]);
    assert_eq!((run.code, run.stderr.contains("cannot be told")), (4, true), "{}", run.stderr);
    machine.program("/usr/sbin/dockerd", "DOCKER_BUILDKIT_RUNC_COMMAND");
    machine.does(&["install", "docker", "--default", "--builds"]);
    assert!(way("way").stdout.contains("closed      docker build"), "{}", way("way").stdout);
    machine.does(&["install", "docker", "--default"]);
    assert!(way("way").stdout.contains("open        docker build"), "{}", way("way").stdout);

    fs::create_dir_all(machine.path("/usr/local/sbin")).unwrap();
    std::os::unix::fs::symlink(RUNTIME, machine.path("/usr/local/sbin/runc")).unwrap();
    assert_eq!(way("way").code, 0, "{}", way("way").stdout);
}

#[test]
fn a_user_s_own_settings_are_a_way_around() {
    let machine = Machine::new();
    machine.program("/usr/bin/podman", "");
    machine.program("/usr/bin/crun", "");
    machine.does(&["install", "podman", "--default", "--name", "crun", "--name", "runc"]);
    let status = || machine.batten(&["status", "podman", "--fail-on", "way"]);
    assert_eq!(status().code, 0, "{}", status().stdout);
    machine.write("/home/ada/.config/containers/containers.conf", "");
    assert_eq!(status().code, 1);
    assert!(status().stdout.contains("/home/ada/.config/containers/containers.conf"));
}

#[test]
fn status_says_the_same_to_machines() {
    let machine = Machine::new();
    machine.write("/etc/docker/daemon.json", "{}");
    machine.does(&["install", "docker", "--default"]);
    let run = machine.batten(&["status", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    crate::schema::assert_valid("status", &json);
    let docker = &json["engines"][0];
    assert_eq!((docker["engine"].as_str(), docker["default"].as_str()), (Some("docker"), Some("batten")));
    assert_eq!((docker["default_covered"].as_bool(), docker["all_covered"].as_bool()), (Some(true), Some(false)));
    assert_eq!(docker["handlers"][1]["starts"], "runc on PATH (/usr/sbin/runc)");
    assert_eq!(machine.batten(&["status", "crio"]).code, 3, "one that was named must be there");
    let nothing = Machine::new();
    assert_eq!(nothing.batten(&["status"]).code, 0);
}

#[test]
fn hooks_are_registered_where_the_engine_looks_for_them_and_go_again() {
    let machine = Machine::new();
    let untouched = machine.all();
    machine.does(&["install", "podman", "--hook", "precreate", "--hook", "poststart", "--no-runtime"]);
    let conf = machine.read("/etc/containers/containers.conf.d/batten.conf");
    assert!(
        conf.contains("hooks_dir = [\"/usr/share/containers/oci/hooks.d\", \"/etc/containers/oci/hooks.d\"]"),
        "{conf}"
    );
    assert!(!conf.contains("runtime"), "{conf}");
    let hook = machine.read("/etc/containers/oci/hooks.d/zz-batten-precreate.json");
    let hook: serde_json::Value = serde_json::from_str(&hook).unwrap();
    assert_eq!(hook["hook"]["args"], serde_json::json!(["batten", "hook", "precreate"]));
    machine.does(&["uninstall", "podman"]);
    assert_eq!(machine.all(), untouched);
}

#[test]
fn a_hook_file_that_was_edited_since_is_not_lost() {
    let machine = Machine::new();
    let path = "/etc/containers/oci/hooks.d/zz-batten-poststart.json";
    machine.does(&["install", "podman", "--hook", "poststart"]);
    let ours = machine.read(path);
    machine.write(path, "{}");
    let run = machine.batten(&["uninstall", "podman"]);
    assert_eq!((run.code, run.stderr.contains("was edited since, and is left as it is")), (1, true), "{}", run.stderr);
    assert_eq!(machine.read(path), "{}");
    let run = machine.does(&["install", "podman", "--hook", "poststart"]);
    assert!(run.stderr.contains("had another text, now in /var/lib/batten"), "{}", run.stderr);
    assert_eq!(machine.read(path), ours);
    machine.does(&["uninstall", "podman"]);
    assert_eq!(machine.read(path), "{}");
}

/// What hooks/ holds, the command that makes it, and the file that is made.
const SHIPPED: [(&str, &[&str], &str); 12] = [
    ("containerd/config-v2.toml", &["containerd", "--default"], "/etc/containerd/config.toml"),
    (
        "containerd/config-v3.toml",
        &["containerd", "--default", "--engine-version", "2.2"],
        "/etc/containerd/config.toml",
    ),
    (
        "containerd/config-with-hooks-v2.toml",
        &["containerd", "--no-runtime", "--hook", "create-runtime", "--hook", "poststart"],
        "/etc/containerd/config.toml",
    ),
    (
        "containerd/batten-base-spec.json",
        &["containerd", "--no-runtime", "--hook", "create-runtime", "--hook", "poststart"],
        "/etc/containerd/batten-base-spec.json",
    ),
    ("docker/daemon.json", &["docker", "--default"], "/etc/docker/daemon.json"),
    ("docker/batten-builds.conf", &["docker", "--builds"], "/etc/systemd/system/docker.service.d/batten-builds.conf"),
    (
        "podman/batten.conf",
        &["podman", "--default", "--hook", "precreate"],
        "/etc/containers/containers.conf.d/batten.conf",
    ),
    ("crio/99-batten.conf", &["crio", "--default", "--hook", "poststart"], "/etc/crio/crio.conf.d/99-batten.conf"),
    ("buildkit/buildkitd.toml", &["buildkit"], "/etc/buildkit/buildkitd.toml"),
    (
        "oci-hooks/zz-batten-precreate.json",
        &["podman", "--hook", "precreate"],
        "/etc/containers/oci/hooks.d/zz-batten-precreate.json",
    ),
    (
        "oci-hooks/zz-batten-create-runtime.json",
        &["crio", "--hook", "create-runtime"],
        "/etc/containers/oci/hooks.d/zz-batten-create-runtime.json",
    ),
    (
        "oci-hooks/zz-batten-poststart.json",
        &["crio", "--hook", "poststart"],
        "/etc/containers/oci/hooks.d/zz-batten-poststart.json",
    ),
];

/// `BATTEN_BLESS=1` writes them anew.
#[test]
fn what_hooks_holds_is_what_install_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks");
    for (shipped, words, made) in SHIPPED {
        let machine = Machine::new();
        machine.does(&[&["install"], words].concat());
        let (path, text) = (folder.join(shipped), machine.read(made));
        if std::env::var_os("BATTEN_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            continue;
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            text,
            "hooks/{shipped}: BATTEN_BLESS=1 writes it anew"
        );
    }
    for folder in ["containerd", "docker", "podman", "crio", "buildkit", "oci-hooks"] {
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks").join(folder)).unwrap() {
            let name = format!("{folder}/{}", file.unwrap().file_name().to_string_lossy());
            assert!(SHIPPED.iter().any(|(shipped, _, _)| *shipped == name), "hooks/{name} is made by nothing");
        }
    }
}

/// Hooks without an environment of their own have had the container's (CVE-2025-23266 and its kind).
#[test]
fn every_hook_has_an_environment_of_its_own_and_a_bound_in_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks");
    let read = |path: PathBuf| serde_json::from_str::<serde_json::Value>(&fs::read_to_string(path).unwrap()).unwrap();
    let mut hooks = Vec::new();
    for file in fs::read_dir(folder.join("oci-hooks")).unwrap() {
        let file = read(file.unwrap().path());
        assert_eq!((file["version"].as_str(), file["when"]["always"].as_bool()), (Some("1.0.0"), Some(true)));
        hooks.push(file["hook"].clone());
    }
    let base = read(folder.join("containerd/batten-base-spec.json"));
    assert!(base["process"].is_object() && base["mounts"].is_array(), "it is a whole spec");
    for stage in ["createRuntime", "poststart"] {
        hooks.push(base["hooks"][stage][0].clone());
    }
    assert_eq!(hooks.len(), 5);
    for hook in hooks {
        let env = hook["env"].as_array().unwrap();
        assert!(env.iter().any(|word| word.as_str().unwrap().starts_with("PATH=/")), "{hook}");
        assert!(hook["timeout"].as_u64().unwrap() > 10, "batten gives up by itself before the engine does: {hook}");
        assert!(hook["path"].as_str().unwrap().starts_with('/'), "{hook}");
        assert_eq!(hook["args"][1], "hook", "{hook}");
    }
}
