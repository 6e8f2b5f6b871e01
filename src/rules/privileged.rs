//! # privileged
//!
//! **Intent.** No container has the shape that `--privileged` and `privileged: true` give: every device, every capability,
//! nothing masked. A bundle has no field for it, so it is known by its marks.
//!
//! **Fields.** `linux.resources.devices`, `process.capabilities.bounding`, `linux.maskedPaths`, `linux.readonlyPaths`.
//!
//! **Allowed.** Whatever neither lets every device through (the last word of the device cgroup on all devices is yes), nor
//! holds CAP_SYS_ADMIN with nothing masked and nothing read-only. Each mark has a rule of its own that puts it right; this one
//! refuses.

use super::case::{Case, Wrong};
use super::device_cgroup::lets_every_device;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("privileged"),
    severity: Severity::Critical,
    summary: "The bundle does not have the shape of a privileged container.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("privileged.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "privileged", Off
};

fn judge(case: &Case<'_>) -> Judgement {
    let devices = Pointer::new("/linux/resources/devices");
    let (pointer, mark) = if lets_every_device(case) {
        (devices, "every device of the host is let through")
    } else if is_unmasked(case) && holds_sys_admin(case) {
        (Pointer::new("/linux"), "CAP_SYS_ADMIN is held, and nothing is masked or read-only")
    } else {
        return Ok(Vec::new());
    };
    let message = format!("the container is privileged: {mark}");
    let hint = "ask for the capabilities and devices that are needed (cap_add, devices) instead of privileged";
    Ok(vec![case.found(None, Wrong { setting: "violation", pointer, message, hint })])
}

fn is_unmasked(case: &Case<'_>) -> bool {
    let is_empty = |pointer| case.at(&Pointer::new(pointer)).is_none_or(|paths| paths.items().next().is_none());
    case.at(&Pointer::new("/linux")).is_some() && is_empty("/linux/maskedPaths") && is_empty("/linux/readonlyPaths")
}

fn holds_sys_admin(case: &Case<'_>) -> bool {
    let bounding = case.at(&Pointer::new("/process/capabilities/bounding"));
    bounding.into_iter().flat_map(Value::items).any(|name| name.as_str().is_some_and(|name| name == "CAP_SYS_ADMIN"))
}
