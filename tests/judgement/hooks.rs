//! The hook doors, as Podman and the runtimes knock at them.

use std::fs;
use std::path::Path;

use crate::batten::batten_reading;

const PRIVILEGED: &str =
    r#"{"ociVersion":"1.0.2","process":{"cwd":"/","capabilities":{"bounding":["CAP_KILL","CAP_SYS_ADMIN"]}}}"#;

struct Bundle {
    folder: tempfile::TempDir,
}

impl Bundle {
    fn new(spec: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), spec).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> String {
        fs::read_to_string(self.path().join("config.json")).unwrap()
    }

    fn state(&self) -> String {
        format!(r#"{{"ociVersion":"1.0.2","id":"c1","status":"created","pid":1,"bundle":"{}"}}"#, self.path().display())
    }

    fn policy(&self, text: &str) -> String {
        let path = self.path().join("policy.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn precreate_gives_the_spec_within_the_policy_and_nothing_else() {
    let run = batten_reading(&["hook", "precreate"], PRIVILEGED);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, batten_reading(&["apply", "--stdout", "-"], PRIVILEGED).stdout);
}

#[test]
fn precreate_refuses_with_nothing_on_standard_output() {
    let bundle = Bundle::new("{}");
    let policy = bundle.policy("capabilities.violation = 'deny'\n");
    for spec in [PRIVILEGED, r#"{"process":{},"Process":{}}"#, "", "{"] {
        let run = batten_reading(&["hook", "precreate", "--policy", &policy], spec);
        assert_ne!(run.code, 0, "{spec}");
        assert_eq!(run.stdout, "", "{spec}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains("\nhint: "), "{}", run.stderr);
    }
}

#[test]
fn create_runtime_corrects_the_file_and_refuses_this_start_and_lets_the_next_one_pass() {
    for stage in ["create-runtime", "prestart", "create-container"] {
        let bundle = Bundle::new(PRIVILEGED);
        let first = batten_reading(&["hook", stage], &bundle.state());
        assert_eq!(first.code, 2, "{}", first.stderr);
        assert!(first.stderr.contains("corrected now") && first.stderr.contains("CAP_SYS_ADMIN is above the ceiling"));
        assert!(!bundle.config().contains("SYS_ADMIN"));
        let second = batten_reading(&["hook", stage], &bundle.state());
        assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    }
}

#[test]
fn no_write_refuses_and_leaves_the_file() {
    let bundle = Bundle::new(PRIVILEGED);
    let run = batten_reading(&["hook", "create-runtime", "--no-write"], &bundle.state());
    assert_eq!((run.code, bundle.config().as_str()), (2, PRIVILEGED));
    assert!(run.stderr.contains("batten apply"), "{}", run.stderr);
}

#[test]
fn audit_lets_pass_and_writes_nothing() {
    let bundle = Bundle::new(PRIVILEGED);
    let run = batten_reading(&["hook", "create-runtime", "--audit"], &bundle.state());
    assert_eq!((run.code, bundle.config().as_str()), (0, PRIVILEGED));
    let policy = bundle.policy("capabilities.violation = 'deny'\n");
    let run = batten_reading(&["hook", "create-runtime", "--audit", "--policy", &policy], &bundle.state());
    assert_eq!((run.code, bundle.config().as_str()), (0, PRIVILEGED));
}

#[test]
fn a_denied_bundle_is_refused_and_not_written() {
    let bundle = Bundle::new(PRIVILEGED);
    let policy = bundle.policy("capabilities.violation = 'deny'\n");
    let run = batten_reading(&["hook", "create-runtime", "--policy", &policy], &bundle.state());
    assert_eq!((run.code, bundle.config().as_str()), (1, PRIVILEGED));
}

#[test]
fn a_state_that_names_no_bundle_is_refused() {
    for state in ["", "{}", "[]", r#"{"bundle":"relative"}"#, r#"{"bundle":"/nowhere"}"#, r#"{"bundle":7}"#] {
        let run = batten_reading(&["hook", "create-runtime"], state);
        assert_ne!(run.code, 0, "{state}");
        assert!(run.stderr.contains("\nhint: "), "{}", run.stderr);
    }
}

#[test]
fn a_hook_that_is_given_no_end_of_input_gives_up_and_refuses() {
    use std::os::unix::process::ExitStatusExt;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_batten"))
        .args(["hook", "create-runtime"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let status = child.wait().unwrap();
    drop(input);
    assert_eq!(status.signal(), Some(nix::sys::signal::Signal::SIGALRM as i32));
}

/// The rootfs is the container's: whatever is in it must not lead a hook astray.
#[test]
fn no_hook_opens_anything_in_the_rootfs() {
    let bundle = Bundle::new(&PRIVILEGED.replace("\"process\"", "\"root\":{\"path\":\"rootfs\"},\"process\""));
    let etc = bundle.path().join("rootfs/etc/batten");
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("policy.toml"), "no policy").unwrap();
    let calls = bundle.path().join("calls");
    for stage in ["create-runtime", "create-container", "prestart", "poststart"] {
        let mut child = std::process::Command::new("strace")
            .args(["-f", "-e", "trace=file", "-o"])
            .arg(&calls)
            .args([env!("CARGO_BIN_EXE_batten"), "hook", stage])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), bundle.state().as_bytes()).unwrap();
        child.wait().unwrap();
        let calls = fs::read_to_string(&calls).unwrap();
        assert!(calls.contains("config.json"), "{stage}: the trace is of the hook");
        assert!(!calls.contains("rootfs"), "{stage}: {calls}");
    }
}
