//! `batten seccomp diff`, `convert`, `stats` and `explain`, as a person types them.

use crate::batten::{batten, batten_reading};

const DOCKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/seccomp/docker-default.toml");

/// The default action, and rules from line 2 on.
fn profile(rules: &str) -> String {
    format!("{{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n{rules}\n]}}")
}

const SOCKETS: &str = r#"{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}"#;

#[test]
#[cfg(target_arch = "x86_64")]
fn diff_says_in_words_what_either_lets_further() {
    let run = batten_reading(&["seccomp", "diff", DOCKER, "builtin:default"], "");
    assert_eq!(run.code, 1, "{}", run.stderr);
    let said = format!(
        "  socket\n    {DOCKER}: allowed where argument 0 is 39 (AF_NFC) or argument 0 is below 38 (AF_ALG) or argument 0 is \
         above 40 (AF_VSOCK), otherwise refused with EPERM\n    builtin:default: allowed where argument 0 is 1 (AF_UNIX), \
         2 (AF_INET), 10 (AF_INET6), 16 (AF_NETLINK) or 17 (AF_PACKET), otherwise refused with EPERM\n"
    );
    assert!(run.stdout.contains(&said), "{}", run.stdout);
    assert!(run.stdout.contains("builtin:default lets further than"), "{}", run.stdout);
}

#[test]
fn another_error_number_is_no_looser_and_is_said() {
    let enosys = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}"#;
    let run = batten_reading(&["seccomp", "diff", "-", DOCKER], enosys);
    let (_, numbers) = run.stdout.split_once("refused by both, with different numbers:\n").expect(&run.stdout);
    let said = format!("  mount\n    standard input: refused with ENOSYS\n    {DOCKER}: refused with EPERM\n");
    assert!(numbers.contains(&said), "{}", run.stdout);
}

#[test]
fn a_whole_config_json_is_told_from_a_profile() {
    let run = batten_reading(
        &["seccomp", "lint", "-"],
        r#"{"ociVersion":"1.0.2","linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}}"#,
    );
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert!(
        run.stderr.contains("standard input is a config.json") && run.stderr.contains(".linux.seccomp"),
        "{}",
        run.stderr
    );
}

