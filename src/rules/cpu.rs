//! # cpu
//!
//! **Intent.** One container cannot take all of the host's processors.
//!
//! **Fields.** `linux.resources.cpu.quota`, `period`, `shares`, and `linux.resources.unified["cpu.max"]`, which has the last word
//! where it is set.
//!
//! **Allowed.** A quota, and not above `cpu.most` thousandths of a processor where that is not 0; shares of its own will do where
//! `cpu.shares_suffice` says so. The fix sets `cpu.most`; without it a bundle without a quota is refused.

use super::case::{Case, Wrong};
use super::resources::{unified, unified_place};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("cpu"),
    severity: Severity::Low,
    summary: "The processor time of the container is limited.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("cpu.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "cpu", Off,
    "most": Most(0) => "the most processor time, in thousandths of a processor; 0: any quota will do",
    "shares_suffice": Permit(false) => "whether a weight (shares, other than 0 and 1024) will do instead of a quota"
};

fn judge(case: &Case<'_>) -> Judgement {
    let number = |pointer: &Pointer| case.at(pointer).and_then(Value::as_u64).filter(|number| *number > 0);
    let (place, most) = (Pointer::new("/linux/resources/cpu/quota"), case.count("most"));
    if !case.is_linux() {
        return Ok(Vec::new());
    }
    let period = number(&Pointer::new(PERIOD_PLACE)).unwrap_or(PERIOD);
    let unified = unified(case, "cpu.max");
    let given = match &unified {
        Some(text) => share(text),
        None => number(&place).map(|quota| thousandths(quota, period)),
    };
    let weighted = number(&Pointer::new("/linux/resources/cpu/shares")).is_some_and(|shares| shares != 1024);
    let message = match given {
        None if most == 0 && weighted && case.flag("shares_suffice") => return Ok(Vec::new()),
        None => "the processor time is not limited".to_owned(),
        Some(given) if most != 0 && given > most => {
            format!("the processor time is {given} thousandths of a processor, the policy gives {most}")
        }
        Some(_) => return Ok(Vec::new()),
    };
    let hint = "set resources.limits.cpu, or --cpus";
    let wrong = Wrong { setting: "most", pointer: place.clone(), message, hint };
    if most == 0 {
        return Ok(vec![case.found(None, wrong)]);
    }
    Ok(vec![case.fixable(None, wrong, || {
        let quota = |period: u64| u128::from(most) * u128::from(period) / 1000;
        let removed = unified.as_ref().map(|_| Edit::remove(unified_place("cpu.max")));
        let set = if let Ok(quota @ 1..=MOST_QUOTA) = u64::try_from(quota(period)) {
            vec![Edit::set(place, quota.to_string())]
        } else {
            // A period that no kernel takes.
            let own = u64::try_from(quota(PERIOD)).unwrap_or(MOST_QUOTA).clamp(1, MOST_QUOTA);
            vec![Edit::set(place, own.to_string()), Edit::set(Pointer::new(PERIOD_PLACE), PERIOD.to_string())]
        };
        set.into_iter().chain(removed).collect()
    })])
}

/// The kernel's own (cpu.cfs_period_us), in microseconds.
const PERIOD: u64 = 100_000;
const PERIOD_PLACE: &str = "/linux/resources/cpu/period";
/// The runtime-spec's type for a quota ends here.
const MOST_QUOTA: u64 = i64::MAX.unsigned_abs();

fn thousandths(quota: u64, period: u64) -> u64 {
    u64::try_from(u128::from(quota) * 1000 / u128::from(period.max(1))).unwrap_or(u64::MAX)
}

/// `QUOTA [PERIOD]` of cgroup v2; nothing for `max`.
fn share(text: &str) -> Option<u64> {
    let mut words = text.split_ascii_whitespace();
    let quota = words.next()?.parse().ok().filter(|quota| *quota > 0)?;
    let period = words.next().map_or(Some(PERIOD), |word| word.parse().ok())?;
    Some(thousandths(quota, period))
}
