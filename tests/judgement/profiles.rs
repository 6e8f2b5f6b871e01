//! `batten seccomp`, as a person types it.

use std::fs;

use crate::batten::batten;

const ALLOW_ALL: &str = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
const MINE: &str = "{\n\"defaultAction\":\"SCMP_ACT_ERRNO\",\n\"syscalls\":[\n{\"names\":[\"read\",\"keyctl\"],\"action\":\"SCMP_ACT_ALLOW\"}\n]}";

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn explain_names_verdict_rule_and_line_and_what_would_open_the_call() {
    let files = Files::new();
    let mine = files.put("mine.json", MINE);
    let run = batten(&["seccomp", "explain", &mine, "keyctl"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            0,
            "keyctl: allowed\n  by the rule at line 4: allowed\n  in @keyring (closed): The kernel's keyrings, which know no namespaces.\n"
        )
    );
    let run = batten(&["seccomp", "explain", "builtin:default", "mount"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.starts_with("mount: refused with EPERM") && run.stdout.contains("CAP_SYS_ADMIN"),
        "{}",
        run.stdout
    );
    assert_eq!(batten(&["seccomp", "explain", "builtin:default", "mount", "--caps", "CAP_SYS_ADMIN"]).code, 0);
    assert!(batten(&["seccomp", "explain", "builtin:default", "clone3"]).stdout.contains("ENOSYS"));
}

#[test]
fn explain_reads_arguments() {
    for (call, code) in [("socket(2,1,0)", 0), ("socket(40,1,0)", 1), ("socket( 0x26 , 5 )", 1), ("openat", 0)] {
        assert_eq!(batten(&["seccomp", "explain", "builtin:default", call]).code, code, "{call}");
    }
    for call in ["nonsense", "socket(", "socket(x)", "socket(1,2,3,4,5,6,7)", ""] {
        let run = batten(&["seccomp", "explain", "builtin:default", call]);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{call}");
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    }
}

#[test]
fn is_subset_says_no_with_a_call_that_shows_it() {
    let files = Files::new();
    let (all, mine) = (files.put("all.json", ALLOW_ALL), files.put("mine.json", MINE));
    assert_eq!(batten(&["seccomp", "is-subset", "builtin:default", &all]).code, 0);
    let run = batten(&["seccomp", "is-subset", &mine, "builtin:default"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("keyctl"), "{}", run.stdout);
}

#[test]
fn an_intersection_is_a_subset_of_both_and_a_union_holds_both() {
    let files = Files::new();
    let mine = files.put("mine.json", MINE);
    let both = files.put("both.json", &batten(&["seccomp", "intersect", "builtin:default", &mine]).stdout);
    let either = files.put("either.json", &batten(&["seccomp", "merge", "builtin:default", &mine]).stdout);
    for own in [mine.as_str(), "builtin:default"] {
        assert_eq!(batten(&["seccomp", "is-subset", &both, own]).code, 0, "{own}");
        assert_eq!(batten(&["seccomp", "is-subset", own, &either]).code, 0, "{own}");
    }
    assert_eq!(batten(&["seccomp", "explain", &both, "keyctl"]).code, 1);
    assert_eq!(batten(&["seccomp", "explain", &either, "keyctl"]).code, 0);
}

#[test]
fn the_calls_that_attack_kernels_are_closed_by_default() {
    for call in [
        "keyctl",
        "add_key",
        "request_key",
        "bpf",
        "perf_event_open",
        "userfaultfd",
        "io_uring_setup",
        "mount",
        "kexec_load",
        "open_by_handle_at",
        "unshare(0x10000000)",
        "socket(38,5,0)",
        "socket(40,1,0)",
        "init_module",
        "reboot",
        "setns",
    ] {
        assert_eq!(batten(&["seccomp", "explain", "builtin:default", call]).code, 1, "{call}");
    }
}

#[test]
fn groups_are_listed_with_what_opens_them() {
    let run = batten(&["seccomp", "groups"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("@keyring (") && run.stdout.contains("opened by CAP_SYS_ADMIN"), "{}", run.stdout);
}
