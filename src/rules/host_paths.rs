//! # host-paths
//!
//! **Intent.** The folders that make the host what it is are in no container.
//!
//! **Fields.** `mounts[*].source` of binds (by type or by option, `type: none` included), in its normal form: `..`, doubled slashes
//! and /var/run make no difference; links are not followed.
//!
//! **Allowed.** Sources that are not one of `host_paths.denied`, nor below one, nor a folder above one; and those that
//! `host_paths.allowed` matches. A relative source starts from the bundle and may not leave it.

use super::case::{Case, Wrong};
use super::mount::mounts;
use super::path::{is_within, leaves, normal};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};

pub(super) const RULE: Rule = Rule {
    id: RuleId("host-paths"),
    severity: Severity::Critical,
    summary: "No folder that the host depends on is mounted.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("host_paths.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "host_paths", Off,
    "denied": Ask(&[
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib64",
        "/proc",
        "/root",
        "/sbin",
        "/sys",
        "/usr",
        "/run/containerd",
        "/run/docker",
        "/run/systemd",
        "/var/lib/containerd",
        "/var/lib/containers",
        "/var/lib/docker",
        "/var/lib/kubelet",
    ]) => "folders of the host that no container may have, nor a part of them, nor a folder above them",
    "allowed": Allow(&[
        "/etc/localtime",
        "/etc/timezone",
        "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/*",
        "/usr/share/zoneinfo/*",
        "/var/lib/containerd/io.containerd.grpc.v1.cri/*",
        "/var/lib/containers/storage/overlay-containers/*",
        "/var/lib/containers/storage/volumes/*",
        "/var/lib/docker/containers/*",
        "/var/lib/docker/volumes/*",
        "/var/lib/kubelet/pods/*",
    ]) => "paths (globs) below them that may be mounted: what engines themselves put there"
};

fn judge(case: &Case<'_>) -> Judgement {
    let (denied, allowed) = (case.words("denied"), case.words("allowed"));
    let mut findings = Vec::new();
    for mount in mounts(case).filter(super::mount::Mount::is_bind) {
        let source = &mount.source();
        let touches = |folder: &&str| is_within(source, &normal(folder)) || is_within(&normal(folder), source);
        let message = if leaves(source) {
            format!("{source} is mounted, which leaves the bundle")
        } else if !source.starts_with('/') || allowed.matches(source) {
            continue;
        } else {
            match denied.iter().find(touches) {
                None => continue,
                Some(folder) if is_within(source, &normal(folder)) => format!("{source} of the host is mounted"),
                Some(folder) => format!("{source} of the host is mounted, and {folder} lies below it"),
            }
        };
        let hint = "use a volume of the engine, or name the path in host_paths.allowed";
        let wrong = Wrong { setting: "denied", pointer: mount.pointer().child("source"), message, hint };
        findings.push(case.found(Some(source), wrong));
    }
    Ok(findings)
}
