//! # pids
//!
//! **Intent.** One container cannot fill the host's process table.
//!
//! **Fields.** `linux.resources.pids.limit`, and `linux.resources.unified["pids.max"]`, which has the last word where it is set.
//!
//! **Allowed.** A limit above 0, and not above `pids.most` where that is not 0. The fix sets `pids.most`; without it a bundle that
//! sets no limit is refused.

use super::case::Case;
use super::resources::Limit;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::Pointer;

pub(super) const RULE: Rule = Rule {
    id: RuleId("pids"),
    severity: Severity::Medium,
    summary: "The number of processes of the container is limited.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("pids.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "pids", Off,
    "most": Most(0) => "the most processes and threads; 0: any limit will do"
};

fn judge(case: &Case<'_>) -> Judgement {
    let limit = Limit { own: Pointer::new("/linux/resources/pids/limit"), unified: "pids.max" };
    let hint = "set --pids-limit, or podPidsLimit of the kubelet";
    limit.judge(case, "number of processes", "processes", hint)
}
