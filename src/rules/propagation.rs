//! # propagation
//!
//! **Intent.** A mount that the container makes does not appear on the host.
//!
//! **Fields.** `mounts[*].options` (`shared`, `rslave`, …), `linux.rootfsPropagation`.
//!
//! **Allowed.** The words of `propagation.allowed`, and the private ones always; none at all is `rprivate` for a mount and `rslave` for the root. Another word
//! is replaced by `rprivate` (`private` for one that is not recursive).

use super::case::{Case, Wrong};
use super::mount::{mounts, written};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("propagation"),
    severity: Severity::High,
    summary: "No mount is shared with the host.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("propagation.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "propagation", Off,
    "allowed": Allow(&["private", "rprivate", "slave", "rslave", "unbindable", "runbindable"]) => "kinds of propagation that a mount may have"
};

const KINDS: [&str; 8] = ["shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable"];

fn judge(case: &Case<'_>) -> Judgement {
    let allowed = case.words("allowed");
    let refused = |word: &str| KINDS.contains(&word) && word != quiet(word) && !allowed.has(word);
    let mut findings = Vec::new();
    for mount in mounts(case) {
        let Some(word) = mount.options().find(|word| refused(word)) else { continue };
        let pointer = mount.pointer().child("options");
        let kept = || mount.options().map(|own| if refused(&own) { quiet(&own).into() } else { own });
        let edits = || vec![Edit::set(pointer.clone(), written(kept()))];
        let destination = mount.destination();
        let message = format!("the mount at {destination} is {word}");
        findings.push(case.fixable(Some(&destination), wrong(pointer.clone(), message), edits));
    }
    let pointer = Pointer::new("/linux/rootfsPropagation");
    if let Some(word) = case.at(&pointer).and_then(Value::as_str).filter(|word| refused(word)) {
        let edits = || vec![Edit::set(pointer.clone(), format!("\"{}\"", quiet(&word)))];
        findings.push(case.fixable(Some("/"), wrong(pointer.clone(), format!("the root is {word}")), edits));
    }
    Ok(findings)
}

fn wrong(pointer: Pointer, message: String) -> Wrong {
    let hint = "leave mountPropagation or bind-propagation out; HostToContainer and rslave show the host's mounts";
    Wrong { setting: "allowed", pointer, message, hint }
}

fn quiet(word: &str) -> &'static str {
    if word.starts_with('r') { "rprivate" } else { "private" }
}
