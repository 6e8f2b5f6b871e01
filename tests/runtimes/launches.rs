//! create, run and start.

use serde_json::{Value, json};

use crate::lab::{CEILING, Kind, Lab, Status, on_every_runtime, own_bounding_set, quiet, status_of, stderr, wait_for};

const STATUS: &[&str] = &["cat", "/proc/self/status"];

#[test]
fn a_privileged_bundle_runs_within_the_ceiling() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(STATUS));
        let bare = status_of(&lab.bare(&["run", "--bundle", bundle.to_str().unwrap(), &lab.id]).output().unwrap());
        assert_eq!(bare.caps("CapBnd"), own_bounding_set(), "the bare runtime gives what is asked for");
        assert!(!bare.no_new_privs() && !bare.is_filtered());

        let within = status_of(&lab.run(&bundle));
        assert!(within.is_filtered());
        within.assert_within(CEILING, lab.kind.name());
        assert_eq!(within.caps("CapEff"), own_bounding_set() & CEILING);
    });
}

#[test]
fn create_and_start_give_what_run_gives() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(&["sh", "-c", "cat /proc/self/status > /tmp/status"]));
        quiet(lab.shim(&["create", "--bundle", bundle.to_str().unwrap(), &lab.id]));
        quiet(lab.shim(&["start", &lab.id]));
        let status = wait_for("the status", || {
            let text = std::fs::read_to_string(lab.path("rootfs/tmp/status")).ok()?;
            text.contains("Seccomp:").then(|| Status::parse(&text))
        });
        quiet(lab.shim(&["delete", "--force", &lab.id]));
        status.assert_within(CEILING, lab.kind.name());
        assert_eq!(status.caps("CapEff"), own_bounding_set() & CEILING);
        assert!(status.is_filtered());
    });
}

#[test]
fn the_policy_s_ceiling_and_no_new_privs_hold() {
    on_every_runtime(|lab| {
        lab.policy("capabilities.ceiling = ['CAP_KILL', 'CAP_CHOWN']\nno_new_privs.required = true\n");
        let bundle = lab.bundle("b", &lab.privileged(STATUS));
        let status = status_of(&lab.run(&bundle));
        status.assert_within(0b10_0001, lab.kind.name());
        assert_eq!(status.caps("CapEff"), 0b10_0001);
        assert!(status.no_new_privs());
    });
}

#[test]
fn a_bundle_that_lists_no_capabilities_gets_none() {
    on_every_runtime(|lab| {
        let mut config = lab.privileged(STATUS);
        config["process"].as_object_mut().unwrap().remove("capabilities");
        let bundle = lab.bundle("b", &config);
        let status = status_of(&lab.run(&bundle));
        status.assert_within(0, lab.kind.name());
        let written = &lab.config("b")["process"]["capabilities"];
        assert_eq!(
            *written,
            json!({ "bounding": [], "effective": [], "inheritable": [], "permitted": [], "ambient": [] })
        );
    });
}

#[test]
fn a_bundle_without_linux_is_restricted_or_does_not_run() {
    on_every_runtime(|lab| {
        let mut config = lab.privileged(STATUS);
        config.as_object_mut().unwrap().remove("linux");
        let bundle = lab.bundle("b", &config);
        let output = lab.run(&bundle);
        if output.status.success() {
            status_of(&output).assert_within(CEILING, lab.kind.name());
        }
        let written = &lab.config("b")["process"]["capabilities"]["bounding"];
        assert!(!written.as_array().unwrap().contains(&json!("CAP_SYS_ADMIN")), "{written}");
    });
}

#[test]
fn a_bundle_without_a_process_runs_nothing() {
    on_every_runtime(|lab| {
        let mut config = lab.privileged(STATUS);
        config.as_object_mut().unwrap().remove("process");
        let bundle = lab.bundle("b", &config);
        let output = lab.run(&bundle);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    });
}

#[test]
fn without_a_bundle_option_the_current_directory_is_judged() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(STATUS));
        let output = lab.shim(&["run", &lab.id]).current_dir(bundle).output().unwrap();
        status_of(&output).assert_within(CEILING, lab.kind.name());
    });
}

#[test]
fn a_file_that_crun_is_told_to_read_instead_is_judged_and_left_as_it_is() {
    let Some(lab) = Lab::new(Kind::Crun) else { return };
    let mut tame = lab.privileged(STATUS);
    tame["process"]["capabilities"] = json!({});
    let bundle = lab.bundle("b", &tame);
    let other = lab.write("other.json", &lab.privileged(STATUS).to_string());
    let before = std::fs::read(&other).unwrap();
    for spelling in [
        vec!["--config".to_owned(), other.display().to_string()],
        vec![format!("-f{}", other.display())],
        vec!["-f".to_owned(), "other.json".to_owned()],
    ] {
        let mut line = vec!["run".to_owned(), "--bundle".to_owned(), bundle.display().to_string()];
        line.extend(spelling);
        line.push(lab.id.clone());
        let output = lab.shim(&line).current_dir(lab.path(".")).output().unwrap();
        let status = status_of(&output);
        status.assert_within(CEILING, "crun --config");
        assert_eq!(status.caps("CapEff"), own_bounding_set() & CEILING, "the file named is the one that counts");
    }
    assert_eq!(std::fs::read(&other).unwrap(), before);
}

