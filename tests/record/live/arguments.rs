//! Kept arguments.

use serde_json::Value;

use super::{BACKENDS, on_every_runtime, recorded};

#[test]
fn kept_arguments_are_those_that_were_passed() {
    on_every_runtime(|lab, runtime| {
        if !lab.put("threads") {
            return;
        }
        lab.bundle(&["/bin/threads"], None, true);
        for backend in BACKENDS {
            let why = lab.text("why");
            let (run, _) = recorded(lab, runtime, &["--backend", backend, "--args", "--provenance", &why]);
            let text = lab.read("why");
            let block = text.split("\n\n").find(|block| block.starts_with("socketpair\n")).unwrap();
            assert!(block.contains("with AF_UNIX\n") || block.ends_with("with AF_UNIX"), "{backend}: {block}");
            let profile: Value = serde_json::from_str(&run.stdout).unwrap();
            let rules = profile["syscalls"].as_array().unwrap();
            let rule = rules.iter().find(|rule| rule["names"][0] == "socketpair").unwrap();
            assert_eq!(rule["args"][0]["valueTwo"], 1, "{backend}");
        }
    });
}
