//! The JSON report is what its schema says.

use std::fs;
use std::path::Path;

use crate::batten::batten;

#[test]
fn every_golden_case_s_report_is_valid_against_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(root.join("schemas/report.schema.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut reports = 0;
    let subfolders = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    for rule in subfolders(&root.join("testdata/bundles")) {
        for case in subfolders(&rule).iter().flat_map(|kind| subfolders(kind)) {
            let (process, policy) = (case.join("process.json"), case.join("policy.toml"));
            let mut args = vec!["check", "--format", "json"];
            if policy.exists() {
                args.extend(["--policy", policy.to_str().unwrap()]);
            }
            if process.exists() {
                args.extend(["--process", process.to_str().unwrap()]);
            } else {
                args.push(case.to_str().unwrap());
            }
            let report: serde_json::Value = serde_json::from_str(&batten(&args).stdout).unwrap();
            let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", case.display());
            reports += 1;
        }
    }
    let unreadable: serde_json::Value =
        serde_json::from_str(&batten(&["check", "--format", "json", "/nowhere"]).stdout).unwrap();
    assert!(validator.is_valid(&unreadable), "{unreadable:#}");
    assert!(reports > 30);
    let mut wrong = unreadable;
    wrong["documents"][0]["verdict"] = "perhaps".into();
    assert!(!validator.is_valid(&wrong), "the schema can say no");
}

/// `value` must be what schemas/NAME.schema.json says, and that must be able to say no.
pub(crate) fn assert_valid(name: &str, value: &serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    let schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
    let mut wrong = value.clone();
    wrong["version"] = "another".into();
    assert!(!validator.is_valid(&wrong), "{name}: the schema can say no");
}
