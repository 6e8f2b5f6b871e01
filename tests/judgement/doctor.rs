//! `batten doctor`, on machines made of files and on this one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::batten::{Run, batten};

struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    /// One on which nothing is wrong.
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        for (path, text) in [
            ("proc/sys/kernel/osrelease", "6.1.0-28-amd64\n"),
            (
                "proc/sys/kernel/seccomp/actions_avail",
                "kill_process kill_thread trap errno user_notif trace log allow\n",
            ),
            ("proc/sys/kernel/seccomp/actions_logged", "kill_process kill_thread trap errno user_notif trace log\n"),
            ("sys/module/apparmor/parameters/enabled", "Y\n"),
            ("sys/kernel/security/apparmor/profiles", "docker-default (enforce)\nlearning (complain)\n"),
            ("sys/kernel/security/lsm", "lockdown,capability,apparmor\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"),
        ] {
            machine.write(path, text);
        }
        machine.program("usr/local/bin/batten-runtime", "BATTEN_RUNTIME_HANDOVER");
        machine.program("usr/bin/runc", "a runtime");
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.root.path().join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn doctor(&self, words: &[&str]) -> Run {
        batten(&[&["doctor", "--root", self.root.path().to_str().unwrap()], words].concat())
    }

    /// The level and the finding of what is called `name`, or begins with it; each but a fine one must have a hint.
    fn look(&self, name: &str) -> (String, String) {
        let run = self.doctor(&["--format", "json"]);
        let json: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
        let checks = json["checks"].as_array().unwrap();
        for check in checks {
            assert_eq!(check["hint"].is_null(), check["level"] == "fine", "{check}");
        }
        let found = checks.iter().find(|check| check["name"].as_str().unwrap().starts_with(name));
        let found = found.unwrap_or_else(|| panic!("nothing is called {name}: {}", run.stdout));
        (found["level"].as_str().unwrap().to_owned(), found["found"].as_str().unwrap().to_owned())
    }
}

