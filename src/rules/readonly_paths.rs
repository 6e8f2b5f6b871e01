//! # readonly-paths
//!
//! **Intent.** The parts of /proc that configure the host's kernel can be read at most.
//!
//! **Fields.** `linux.readonlyPaths`.
//!
//! **Allowed.** A list that holds every path of `readonly_paths.required`, or a folder above it; a masked path need not be in it. Any
//! list where `readonly_paths.in_user_namespace` says so and the bundle makes a user namespace.

use super::case::Case;
use super::masked_paths::judge_list;
use super::path::normal;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("readonly-paths"),
    severity: Severity::High,
    summary: "The paths that every engine makes read-only are read-only.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("readonly_paths.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "readonly_paths", Off,
    "required": Ask(&["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]) => "paths that must be read-only or masked",
    "in_user_namespace": Permit(false) => "whether nothing is required in a user namespace of the container's own"
};

fn judge(case: &Case<'_>) -> Judgement {
    let masked = case.at(&Pointer::new("/linux/maskedPaths")).into_iter().flat_map(Value::items);
    let masked: Vec<String> = masked.filter_map(Value::as_str).map(|path| normal(&path)).collect();
    judge_list(case, Pointer::new("/linux/readonlyPaths"), &masked, "read-only")
}
