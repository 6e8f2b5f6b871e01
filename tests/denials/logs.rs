//! Logs as they are kept, in every format.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::denials;

const RECORD: &str = r#"auid=4294967295 uid=0 gid=0 ses=4294967295 pid=2147483000 comm="mkdir" exe="/bin/busybox" sig=0 arch=c000003e syscall=83 compat=0 ip=0x47b567 code=0x50000"#;
const DECISION: &str = r#"{"time":"2026-11-25T15:51:40Z","command":"poststart","id":"web","pid":"2147483000","subject":{"image":"nginx:1.25","container":"web"}}"#;
const REFUSAL: &str = r#"{"time":"2026-11-25T15:51:40Z","command":"create","id":"db","runtime":"/usr/sbin/runc","bundle":"/b/config.json","subject":{},"verdict":"denied","findings":[{"rule":"capabilities","severity":"critical","disposition":"denied","pointer":"/process/capabilities","message":"CAP_SYS_ADMIN is above the ceiling","policy":"/etc/batten/policy.toml:2 (capabilities.ceiling)"}],"error":"no"}"#;

struct Logs(TempDir);

impl Logs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

fn report(args: &[&str]) -> Value {
    let all: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    let ran = denials(&all, Path::new("/dev/null"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/denials.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{report:#}");
    report
}

#[test]
fn every_log_of_the_kernel_s_tells_the_same() {
    let logs = Logs::new();
    let quoted = RECORD.replace('"', "\\\"");
    let stamped = "audit(1795621906.661:2)";
    for (name, text) in [
        ("audit.log", format!("type=SECCOMP msg={stamped}: {RECORD}\u{1d}ARCH=x86_64 SYSCALL=mkdir\n")),
        ("dmesg", format!("[  868.354970] audit: type=1326 {stamped}: {RECORD}\n")),
        ("kern.log", format!("Nov 25 15:51:46 host kernel: [  868.354970] audit: type=1326 {stamped}: {RECORD}\n")),
        ("kmsg", format!("5,1234,868354970,-;audit: type=1326 {stamped}: {RECORD}\n")),
        (
            "journal.json",
            format!(r#"{{"_TRANSPORT":"kernel","MESSAGE":"audit: type=1326 {stamped}: {quoted}"}}"#) + "\n",
        ),
        (
            "journal.export",
            format!(
                "__CURSOR=s=1\n_TRANSPORT=audit\n_AUDIT_ID=2\n_SOURCE_REALTIME_TIMESTAMP=1795621906661000\nMESSAGE=SECCOMP {RECORD}\n\n"
            ),
        ),
    ] {
        let log = logs.write(name, &text);
        let report = report(&["--log", &log]);
        let [row] = &report["denials"].as_array().unwrap()[..] else { panic!("{name}: {report:#}") };
        assert_eq!((&row["what"], &row["outcome"]), (&"mkdir".into(), &"refused".into()), "{name}");
        assert_eq!(row["first"], "2026-11-25T15:51:46.661Z", "{name}");
        assert_eq!((&row["program"]["exe"], &row["count"]), (&"/bin/busybox".into(), &1.into()), "{name}");
        // The same log again, and by another way: the record is still one.
        let twice = report_of_both(&log, &logs.write("again", &format!("type=SECCOMP msg={stamped}: {RECORD}\n")));
        assert_eq!(twice["denials"][0]["count"], 1, "{name}");
    }
}

fn report_of_both(one: &str, other: &str) -> Value {
    report(&["--log", one, "--log", other])
}

#[test]
fn a_hook_s_log_leads_from_a_process_that_is_gone_to_its_container_and_image() {
    let logs = Logs::new();
    let kernel = logs.write("audit.log", &format!("type=SECCOMP msg=audit(1795621906.661:2): {RECORD}\n"));
    let decisions = logs.write("decisions.jsonl", &format!("{DECISION}\n{REFUSAL}\n"));
    let policy = logs.write("policy.toml", "[subject]\nimage = \"x\"\n\n[seccomp]\nprofile = \"builtin:default\"\n");
    let report = report(&["--log", &kernel, "--decisions", &decisions, "--policy", &policy]);
    let rows = report["denials"].as_array().unwrap();
    let call = rows.iter().find(|row| row["kind"] == "seccomp").unwrap();
    assert_eq!((&call["container"]["id"], &call["container"]["image"]), (&"web".into(), &"nginx:1.25".into()));
    assert!(call["policy"].as_str().unwrap().ends_with("policy.toml:5 (seccomp.profile)"), "{call:#}");
    let start = rows.iter().find(|row| row["kind"] == "start").unwrap();
    assert_eq!((&start["outcome"], &start["rule"]), (&"refused".into(), &"capabilities".into()));
    assert_eq!(start["policy"], "/etc/batten/policy.toml:2 (capabilities.ceiling)");
    let only = denials(&["--log", &kernel, "--decisions", &decisions, "--container", "web"], Path::new("/dev/null"));
    assert!(only.stdout.contains("refused mkdir") && !only.stdout.contains("CAP_SYS_ADMIN"), "{}", only.stdout);
    let mistyped =
        denials(&["--log", &kernel, "--decisions", &decisions, "--container", "wbe"], Path::new("/dev/null"));
    assert!(
        mistyped.stderr.contains("no record is of a container \"wbe\"; 2 records of others"),
        "{}",
        mistyped.stderr
    );
}

#[test]
fn text_says_what_to_whom_why_and_how_often_and_exit_codes_answer() {
    let logs = Logs::new();
    let second = RECORD.replace("code=0x50000", "code=0x50000 ");
    let text = format!(
        "[1.0] audit: type=1326 audit(1795621906.661:2): {RECORD}\n[1.1] audit: type=1326 audit(1795621907.000:3): {second}\n\
         [1.2] kauditd_printk_skb: 36 callbacks suppressed\n[1.3] audit: type=1400 audit(1795621908.000:4): apparmor=\"DENIED\" \
         operation=\"open\" profile=\"web\" name=\"/etc/shadow\" pid=2147483001 comm=\"cat\" requested_mask=\"r\" denied_mask=\"r\"\n"
    );
    let log = logs.write("dmesg", &text);
    let ran = denials(&["--log", "-", "--fail-on-any"], Path::new(&log));
    assert_eq!(ran.code, 1);
    for said in [
        "refused mkdir [seccomp], 2 times",
        "first 2026-11-25T15:51:46.661Z, last 2026-11-25T15:51:47.000Z",
        "refused open /etc/shadow [apparmor], once",
        "policy: profile web",
        "incomplete: the logs say that at least 36 messages were lost",
    ] {
        assert!(ran.stdout.contains(said), "{said}\n{}", ran.stdout);
    }
    assert_eq!(
        denials(&["--log", &log, "--since", "2026-11-26T00:00:00Z", "--fail-on-any"], Path::new("/dev/null")).code,
        0
    );
    let none = denials(&["--log", "-", "--fail-on-any"], Path::new("/dev/null"));
    assert_eq!((none.code, none.stdout.as_str()), (0, "nothing was refused, as far as the logs say\n"));
    for (args, code) in [
        (&["--log", "/nowhere"][..], 3),
        (&["--log", "/etc"], 3),
        (&["--since", "yesterday"], 4),
        (&["--policy", "/nowhere"], 4),
        (&["--every", "5"], 4),
    ] {
        let ran = denials(args, Path::new("/dev/null"));
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(
            ran.stdout.is_empty() && (args[0] == "--since" || args[0] == "--every" || ran.stderr.contains("hint: "))
        );
    }
}

#[test]
fn followed_lines_are_few_however_often_something_is_refused() {
    let logs = Logs::new();
    let line = |serial: u32| format!("[1.0] audit: type=1326 audit(1795621906.661:{serial}): {RECORD}\n");
    let many = (0..5000).map(line).collect::<Vec<_>>().concat();
    let log = logs.write("dmesg", &many);
    // Longer than a slow machine reads.
    let ran = denials(&["--log", "-", "--follow", "--every", "3600", "--format", "json"], Path::new(&log));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!((1..=2).contains(&rows.len()), "{}", ran.stdout);
    assert_eq!(rows.last().unwrap()["count"], 5000);
    assert_eq!(rows.iter().map(|row| row["new"].as_u64().unwrap()).sum::<u64>(), 5000, "every record is in one line");
}

/// A start is logged before it is one, so that no record of a container's may be told without what batten knows of it, however
/// soon it comes.
#[test]
fn what_the_kernel_says_of_a_container_is_read_after_what_batten_said_of_its_start() {
    let logs = Logs::new();
    let policy = logs.write("policy.toml", "[seccomp]\ndeny = [\"mkdir\"]\n");
    let config = r#"{"ociVersion": "1.0.2", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}}}"#;
    let bundle = logs.write("config.json", config);
    let decisions = logs.write("decisions.jsonl", "");
    let mut child = Command::new(env!("CARGO_BIN_EXE_batten"))
        .args(["denials", "--follow", "--log", "-", "--decisions", &decisions, "--policy", &policy, "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut kernel = child.stdin.take().unwrap();
    let (sender, rows) = mpsc::channel();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    let mut told = Vec::new();
    for number in 0..10 {
        // No process has such a number.
        let (id, pid) = (format!("web-{number}"), (2_147_483_000 + number).to_string());
        let start =
            json!({"time": "2026-11-25T15:51:40Z", "command": "poststart", "id": id, "pid": pid, "bundle": bundle});
        let mut log = fs::OpenOptions::new().append(true).open(&decisions).unwrap();
        log.write_all(format!("{start}\n").as_bytes()).unwrap();
        let record = RECORD.replace("2147483000", &pid);
        kernel.write_all(format!("type=SECCOMP msg=audit(1795621906.661:{number}): {record}\n").as_bytes()).unwrap();
        told.push((id, rows.recv_timeout(Duration::from_secs(60))));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for (id, row) in told {
        let row: Value = serde_json::from_str(&row.unwrap()).unwrap();
        assert_eq!(row["container"]["id"], id, "{row:#}");
        // By the config.json that the start was logged with: no runtime has a state of it.
        assert_eq!(row["by"], "policy", "{row:#}");
        assert!(row["policy"].as_str().unwrap().ends_with("policy.toml:2 (seccomp.deny)"), "{row:#}");
    }
}
