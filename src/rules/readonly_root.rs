//! # readonly-root
//!
//! **Intent.** Nothing in the container can change its image: what is written goes to volumes that somebody chose.
//!
//! **Fields.** `root.readonly`. Absent is `false`.
//!
//! **Allowed.** `true`.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("readonly-root"),
    severity: Severity::Medium,
    summary: "The root filesystem is mounted read-only.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("readonly_root.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "readonly_root", Off
};

fn judge(case: &Case<'_>) -> Judgement {
    let pointer = Pointer::new("/root/readonly");
    let has_root = case.at(&Pointer::new("/root")).is_some();
    if !has_root || case.at(&pointer).and_then(Value::as_bool) == Some(true) {
        return Ok(Vec::new());
    }
    let message = "the root filesystem can be written".to_owned();
    let hint = "set readOnlyRootFilesystem: true, or --read-only, with volumes or --tmpfs for what is written";
    let wrong = Wrong { setting: "violation", pointer: pointer.clone(), message, hint };
    Ok(vec![case.fixable(None, wrong, || vec![Edit::set(pointer, "true")])])
}
