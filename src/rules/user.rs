//! # user
//!
//! **Intent.** Processes do not run as root (or as another user that the policy keeps for the host).
//!
//! **Fields.** `process.user.uid`; an exec's process file as well. Absent is 0 to every runtime.
//!
//! **Allowed.** Ids within the ranges of `user.uids`; any id where `user.in_user_namespace` says so and the bundle makes a user
//! namespace. A process file does not show whether its container has one, so it is judged as if not.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use super::{ids, namespaces};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::Value;

pub(super) const RULE: Rule = Rule {
    id: RuleId("user"),
    severity: Severity::High,
    summary: "Processes run as a user that the policy allows, not as root.",
    judges_exec: true,
    fixes: false,
    section: Some(SECTION),
    understands: Some(ids::understands),
    source: prose!("user.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "user", Off,
    "uids": Allow(&["1-4294967295"]) => "ranges of user ids that may run",
    "in_user_namespace": Permit(false) => "whether any id may run in a user namespace of the container's own"
};

fn judge(case: &Case<'_>) -> Judgement {
    if !case.has_process() || (case.flag("in_user_namespace") && namespaces::makes(case, "user")) {
        return Ok(Vec::new());
    }
    let pointer = case.process_pointer("/user/uid");
    let uid = case.at(&pointer).and_then(Value::as_u64).unwrap_or(0);
    if ids::covers(&case.words("uids"), uid, uid) {
        return Ok(Vec::new());
    }
    let who = if uid == 0 { "as root".to_owned() } else { format!("as user {uid}") };
    let hint = "set USER in the image, runAsUser and runAsNonRoot in the pod, or --user";
    let wrong = Wrong { setting: "uids", pointer, message: format!("the process runs {who}"), hint };
    Ok(vec![case.found(Some(&uid.to_string()), wrong)])
}
