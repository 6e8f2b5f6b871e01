//! The one representation that everything is built on: a verdict over (architecture, call, six arguments).
//!
//! It is what a runtime makes of a profile. runc, crun and youki all do the same: the machine's own architecture is always
//! there (`seccomp_init` adds it), rules that repeat the default are skipped, names that are unknown are too, and an entry
//! whose conditions repeat an argument becomes one rule for each condition (runc `libcontainer/seccomp/seccomp_linux.go`,
//! `matchCall`). libseccomp then gives a rule without conditions the whole call, whatever other rules it has and whenever
//! they came; of two such rules the first counts (`db_rule_add` in its `src/db.c`).

mod decision;
mod lost;
mod shared;
mod tree;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::action::Op;
use super::arch::Arch;
use super::domain::Width;
use super::profile::{Condition, Profile, Rule};
use super::syscalls::{Multiplexer, Syscall};
use super::verdict::Verdict;
pub use decision::{Answer, Reason, Ruled};
pub(super) use decision::{Clause, Decision};

/// A profile as a function of calls.
#[derive(Debug)]
pub struct Filter<'p> {
    default: Verdict,
    archs: Vec<Arch>,
    decisions: Vec<Decision<'p>>,
    strangers: Vec<(&'p str, Decision<'p>)>,
    /// Where a name is in `strangers`: a profile may name a hundred thousand.
    places: BTreeMap<&'p str, usize>,
}

impl<'p> Filter<'p> {
    /// The filter that a runtime on a machine of `native` makes of `profile`.
    pub fn new(profile: &'p Profile, native: Arch) -> Self {
        let default = Verdict::new(profile.default_action, profile.default_errno_ret);
        let mut archs = vec![native];
        for arch in &profile.architectures {
            if !archs.contains(arch) {
                archs.push(*arch);
            }
        }
        let mut decisions = Vec::new();
        decisions.resize_with(Syscall::COUNT, Decision::default);
        let mut filter = Self { default, archs, decisions, strangers: Vec::new(), places: BTreeMap::new() };
        for (position, rule) in profile.syscalls.iter().enumerate() {
            filter.add(position, rule);
        }
        filter
    }

    fn add(&mut self, position: usize, rule: &'p Rule) {
        let ruled = Ruled { verdict: Verdict::new(rule.action, rule.errno_ret), rule: position };
        let redundant = ruled.verdict == self.default;
        for name in &rule.names {
            let decision = match Syscall::from_name(name) {
                Some(call) => &mut self.decisions[call.index()],
                None => self.stranger(name),
            };
            decision.named = true;
            if !redundant {
                decision.add(rule, ruled);
            }
        }
    }

    fn stranger(&mut self, name: &'p str) -> &mut Decision<'p> {
        let place = *self.places.entry(name).or_insert(self.strangers.len());
        if place == self.strangers.len() {
            self.strangers.push((name, Decision::default()));
        }
        &mut self.strangers[place].1
    }

    /// What happens to calls that no rule claims.
    pub fn default_verdict(&self) -> Verdict {
        self.default
    }

    /// The architectures that the filter answers for, the machine's own first.
    pub fn archs(&self) -> &[Arch] {
        &self.archs
    }

    /// Names that are no system call that batten knows.
    pub fn strangers(&self) -> impl Iterator<Item = &'p str> {
        self.strangers.iter().map(|(name, _)| *name)
    }

    pub(super) fn stranger_decision(&self, name: &str) -> Option<&Decision<'p>> {
        self.places.get(name).map(|place| &self.strangers[*place].1)
    }

    /// What the profile's own rules say of `call`, conditions in full width.
    pub(super) fn decision(&self, call: Syscall) -> &Decision<'p> {
        &self.decisions[call.index()]
    }

    /// What the filter says of `call` on `arch`: conditions cut to its width, companions of multiplexed calls added.
    pub(super) fn decision_on(&self, call: Syscall, arch: Arch) -> Cow<'_, Decision<'p>> {
        let own = self.decision(call);
        let mut decision = Cow::Borrowed(own);
        if Multiplexer::used_on(arch)
            && let Some(multiplexer) = Multiplexer::named(call.name())
        {
            self.add_companions(multiplexer, decision.to_mut());
        }
        match decision.cut(Width::of(arch)) {
            Cow::Owned(cut) => Cow::Owned(cut),
            Cow::Borrowed(_) => decision,
        }
    }

    fn add_companions(&self, multiplexer: Multiplexer, decision: &mut Decision<'p>) {
        for (call, number) in multiplexer.calls() {
            let sub = Condition { index: 0, value: number, value_two: 0, op: Op::Eq };
            let direct = self.decision(call);
            decision.named |= direct.named;
            if let Some(ruled) = direct.always {
                decision.clauses.push(Clause { conditions: Cow::Owned(vec![sub]), ruled });
            }
            for clause in &direct.clauses {
                let others = clause.conditions.iter().filter(|condition| condition.index != 0);
                let conditions = std::iter::once(sub).chain(others.copied()).collect();
                decision.clauses.push(Clause { conditions: Cow::Owned(conditions), ruled: clause.ruled });
            }
        }
        decision.clauses.sort_by_key(|clause| clause.ruled.rule);
    }

    /// What happens to a call.
    pub fn verdict(&self, arch: Arch, call: Syscall, args: &[u64; 6]) -> Answer {
        if self.archs.contains(&arch) {
            self.decision_on(call, arch).answer(args, Width::of(arch), self.default)
        } else {
            foreign()
        }
    }

    /// What happens to a number that no known call has.
    pub fn verdict_on_unknown(&self, arch: Arch) -> Answer {
        if self.archs.contains(&arch) {
            Answer { verdict: self.default, reason: Reason::Default, contenders: Vec::new() }
        } else {
            foreign()
        }
    }
}

fn foreign() -> Answer {
    Answer { verdict: Verdict::KILL_THREAD, reason: Reason::ForeignArchitecture, contenders: Vec::new() }
}

#[cfg(test)]
mod tests;
