//! What a user sees: output, messages, exit codes.

use std::fs;
use std::path::Path;

use crate::batten::{batten, batten_reading};

const PRIVILEGED: &str =
    r#"{"ociVersion":"1.0.2","process":{"cwd":"/","capabilities":{"bounding":["CAP_KILL","CAP_SYS_ADMIN"]}}}"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn policy(&self, text: &str) -> String {
        self.file("policy.toml", text)
    }
}

/// A policy that leaves alone what these tests are not about.
const ONLY_CAPABILITIES: &str = "seccomp.violation = 'off'\n";

#[test]
fn check_exits_0_within_the_policy_and_2_where_it_would_fix_and_1_where_it_denies() {
    let place = Place::new();
    let bundle = place.file("bundle/config.json", PRIVILEGED);
    let policy = place
        .policy(&format!("{ONLY_CAPABILITIES}capabilities.ceiling = ['@all']\ncapabilities.violation = 'report'\n"));
    assert_eq!(batten(&["check", "--policy", &policy, &bundle]).code, 0);
    let policy = place.policy(ONLY_CAPABILITIES);
    assert_eq!(batten(&["check", "--policy", &policy, &bundle]).code, 2);
    let policy = place.policy(&format!("{ONLY_CAPABILITIES}capabilities.violation = 'deny'\n"));
    assert_eq!(batten(&["check", "--policy", &policy, &bundle]).code, 1);
    assert_eq!(fs::read_to_string(&bundle).unwrap(), PRIVILEGED, "check never writes");
}

#[test]
fn check_takes_folders_files_and_standard_input_alike() {
    let place = Place::new();
    let file = place.file("bundle/config.json", PRIVILEGED);
    let folder = Path::new(&file).parent().unwrap().to_str().unwrap().to_owned();
    let by_file = batten(&["check", &file]);
    assert_eq!(batten(&["check", &folder]).stdout, by_file.stdout);
    let piped = batten_reading(&["check", "-"], PRIVILEGED);
    assert_eq!(piped.stdout.replace("-:", &format!("{file}:")), by_file.stdout);
}

#[test]
fn what_cannot_be_read_exits_3_and_the_rest_is_still_judged() {
    let place = Place::new();
    let good = place.file("good/config.json", PRIVILEGED);
    let bad = place.file("bad/config.json", r#"{"process":{},"Process":{}}"#);
    let run = batten(&["check", "--format", "json", &bad, &good, "/nowhere"]);
    assert_eq!(run.code, 3);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let verdicts: Vec<_> =
        report["documents"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["unreadable", "would-fix", "unreadable"]);
    assert!(report["documents"][0]["error"]["message"].as_str().unwrap().contains("/Process"), "{report:#}");
}

#[test]
fn a_bad_policy_or_command_line_exits_4_with_a_hint_and_nothing_on_stdout() {
    let place = Place::new();
    let bundle = place.file("bundle/config.json", PRIVILEGED);
    for text in [
        "mode = 'enforc'",
        "[seccompp]\n",
        "mode = ",
        "capabilities.ceiling = ['KILL']",
        "apparmor.own = 'combine'",
        "apparmor.profile = 'unconfined'",
        "apparmor.fallback = { when = 'later', profile = 'x' }",
        "seccomp.deny = ['@io_uring']",
        "seccomp.deny = ['@default']",
        "seccomp.allow = ['raed']",
        "seccomp = { allow = ['@default'], profile = 'builtin:default' }",
    ] {
        let policy = place.policy(text);
        let run = batten(&["check", "--policy", &policy, &bundle]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{text}");
        assert!(
            run.stderr.contains(&policy) && run.stderr.contains('^') && run.stderr.contains("\nhint: "),
            "{}",
            run.stderr
        );
    }
    for args in
        [&["check"][..], &["nonsense"], &["check", "--nonsense", "x"], &["check", "--policy", "/nowhere", &bundle]]
    {
        assert_eq!(batten(args).code, 4, "{args:?}");
    }
}

#[test]
fn apply_writes_what_diff_shows_and_then_all_is_clean() {
    let place = Place::new();
    let bundle = place.file("bundle/config.json", PRIVILEGED);
    let shown = batten(&["diff", &bundle]);
    assert_eq!(shown.code, 2);
    assert!(shown.stdout.contains("-        \"CAP_SYS_ADMIN\"\n"), "{}", shown.stdout);
    let to_stdout = batten(&["apply", "--stdout", &bundle]);
    assert_eq!((to_stdout.code, fs::read_to_string(&bundle).unwrap().as_str()), (0, PRIVILEGED));
    let applied = batten(&["apply", &bundle]);
    assert_eq!((applied.code, applied.stdout.as_str()), (0, ""), "{}", applied.stderr);
    assert_eq!(fs::read_to_string(&bundle).unwrap(), to_stdout.stdout);
    assert_eq!(batten(&["check", &bundle]).code, 0);
    assert_eq!((batten(&["diff", &bundle]).code, batten(&["diff", &bundle]).stdout.as_str()), (0, ""));
}

#[test]
fn a_denied_bundle_is_not_written() {
    let place = Place::new();
    let bundle = place.file("bundle/config.json", PRIVILEGED);
    let policy = place.policy("capabilities.violation = 'deny'");
    let run = batten(&["apply", "--policy", &policy, &bundle]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("CAP_SYS_ADMIN is above the ceiling")
            && run.stderr.contains("policy.toml:1 (capabilities.violation)"),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read_to_string(&bundle).unwrap(), PRIVILEGED);
}

#[test]
fn a_json_patch_applied_gives_what_apply_gives() {
    let place = Place::new();
    let bundle = place.file(
        "bundle/config.json",
        r#"{"ociVersion":"1.0.2","annotations":{"krun.x":"1","a":"b"},"process":{"cwd":"/"}}"#,
    );
    let patch: serde_json::Value =
        serde_json::from_str(&batten(&["diff", "--format", "json-patch", &bundle]).stdout).unwrap();
    let operations: Vec<_> = patch
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["op"].as_str().unwrap(), one["path"].as_str().unwrap()))
        .collect();
    assert!(operations.contains(&("remove", "/annotations/krun.x")), "{operations:?}");
    assert!(operations.contains(&("add", "/process/capabilities")), "{operations:?}");
}

