//! `batten seccomp lint`: each kind of remark on the smallest profile that earns it, and on nothing else.

use std::collections::BTreeSet;

use crate::batten::{batten, batten_reading};

/// What runc needs, in line 2; `head` before it in line 1; `rules` from line 3 on.
fn profile(head: &str, rules: &str) -> String {
    let comma = if rules.is_empty() { "" } else { "," };
    format!(
        "{{{head},\"syscalls\":[\n{{\"names\":[\"read\",\"write\",\"execve\",\"exit_group\",\"capget\",\"capset\",\"chdir\",\
         \"clock_gettime\",\"close\",\"epoll_ctl\",\"faccessat2\",\"fchown\",\"fcntl\",\"fstat\",\"fstatfs\",\"futex\",\"getcwd\",\"getdents64\",\
         \"getpid\",\"getppid\",\"newfstatat\",\"openat\",\"prctl\",\"prlimit64\",\"rt_sigreturn\",\"sched_yield\",\"setgid\",\"setgroups\",\"setuid\"],\
         \"action\":\"SCMP_ACT_ALLOW\"}}{comma}\n{rules}\n]}}"
    )
}

const ERRNO: &str = r#""defaultAction":"SCMP_ACT_ERRNO""#;

fn refusing(rules: &str) -> String {
    profile(ERRNO, rules)
}

/// A profile that lets through what `rules`, from line 3 on, do not refuse.
fn open(rules: &str) -> String {
    format!("{{\"defaultAction\":\"SCMP_ACT_ALLOW\",\n\"syscalls\":[\n{rules}]}}")
}

fn allow(name: &str, args: &str) -> String {
    format!(r#"{{"names":["{name}"],"action":"SCMP_ACT_ALLOW","args":[{args}]}}"#)
}

fn eq(index: u32, value: u64) -> String {
    format!(r#"{{"index":{index},"value":{value},"op":"SCMP_CMP_EQ"}}"#)
}

/// Codes with their lines; arguments; text.
type Case = (&'static [(&'static str, usize)], &'static [&'static str], String);