#[test]
fn crun_s_config_json_by_name_is_the_bundle_s() {
    let Some(lab) = Lab::new(Kind::Crun) else { return };
    let bundle = lab.bundle("b", &lab.privileged(STATUS));
    let line = ["run", "--config", "config.json", "--bundle", bundle.to_str().unwrap(), &lab.id];
    let output = lab.shim(&line).current_dir("/").output().unwrap();
    status_of(&output).assert_within(CEILING, "crun");
}

#[test]
fn who_holds_the_old_file_open_cannot_write_what_the_runtime_reads() {
    use std::os::unix::fs::MetadataExt;
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(STATUS));
        status_of(&lab.run(&bundle));
        let inode = || std::fs::metadata(bundle.join("config.json")).unwrap().ino();
        let within = inode();
        status_of(&lab.run(&bundle));
        assert_ne!(inode(), within, "written anew, although it was within the policy already");
    });
}

#[test]
fn every_decision_is_one_line_of_the_log() {
    on_every_runtime(|lab| {
        let log = lab.path("decisions.jsonl");
        let settings = std::fs::read_to_string(lab.path("runtime.toml")).unwrap();
        lab.write("runtime.toml", &format!("{settings}log = '{}'\n", log.display()));
        let bundle = lab.bundle("b", &lab.privileged(&["cat", "/proc/self/status"]));
        status_of(&lab.run(&bundle));
        status_of(&lab.run(&bundle));
        lab.policy("capabilities.violation = 'deny'\ncapabilities.ceiling = []\n");
        assert!(!lab.run(&bundle).status.success());
        lab.write("b/config.json", "{");
        assert!(!lab.run(&bundle).status.success());
        assert!(!lab.shim(&["run", "--frob", "c1"]).output().unwrap().status.success());
        quiet(lab.shim(&["list"]));

        let lines: Vec<Value> =
            std::fs::read_to_string(&log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let verdicts: Vec<_> = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["fixed", "clean", "denied", "refused", "refused"]);
        assert_eq!(lines[0]["command"], "run");
        assert_eq!(lines[0]["id"], lab.id);
        assert_eq!(lines[0]["findings"][0]["rule"], "capabilities");
    });
}

#[test]
fn a_log_that_cannot_be_written_refuses_only_where_it_is_required() {
    on_every_runtime(|lab| {
        let runtime = std::fs::read_to_string(lab.path("runtime.toml")).unwrap();
        let bundle = lab.bundle("b", &lab.privileged(STATUS));
        lab.write("runtime.toml", &format!("{runtime}log = '/nonexistent/log'\n"));
        status_of(&lab.run(&bundle));
        lab.write("runtime.toml", &format!("{runtime}log = '/nonexistent/log'\nlog-required = true\n"));
        let output = lab.run(&bundle);
        assert!(!output.status.success() && stderr(&output).contains("cannot be logged"), "{output:?}");
    });
}

#[test]
fn the_container_s_exit_code_comes_back() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(&["sh", "-c", "exit 42"]));
        assert_eq!(lab.run(&bundle).status.code(), Some(42));
    });
}

#[test]
fn a_broken_pipe_ends_a_container_s_program_as_it_does_without_the_shim() {
    on_every_runtime(|lab| {
        let bundle = lab.bundle("b", &lab.privileged(&["grep", "SigIgn", "/proc/self/status"]));
        let line = ["run", "--bundle", bundle.to_str().unwrap(), &lab.id];
        let bare = lab.bare(&line).output().unwrap();
        assert_eq!(lab.shim(&line).output().unwrap().stdout, bare.stdout);
    });
}

#[test]
fn a_bundle_without_a_filter_gets_the_policy_s_and_a_looser_one_is_narrowed() {
    const SCRIPT: &str = "grep Seccomp: /proc/self/status; unshare -U true || echo refused";
    on_every_runtime(|lab| {
        for own in [None, Some(json!({ "defaultAction": "SCMP_ACT_ALLOW" }))] {
            let mut config = lab.privileged(&["sh", "-c", SCRIPT]);
            let linux = config["linux"].as_object_mut().unwrap();
            linux.remove("seccomp");
            linux.extend(own.map(|own| ("seccomp".to_owned(), own)));
            let bundle = lab.bundle("b", &config);
            let output = lab.run(&bundle);
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("Seccomp:\t2") && said.contains("refused"), "{}: {output:?}", lab.kind.name());
        }
    });
}
