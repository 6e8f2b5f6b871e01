//! # seccomp-filter
//!
//! **Intent.** The bundle brings a system call filter that deserves the name.
//!
//! **Fields.** `linux.seccomp`, as the engine wrote it: this rule looks before `seccomp` puts the filter right.
//!
//! **Allowed.** A filter where `seccomp_filter.required`; a default action that does not make the call where `denies_by_default`; a
//! list of architectures that is empty or has the machine's own where `native_architecture` (with another list every call
//! kills). Nothing is put right here: that is the business of `seccomp`.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("seccomp-filter"),
    severity: Severity::High,
    summary: "The bundle brings a filter, that denies by default, for the right architecture.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("seccomp_filter.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "seccomp_filter", Off,
    "required": Demand(true) => "whether there must be a filter",
    "denies_by_default": Demand(true) => "whether a call that no entry names must fail",
    "native_architecture": Demand(true) => "whether the machine's own architecture must be among those listed"
};

fn judge(case: &Case<'_>) -> Judgement {
    let place = Pointer::new("/linux/seccomp");
    let wrong = |setting, tail: &str, message| {
        let pointer = if tail.is_empty() { place.clone() } else { place.child(tail) };
        let hint = "leave the filter to the engine, or bring a profile that lists what may be called";
        Wrong { setting, pointer, message, hint }
    };
    let Some(filter) = case.at(&place) else {
        let missing = || wrong("required", "", "the bundle brings no system call filter".to_owned());
        let judged = case.flag("required") && case.has_process();
        return Ok(judged.then(|| case.found(None, missing())).into_iter().collect());
    };
    let mut findings = Vec::new();
    let default = filter.get("defaultAction").and_then(Value::as_str).unwrap_or_default();
    let lets_through = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY"].contains(&&*default);
    if lets_through && case.flag("denies_by_default") {
        let message = format!("the filter lets through what it does not name ({default})");
        findings.push(case.found(Some(&default), wrong("denies_by_default", "defaultAction", message)));
    }
    let own = case.host.arch.name();
    let mut listed = filter.get("architectures").into_iter().flat_map(Value::items).peekable();
    let is_right = listed.peek().is_none() || listed.any(|arch| arch.as_str().is_some_and(|arch| arch == own));
    if !is_right && case.flag("native_architecture") {
        let message = format!("the filter is for other architectures than {own}");
        findings.push(case.found(None, wrong("native_architecture", "architectures", message)));
    }
    Ok(findings)
}