#[test]
fn a_machine_on_which_nothing_is_wrong_has_no_failures_and_no_warnings() {
    let run = Machine::new().doctor(&["--fail-on", "warning"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.contains("\n0 failures, 0 warnings, 1 cannot be known, "), "{}", run.stdout);
}

/// One tweak each: what is put where, what is looked at, what it comes to, and what is said.
const TWEAKS: [(&str, &str, &str, &str, &str); 21] = [
    ("proc/sys/kernel/osrelease", "4.19.0", "version", "warning", "does not count filters before 5.9"),
    (
        "proc/sys/kernel/seccomp/actions_avail",
        "kill_thread errno allow",
        "seccomp",
        "warning",
        "cannot answer kill_process",
    ),
    (
        "proc/sys/kernel/seccomp/actions_logged",
        "kill_process",
        "records of refused calls",
        "warning",
        "leave no record",
    ),
    ("sys/module/apparmor/parameters/enabled", "N", "AppArmor", "warning", "no profile confines"),
    ("proc/sys/user/max_user_namespaces", "0", "user namespaces", "fine", "none can be made"),
    ("proc/sys/kernel/unprivileged_userns_clone", "0", "user namespaces", "fine", "only root makes them"),
    (
        "etc/batten/policy.toml",
        "[capabilities]\nceilin = []\n",
        "policy",
        "failure",
        "nothing starts under half a policy",
    ),
    (
        "etc/batten/policy.toml",
        "apparmor.profile = 'web'\n",
        "AppArmor profile of",
        "failure",
        "is not loaded: every container",
    ),
    ("etc/batten/policy.toml", "apparmor.profile = 'docker-default'\n", "AppArmor profile of", "fine", "mode enforce"),
    ("etc/batten/policy.toml", "apparmor.profile = 'learning'\n", "AppArmor profile of", "warning", "complain mode"),
    (
        "etc/batten/policy.toml",
        "apparmor.profile = 'builtin:default'\n",
        "AppArmor profile of",
        "failure",
        "apparmor_parser is not installed",
    ),
    (
        "etc/batten/policy.toml",
        "[[override]]\nname = 'a'\nmatch = { namespace = 'b' }\napparmor.profile = 'web'\n[subject]\nengine = 'containerd'\n",
        "AppArmor profile of",
        "failure",
        "is not loaded",
    ),
    (
        "etc/batten/policy.toml",
        "apparmor = { profile = 'web', fallback = { when = 'missing', profile = 'docker-default' } }\n",
        "AppArmor profile of",
        "warning",
        "takes its place",
    ),
    (
        "etc/batten/policy.toml",
        "seccomp.profile = '/etc/batten/web.json'\n",
        "seccomp profile of",
        "failure",
        "is not there",
    ),
    (
        "etc/batten/policy.toml",
        "[[waiver]]\nrule = 'capabilities'\nvalues = ['CAP_KILL']\nmatch = { namespace = 'b' }\nreason = 'r'\nowner = 'o'\nexpires = 2020-01-01\n[subject]\nengine = 'containerd'\n",
        "waiver at",
        "warning",
        "ended on 2020-01-01",
    ),
    ("etc/batten/runtime.toml", "runtim = '/x'\n", "settings", "failure", "unknown field"),
    ("etc/batten/runtime.toml", "runtime = '/opt/runc'\n", "the runtime behind", "failure", "not there"),
    ("etc/batten/runtime.toml", "log = '/var/log/none/x'\n", "the log of decisions", "warning", "is not there"),
    (
        "etc/batten/runtime.toml",
        "log = 'syslog'\nlog-required = true\n",
        "the log of decisions",
        "failure",
        "nobody listens",
    ),
    ("etc/docker/daemon.json", "{}", "docker", "warning", "gets \"runc\", which is not batten-runtime"),
    ("etc/docker/daemon.json", "{,", "docker", "failure", "expected"),
];

#[test]
fn each_thing_that_is_wrong_is_found_and_said() {
    for (path, text, name, level, says) in TWEAKS {
        let machine = Machine::new();
        machine.write(path, text);
        let (found_level, found) = machine.look(name);
        assert_eq!(found_level, level, "{path} {text:?}: {found}");
        assert!(found.contains(says), "{path} {text:?}: {found}");
        let failure = i32::from(level == "failure");
        assert_eq!(machine.doctor(&[]).code, failure, "{path} {text:?}");
    }
}

#[test]
fn what_is_missing_is_found_and_said() {
    for (path, name, level) in [
        ("proc/sys/kernel/seccomp/actions_avail", "seccomp", "failure"),
        ("sys/fs/cgroup/cgroup.controllers", "control groups", "failure"),
        ("sys/kernel/security/lsm", "security modules", "unknown"),
        ("sys/kernel/security/apparmor/profiles", "AppArmor", "unknown"),
        ("usr/local/bin/batten-runtime", "batten-runtime", "failure"),
        ("usr/bin/runc", "runtime", "failure"),
    ] {
        let machine = Machine::new();
        fs::remove_file(machine.root.path().join(path)).unwrap();
        assert_eq!(machine.look(name).0, level, "{path}");
    }
}

#[test]
fn a_shim_that_others_may_write_is_a_failure() {
    let machine = Machine::new();
    let path = machine.root.path().join("usr/local/bin/batten-runtime");
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    let (level, found) = machine.look("batten-runtime");
    assert_eq!((level.as_str(), found.contains("may be written by others")), ("failure", true), "{found}");
}

/// Whatever this machine is, what is said of it is what it says of itself.
#[test]
fn of_this_machine_it_says_what_the_kernel_and_the_runtimes_say() {
    let run = batten(&["doctor", "--format", "json"]);
    assert!(run.code <= 1, "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    crate::schema::assert_valid("doctor", &json);
    let checks = json["checks"].as_array().unwrap();
    let found = |name: &str| {
        let check =
            checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {}", run.stdout));
        check["found"].as_str().unwrap()
    };
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert!(found("version").contains(release.trim()));
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").unwrap();
    assert!(found("seccomp").contains(actions.trim()));
    let version = std::process::Command::new("runc").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert!(found("runc").contains(version.lines().next().unwrap()));
    assert_eq!(batten(&["doctor"]).code, run.code, "every format says the same");
}