#[test]
fn a_hostile_name_cannot_steer_the_terminal() {
    let spec = "{\"annotations\":{\"krun.\\u001b[2J\\u202e\":\"x\"}}";
    let run = batten_reading(&["check", "-"], spec);
    assert!(run.stdout.contains("\\u{1b}[2J\\u{202e}") && !run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

#[test]
fn policy_show_names_the_line_that_made_each_setting() {
    let place = Place::new();
    let policy = place.policy(
        "[subject]\nengine = 'containerd'\n[[override]]\nname = 'builders'\nmatch.namespace = 'build'\ncapabilities.add = ['CAP_SYS_ADMIN']\n",
    );
    let bundle = place.file("bundle/config.json", r#"{"annotations":{"io.kubernetes.cri.sandbox-namespace":"build"}}"#);
    let run = batten(&["policy", "show", "--policy", &policy, &bundle]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("overrides: builders\n"), "{}", run.stdout);
    assert!(
        run.stdout.lines().any(|line| line.contains("\"CAP_SYS_ADMIN\"") && line.ends_with(&format!("# {policy}:6"))),
        "{}",
        run.stdout
    );
    let other = place.file("other/config.json", r#"{"annotations":{"io.kubernetes.cri.sandbox-namespace":"x"}}"#);
    assert!(!batten(&["policy", "show", "--policy", &policy, &other]).stdout.contains("SYS_ADMIN"));
}

#[test]
fn the_later_of_profile_and_allow_holds_and_deny_holds_beside_both() {
    let place = Place::new();
    let base = place.policy("seccomp.allow = ['@file-io', 'ptrace']\nseccomp.deny = ['@io-uring']\n");
    let shown = |over: &str| {
        let over = place.file("over.toml", over);
        let run = batten(&["policy", "show", "--policy", &base, "--policy", &over]);
        let lines = run.stdout.lines().filter(|line| line.starts_with("seccomp.")).map(str::to_owned);
        let said = |line: String| line.split("   #").next().unwrap_or_default().to_owned();
        lines.map(said).take(2).collect::<Vec<_>>()
    };
    let deny = "seccomp.deny = [\"@io-uring\"]";
    assert_eq!(shown(""), ["seccomp.allow = [\"@file-io\", \"ptrace\"]", deny]);
    assert_eq!(shown("seccomp.profile = 'builtin:default'"), ["seccomp.profile = \"builtin:default\"", deny]);
    assert_eq!(
        shown("seccomp.allow = ['@default', '@io-uring']"),
        ["seccomp.allow = [\"@default\", \"@io-uring\"]", deny]
    );
    assert_eq!(shown("seccomp.deny = []")[1], "seccomp.deny = []");
}

#[test]
fn a_match_on_a_key_that_nobody_vouches_for_is_a_bad_policy() {
    let place = Place::new();
    let policy = place.policy("[[override]]\nname = 'x'\nmatch.namespace = 'a'\n");
    let run = batten(&["policy", "check", &policy]);
    assert_eq!(run.code, 4);
    assert!(run.stderr.contains("engine = \"containerd\""), "{}", run.stderr);
}

#[test]
fn nobody_who_reads_the_messages_is_no_reason_to_end_otherwise() {
    let place = Place::new();
    let wild = place.file("wild/config.json", PRIVILEGED);
    let policy = place.policy("capabilities.violation = 'deny'\n");
    let unread = |words: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_batten"));
        command.args(words).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        command.stderr(writer).status().unwrap().code()
    };
    assert_eq!(unread(&["check", "--stats", "--policy", &policy, &wild]), Some(1));
    assert_eq!(unread(&["apply", "--policy", &policy, &wild]), Some(1));
    assert_eq!(unread(&["record", "strace", "/etc/passwd"]), Some(3));
    assert_eq!(unread(&["policy", "check", "/nonexistent"]), Some(4));
    assert_eq!(unread(&["denials", "--log", "/nonexistent"]), Some(3));
}

#[test]
fn a_log_that_was_named_by_mistake_does_not_look_like_one_where_nothing_was_refused() {
    let place = Place::new();
    let record = "type=SECCOMP msg=audit(1764071146.661:9): auid=1 uid=0 gid=0 ses=1 pid=7 comm=\"x\" exe=\"/x\" sig=0 \
                  arch=c000003e syscall=83 compat=0 ip=0x1 code=0x50000\n";
    for (text, said) in [(record, "/log\n"), ("root:x:0:0::/root:/bin/sh\n", "/log (no record in it)\n")] {
        let log = place.file("log", text);
        let run = batten(&["denials", "--log", &log]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.starts_with("read ") && run.stderr.contains(said), "{}", run.stderr);
    }
}
