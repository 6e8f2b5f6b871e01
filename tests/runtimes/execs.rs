//! exec: the way out of a container that only `create` had restricted.

use serde_json::{Value, json};

use crate::lab::{CEILING, Lab, on_every_runtime, own_bounding_set, quiet, status_of, stderr};

/// What `docker exec --privileged` sends: everything, and no word on new privileges.
fn privileged_process(lab: &Lab) -> Value {
    let mut process = lab.privileged(&["cat", "/proc/self/status"])["process"].clone();
    process.as_object_mut().unwrap().remove("noNewPrivileges");
    process
}

#[test]
fn an_exec_with_every_capability_in_its_file_stays_within_the_ceiling() {
    on_every_runtime(|lab| {
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let file = lab.write("process.json", &privileged_process(&lab).to_string());
        let bare = lab.bare(&["exec", "--process", file.to_str().unwrap(), &lab.id]).output().unwrap();
        assert_eq!(status_of(&bare).caps("CapBnd"), own_bounding_set(), "the bare runtime lets the exec out");

        for option in [&["--process", file.to_str().unwrap()][..], &["-p", file.to_str().unwrap()]] {
            let status = status_of(&sleeper.exec(option, &[]));
            status.assert_within(CEILING, lab.kind.name());
            assert_eq!(status.caps("CapEff"), own_bounding_set() & CEILING);
            assert!(status.is_filtered());
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), privileged_process(&lab).to_string(), "the engine's file");
    });
}

#[test]
fn an_exec_by_flags_stays_within_the_ceiling() {
    on_every_runtime(|lab| {
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let bare = lab
            .bare(&["exec", "--cap", "CAP_SYS_ADMIN", "--cap", "CAP_CHOWN", &lab.id, "cat", "/proc/self/status"])
            .output()
            .unwrap();
        if bare.status.success() {
            assert_ne!(status_of(&bare).caps("CapBnd") & 1 << 21, 0, "the bare runtime lets the exec out");
        }
        let status = sleeper.status(&["--cap", "CAP_SYS_ADMIN", "--cap", "CAP_CHOWN"]);
        status.assert_within(CEILING, lab.kind.name());
        assert_eq!(status.caps("CapEff") & 1, 1, "what is within the ceiling is given");
        sleeper.status(&[]).assert_within(CEILING, lab.kind.name());
    });
}

#[test]
fn no_new_privs_holds_for_every_exec_where_the_policy_requires_it() {
    on_every_runtime(|lab| {
        lab.policy("no_new_privs.required = true\n");
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let file = lab.write("process.json", &privileged_process(&lab).to_string());
        assert!(sleeper.status(&[]).no_new_privs());
        assert!(status_of(&sleeper.exec(&["--process", file.to_str().unwrap()], &[])).no_new_privs());
        if lab.kind == crate::lab::Kind::Runc {
            assert!(sleeper.status(&["--no-new-privs=false"]).no_new_privs());
        }
    });
}

#[test]
fn a_process_file_that_lists_no_capabilities_gets_the_container_s() {
    on_every_runtime(|lab| {
        let mut config = lab.privileged(&[]);
        let own = json!(["CAP_KILL"]);
        config["process"]["capabilities"] = json!({ "bounding": own, "effective": own, "permitted": own });
        let sleeper = lab.sleeper(&config);
        let mut process = privileged_process(&lab);
        process.as_object_mut().unwrap().remove("capabilities");
        let file = lab.write("process.json", &process.to_string());
        let status = status_of(&sleeper.exec(&["--process", file.to_str().unwrap()], &[]));
        assert_eq!(status.caps("CapEff"), 1 << 5);
    });
}

#[test]
fn an_exec_is_judged_by_the_overrides_of_its_container() {
    on_every_runtime(|lab| {
        lab.policy(
            "capabilities.ceiling = []\nsubject.engine = 'containerd'\n\
             [[override]]\nname = 'net'\nmatch.namespace = 'net'\ncapabilities.ceiling = ['CAP_NET_ADMIN']\n",
        );
        let mut config = lab.privileged(&[]);
        config["annotations"] = json!({ "io.kubernetes.cri.sandbox-namespace": "net" });
        let sleeper = lab.sleeper(&config);
        let file = lab.write("process.json", &privileged_process(&lab).to_string());
        let status = status_of(&sleeper.exec(&["--process", file.to_str().unwrap()], &[]));
        assert_eq!(status.caps("CapEff"), own_bounding_set() & 1 << 12);
    });
}

