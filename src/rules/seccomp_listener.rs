//! # seccomp-listener
//!
//! **Intent.** No program of somebody else's answers the container's system calls: what it lets pass is judged by nobody.
//!
//! **Fields.** `linux.seccomp.listenerPath`, and entries with `SCMP_ACT_NOTIFY`.
//!
//! **Allowed.** Sockets that `seccomp_listener.allowed` matches; by default none.

use super::case::{Case, Wrong};
use super::path::normal;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("seccomp-listener"),
    severity: Severity::High,
    summary: "System calls are answered by no listener but one that the policy names.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("seccomp_listener.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "seccomp_listener", Off,
    "allowed": Allow(&[]) => "sockets (globs) that a filter may hand calls to"
};

fn judge(case: &Case<'_>) -> Judgement {
    let Some(filter) = case.at(&Pointer::new("/linux/seccomp")) else { return Ok(Vec::new()) };
    let socket = filter.get("listenerPath").and_then(Value::as_str).unwrap_or_default();
    let notifies =
        |entry: Value<'_>| entry.get("action").and_then(Value::as_str).is_some_and(|action| action == NOTIFY);
    let message = if !socket.is_empty() {
        format!("the filter hands system calls to {socket}")
    } else if filter.get("syscalls").into_iter().flat_map(Value::items).any(notifies) {
        "the filter hands system calls to a listener".to_owned()
    } else {
        return Ok(Vec::new());
    };
    if !socket.is_empty() && case.words("allowed").matches(&normal(&socket)) {
        return Ok(Vec::new());
    }
    let hint = "take listenerPath out of the profile, or name the socket in seccomp_listener.allowed";
    let pointer = Pointer::new("/linux/seccomp/listenerPath");
    Ok(vec![case.found(Some(&socket), Wrong { setting: "allowed", pointer, message, hint })])
}

const NOTIFY: &str = "SCMP_ACT_NOTIFY";
