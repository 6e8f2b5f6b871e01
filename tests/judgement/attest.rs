//! `batten attest` as far as it needs neither root nor a container: this process is looked at.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::batten::{batten, batten_reading};

fn report(args: &[&str]) -> (i32, Value) {
    let run = batten(&[&["attest", "--root", "/nonexistent", "--format", "json"], args].concat());
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    (run.code, report)
}

fn own() -> String {
    std::process::id().to_string()
}

#[test]
fn the_report_is_what_its_schema_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/attestation.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for args in [&[&*own()][..], &["--all"]] {
        let (_, report) = report(args);
        let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{args:?}: {errors:?}");
    }
    let (_, mut wrong) = report(&[&own()]);
    wrong["containers"][0]["processes"][0]["capabilities"]["CapEff"]["mask"] = "all".into();
    assert!(!validator.is_valid(&wrong), "the schema can say no");
}

#[test]
fn the_kernel_s_values_are_those_of_proc() {
    let (_, report) = report(&[&own()]);
    let process = &report["containers"][0]["processes"][0];
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t")).unwrap();
    for set in ["CapBnd", "CapEff", "CapInh", "CapPrm", "CapAmb"] {
        assert_eq!(process["capabilities"][set]["mask"], line(set), "{set}");
    }
    assert_eq!(process["no_new_privs"], line("NoNewPrivs") == "1");
    assert_eq!(process["namespaces"]["mnt"]["is_host"], true);
    assert!(report["containers"][0]["notes"].to_string().contains("no runtime's state names this process"));
}

#[test]
fn a_process_within_a_policy_that_permits_everything_is_clean_and_in_text_too() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let all = "capabilities.ceiling = ['@all']\nseccomp.violation = 'off'\napparmor.violation = 'off'\n";
    fs::write(&policy, all).unwrap();
    let policy = policy.to_str().unwrap();
    let run = batten(&["attest", &own(), "--policy", policy]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.contains("within the policy") && run.stdout.contains("CapEff "), "{}", run.stdout);
    fs::write(policy, format!("{all}no_new_privs.required = true\nno_new_privs.violation = 'report'\n")).unwrap();
    let run = batten(&["attest", &own(), "--policy", policy]);
    assert!(run.code == 0 && run.stdout.contains("reported: NoNewPrivs is 0"), "{}", run.stdout);
}

#[test]
fn nonsense_is_refused_with_a_hint() {
    for (args, code) in [
        (&["attest"][..], 4),
        (&["attest", "0"], 4),
        (&["attest", "-1"], 4),
        (&["attest", "web"], 4),
        (&["attest", "--all", "1"], 4),
        (&["attest", "--all", "--policy", "/nonexistent"], 4),
        (&["attest", "2147483647"], 3),
        (&["attest", "--container", "nobody", "--root", "/nonexistent"], 3),
        (&["attest", "--container", "", "--root", "/nonexistent"], 3),
        (&["attest", "--container", "../../etc", "--root", "/nonexistent"], 3),
    ] {
        let run = batten(args);
        assert_eq!(run.code, code, "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: "), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn poststart_refuses_a_state_that_names_no_process_or_no_bundle() {
    for state in
        ["", "{}", r#"{"id":"a","bundle":"/nonexistent"}"#, r#"{"id":"a","pid":1}"#, r#"{"pid":"1","bundle":"/b"}"#]
    {
        let run = batten_reading(&["hook", "poststart", "--kill"], state);
        assert!(run.code != 0 && run.stderr.contains("\nhint: "), "{state}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
}
