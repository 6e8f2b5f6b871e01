//! `batten seccomp resolve` gives what moby, container-libs and containerd give.
//!
//! `testdata/seccomp/resolve/CORNER/cases.txt` has one case a line: dialect, GOARCH, kernel release, bounding set, and
//! the object that the implementation itself printed for the profile.json beside it, or `refused:` and batten's reason
//! where the implementation refuses, or crashes, or where batten finds two readings. The objects come from moby/profiles
//! v0.2.3, container-libs v0.67 and containerd 2.2, compiled with the machine and the kernel as variables.
//!
//! `testdata/seccomp/generated/DIALECT.jsonl` has one generated profile a line, odd in every member, and what the
//! unmodified implementation, built for GOARCH and run on that kernel release by qemu-user, made of it.

use std::path::{Path, PathBuf};

use batten::seccomp::{Arch, Bounding, Dialect, DockerProfile, Facts, Fidelity, Kernel, Machine};
use batten::spec::Document;
use serde::Deserialize;

use crate::batten::{batten, batten_reading};

fn corners(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (mut found, mut here) = (Vec::new(), Vec::new());
    for path in entries {
        if path.is_dir() { found.extend(corners(&path)) } else { here.push(path) }
    }
    here.sort();
    let names: Vec<_> = here.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    match names.as_slice() {
        [] => {}
        ["cases.txt", "profile.json"] => found.push(folder.to_owned()),
        stray => panic!("{}: no corner looks like {stray:?}", folder.display()),
    }
    found
}

#[test]
fn every_corner_comes_out_as_the_implementations_have_it() {
    let corners = corners(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/seccomp/resolve"));
    assert!(corners.len() > 40, "{corners:?}");
    for corner in corners {
        let cases = std::fs::read_to_string(corner.join("cases.txt")).unwrap();
        for case in cases.lines().filter(|line| !line.starts_with('#')) {
            check(&corner.join("profile.json"), case);
        }
    }
}

fn check(profile: &Path, case: &str) {
    let mut rest = case;
    let mut column = || {
        let (word, behind) = rest.split_once(' ').unwrap();
        rest = behind.trim_start();
        word
    };
    let (dialect, arch, kernel, caps) = (column(), column(), column(), column());
    let caps = if caps == "-" { "" } else { caps };
    let path = profile.to_str().unwrap();
    let run =
        batten(&["seccomp", "resolve", path, "--dialect", dialect, "--arch", arch, "--kernel", kernel, "--caps", caps]);
    let context = format!("{path}: {case}\n{}", run.stderr);
    if let Some(reason) = rest.strip_prefix("refused: ") {
        assert!(run.code == 3 || run.code == 4 && reason.starts_with("the kernel release"), "{context}");
        assert!(run.stdout.is_empty(), "{context}");
        assert!(run.stderr.contains(&format!("error: {path}: {reason}\n\nhint: ")), "{context}");
    } else {
        assert_eq!((run.code, run.stdout.trim_end()), (0, rest), "{context}");
    }
}

/// A generated profile, and what the implementation made of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    arch: String,
    kernel: String,
    caps: Vec<String>,
    profile: String,
    /// The object that it printed, or null.
    #[serde(default)]
    answer: serde_json::Value,
    /// It refused the profile, or crashed on it.
    #[serde(default)]
    refused: bool,
}

impl Case {
    /// What batten prints; none where it refuses.
    fn resolved(&self, dialect: Dialect) -> Option<serde_json::Value> {
        let document = Document::parse(self.profile.clone().into_bytes()).ok()?;
        let facts = Facts {
            machine: Machine::from_goarch(&self.arch).unwrap(),
            kernel: Kernel::Release(&self.kernel),
            bounding: Bounding::Names(&self.caps),
        };
        let profile = DockerProfile::read(document.root(), dialect, Fidelity::Exact).ok()?;
        let resolved = profile.resolve_for(&facts).ok()?;
        Some(resolved.map_or(serde_json::Value::Null, |own| serde_json::from_str(&own.to_json()).unwrap()))
    }
}

