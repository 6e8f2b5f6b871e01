//! Hooks that are registered, and the files in `hooks/`, which are what `batten install` writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::Machine;

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
