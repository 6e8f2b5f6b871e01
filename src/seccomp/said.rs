//! What a profile says of a call, in words.

use std::fmt::Write;

use super::action::Op;
use super::arch::Arch;
use super::arguments::Argument;
use super::constants::Vocabulary;
use super::filter::{Clause, Decision, Filter};
use super::profile::Condition;
use super::syscalls::Syscall;
use super::verdict::Verdict;

/// A call by its name, on an interface: who names the values of its arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'n> {
    pub(super) call: &'n str,
    pub(super) arch: Arch,
}

impl Named<'_> {
    /// `1 (AF_UNIX)`, `0x5412 (TIOCSTI)`, `64`.
    fn value(self, index: u32, value: u64) -> String {
        let known = |vocabulary: Vocabulary| vocabulary.name(u32::try_from(value).ok()?);
        match Vocabulary::of(self.arch, self.call, index).and_then(known) {
            Some(name) => format!("{} ({name})", Argument(value)),
            None => Argument(value).to_string(),
        }
    }
}

impl Filter<'_> {
    /// What the filter says of `call` on `arch`: `allowed where argument 0 is 1 (AF_UNIX), otherwise refused with EPERM`.
    pub fn said_of(&self, call: Syscall, arch: Arch) -> String {
        if !self.archs().contains(&arch) {
            return Verdict::KILL_THREAD.to_string();
        }
        self.decision_on(call, arch).words(Named { call: call.name(), arch }, self.default_verdict())
    }
}

impl Decision<'_> {
    /// What it says of the call `named`.
    pub(super) fn words(&self, named: Named<'_>, default: Verdict) -> String {
        let otherwise = self.otherwise(default);
        let live = self.live();
        if live.is_empty() {
            return otherwise.to_string();
        }
        let mut out = String::new();
        let mut told: Vec<Verdict> = Vec::new();
        for clause in live {
            let verdict = clause.verdict();
            if told.contains(&verdict) {
                continue;
            }
            told.push(verdict);
            let same: Vec<&Clause<'_>> = live.iter().filter(|clause| clause.verdict() == verdict).collect();
            let _ = write!(out, "{verdict} where {}, ", alternatives(named, &same));
        }
        let _ = write!(out, "otherwise {otherwise}");
        out
    }
}

/// Clauses of which one must hold. Values of the same argument stand together.
fn alternatives(named: Named<'_>, clauses: &[&Clause<'_>]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut equal: Vec<(u32, Vec<u64>)> = Vec::new();
    for clause in clauses {
        match &*clause.conditions {
            [Condition { index, value, op: Op::Eq, .. }] => match equal.iter_mut().find(|(own, _)| own == index) {
                Some((_, values)) => values.push(*value),
                None => equal.push((*index, vec![*value])),
            },
            conditions => parts.push(all(named, conditions)),
        }
    }
    let values = equal.into_iter().map(|(index, values)| {
        let values = values.iter().map(|value| named.value(index, *value)).collect::<Vec<_>>();
        format!("argument {index} is {}", listed(&values))
    });
    values.chain(parts).collect::<Vec<_>>().join(" or ")
}

/// Conditions that must all hold.
pub(super) fn all(named: Named<'_>, conditions: &[Condition]) -> String {
    conditions.iter().map(|condition| one(named, condition)).collect::<Vec<_>>().join(" and ")
}

fn one(named: Named<'_>, condition: &Condition) -> String {
    let Condition { index, value, value_two, op } = *condition;
    let said = named.value(index, value);
    match op {
        Op::Eq => format!("argument {index} is {said}"),
        Op::Ne => format!("argument {index} is not {said}"),
        Op::Lt => format!("argument {index} is below {said}"),
        Op::Le => format!("argument {index} is at most {said}"),
        Op::Ge => format!("argument {index} is at least {said}"),
        Op::Gt => format!("argument {index} is above {said}"),
        Op::MaskedEq => format!("argument {index} & {value:#x} is {:#x}", value_two & value),
    }
}

fn listed(values: &[String]) -> String {
    match values {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => values.concat(),
    }
}
