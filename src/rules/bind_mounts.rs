//! # bind-mounts
//!
//! **Intent.** What a container sees of the host's files is a volume, never a path that its author chose.
//!
//! **Fields.** `mounts[*].source` of binds, in its normal form.
//!
//! **Allowed.** Sources that `bind_mounts.allowed` matches (by default the folders in which engines and the kubelet keep volumes
//! and files for /etc) and `bind_mounts.denied` does not; relative ones within the bundle. A bundle does not name the
//! volume's type: a hostPath is known by not lying in any of those folders.

use super::case::{Case, Wrong};
use super::mount::mounts;
use super::path::leaves;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};

pub(super) const RULE: Rule = Rule {
    id: RuleId("bind-mounts"),
    severity: Severity::High,
    summary: "Only volumes and the files of engines are mounted, no path of the host.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("bind_mounts.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "bind_mounts", Off,
    "allowed": Allow(&[
        "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/*",
        "/run/containers/storage/*",
        "/run/k3s/containerd/io.containerd.grpc.v1.cri/sandboxes/*",
        "/run/user/*/containers/*",
        "/var/lib/containerd/io.containerd.grpc.v1.cri/*",
        "/var/lib/containers/storage/overlay-containers/*",
        "/var/lib/containers/storage/volumes/*",
        "/var/lib/docker/containers/*",
        "/var/lib/docker/volumes/*",
        "/var/lib/kubelet/pods/*",
        "/var/lib/rancher/k3s/agent/containerd/io.containerd.grpc.v1.cri/*",
    ]) => "sources (globs) that may be mounted",
    "denied": Ask(&[]) => "sources (globs) among them that may not"
};

fn judge(case: &Case<'_>) -> Judgement {
    let (allowed, denied) = (case.words("allowed"), case.words("denied"));
    let mut findings = Vec::new();
    for mount in mounts(case).filter(super::mount::Mount::is_bind) {
        let source = &mount.source();
        let is_own = !source.starts_with('/') && !leaves(source);
        let setting = match (is_own || allowed.matches(source), denied.matches(source)) {
            (true, false) => continue,
            (true, true) => "denied",
            (false, _) => "allowed",
        };
        let message = format!("{source} of the host is mounted at {}", mount.destination());
        let hint = "use a volume of the engine (a named volume, a claim, emptyDir), or name the path in bind_mounts.allowed, \
             as for an engine whose data folder was moved";
        let wrong = Wrong { setting, pointer: mount.pointer().child("source"), message, hint };
        findings.push(case.found(Some(source), wrong));
    }
    Ok(findings)
}
