//! Where the handlers of a containerd, and of CRI-O, stand: drop-ins, imports, the settings that a new one takes over.

use super::Machine;

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