#[test]
fn thousands_of_odd_profiles_come_out_as_the_implementations_have_them() {
    let mut asked = 0;
    for (dialect, text) in [
        (Dialect::Moby, include_str!("../../testdata/seccomp/generated/moby.jsonl")),
        (Dialect::Containers, include_str!("../../testdata/seccomp/generated/containers.jsonl")),
        (Dialect::Containerd, include_str!("../../testdata/seccomp/generated/containerd.jsonl")),
    ] {
        for (line, text) in text.lines().enumerate() {
            let case: Case = serde_json::from_str(text).unwrap();
            let want = (!case.refused).then(|| case.answer.clone());
            assert_eq!(case.resolved(dialect), want, "{dialect:?} line {}: {text}", line + 1);
            asked += 1;
        }
    }
    assert_eq!(asked, 3000);
}

const CONDITIONAL: &str = r#"{
    "defaultAction": "SCMP_ACT_ERRNO",
    "archMap": [{"architecture": "SCMP_ARCH_LOONGARCH64"}],
    "syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}}]
}"#;

#[test]
fn the_safe_reading_finds_the_machine_that_moby_misspells() {
    let exact = batten_reading(&["seccomp", "resolve", "-", "--arch", "loong64", "--kernel", "6.1"], CONDITIONAL);
    assert!(!exact.stdout.contains("SCMP_ARCH"), "{}", exact.stdout);
    assert!(exact.stderr.contains("moby does not find loong64 in archMap"), "{}", exact.stderr);
    let safe =
        batten_reading(&["seccomp", "resolve", "-", "--arch", "loong64", "--kernel", "6.1", "--safe"], CONDITIONAL);
    assert!(safe.stdout.contains(r#""architectures":["SCMP_ARCH_LOONGARCH64"]"#), "{}", safe.stdout);
    assert_eq!(safe.stderr, "");
}

#[test]
fn the_safe_reading_honours_the_kernel_that_container_libs_ignores() {
    let args = ["seccomp", "resolve", "-", "--arch", "loong64", "--kernel", "4.4", "--dialect", "containers"];
    let exact = batten_reading(&args, CONDITIONAL);
    assert!(exact.stdout.contains("ptrace"), "{}", exact.stdout);
    assert!(exact.stderr.contains("container-libs does not know minKernel"), "{}", exact.stderr);
    let safe = batten_reading(&[&args[..], &["--safe"]].concat(), CONDITIONAL);
    assert!(!safe.stdout.contains("ptrace"), "{}", safe.stdout);
}

#[test]
fn the_safe_reading_takes_the_error_numbers_of_the_target() {
    let profile = r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS"}"#;
    let args = ["seccomp", "resolve", "-", "--dialect", "containers", "--arch", "mips64le"];
    let exact = batten_reading(&args, profile);
    assert!(exact.stderr.contains("ENOSYS has this machine's number"), "{}", exact.stderr);
    let safe = batten_reading(&[&args[..], &["--safe"]].concat(), profile);
    assert!(safe.stdout.contains(r#""defaultErrnoRet":89"#), "{}", safe.stdout);
}

#[test]
fn a_reading_that_loses_conditions_says_so() {
    let run = batten_reading(&["seccomp", "resolve", "-", "--dialect", "containerd"], CONDITIONAL);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("1 conditional rules apply always, the first at /syscalls/0"), "{}", run.stderr);
    let mapped = CONDITIONAL.replace("LOONGARCH64", Arch::NATIVE.name().trim_start_matches("SCMP_ARCH_"));
    let run = batten_reading(&["seccomp", "resolve", "-", "--dialect", "containerd"], &mapped);
    assert!(run.stderr.contains("containerd does not read archMap"), "{}", run.stderr);
    let run = batten_reading(&["seccomp", "resolve", "-", "--dialect", "containerd", "--safe"], CONDITIONAL);
    assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{}", run.stderr);
    assert!(run.stderr.contains("hint: batten seccomp convert FILE --to kubernetes"), "{}", run.stderr);
}

#[test]
fn what_no_runtime_would_load_is_said_beside_the_result() {
    let run = batten_reading(&["seccomp", "resolve", "-"], r#"{"defaultAction": "deny"}"#);
    assert_eq!((run.code, run.stdout.as_str()), (0, "{\"defaultAction\":\"deny\"}\n"));
    assert!(run.stderr.contains(r#"no action "deny" is known at /defaultAction"#), "{}", run.stderr);
}

#[test]
fn switching_seccomp_off_is_said_beside_null() {
    let run = batten_reading(&["seccomp", "resolve", "-"], "{}");
    assert_eq!((run.code, run.stdout.as_str()), (0, "null\n"));
    assert!(run.stderr.contains("moby runs the container without seccomp"), "{}", run.stderr);
}

const BY_CAPABILITY: &str = r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
    {"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_MKNOD"]}},
    {"names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_CHOWN"]}},
    {"names": ["c"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}"#;

#[test]
fn sets_of_capabilities_have_names_and_no_capabilities_is_the_default() {
    for (caps, want) in [
        (&["--caps", "@docker"][..], "ab"),
        (&["--caps", "@podman"], "b"),
        (&["--caps", "@podman,CAP_SYS_ADMIN"], "bc"),
        (&["--caps", "@all"], "abc"),
        (&["--caps", "CAP_MKNOD, CAP_CHOWN"], "ab"),
        (&["--caps", ""], ""),
        (&[], ""),
    ] {
        let run = batten_reading(&[&["seccomp", "resolve", "-"], caps].concat(), BY_CAPABILITY);
        let given: String =
            ["a", "b", "c"].into_iter().filter(|name| run.stdout.contains(&format!("[\"{name}\"]"))).collect();
        assert_eq!((given.as_str(), run.stderr.as_str()), (want, ""), "{caps:?}");
    }
}

#[test]
fn a_capability_that_nobody_knows_is_compared_and_noted() {
    let run = batten_reading(&["seccomp", "resolve", "-", "--caps", "cap_mknod"], BY_CAPABILITY);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains(r#"no capability is spelled "cap_mknod""#), "{}", run.stderr);
}

#[test]
fn this_machine_and_kernel_are_the_default() {
    let release = nix::sys::utsname::uname().unwrap().release().to_str().unwrap().to_owned();
    let run = batten_reading(&["seccomp", "resolve", "-"], CONDITIONAL);
    let named = batten_reading(&["seccomp", "resolve", "-", "--kernel", &release], CONDITIONAL);
    assert_eq!((run.code, run.stdout), (0, named.stdout));
}

#[test]
fn wrong_usage_is_told_from_a_bad_profile() {
    for (args, code, message) in [
        (&["--arch", "x86_64"][..], 4, "Go calls it amd64"),
        (&["--arch", "vax"], 4, "Go knows 386, amd64"),
        (&["--kernel", "newest"], 4, "the kernel release \"newest\" does not begin with two numbers"),
        (&["--dialect", "lxc"], 4, "possible values: moby, containers, containerd"),
    ] {
        let run = batten_reading(&[&["seccomp", "resolve", "-"], args].concat(), CONDITIONAL);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn a_profile_is_a_file_or_standard_input_or_kubelet_s() {
    for (path, message) in [
        ("no-such-file.json", "cannot read no-such-file.json: No such file"),
        ("/", "cannot read /: it is a folder"),
        ("localhost/no-such-file.json", "cannot read /var/lib/kubelet/seccomp/no-such-file.json: No such file"),
        ("localhost/../../shadow", "a localhost profile is named by a path below kubelet's"),
    ] {
        let run = batten(&["seccomp", "resolve", path]);
        assert_eq!(run.code, 3, "{}", run.stderr);
        assert!(run.stderr.contains(message) && run.stderr.contains("hint: "), "{}", run.stderr);
    }
    let run = batten_reading(&["seccomp", "resolve", "-"], "{");
    assert_eq!(run.code, 3);
    assert!(run.stderr.starts_with("error: standard input: expected a key"), "{}", run.stderr);
}