#[test]
fn diff_in_json_has_the_same_and_an_example_that_explain_confirms() {
    let run = batten(&["seccomp", "diff", DOCKER, "builtin:default", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let gaps = found["first_lets_further"].as_array().unwrap();
    assert!(gaps.len() > 5, "{found:#}");
    for gap in gaps {
        let args: Vec<String> = gap["example"].as_array().unwrap().iter().map(ToString::to_string).collect();
        let call = format!("{}({})", gap["call"].as_str().unwrap(), args.join(","));
        assert_eq!(batten(&["seccomp", "explain", DOCKER, &call]).code, 0, "{call}");
        assert_eq!(batten(&["seccomp", "explain", "builtin:default", &call]).code, 1, "{call}");
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a fixture")]
fn the_same_said_otherwise_is_no_difference() {
    let both = r#"{"names":["read","write"],"action":"SCMP_ACT_ALLOW"}"#;
    let apart = r#"{"names":["write"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.json");
    std::fs::write(&path, profile(both)).unwrap();
    let run = batten_reading(&["seccomp", "diff", path.to_str().unwrap(), "-"], &profile(apart));
    assert_eq!((run.code, run.stdout.as_str()), (0, "no difference\n"));
}

const PODMAN: &str = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","syscalls":[{"name":"read","names":[],"comment":"x","action":"SCMP_ACT_ERRNO","errno":"EACCES","errnoRet":1,"includes":{},"args":[]}]}"#;

#[test]
fn convert_writes_what_each_format_can_say() {
    for (to, want) in [
        (
            "oci",
            r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":13,"args":[]}]}"#,
        ),
        (
            "docker",
            r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[{"name":"read","comment":"x","action":"SCMP_ACT_ERRNO","errnoRet":13,"includes":{},"args":[]}]}"#,
        ),
        (
            "containers",
            r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","syscalls":[{"name":"read","comment":"x","action":"SCMP_ACT_ERRNO","errno":"EACCES","includes":{},"args":[]}]}"#,
        ),
    ] {
        let run = batten_reading(&["seccomp", "convert", "-", "--to", to], PODMAN);
        assert_eq!((run.code, run.stdout.trim_end(), run.stderr.as_str()), (0, want, ""), "{to}");
    }
}

#[test]
fn convert_refuses_what_a_format_cannot_say_and_names_the_line() {
    let by_kernel = profile(r#"{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}}"#);
    let by_capability =
        profile(r#"{"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}}"#);
    let mapped = r#"{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}"#;
    for (to, text, problem) in [
        (
            "kubernetes",
            by_capability.as_str(),
            "OCI knows no conditions: the rule would apply always at /syscalls/0/includes (line 2",
        ),
        ("oci", mapped, "OCI knows no archMap"),
        ("containers", &by_kernel, "container-libs knows no minKernel"),
        ("oci", r#"{"syscalls":[]}"#, "neither a default action nor rules, which switches seccomp off"),
    ] {
        let run = batten_reading(&["seccomp", "convert", "-", "--to", to], text);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{to}");
        assert!(run.stderr.contains(problem) && run.stderr.contains("hint: "), "{}", run.stderr);
    }
    assert_eq!(batten_reading(&["seccomp", "convert", "-", "--to", "docker"], &by_kernel).code, 0);
    let resolved =
        batten_reading(&["seccomp", "convert", "-", "--to", "kubernetes", "--caps", "CAP_SYS_ADMIN"], &by_capability);
    assert!(
        resolved.stdout.contains(r#""names":["mount"]"#) && !resolved.stdout.contains("includes"),
        "{}",
        resolved.stdout
    );
}

#[test]
fn what_was_converted_means_what_it_meant() {
    let oci = batten(&["seccomp", "convert", "builtin:default", "--to", "oci"]);
    let run = batten_reading(&["seccomp", "diff", "-", "builtin:default"], &oci.stdout);
    assert_eq!((run.code, run.stdout.as_str()), (0, "no difference\n"));
}

#[test]
#[cfg(target_arch = "x86_64")]
fn stats_counts_what_the_canonical_form_saves() {
    let compat = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{"names":["read","write","mmap2"],"action":"SCMP_ACT_ALLOW"},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#;
    let run = batten_reading(&["seccomp", "stats", "-", "--format", "json"], compat);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let stats: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let form = |at: usize, key: &str| stats["forms"][at][key].as_u64().unwrap();
    assert!(form(0, "instructions") > form(2, "instructions"), "{stats:#}");
    assert_eq!(form(2, "names"), 3, "mmap2 is no call of x86_64: {stats:#}");
    let native = &stats["forms"][2]["interfaces"][0];
    assert_eq!((native["let_through"].as_u64(), native["from_bitmap"].as_u64()), (Some(2), Some(2)), "{stats:#}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn two_rules_that_keep_libseccomp_busy_for_ever_keep_neither_stats_nor_a_start() {
    let ranges = |one: &str| {
        format!(
            r#"{{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{{"index":1,"value":{one},"op":"SCMP_CMP_LE"}},{{"index":0,"value":0,"op":"SCMP_CMP_LE"}}]}}"#
        )
    };
    let profile =
        format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{},{}]}}"#, ranges("4294967296"), ranges("3"));
    let run = batten_reading(&["seccomp", "stats", "-"], &profile);
    assert!(run.code == 3 && run.stderr.contains("the rules for socket: a runtime would hang"), "{}", run.stderr);
    let lint = batten_reading(&["seccomp", "lint", "-"], &profile);
    assert!(lint.stdout.contains("[endless]"), "{}", lint.stdout);
    // What a start gets is combined with the policy's, and asks for nothing that libseccomp gets wrong.
    let combined = batten_reading(&["seccomp", "intersect", "-", "builtin:default"], &profile);
    let run = batten_reading(&["seccomp", "stats", "-"], &combined.stdout);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn explain_names_the_line_the_condition_the_groups_and_the_capability() {
    let by_capability = profile(&format!(
        "{SOCKETS},\n{{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{{\"caps\":[\"CAP_SYS_ADMIN\"]}}}}"
    ));
    let ask = |call: &str, args: &[&str]| {
        batten_reading(&[&["seccomp", "explain", "-", call], args].concat(), &by_capability)
    };
    let run = ask("socket(2,1,0)", &[]);
    assert_eq!(run.code, 0);
    assert!(
        run.stdout.contains("by the rule at line 2: allowed where argument 0 is 1 (AF_UNIX) or 2 (AF_INET), otherwise"),
        "{}",
        run.stdout
    );
    let run = ask("mount", &[]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("in @mount (opened by CAP_SYS_ADMIN)"), "{}", run.stdout);
    assert!(run.stdout.contains("the profile opens it to holders of any of CAP_SYS_ADMIN\n"), "{}", run.stdout);
    let run = ask("mount", &["--caps", "CAP_SYS_ADMIN"]);
    assert!(run.code == 0 && run.stdout.contains("by the rule at line 3: allowed"), "{}", run.stdout);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn explain_in_json_says_what_the_text_says() {
    let by_capability = profile(&format!(
        "{SOCKETS},\n{{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{{\"caps\":[\"CAP_SYS_ADMIN\"]}}}}"
    ));
    let ask = |call: &str, args: &[&str]| {
        let run =
            batten_reading(&[&["seccomp", "explain", "-", call, "--format", "json"], args].concat(), &by_capability);
        (run.code, serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap())
    };
    let (code, socket) = ask("socket(2,1,0)", &[]);
    let wanted = serde_json::json!({
        "call": "socket", "number": 41, "args": [2, 1, 0, 0, 0, 0], "architecture": "SCMP_ARCH_X86_64",
        "verdict": { "action": "SCMP_ACT_ALLOW", "number": null, "words": "allowed" }, "made": true,
        "by": "rule", "line": 2,
        "said": "allowed where argument 0 is 1 (AF_UNIX) or 2 (AF_INET), otherwise refused with EPERM",
        "contenders": [], "compiled": null, "runc": null, "opened_by": [], "groups": socket["groups"],
    });
    assert_eq!((code, &socket), (0, &wanted), "{socket:#}");
    assert_eq!(socket["groups"][0]["group"], "network", "{socket:#}");
    let (code, mount) = ask("mount", &[]);
    assert_eq!((code, &mount["by"], &mount["made"]), (1, &"default".into(), &false.into()), "{mount:#}");
    assert_eq!(mount["verdict"]["number"], 1, "{mount:#}");
    assert_eq!(mount["opened_by"], serde_json::json!(["CAP_SYS_ADMIN"]), "{mount:#}");
    let (code, foreign) = ask("read", &["--arch", "386"]);
    assert_eq!((code, &foreign["by"]), (1, &"foreign-architecture".into()), "{foreign:#}");
    assert_eq!(foreign["verdict"]["action"], "SCMP_ACT_KILL_THREAD", "{foreign:#}");
    let (_, unknown) = ask("9999", &[]);
    assert_eq!((&unknown["call"], &unknown["number"]), (&serde_json::Value::Null, &9999.into()), "{unknown:#}");
    assert!(unknown["runc"].as_str().unwrap().starts_with("runc answers ENOSYS"), "{unknown:#}");
}

#[test]
#[cfg(target_arch = "x86_64")]
#[allow(clippy::disallowed_methods, reason = "a fixture")]
fn is_subset_in_json_shows_the_call_both_verdicts_and_the_lines_that_give_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sockets.json");
    std::fs::write(&path, profile(SOCKETS)).unwrap();
    let ask = |text: &str| {
        let run = batten_reading(&["seccomp", "is-subset", "-", path.to_str().unwrap(), "--format", "json"], text);
        (run.code, serde_json::from_str::<serde_json::Value>(&run.stdout).expect(&run.stderr))
    };
    let (code, same) = ask(&profile(SOCKETS));
    assert_eq!((code, same), (0, serde_json::json!({ "subset": true, "why": null, "witness": null })));

    let wider = r#"{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":3,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}"#;
    let (code, looser) = ask(&profile(&format!("\n{wider}")));
    let wanted = serde_json::json!({
        "subset": false,
        "why": "socket(3) on SCMP_ARCH_X86_64: allowed by the first, refused with EPERM by the second",
        "witness": {
            "call": "socket", "number": 41, "args": [3, 0, 0, 0, 0, 0], "architecture": "SCMP_ARCH_X86_64",
            "first": { "verdict": { "action": "SCMP_ACT_ALLOW", "number": null, "words": "allowed" }, "by": "rule", "line": 3 },
            "second": {
                "verdict": { "action": "SCMP_ACT_ERRNO", "number": 1, "words": "refused with EPERM" },
                "by": "default", "line": null
            },
        },
    });
    assert_eq!((code, &looser), (1, &wanted), "{looser:#}");

    let (_, unnamed) = ask(&profile(r#"{"names":["brand_new"],"action":"SCMP_ACT_ALLOW"}"#));
    let first = &unnamed["witness"]["first"];
    assert_eq!(
        (&unnamed["witness"]["number"], &first["by"]),
        (&serde_json::Value::Null, &"rule".into()),
        "{unnamed:#}"
    );
}

#[test]
#[cfg(target_arch = "x86_64")]
fn explain_takes_numbers_and_other_architectures() {
    for (call, arch, code, says) in [
        ("41", "amd64", 1, "41 (socket): refused with EPERM"),
        ("9999", "amd64", 1, "no known call has this number"),
        ("9999", "amd64", 1, "runc answers ENOSYS"),
        ("0x40000001", "amd64", 1, "0x40000001 (write) on SCMP_ARCH_X32: killed (the thread)"),
        ("read", "386", 1, "the profile does not answer for SCMP_ARCH_X86"),
        ("open", "arm64", 1, "SCMP_ARCH_AARCH64 has no such call"),
        ("clone(0x10000000)", "s390x", 0, "argument 1 & 0x7e020000 is 0x0"),
        ("clone(0,0x10000000)", "s390x", 1, "argument 1 & 0x7e020000 is 0x0"),
        ("mmap2", "arm", 0, "mmap2 on SCMP_ARCH_ARM: allowed"),
    ] {
        let run = batten(&["seccomp", "explain", "builtin:default", call, "--arch", arch]);
        assert_eq!(run.code, code, "{call} on {arch}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains(says), "{call} on {arch}: {}", run.stdout);
    }
    let run = batten(&["seccomp", "explain", "builtin:default", "read", "--arch", "386", "--abis", "compat"]);
    assert!(run.code == 0 && run.stdout.contains("read on SCMP_ARCH_X86: allowed"), "{}", run.stdout);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn explain_takes_arguments_by_name_in_parentheses_or_behind_the_call() {
    for (words, code, says) in [
        (&["socket(AF_VSOCK,SOCK_STREAM,0)"][..], 1, "socket(AF_VSOCK,SOCK_STREAM,0): refused with EPERM"),
        (&["socket", "AF_UNIX", "SOCK_STREAM"], 0, "socket(AF_UNIX,SOCK_STREAM): allowed"),
        (&["socket", "40", "1", "0"], 1, "socket(40,1,0): refused with EPERM"),
        (&["clone", "CLONE_NEWUSER|SIGCHLD"], 1, "clone(CLONE_NEWUSER|SIGCHLD): refused with EPERM"),
        (&["openat", "-100"], 0, "openat(-100): allowed"),
        (&["openat", "AT_FDCWD", "--caps", ""], 0, "openat(AT_FDCWD): allowed"),
        (&["personality", "PER_LINUX32"], 0, "8 (PER_LINUX32)"),
        (&["ptrace", "--kernel", "4.7.10-amd64"], 1, "ptrace: refused with EPERM"),
        (&["ptrace", "--kernel", "4.8.0-rc1"], 0, "ptrace: allowed"),
    ] {
        let run = batten(&[&["seccomp", "explain", "builtin:default"], words].concat());
        assert_eq!(run.code, code, "{words:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains(says), "{words:?}: {}", run.stdout);
    }
    for (words, problem, hint) in [
        (&["socket(AF_VSOK)"][..], "\"AF_VSOK\" is no number of 64 bits, nor a name", "AF_*, SOCK_*, CLONE_*"),
        (&["socket(40)", "1"], "arguments stand in parentheses and behind them", "socket 40 1 0"),
        (&["read", "--kernel", "newest"], "it does not begin with two numbers", "--help"),
        (&["read", "1", "2", "3", "4", "5", "6", "7"], "a system call has six arguments", "socket 40 1 0"),
    ] {
        let run = batten(&[&["seccomp", "explain", "builtin:default"], words].concat());
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{words:?}");
        assert!(run.stderr.contains(problem) && run.stderr.contains(hint), "{words:?}: {}", run.stderr);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_witness_can_be_pasted_into_explain() {
    let masked =
        r#"{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1073741824,"op":"SCMP_CMP_EQ"}]}"#;
    let run = batten_reading(&["seccomp", "is-subset", "-", "builtin:default"], &profile(masked));
    assert!(run.stdout.starts_with("no: clone(0x40000000) on SCMP_ARCH_X86_64: allowed"), "{}", run.stdout);
    assert_eq!(batten(&["seccomp", "explain", "builtin:default", "clone(0x40000000)"]).code, 1);
}

#[test]
fn two_profiles_cannot_both_be_standard_input() {
    for command in ["diff", "is-subset", "intersect", "merge", "lint"] {
        let run = batten_reading(&["seccomp", command, "-", "-"], &profile(SOCKETS));
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{command}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: - stands twice, and standard input"), "{command}: {}", run.stderr);
        assert!(run.stderr.contains("hint: give one of them as a file"), "{command}: {}", run.stderr);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn lint_finds_in_the_built_in_profile_only_what_32_bit_interfaces_cost() {
    for caps in ["", "@docker", "@all"] {
        let run = batten(&["seccomp", "lint", "builtin:default", "--caps", caps]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{caps}: {}", run.stdout);
    }
    let run = batten(&["seccomp", "lint", "builtin:default", "--abis", "compat"]);
    let warnings: Vec<&str> = run.stdout.lines().filter(|line| line.contains("warning: ")).collect();
    assert!(matches!(warnings.as_slice(), [one] if one.ends_with("[multiplexed]")), "{}", run.stdout);
}

#[test]
fn profiles_in_groups_are_read_from_standard_input_too() {
    let run =
        batten_reading(&["seccomp", "explain", "-", "keyctl"], "allow = ['@default']\n\n# why\nlog = ['keyctl']\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("keyctl: allowed and logged\n  by the rule at line 4: allowed and logged"),
        "{}",
        run.stdout
    );
    let run = batten_reading(&["seccomp", "explain", "-", "keyctl"], "allow = ['@defualt']");
    assert_eq!(run.code, 3);
    assert!(
        run.stderr.contains("no group or system call is called \"@defualt\" at /allow/0 (line 1"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_is_no_profile_or_none_that_an_engine_reads_is_refused_with_what_to_name() {
    for (command, problem, hint) in [
        (
            &["explain", "builtin:defalt", "read"][..],
            "cannot read builtin:defalt",
            "builtin:default is the only profile",
        ),
        (&["stats", "nothing.json"], "cannot read nothing.json", "or builtin:default"),
        (&["resolve", "builtin:default"], "no engine reads those", "batten seccomp convert builtin:default --to oci"),
        (
            &["resolve", "testdata/seccomp/docker-default.toml"],
            "no engine reads those",
            "batten seccomp convert testdata",
        ),
        (&["lint", "builtin:default", "--caps", "CAP_NONE"], "nor @docker, @podman or @all", "--help"),
    ] {
        let run = batten(&[&["seccomp"], command].concat());
        assert!(matches!(run.code, 3 | 4) && run.stdout.is_empty(), "{command:?}: {}", run.stdout);
        assert!(run.stderr.contains(problem) && run.stderr.contains(hint), "{command:?}: {}", run.stderr);
    }
    let run = batten_reading(&["seccomp", "resolve", "-"], "null");
    assert_eq!((run.code, run.stdout.as_str()), (0, "null\n"), "{}", run.stderr);
    let run = batten_reading(&["seccomp", "resolve", "-"], r#"{"ociVersion":"1.0.2"}"#);
    assert_eq!((run.code, run.stdout.as_str()), (0, "null\n"), "{}", run.stderr);
    assert!(run.stderr.contains("this is a config.json, whose profile stands in linux.seccomp"), "{}", run.stderr);
}
