//! # sysctls
//!
//! **Intent.** The runtime sets kernel parameters for the container that reach no further than its own namespaces.
//!
//! **Fields.** `linux.sysctl`, by name; `net/ipv4/x` is the same as `net.ipv4.x`.
//!
//! **Allowed.** The names that `sysctls.allowed` matches: by default those that Kubernetes calls safe. Others are taken out.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("sysctls"),
    severity: Severity::High,
    summary: "Only kernel parameters that stay within the container are set.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("sysctls.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "sysctls", Off,
    "allowed": Allow(&SAFE_SYSCTLS) => "kernel parameters (globs) that may be set"
};

/// The sysctls that the kubelet calls safe, oldest first; each version knows a longer head of the list.
pub(crate) const SAFE_SYSCTLS: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
];

fn judge(case: &Case<'_>) -> Judgement {
    let allowed = case.words("allowed");
    let place = Pointer::new("/linux/sysctl");
    let set = case.at(&place).into_iter().flat_map(Value::members);
    let refused = set.map(|(key, _)| key).filter(|key| !allowed.matches(&key.replace('/', ".")));
    Ok(refused
        .map(|key| {
            let pointer = place.child(&key);
            let hint = "leave it out (--sysctl, securityContext.sysctls), or name it in sysctls.allowed";
            let message = format!("the kernel parameter {key} is set");
            let wrong = Wrong { setting: "allowed", pointer: pointer.clone(), message, hint };
            case.fixable(Some(&key.replace('/', ".")), wrong, || vec![Edit::remove(pointer)])
        })
        .collect())
}
