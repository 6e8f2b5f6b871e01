//! `testdata/bundles/RULE/{pass,fix,deny}/CASE/`: a `config.json` (or `process.json`), a `policy.toml` where the built-in
//! policy will not do, `host/sys/…` where the kernel's list of AppArmor profiles matters, and `want.txt`, what `batten check` prints of it. `BATTEN_BLESS=1` writes the latter anew; read
//! the difference before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use batten::apparmor::Kernel;
use batten::finding::Disposition;
use batten::fleet::{Judged, Verdict};
use batten::host::{FilterLog, Host};
use batten::policy::Policy;
use batten::report::text;
use batten::rules::{self, DocumentKind};
use batten::settings::Day;

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in &entries {
        assert!(entry.is_dir(), "stray file {}", entry.display());
    }
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn host(case: &Path) -> Host {
    Host {
        apparmor: name(case).contains("with-apparmor"),
        kernel_profiles: Kernel::below(case.join("host")),
        today: Some(Day { year: 2026, month: 11, day: 24 }),
        filter_log: if name(case).contains("that-takes-flags") {
            FilterLog::Taken
        } else {
            FilterLog::NotTaken("runc 1.1.5 does not take it".to_owned())
        },
        ..Host::detect()
    }
}

fn judge(case: &Path) -> (Judged, Policy) {
    let policy_path = case.join("policy.toml");
    let policy = match fs::read_to_string(&policy_path) {
        Ok(text) => {
            Policy::parse(Path::new("policy.toml"), &text).unwrap_or_else(|error| panic!("{}: {error}", case.display()))
        }
        Err(_) => Policy::built_in(),
    };
    judge_by(case, policy)
}

fn judge_by(case: &Path, policy: Policy) -> (Judged, Policy) {
    let (file, kind) = if case.join("process.json").exists() {
        ("process.json", DocumentKind::Process)
    } else {
        ("config.json", DocumentKind::Spec)
    };
    let bytes = fs::read(case.join(file)).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    (Judged::of(file.to_owned(), bytes, kind, &policy, &host(case)), policy)
}

fn no_stray_files(case: &Path) {
    for entry in fs::read_dir(case).unwrap() {
        let file = name(&entry.unwrap().path());
        let known = ["config.json", "process.json", "policy.toml", "profile.json", "want.txt", "host"];
        assert!(known.contains(&file.as_str()), "stray file {file} in {}", case.display());
    }
}

#[test]
fn every_case_says_what_it_wants() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bundles");
    let mut rules_seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for rule in folders(&root) {
        assert!(rules::is_known(&name(&rule)), "no rule is called {}", name(&rule));
        for kind in folders(&rule) {
            for case in folders(&kind) {
                no_stray_files(&case);
                let (judged, policy) = judge(&case);
                let expected = match name(&kind).as_str() {
                    "pass" => Verdict::Clean,
                    "fix" => Verdict::WouldFix,
                    "deny" => Verdict::Denied,
                    other => panic!("{other} is none of pass, fix, deny"),
                };
                assert_eq!(judged.verdict(), expected, "{}\n{}", case.display(), text(&[judged], &policy));
                rules_seen.insert((name(&rule), name(&kind)));
                let got = shown(&judged, &policy);
                let want_path = case.join("want.txt");
                if std::env::var_os("BATTEN_BLESS").is_some() {
                    fs::write(&want_path, &got).unwrap();
                } else if fs::read_to_string(&want_path).unwrap_or_default() != got {
                    wrong.push(format!("{}:\n{got}", want_path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "BATTEN_BLESS=1 writes these anew; read the difference\n{}", wrong.join("\n"));
    for rule in rules::RULES {
        let name = rule.id.0;
        for kind in ["pass", "fix", "deny"] {
            let wanted = kind != "fix" || rule.fixes;
            let seen = rules_seen.contains(&(name.to_owned(), kind.to_owned()));
            assert_eq!(seen, wanted, "{kind} cases for {name}");
        }
    }
}

/// What is refused is only told where the policy says `report`, and not even that where it says `off`; the document stays
/// as it is. The policy's own word is laid over.
#[test]
fn what_a_rule_refuses_it_only_reports_or_passes_over_where_the_policy_says_so() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bundles");
    let mut seen = BTreeSet::new();
    for rule in rules::RULES {
        for case in folders(&root.join(rule.id.0).join("deny")) {
            let folder = tempfile::tempdir().unwrap();
            let (own, over) = (case.join("policy.toml"), folder.path().join("over.toml"));
            for word in ["report", "off"] {
                fs::write(&over, format!("{}.violation = '{word}'\n", rule.table())).unwrap();
                let layers: Vec<_> = [&own, &over].into_iter().filter(|file| file.exists()).cloned().collect();
                let policy = Policy::load_files(&layers).unwrap();
                let (judged, _) = judge_by(&case, policy);
                let of_rule: Vec<_> = judged.findings().iter().filter(|finding| finding.rule == rule.id).collect();
                let told = !of_rule.is_empty() && of_rule.iter().all(|one| one.disposition == Disposition::Reported);
                let expected = if word == "off" { of_rule.is_empty() } else { told };
                assert!(expected, "{} by {word}: {of_rule:#?}", case.display());
                assert!(of_rule.iter().all(|finding| finding.edits.is_empty()), "{}", case.display());
            }
            seen.insert(rule.id.0);
        }
    }
    assert_eq!(seen.len(), rules::RULES.len());
}

/// The report, and what the document becomes.
fn shown(judged: &Judged, policy: &Policy) -> String {
    let report = text(std::slice::from_ref(judged), policy);
    match &judged.result {
        Ok(outcome) if outcome.changed && outcome.may_start() => format!("{report}\n{}\n", outcome.text.trim_end()),
        _ => report,
    }
}
