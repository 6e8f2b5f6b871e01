//! `batten policy test`: cases of a policy, and those that the ready policies bring.

use std::fs;
use std::path::Path;

use crate::batten::batten;

const POLICY: &str = "subject.engine = 'containerd'\ncapabilities.ceiling = []\nseccomp.violation = 'off'\n\
    [[override]]\nname = 'builders mount'\nmatch.namespace = 'build-*'\ncapabilities.add = ['CAP_SYS_ADMIN']\n\
    [[waiver]]\nrule = 'capabilities'\nvalues = ['CAP_SYS_PTRACE']\nmatch.namespace = 'debug'\nreason = 'r'\nowner = 'o'\nexpires = 2026-12-31\n";

fn spec(namespace: &str, capability: &str) -> String {
    format!(
        r#"{{"ociVersion":"1.2.0","annotations":{{"io.kubernetes.cri.sandbox-namespace":"{namespace}"}},"process":{{"cwd":"/","args":["a"],"capabilities":{{"bounding":["{capability}"],"effective":[],"permitted":[],"inheritable":[],"ambient":[]}}}}}}"#
    )
}

struct Cases {
    _folder: tempfile::TempDir,
    top: String,
}

impl Cases {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().to_str().unwrap().to_owned();
        let cases = Self { _folder: folder, top };
        cases.file("policy.toml", POLICY);
        cases.file("cases/builders/mount/config.json", &spec("build-1", "CAP_SYS_ADMIN"));
        cases.file("cases/builders/mount/want.toml", "verdict = \"clean\"\n");
        cases.file("cases/web/config.json", &spec("web", "CAP_SYS_ADMIN"));
        cases
    }

    fn file(&self, name: &str, text: &str) {
        let path = Path::new(&self.top).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> crate::batten::Run {
        let (policy, cases) = (format!("{}/policy.toml", self.top), format!("{}/cases", self.top));
        batten(&[&["policy", "test", "--policy", &policy], args, &[&cases]].concat())
    }
}

const WEB: &str = "verdict = \"would-fix\"\n\n[[finding]]\nrule = \"capabilities\"\ndisposition = \"fixed\"\npointer = \"/process/capabilities\"\n";

#[test]
fn a_case_without_an_expectation_fails_and_bless_writes_it() {
    let cases = Cases::new();
    let run = cases.run(&[]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("ok    builders/mount\nFAIL  web\n      no want.toml"), "{}", run.stdout);
    assert!(run.stdout.contains("2 cases: 1 as wanted, 1 not\n"), "{}", run.stdout);
    let blessed = cases.run(&["--bless"]);
    assert!(blessed.code == 0 && blessed.stdout.contains("wrote web\n"), "{}", blessed.stdout);
    assert_eq!(fs::read_to_string(format!("{}/cases/web/want.toml", cases.top)).unwrap(), WEB);
    assert_eq!(cases.run(&[]).code, 0);
}

#[test]
fn what_differs_is_shown_line_by_line() {
    let cases = Cases::new();
    cases.file("cases/web/want.toml", "verdict = \"denied\"\n[[finding]]\nrule = \"seccomp\"\ndisposition = \"denied\"\npointer = \"/linux/seccomp\"\n");
    let run = cases.run(&[]);
    let shown = "FAIL  web\n      verdict: wanted denied, is would-fix\n      - seccomp denied at /linux/seccomp\n      \
                 + capabilities fixed at /process/capabilities: CAP_SYS_ADMIN is above the ceiling\n";
    assert!(run.code == 1 && run.stdout.contains(shown), "{}", run.stdout);
    let junit = cases.run(&["--format", "junit"]);
    assert!(junit.code == 1 && junit.stdout.contains("tests=\"2\" failures=\"1\""), "{}", junit.stdout);
    assert!(junit.stdout.contains(
        "<testcase classname=\"policy\" name=\"web\"><failure message=\"verdict: wanted denied, is would-fix\">"
    ));
}