#[test]
fn an_annotation_called_bundle_does_not_lead_the_judgement_elsewhere() {
    on_every_runtime(|lab| {
        lab.policy(
            "capabilities.ceiling = []\nsubject.engine = 'containerd'\n\
             [[override]]\nname = 'net'\nmatch.namespace = 'net'\ncapabilities.ceiling = ['CAP_NET_ADMIN']\n",
        );
        let mut elsewhere = lab.privileged(&[]);
        elsewhere["annotations"] = json!({ "io.kubernetes.cri.sandbox-namespace": "net" });
        let spoof = lab.bundle("elsewhere", &elsewhere);
        let mut config = lab.privileged(&[]);
        config["annotations"] = json!({ "bundle": spoof });
        let sleeper = lab.sleeper(&config);
        let file = lab.write("process.json", &privileged_process(&lab).to_string());
        status_of(&sleeper.exec(&["--process", file.to_str().unwrap()], &[])).assert_within(0, lab.kind.name());
        sleeper.status(&["--cap", "CAP_NET_ADMIN"]).assert_within(0, lab.kind.name());
    });
}

#[test]
fn a_container_that_was_created_without_batten_is_left_only_through_the_policy() {
    on_every_runtime(|lab| {
        let mut config = lab.privileged(&["sleep", "1000"]);
        config["process"]["args"] = json!(["sleep", "1000"]);
        let bundle = lab.bundle("b", &config);
        quiet(lab.bare(&["create", "--bundle", bundle.to_str().unwrap(), &lab.id]));
        quiet(lab.bare(&["start", &lab.id]));
        let output = lab.shim(&["exec", &lab.id, "cat", "/proc/self/status"]).output().unwrap();
        quiet(lab.bare(&["delete", "--force", &lab.id]));
        status_of(&output).assert_within(CEILING, lab.kind.name());
    });
}

#[test]
fn the_user_the_environment_and_the_words_of_an_exec_arrive() {
    on_every_runtime(|lab| {
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let script = "id -u; id -g; echo \"$A $PATH $1\"; pwd";
        let options = ["--user", "7:8", "--env", "A=b c", "--cwd", "/tmp"];
        let output = sleeper.exec(&options, &["sh", "-c", script, "--process", "/evil \"quoted\""]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "7\n8\nb c /bin /evil \"quoted\"\n/tmp\n", "{output:?}");
        assert_eq!(sleeper.exec(&[], &["sh", "-c", "exit 9"]).status.code(), Some(9));
    });
}

#[test]
fn an_exec_that_cannot_be_judged_runs_nothing() {
    on_every_runtime(|lab| {
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let marker =
            |name: &str| json!({ "args": ["touch", format!("/tmp/{name}")], "cwd": "/", "env": ["PATH=/bin"] });
        let folded = marker("folded").to_string().replacen('{', r#"{"Capabilities":{},"#, 1);
        let doubled = marker("doubled").to_string().replacen('{', r#"{"cwd":"/","#, 1);
        for (name, text) in [("folded", folded), ("doubled", doubled), ("cut", "{\"args\":".to_owned())] {
            let file = lab.write("process.json", &text);
            let output = sleeper.exec(&["--process", file.to_str().unwrap()], &[]);
            assert!(!output.status.success() && stderr(&output).contains("hint:"), "{name}: {output:?}");
        }
        let link = lab.path("link.json");
        let target = lab.write("good.json", &marker("linked").to_string());
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(!sleeper.exec(&["--process", link.to_str().unwrap()], &[]).status.success());
        assert!(!sleeper.exec(&["--process", "/nonexistent"], &[]).status.success());
        let nobody = lab.shim(&["exec", "nobody", "touch", "/tmp/nobody"]).output().unwrap();
        assert!(stderr(&nobody).contains("no container"), "{nobody:?}");
        let left: Vec<_> = std::fs::read_dir(lab.path("rootfs/tmp")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn no_memory_file_reaches_the_container() {
    on_every_runtime(|lab| {
        let sleeper = lab.sleeper(&lab.privileged(&[]));
        let output = sleeper.exec(&[], &["sh", "-c", "ls -l /proc/self/fd 2>/dev/null || echo /proc/self/fd/*"]);
        assert!(output.status.success());
        assert!(!String::from_utf8_lossy(&output.stdout).contains("memfd"), "{output:?}");
    });
}
