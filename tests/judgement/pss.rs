//! `testdata/pss`: each control of the Pod Security Standards that a bundle shows, from both sides.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use batten::finding::{Disposition, Finding};
use batten::fleet::Judged;
use batten::host::Host;
use batten::policy::Policy;
use batten::report::text;
use batten::rules::DocumentKind;

/// Level, folder, and the words that findings name the standard's control with.
const CONTROLS: [(&str, &str, &str); 15] = [
    ("baseline", "host-namespaces", "baseline: Host Namespaces"),
    ("baseline", "privileged", "baseline: Privileged Containers"),
    ("baseline", "capabilities", "baseline: Capabilities"),
    ("baseline", "hostpath-volumes", "baseline: HostPath Volumes"),
    ("baseline", "apparmor", "baseline: AppArmor"),
    ("baseline", "selinux", "baseline: SELinux"),
    ("baseline", "proc-mount-type", "baseline: /proc Mount Type"),
    ("baseline", "seccomp", "baseline: Seccomp"),
    ("baseline", "sysctls", "baseline: Sysctls"),
    ("restricted", "volume-types", "restricted: Volume Types"),
    ("restricted", "privilege-escalation", "restricted: Privilege Escalation"),
    ("restricted", "running-as-non-root", "restricted: Running as Non-root"),
    ("restricted", "seccomp", "restricted: Seccomp"),
    ("restricted", "capabilities", "restricted: Capabilities"),
    ("restricted", "proc-mount-type", "restricted: /proc Mount Type"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/pss")
}

fn policy(level: &str) -> Policy {
    let text = format!("subject.engine = 'containerd'\nlevel = '{level}'\nlevel_version = 'latest'\n");
    Policy::parse(Path::new("policy.toml"), &text).unwrap()
}

/// On a host with AppArmor, whose list of profiles cannot be read: a missing profile is the runtime's to refuse.
fn judge(case: &Path, policy: &Policy) -> Judged {
    let config = case.join("config.json");
    let bytes = fs::read(&config).unwrap_or_else(|error| panic!("{}: {error}", config.display()));
    let host =
        Host { apparmor: true, kernel_profiles: batten::apparmor::Kernel::below("/nonexistent"), ..Host::detect() };
    Judged::of(config.display().to_string(), bytes, DocumentKind::Spec, policy, &host)
}

fn cases(level: &str, control: &str, side: &str) -> Vec<PathBuf> {
    let folder = folder().join(level).join(control).join(side);
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{}", folder.display());
    cases
}

fn denied(judged: &Judged) -> impl Iterator<Item = &Finding> {
    judged.findings().iter().filter(|finding| finding.disposition == Disposition::Denied)
}

#[test]
fn what_is_just_within_a_control_is_refused_by_no_control_of_its_level() {
    let mut wrong = Vec::new();
    for (level, control, _) in CONTROLS {
        let policy = policy(level);
        for case in cases(level, control, "pass") {
            let judged = judge(&case, &policy);
            if judged.result.is_err() || denied(&judged).next().is_some() {
                wrong.push(text(&[judged], &policy));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_just_outside_a_control_does_not_start_so_and_the_control_is_named() {
    let mut wrong = Vec::new();
    for (level, control, name) in CONTROLS {
        let policy = policy(level);
        for case in cases(level, control, "fail") {
            let judged = judge(&case, &policy);
            // Unmasked paths are outside of both levels' control of that name.
            let name = name.strip_prefix("restricted: /").unwrap_or(name);
            let named = |finding: &&Finding| finding.standard().is_some_and(|own| own.ends_with(name));
            // A filter that was not set is within the standard and looks like Unconfined: it is put right, not refused.
            let least = if control == "seccomp" { Disposition::Fixed } else { Disposition::Denied };
            if !judged.findings().iter().filter(named).any(|finding| finding.disposition >= least) {
                wrong.push(text(&[judged], &policy));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_only_restricted_refuses_passes_baseline_and_privileged_refuses_none_of_it() {
    let (baseline, privileged) = (policy("baseline"), policy("privileged"));
    for (level, control, _) in CONTROLS {
        for case in cases(level, control, "fail") {
            let by_standard = |policy: &Policy| denied(&judge(&case, policy)).any(|one| one.standard().is_some());
            assert!(!by_standard(&privileged), "{}", case.display());
            // A filter that is not there is one that baseline does not let through either: it looks like Unconfined.
            if level == "restricted"
                && control != "seccomp"
                && control != "volume-types"
                && control != "proc-mount-type"
            {
                assert!(!by_standard(&baseline), "{}", case.display());
            }
        }
    }
}

#[test]
fn no_folder_of_the_corpus_is_left_out() {
    let known: BTreeSet<String> = CONTROLS.iter().map(|(level, control, _)| format!("{level}/{control}")).collect();
    for level in ["baseline", "restricted"] {
        for entry in fs::read_dir(folder().join(level)).unwrap() {
            let name = format!("{level}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(known.contains(&name), "{name}");
        }
    }
}
