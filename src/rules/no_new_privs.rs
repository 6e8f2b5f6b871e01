//! # no-new-privs
//!
//! **Intent.** execve gives nothing that the process did not have: set-user-ID bits and file capabilities are inert.
//!
//! **Fields.** `process.noNewPrivileges`.
//!
//! **Allowed.** `true` where `no_new_privs.required` is; anything otherwise. Absent is `false` to every runtime.

use super::EnforceError;
use super::case::{Case, Control};
use super::{Rule, prose};
use crate::finding::{Finding, RuleId, Severity};
use crate::settings::Violation;
use crate::spec::{Edit, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("no-new-privs"),
    severity: Severity::High,
    summary: "Set-user-ID files and file capabilities give nothing where the policy says so.",
    judges_exec: true,
    fixes: true,
    section: None,
    understands: None,
    source: prose!("no_new_privs.rs"),
    judge,
};

fn judge(case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
    let settings = &case.settings.no_new_privs;
    if settings.violation.value == Violation::Off || !settings.required.value || !case.has_process() {
        return Ok(Vec::new());
    }
    let pointer = case.process_pointer("/noNewPrivileges");
    if case.at(&pointer).and_then(Value::as_bool) == Some(true) {
        return Ok(Vec::new());
    }
    let control = Control::new(&settings.violation, &settings.required);
    let message = "processes may gain privileges through set-user-ID files";
    if let Some(waiver) = case.waiver(None) {
        return Ok(vec![case.waived(waiver, control, pointer, message)]);
    }
    let hint = "set allowPrivilegeEscalation: false, or --security-opt no-new-privileges";
    let edits = || vec![Edit::set(pointer.clone(), "true")];
    Ok(vec![case.violation(control, pointer.clone(), message, hint, edits)])
}
