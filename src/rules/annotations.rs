//! # annotations
//!
//! **Intent.** No annotation makes a runtime switch enforcement off, load code or write to the host.
//!
//! **Fields.** `annotations`, by key.
//!
//! **Allowed.** Every key that no runtime acts on dangerously, and those that `annotations.allow` names. What runtimes
//! act on: their `features` output lists it as `potentiallyUnsafeConfigAnnotations`; the table below adds what crun
//! (src/libcrun), kata and systemd cgroup drivers read besides.

use super::EnforceError;
use super::case::{Case, Control};
use super::{Rule, prose};
use crate::finding::{Finding, RuleId, Severity};
use crate::settings::{Annotations, Violation, glob};
use crate::spec::{Edit, Pointer};

/// Keys and prefixes (ending in `*`) with what they do.
const POWERFUL: &[(&str, &str)] = &[
    ("run.oci.seccomp_bpf_data", "makes crun ignore linux.seccomp and load a filter of its own"),
    ("run.oci.seccomp.plugins", "makes crun load a library into itself"),
    ("run.oci.seccomp_fail_unknown_syscall", "changes how crun reads the filter"),
    ("run.oci.hooks.stdout", "makes crun append to a file of the host"),
    ("run.oci.hooks.stderr", "makes crun append to a file of the host"),
    ("run.oci.handler", "makes crun run the container by another handler"),
    ("run.oci.mount_context_type", "changes how crun labels mounts"),
    ("run.oci.", ""),
    ("krun.", "configures a virtual machine instead of a container"),
    ("org.criu.config", "makes runc hand CRIU a configuration file of the host"),
    ("org.systemd.property.", "sets properties of the container's systemd unit on the host"),
    ("module.wasm.image/variant", "makes the runtime run the image by another handler"),
    ("io.katacontainers.config.", "changes the configuration of the Kata hypervisor"),
];

/// `run.oci.` keys that change nothing about what the container may do.
const HARMLESS: &[&str] = &[
    "run.oci.systemd.force_cgroup_v1",
    "run.oci.systemd.subgroup",
    "run.oci.delegate-cgroup",
    "run.oci.keep_original_groups",
    "run.oci.timens_offset",
    "run.oci.pidfd_receiver",
    "run.oci.checkpoint.disable-ipv6",
];

pub(super) const RULE: Rule = Rule {
    id: RuleId("annotations"),
    severity: Severity::Critical,
    summary: "No annotation makes the runtime switch enforcement off or run something else.",
    judges_exec: false,
    fixes: true,
    section: None,
    understands: None,
    source: prose!("annotations.rs"),
    judge,
};

fn judge(case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
    let settings = &case.settings.annotations;
    let place = Pointer::new("/annotations");
    let Some(annotations) = case.at(&place).filter(|_| settings.violation.value != Violation::Off) else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    for (key, _) in annotations.members() {
        if let Some(message) = danger(settings, &key) {
            findings.push(finding(case, settings, place.child(&key), &key, message));
        }
    }
    Ok(findings)
}

fn danger(settings: &Annotations, key: &str) -> Option<String> {
    let named = |globs: &[String]| globs.iter().any(|pattern| glob(pattern, key));
    if named(&settings.allow.value) {
        return None;
    }
    if named(&settings.deny.value) {
        return Some(format!("the policy denies the annotation {key}"));
    }
    if HARMLESS.contains(&key) {
        return None;
    }
    let (_, effect) = POWERFUL.iter().find(|(known, _)| key.starts_with(known))?;
    let effect = if effect.is_empty() { "changes what crun does" } else { effect };
    Some(format!("the annotation {key} {effect}"))
}

fn finding(case: &Case<'_>, settings: &Annotations, pointer: Pointer, key: &str, message: String) -> Finding {
    let setting = if settings.deny.value.is_empty() { &settings.allow } else { &settings.deny };
    let control = Control::new(&settings.violation, setting);
    if let Some(waiver) = case.waiver(Some(key)) {
        return case.waived(waiver, control, pointer, message);
    }
    let hint = "leave it out, or name it in annotations.allow of the policy";
    case.violation(control, pointer.clone(), message, hint, || vec![Edit::remove(pointer.clone())])
}
