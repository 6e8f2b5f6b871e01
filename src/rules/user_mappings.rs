//! # user-mappings
//!
//! **Intent.** A user namespace hides the host's ids: none of the container's is root outside.
//!
//! **Fields.** `linux.uidMappings`, `linux.gidMappings`, and the same of `mounts[*]` (id-mapped mounts).
//!
//! **Allowed.** Mappings whose ids on the host lie within one range of `user_mappings.host_ids`. A container without a user
//! namespace has none; `host-user` judges that. For a rootless engine the ids are those of the engine's own namespace.

use super::case::{Case, Wrong};
use super::ids;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("user-mappings"),
    severity: Severity::High,
    summary: "The ids of a user namespace are mapped to ids of the host that the policy allows.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: Some(ids::understands),
    source: prose!("user_mappings.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "user_mappings", Off,
    "host_ids": Allow(&["1-4294967294"]) => "ranges of the host's ids that may be mapped to"
};

fn judge(case: &Case<'_>) -> Judgement {
    let allowed = case.words("host_ids");
    let mounts = case.at(&Pointer::new("/mounts")).into_iter().flat_map(Value::items).enumerate();
    let places = std::iter::once(Pointer::new("/linux"))
        .chain(mounts.map(|(position, _)| Pointer::new("/mounts").child(&position.to_string())));
    let mut findings = Vec::new();
    for place in places.flat_map(|place| [place.child("uidMappings"), place.child("gidMappings")]) {
        for (position, mapping) in case.at(&place).into_iter().flat_map(Value::items).enumerate() {
            let number = |key| mapping.get(key).and_then(Value::as_u64).unwrap_or(0);
            let (first, size) = (number("hostID"), number("size"));
            let last = (first + size).saturating_sub(1).max(first);
            if ids::covers(&allowed, first, last) {
                continue;
            }
            let message = format!("ids {first} to {last} of the host are mapped into the container");
            let hint =
                "map to ids that no user of the host has (subuid(5)), or name the range in user_mappings.host_ids";
            let wrong = Wrong { setting: "host_ids", pointer: place.child(&position.to_string()), message, hint };
            findings.push(case.found(None, wrong));
        }
    }
    Ok(findings)
}
