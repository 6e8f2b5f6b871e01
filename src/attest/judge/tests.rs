//! Of made-up processes: what is looser, and that what the policy lets start attests clean.

use std::path::Path;

use super::*;
use crate::apparmor::Kernel;
use crate::attest::process::{NAMESPACES, Thread};
use crate::attest::status::Status;

const TAME: Credentials = Credentials {
    capabilities: [0xa804_25fb, 0xa804_25fb, 0, 0xa804_25fb, 0],
    no_new_privs: true,
    seccomp: SeccompMode::Filter,
    filters: Some(1),
};

fn snapshot(credentials: Credentials, label: Option<&str>, threads: Vec<Thread>) -> Snapshot {
    let status =
        Status { name: "sh".into(), state: 'S', tracer: 0, user: [0; 4], group: [0; 4], groups: vec![], credentials };
    let label = label.map(str::to_owned);
    Snapshot { status, threads, label, namespaces: [None; NAMESPACES.len()], program: String::new() }
}

fn judge(policy: &str, apparmor: bool, seen: &Snapshot) -> Vec<Finding> {
    let policy = Policy::parse(Path::new("p.toml"), policy).unwrap();
    let host = Host { apparmor, kernel_profiles: Kernel::below("/nonexistent"), ..Host::detect() };
    let subject = Subject::default();
    Permitted::new(&policy, &host, &subject).judge(seen).unwrap()
}

fn fields(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.field).collect()
}

#[test]
fn within_the_policy_there_is_nothing_to_say() {
    assert!(judge("", false, &snapshot(TAME, None, vec![])).is_empty());
    let strict = Credentials { seccomp: SeccompMode::Strict, filters: Some(0), ..TAME };
    assert!(judge("", false, &snapshot(strict, None, vec![])).is_empty());
}

#[test]
fn every_field_that_is_looser_is_named_with_the_kernel_s_value() {
    let all = 0x1ff_ffff_ffff;
    let wild = Credentials {
        capabilities: [all, all, 0, all, 1 << 21],
        no_new_privs: false,
        seccomp: SeccompMode::Disabled,
        filters: Some(0),
    };
    let policy = "no_new_privs.required = true\napparmor.profile = 'fence'\n";
    let findings = judge(policy, true, &snapshot(wild, Some("unconfined"), vec![]));
    assert_eq!(fields(&findings), ["CapBnd", "CapEff", "CapPrm", "CapAmb", "NoNewPrivs", "AppArmor", "Seccomp"]);
    assert!(findings.iter().all(|finding| finding.standing == Standing::Looser));
    assert_eq!(findings[0].value, "000001ffffffffff");
    assert_eq!(findings[3].message, "CAP_SYS_ADMIN above the ceiling");
    assert_eq!(findings[5].message, "no AppArmor profile confines it");
}

#[test]
fn a_capability_that_batten_does_not_know_is_above_every_ceiling() {
    let newer = Credentials { capabilities: [1 << 60, 0, 0, 0, 0], ..TAME };
    let findings = judge("capabilities.ceiling = ['@all']\n", false, &snapshot(newer, None, vec![]));
    assert_eq!((fields(&findings), &*findings[0].message), (vec!["CapBnd"], "CAP_60 above the ceiling"));
}

#[test]
fn a_thread_is_named_where_only_it_is_looser() {
    let raised = Credentials { capabilities: [0xa804_25fb, 1 << 21, 0, 1 << 21, 0], ..TAME };
    let findings = judge("", false, &snapshot(TAME, None, vec![Thread { tid: 9, credentials: raised }]));
    assert_eq!(fields(&findings), ["CapEff", "CapPrm"]);
    assert!(findings.iter().all(|finding| finding.tid == Some(9)));
}

