//! # selinux
//!
//! **Intent.** A container runs in a type that SELinux confines as a container, with the engine's own user and role.
//!
//! **Fields.** `process.selinuxLabel` (`user:role:type:level`); an exec's process file as well.
//!
//! **Allowed.** A type of `selinux.types`, a user of `selinux.users`, a role of `selinux.roles`. No label at all is allowed unless
//! `selinux.required` says so: hosts without SELinux have none.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::Value;

pub(super) const RULE: Rule = Rule {
    id: RuleId("selinux"),
    severity: Severity::High,
    summary: "The SELinux label has a type that confines a container.",
    judges_exec: true,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("selinux.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "selinux", Off,
    "types": Allow(&["container_t", "container_init_t", "container_kvm_t", "container_engine_t"]) => "types (globs) that a label may have",
    "users": Allow(&["system_u"]) => "users (globs) that a label may have",
    "roles": Allow(&["system_r"]) => "roles (globs) that a label may have",
    "required": Demand(false) => "whether there must be a label"
};

fn judge(case: &Case<'_>) -> Judgement {
    if !case.has_process() {
        return Ok(Vec::new());
    }
    let pointer = case.process_pointer("/selinuxLabel");
    let hint = "leave the label to the engine: no label=disable, no label=type:spc_t, no seLinuxOptions";
    let wrong = |setting, message| Wrong { setting, pointer: pointer.clone(), message, hint };
    let Some(label) = case.at(&pointer).and_then(Value::as_str).filter(|label| !label.is_empty()) else {
        let missing = case.flag("required").then(|| wrong("required", "no SELinux label is set".to_owned()));
        return Ok(missing.map(|wrong| case.found(None, wrong)).into_iter().collect());
    };
    let mut parts = label.split(':');
    let mut findings = Vec::new();
    for (setting, what) in [("users", "user"), ("roles", "role"), ("types", "type")] {
        let part = parts.next().unwrap_or_default();
        if !case.words(setting).matches(part) {
            let message = format!("the SELinux {what} is {part:?}");
            findings.push(case.found(Some(part), wrong(setting, message)));
        }
    }
    Ok(findings)
}
