//! # mount-types
//!
//! **Intent.** The runtime mounts only what a container needs of the kernel: no disk of the host, no overlay over its folders, no
//! debugfs, and no second /proc beside the masked one.
//!
//! **Fields.** `mounts[*].type`, `destination`, `options`.
//!
//! **Allowed.** Binds (judged by their source, in rules of their own); the types of `mount_types.allowed`; proc at /proc and sysfs
//! at /sys only, since `maskedPaths` covers no other place.

use super::case::{Case, Wrong};
use super::mount::mounts;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};

pub(super) const RULE: Rule = Rule {
    id: RuleId("mount-types"),
    severity: Severity::Critical,
    summary: "Mounts are of types that a container needs, and proc and sysfs are where they are masked.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("mount_types.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "mount_types", Off,
    "allowed": Allow(&["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"]) => "types (globs) that may be mounted"
};

fn judge(case: &Case<'_>) -> Judgement {
    let allowed = case.words("allowed");
    let mut findings = Vec::new();
    for mount in mounts(case).filter(|mount| !mount.is_bind()) {
        let home = match &*mount.kind {
            "proc" => Some("/proc"),
            "sysfs" => Some("/sys"),
            _ => None,
        };
        let message = if !allowed.matches(&mount.kind) {
            format!("a filesystem of type {:?} is mounted at {}", mount.kind, mount.destination())
        } else if home.is_some_and(|home| home != mount.destination()) {
            format!("{} is mounted at {}, where nothing of it is masked", mount.kind, mount.destination())
        } else {
            continue;
        };
        let hint = "use a volume of the engine, or name the type in mount_types.allowed";
        let wrong = Wrong { setting: "allowed", pointer: mount.pointer(), message, hint };
        findings.push(case.found(Some(&mount.kind), wrong));
    }
    Ok(findings)
}