#[test]
fn a_policy_that_changes_fails_the_case_that_it_breaks() {
    let cases = Cases::new();
    cases.file("cases/web/want.toml", WEB);
    assert_eq!(cases.run(&[]).code, 0);
    cases.file("policy.toml", &POLICY.replace("'build-*'", "'ci-*'"));
    let run = cases.run(&[]);
    assert!(
        run.code == 1 && run.stdout.contains("FAIL  builders/mount\n") && run.stdout.contains("ok    web\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn overrides_and_waivers_that_no_case_tries_are_named() {
    let cases = Cases::new();
    cases.file("cases/web/want.toml", WEB);
    let run = cases.run(&[]);
    assert!(run.stdout.contains("note: no case tries the waiver for capabilities at "), "{}", run.stdout);
    assert!(!run.stdout.contains("override"), "{}", run.stdout);
    cases.file("cases/debug/config.json", &spec("debug", "CAP_SYS_PTRACE"));
    cases.file("cases/debug/host.toml", "today = 2026-12-31\n");
    cases.file("cases/debug/want.toml", &WEB.replace("would-fix", "clean").replace("fixed", "waived"));
    let run = cases.run(&[]);
    assert!(run.code == 0 && !run.stdout.contains("note:"), "{}", run.stdout);
    cases.file("cases/debug/host.toml", "today = 2027-01-01\n");
    assert_eq!(cases.run(&[]).code, 1, "a case may say which day it is");
}

#[test]
fn a_policy_toml_in_a_case_is_laid_over_the_policy_for_that_case_alone() {
    let cases = Cases::new();
    cases.file("cases/web/want.toml", WEB);
    cases.file("cases/web-here/config.json", &spec("web", "CAP_SYS_ADMIN"));
    cases.file("cases/web-here/want.toml", &WEB.replace("would-fix", "denied").replace("fixed", "denied"));
    cases.file("cases/web-here/policy.toml", "capabilities.violation = 'deny'\n");
    let run = cases.run(&[]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(
        run.stdout.contains("ok    web\nok    web-here (with its policy.toml over the policy)\n"),
        "{}",
        run.stdout
    );
    cases.file("cases/web-here/policy.toml", "capabilites.violation = 'deny'\n");
    let broken = cases.run(&[]);
    assert!(broken.code == 4 && broken.stderr.contains("web-here/policy.toml: TOML parse error"), "{}", broken.stderr);
}

#[test]
fn a_message_may_be_expected_too() {
    let cases = Cases::new();
    cases.file("cases/web/want.toml", &format!("{WEB}message = \"CAP_SYS_ADMIN *\"\n"));
    assert_eq!(cases.run(&[]).code, 0);
    cases.file("cases/web/want.toml", &format!("{WEB}message = \"CAP_SYS_MODULE *\"\n"));
    let run = cases.run(&[]);
    assert!(run.code == 1 && run.stdout.contains("saying \"CAP_SYS_MODULE *\""), "{}", run.stdout);
}

#[test]
fn what_is_no_case_is_said_and_nothing_is_judged_as_passed() {
    let cases = Cases::new();
    for (want, said) in [
        ("verdict = \"clear\"\n", "\"clear\" is none of"),
        ("verdict = \"clean\"\nfindings = []\n", "unknown field"),
        (
            "verdict = \"clean\"\n[[finding]]\nrule = \"capability\"\ndisposition = \"fixed\"\npointer = \"\"\n",
            "no rule \"capability\"",
        ),
        (
            "verdict = \"clean\"\n[[finding]]\nrule = \"seccomp\"\ndisposition = \"fix\"\npointer = \"\"\n",
            "\"fix\" is none of",
        ),
    ] {
        cases.file("cases/web/want.toml", want);
        let run = cases.run(&[]);
        assert!(run.code == 4 && run.stderr.contains(said) && run.stderr.contains("hint: "), "{want}: {}", run.stderr);
    }
    cases.file("cases/web/want.toml", WEB);
    for (host, said) in
        [("arch = \"amd64\"\n", "SCMP_ARCH_X86_64"), ("today = \"x\"\n", "host.toml"), ("cpu = 1\n", "unknown field")]
    {
        cases.file("cases/web/host.toml", host);
        let run = cases.run(&[]);
        assert!(run.code == 4 && run.stderr.contains(said), "{host}: {}", run.stderr);
    }
    let empty = tempfile::tempdir().unwrap();
    let run = batten(&["policy", "test", empty.path().to_str().unwrap()]);
    assert!(run.code == 4 && run.stderr.contains("no case in"), "{}", run.stderr);
    assert_eq!(batten(&["policy", "test", "/nowhere"]).code, 4);
}

#[test]
fn every_ready_policy_is_what_its_cases_want() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut policies = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let cases = folder.join("tests").join(path.file_stem().unwrap());
        let run = batten(&["policy", "test", "--policy", path.to_str().unwrap(), cases.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{}: {}{}", path.display(), run.stdout, run.stderr);
        assert!(!run.stdout.contains("note:"), "{}: {}", path.display(), run.stdout);
        policies += 1;
    }
    assert!(policies > 0);
}
