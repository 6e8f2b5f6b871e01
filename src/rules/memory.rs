//! # memory
//!
//! **Intent.** One container cannot take the host's memory.
//!
//! **Fields.** `linux.resources.memory.limit`, and `linux.resources.unified["memory.max"]`, which has the last word where it is set.
//!
//! **Allowed.** A limit above 0, and not above `memory.most` bytes where that is not 0. The fix sets `memory.most`; without it a
//! bundle that sets no limit is refused, since nobody says which would do.

use super::case::Case;
use super::resources::Limit;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::Pointer;

pub(super) const RULE: Rule = Rule {
    id: RuleId("memory"),
    severity: Severity::Medium,
    summary: "The memory of the container is limited.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("memory.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "memory", Off,
    "most": Most(0) => "the most memory, in bytes; 0: any limit will do"
};

fn judge(case: &Case<'_>) -> Judgement {
    let limit = Limit { own: Pointer::new("/linux/resources/memory/limit"), unified: "memory.max" };
    let hint = "set resources.limits.memory, or --memory";
    limit.judge(case, "memory", "bytes", hint)
}
