//! # host-sockets
//!
//! **Intent.** No container can speak to a container engine of the host: whoever can, is root there.
//!
//! **Fields.** `mounts[*].source` of binds, in its normal form (`..`, doubled slashes and /var/run make no difference; links are
//! not followed).
//!
//! **Allowed.** Sources that are none of `host_sockets.denied`, hold none of them (a folder above it), and are not called like one
//! of them (an engine that listens elsewhere).

use super::case::{Case, Wrong};
use super::mount::mounts;
use super::path::{is_within, normal};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};

pub(super) const RULE: Rule = Rule {
    id: RuleId("host-sockets"),
    severity: Severity::Critical,
    summary: "No socket of a container engine is mounted.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("host_sockets.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "host_sockets", Off,
    "denied": Ask(&[
        "/run/docker.sock",
        "/run/containerd/containerd.sock",
        "/run/crio/crio.sock",
        "/run/podman/podman.sock",
        "/run/cri-dockerd.sock",
        "/run/dockershim.sock",
        "/run/buildkit/buildkitd.sock",
        "/run/k3s/containerd/containerd.sock",
    ]) => "sockets that no container may have, nor a folder above them"
};

fn judge(case: &Case<'_>) -> Judgement {
    let denied = case.words("denied");
    let mut findings = Vec::new();
    for mount in mounts(case).filter(super::mount::Mount::is_bind) {
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let source = mount.source();
        let own = file(&source);
        let shown = denied.iter().find(|socket| is_within(&normal(socket), &source) || file(socket) == own);
        let Some(socket) = shown.filter(|_| !source.is_empty()) else { continue };
        let message = if own == file(socket) {
            format!("{source} is mounted: the socket of a container engine")
        } else {
            format!("{source} is mounted, and {socket} lies below it")
        };
        let hint = "give the container no access to the engine; a proxy can offer the few calls that it needs";
        let wrong = Wrong { setting: "denied", pointer: mount.pointer().child("source"), message, hint };
        findings.push(case.found(Some(&source), wrong));
    }
    Ok(findings)
}