#[allow(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let for_podman = &["--for", "podman"];
    let for_kubernetes = &["--for", "kubernetes"];
    let one = |args: &str| refusing(&allow("io_setup", args));
    vec![
        (&[], &[], refusing("")),
        (&[("refused", 3)], &[], refusing(r#"{"names":["io_setup"],"action":"ALLOW"}"#)),
        (&[("switched-off", 1)], &[], "{}".to_owned()),
        (
            &[("default-allows", 1), ("vanished-deny", 3)],
            &[],
            open(r#"{"names":["keyctl","kexec"],"action":"SCMP_ACT_ERRNO"}"#),
        ),
        (&[("unknown-call", 3)], &[], refusing(r#"{"names":["io_setup","io_up"],"action":"SCMP_ACT_ALLOW"}"#)),
        (
            &[("default-allows", 1), ("newer-than-libseccomp", 3)],
            &[],
            open(r#"{"names":["mseal"],"action":"SCMP_ACT_ERRNO"}"#),
        ),
        (&[("unknown-arch", 1)], &[], profile(&format!(r#"{ERRNO},"architectures":["SCMP_ARCH_AMD64"]"#), "")),
        (
            &[("unknown-machine", 3)],
            &[],
            refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","excludes":{"arches":["x86_64"]}}"#),
        ),
        (
            &[("unknown-capability", 3)],
            &[],
            refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["SYS_ADMIN"]}}"#),
        ),
        (
            &[("never-applies", 3)],
            &[],
            refusing(
                r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]},"excludes":{"caps":["CAP_BPF"]}}"#,
            ),
        ),
        (
            &[("never-applies", 3)],
            &[],
            refusing(
                r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"5.0"},"excludes":{"minKernel":"4.8"}}"#,
            ),
        ),
        (
            &[("never-applies", 3)],
            &[],
            refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":""}}"#),
        ),
        (&[], &[], refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"0.1"}}"#)),
        (&[("never-matches", 3)], &[], one(r#"{"index":0,"value":0,"op":"SCMP_CMP_LT"}"#)),
        (&[("masked-bits", 3)], &[], one(r#"{"index":0,"value":1,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"}"#)),
        (&[("or-conditions", 3)], &[], one(&format!("{},{}", eq(0, 1), eq(0, 2)))),
        (&[("same-as-default", 3)], &[], refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ERRNO"}"#)),
        (&[("void-rule", 3)], &[], refusing(r#"{"names":["read"],"action":"SCMP_ACT_KILL"}"#)),
        (&[("repeated-rule", 3)], &[], refusing(r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#)),
        (
            &[("contending-rules", 4)],
            &[],
            refusing(&format!(
                "{},\n{{\"names\":[\"io_setup\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{}]}}",
                allow("io_setup", &eq(0, 1)),
                eq(1, 1)
            )),
        ),
        (
            &[("miscompiled", 3)],
            &[],
            refusing(&format!(
                "{},{}",
                allow("io_setup", &format!("{},{{\"index\":1,\"value\":4294967297,\"op\":\"SCMP_CMP_GT\"}}", eq(0, 1))),
                allow("io_setup", r#"{"index":1,"value":5,"op":"SCMP_CMP_LT"}"#)
            )),
        ),
        (
            &[("endless", 3)],
            &[],
            refusing(&format!(
                "{},{}",
                allow(
                    "io_setup",
                    r#"{"index":0,"value":1,"op":"SCMP_CMP_LE"},{"index":1,"value":3,"op":"SCMP_CMP_EQ"}"#
                ),
                allow(
                    "io_setup",
                    r#"{"index":0,"value":1,"op":"SCMP_CMP_LE"},{"index":1,"value":5,"op":"SCMP_CMP_EQ"}"#
                )
            )),
        ),
        (
            &[("other-machine", 1), ("cannot-start", 1), ("lost-rules", 1)],
            &["--abis", "compat"],
            format!(
                "{{{ERRNO},\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":[{},{}]}}",
                allow("mmap2", &eq(0, 1)),
                allow("newfstatat", &eq(0, 1))
            ),
        ),
        (&[("upper-bits", 3)], &[], refusing(&allow("socket", r#"{"index":0,"value":40,"op":"SCMP_CMP_NE"}"#))),
        (
            &[("cut-value", 3)],
            &[],
            profile(
                &format!(r#"{ERRNO},"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"]"#),
                &allow("io_setup", &eq(0, 1 << 32)),
            ),
        ),
        (&[("cannot-start", 1)], &[], format!("{{{ERRNO}}}")),
        (
            &[("runtime-needs", 1)],
            &[],
            format!(r#"{{{ERRNO},"syscalls":[{{"names":["execve","exit_group"],"action":"SCMP_ACT_ALLOW"}}]}}"#),
        ),
        (
            &[("clone3-open", 4)],
            &[],
            refusing(&format!(
                "{},\n{}",
                allow("clone", r#"{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}"#),
                allow("clone3", "")
            )),
        ),
        (&[("clone3-not-enosys", 1)], &[], refusing(&allow("clone", ""))),
        (
            &[("multiplexed", 4)],
            &[],
            profile(
                &format!(r#"{ERRNO},"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"]"#),
                &format!("{},\n{}", allow("socket", &eq(0, 1)), allow("socketcall", "")),
            ),
        ),
        (&[("opens-closed-group", 3)], &[], refusing(&allow("keyctl", ""))),
        (&[("capability-refused", 1)], &["--caps", "CAP_SYS_CHROOT"], refusing("")),
        (&[("capability-missing", 3)], &["--caps", ""], refusing(&allow("chroot", ""))),
        (&[("foreign-calls", 3)], &[], refusing(&allow("mmap2", ""))),
        (&[("other-machine", 1)], &[], profile(&format!(r#"{ERRNO},"architectures":["SCMP_ARCH_RISCV64"]"#), "")),
        (
            &[("lost-conditions", 3)],
            for_kubernetes,
            refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}"#),
        ),
        (
            &[("ignored-errno", 3)],
            &["--for", "docker"],
            refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_KILL","errno":"EPERM"}"#),
        ),
        (
            &[("ignored-kernel", 3)],
            for_podman,
            refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}}"#),
        ),
        (
            &[("notify-default", 1)],
            &[],
            profile(
                r#""defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/run/l""#,
                r#"{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#,
            ),
        ),
        (
            &[("runtime-needs", 1), ("notify-write", 3)],
            &[],
            format!(
                r#"{{{ERRNO},"listenerPath":"/run/l","syscalls":[{}"#,
                refusing("")
                    .split_once("[\n")
                    .unwrap()
                    .1
                    .replace("\"write\",", "")
                    .replace("\n]}", ",\n{\"names\":[\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}")
            ),
        ),
        (&[("notify-without-listener", 3)], &[], refusing(r#"{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}"#)),
        (&[("listener-without-notify", 1)], &[], profile(&format!(r#"{ERRNO},"listenerPath":"/run/l""#), "")),
        (&[("errno-on-action", 3)], &[], refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_KILL","errnoRet":1}"#)),
        (&[("odd-errno", 3)], &[], refusing(r#"{"names":["io_setup"],"action":"SCMP_ACT_ERRNO","errnoRet":0}"#)),
        (
            &[("flags-refused", 1), ("unknown-flag", 1)],
            &[],
            profile(&format!(r#"{ERRNO},"flags":["SECCOMP_FILTER_FLAG_NEW"]"#), ""),
        ),
        (
            &[("flags-refused", 1), ("spec-allow", 1)],
            &[],
            profile(&format!(r#"{ERRNO},"flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]"#), ""),
        ),
        (&[("void-word", 1)], &[], "allow = ['@default', '@async-io']\ndeny = ['@async-io']\n".to_owned()),
        (&[("repeated-word", 2)], &[], "allow = ['@default',\n 'read']\n".to_owned()),
    ]
}

fn linted(args: &[&str], text: &str) -> (i32, Vec<(String, usize)>, String) {
    let run = batten_reading(&[&["seccomp", "lint", "--format", "json", "-"], args].concat(), text);
    let list: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stderr, run.stdout));
    let remark = |remark: &serde_json::Value| {
        assert!(!remark["hint"].as_str().unwrap().is_empty() && !remark["message"].as_str().unwrap().is_empty());
        (remark["code"].as_str().unwrap().to_owned(), usize::try_from(remark["line"].as_u64().unwrap()).unwrap())
    };
    (run.code, list.as_array().unwrap().iter().map(remark).collect(), run.stdout)
}

#[test]
#[cfg(target_arch = "x86_64")]
fn each_kind_of_remark_is_made_where_it_is_due_and_nowhere_else() {
    for (expected, args, text) in cases() {
        let (code, found, shown) = linted(args, &text);
        let found: Vec<(&str, usize)> = found.iter().map(|(code, line)| (code.as_str(), *line)).collect();
        assert_eq!(found, expected, "{text}\n{shown}");
        let notes = [
            "same-as-default",
            "repeated-rule",
            "cut-value",
            "capability-missing",
            "foreign-calls",
            "other-machine",
            "repeated-word",
        ];
        assert_eq!(code, i32::from(found.iter().any(|(code, _)| !notes.contains(code))), "{text}");
    }
}

#[test]
fn every_kind_of_remark_has_a_case_and_a_line_in_the_docs() {
    let listed = batten(&["seccomp", "lint", "--codes"]).stdout;
    let listed: BTreeSet<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    let shown: BTreeSet<&str> = cases().iter().flat_map(|(codes, _, _)| codes.iter().map(|(code, _)| *code)).collect();
    assert_eq!(shown, listed);
    let docs = include_str!("../../docs/seccomp.md");
    for code in listed {
        assert!(docs.contains(&format!("| `{code}` |")), "docs/seccomp.md does not explain {code}");
    }
}

#[test]
fn a_remark_names_file_line_level_code_and_what_to_do() {
    let text = refusing(&allow("keyctl", ""));
    let run = batten_reading(&["seccomp", "lint", "-"], &text);
    assert_eq!(
        run.stdout,
        "-:3: warning: keyctl (@keyring: The kernel's keyrings, which know no namespaces.) [opens-closed-group]\n    \
         hint: refuse them, unless the container is known to need them\n"
    );
}

#[test]
fn a_file_that_is_no_profile_is_an_error_and_the_others_are_looked_at() {
    let run = batten_reading(&["seccomp", "lint", "/nowhere.json", "-"], "{}");
    assert_eq!(run.code, 3);
    assert!(
        run.stderr.contains("cannot read /nowhere.json") && run.stdout.contains("[switched-off]"),
        "{}",
        run.stderr
    );
}