#[test]
fn modes_waivers_and_switched_off_controls_count_as_before_a_start() {
    let wild = Credentials { capabilities: [1 << 21, 0, 0, 0, 0], no_new_privs: false, ..TAME };
    let seen = snapshot(wild, None, vec![]);
    let standings = |policy: &str| -> Vec<Standing> {
        judge(policy, false, &seen).iter().map(|finding| finding.standing).collect()
    };
    assert_eq!(standings("mode = 'audit'\n"), [Standing::Reported]);
    assert_eq!(standings("capabilities.violation = 'report'\n"), [Standing::Reported]);
    assert_eq!(standings("capabilities.violation = 'deny'\n"), [Standing::Looser]);
    assert!(standings("capabilities.violation = 'off'\n").is_empty());
}

#[test]
fn a_waiver_covers_what_it_names_and_stays_visible() {
    let policy = "subject.engine = 'containerd'\n[[waiver]]\nrule = 'capabilities'\nvalues = ['CAP_SYS_ADMIN']\n\
        match.namespace = 'a'\nreason = 'legacy'\nowner = 'o'\nexpires = 2999-01-01\n";
    let policy = Policy::parse(Path::new("p.toml"), policy).unwrap();
    let host = Host { apparmor: false, ..Host::detect() };
    let subject = Subject { namespace: Some("a".into()), ..Subject::default() };
    let wild = Credentials { capabilities: [1 << 21 | 1 << 12, 0, 0, 0, 0], ..TAME };
    let findings = Permitted::new(&policy, &host, &subject).judge(&snapshot(wild, None, vec![])).unwrap();
    let said: Vec<_> = findings.iter().map(|one| (one.standing, one.message.as_str())).collect();
    let expected =
        [(Standing::Looser, "CAP_NET_ADMIN above the ceiling"), (Standing::Waived, "CAP_SYS_ADMIN above the ceiling")];
    assert_eq!(said, expected);
    assert!(findings[1].waiver.as_ref().unwrap().contains("legacy"));
}

#[test]
fn a_profile_counts_when_it_refuses() {
    let found = |policy: &str, label: &str| -> Vec<String> {
        let findings = judge(policy, true, &snapshot(TAME, Some(label), vec![]));
        findings.into_iter().map(|finding| finding.message).collect()
    };
    let fence = "apparmor.profile = 'fence'\napparmor.own = 'replace'\n";
    assert!(found(fence, "fence (enforce)").is_empty());
    assert!(found(fence, "fence (kill)").is_empty());
    assert!(found(fence, "fence//hat (enforce)").is_empty());
    assert!(found(fence, "other//&fence (enforce)").is_empty(), "of a stack each one refuses");
    assert_eq!(found(fence, "other (enforce)"), ["the profile is \"other\", not \"fence\""]);
    let lenient = |label: &str| vec![format!("its AppArmor profile {label:?} refuses nothing")];
    let strict = &format!("{fence}apparmor.complain = false\n");
    assert_eq!(found(strict, "fence (complain)"), lenient("fence (complain)"));
    let required = "apparmor.required = true\n";
    for policy in [fence, required] {
        assert_eq!(found(policy, "runc (unconfined)"), lenient("runc (unconfined)"));
        assert_eq!(found(policy, "unconfined"), ["no AppArmor profile confines it"]);
    }
    assert!(found("", "any (enforce)").is_empty());
    assert!(found(required, "any (enforce)").is_empty());
}

#[test]
fn what_the_policy_lets_start_attests_clean() {
    let clean = |policy: &str, label: &str| judge(policy, true, &snapshot(TAME, Some(label), vec![])).is_empty();
    // Without a profile in the policy, an unset name inherits the runtime's label.
    for label in ["unconfined", "runc (unconfined)"] {
        assert!(clean("", label), "{label}");
    }
    assert!(clean("apparmor.profile = 'fence'\napparmor.own = 'replace'\n", "fence (complain)"));
}

#[test]
fn batten_s_own_profile_counts_for_capabilities_within_the_ceiling() {
    let found = |policy: &str, label: &str| judge(policy, true, &snapshot(TAME, Some(label), vec![]));
    let own = "apparmor.profile = 'builtin:default'\napparmor.own = 'replace'\n";
    assert!(found(own, "batten-default-00080000001-0123456789abcdef (enforce)").is_empty());
    assert_eq!(found(own, "batten-default-00000200000-0123456789abcdef (enforce)").len(), 1, "CAP_SYS_ADMIN");
}
