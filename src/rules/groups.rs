//! # groups
//!
//! **Intent.** Processes are not in root's group, nor in another that the policy keeps for the host.
//!
//! **Fields.** `process.user.gid`, `process.user.additionalGids`; an exec's process file as well. An absent gid is 0.
//!
//! **Allowed.** Ids within the ranges of `groups.gids`. Docker and containerd list group 0 for whoever runs as root.

use super::case::{Case, Wrong};
use super::ids;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::Value;

pub(super) const RULE: Rule = Rule {
    id: RuleId("groups"),
    severity: Severity::Medium,
    summary: "Processes are in groups that the policy allows, not in group 0.",
    judges_exec: true,
    fixes: false,
    section: Some(SECTION),
    understands: Some(ids::understands),
    source: prose!("groups.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "groups", Off,
    "gids": Allow(&["1-4294967295"]) => "ranges of group ids that processes may be in"
};

fn judge(case: &Case<'_>) -> Judgement {
    if !case.has_process() {
        return Ok(Vec::new());
    }
    let allowed = case.words("gids");
    let own = case.process_pointer("/user/gid");
    let more = case.process_pointer("/user/additionalGids");
    let gid = case.at(&own).and_then(Value::as_u64).unwrap_or(0);
    let listed = case.at(&more).into_iter().flat_map(Value::items).enumerate();
    let listed = listed.map(|(at, gid)| (more.child(&at.to_string()), gid.as_u64().unwrap_or(0)));
    let refused =
        std::iter::once((own.clone(), gid)).chain(listed).filter(|(_, gid)| !ids::covers(&allowed, *gid, *gid));
    Ok(refused
        .map(|(pointer, gid)| {
            let hint = "set runAsGroup and fsGroup in the pod, or --user UID:GID";
            let wrong = Wrong { setting: "gids", pointer, message: format!("the process is in group {gid}"), hint };
            case.found(Some(&gid.to_string()), wrong)
        })
        .collect())
}
