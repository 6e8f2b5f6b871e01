//! What a filter says of one call, and what that comes to for given arguments.

use std::borrow::Cow;

use crate::seccomp::domain::{Width, holds, is_always};
use crate::seccomp::profile::{Condition, Rule};
use crate::seccomp::verdict::Verdict;

/// What a profile says of one call.
#[derive(Debug, Clone, Default)]
pub(in crate::seccomp) struct Decision<'p> {
    /// The verdict on every call, if a rule without conditions gives one: it wins over all clauses.
    pub(in crate::seccomp) always: Option<Ruled>,
    /// Verdicts under conditions, in the profile's order.
    pub(in crate::seccomp) clauses: Vec<Clause<'p>>,
    /// Some rule names the call, if only to repeat the default.
    pub(in crate::seccomp) named: bool,
}

/// A verdict and the rule that gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruled {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule's position in [`Profile::syscalls`].
    pub rule: usize,
}

/// A verdict on the calls that all conditions hold for; no two are on the same argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::seccomp) struct Clause<'p> {
    pub(in crate::seccomp) conditions: Cow<'p, [Condition]>,
    pub(in crate::seccomp) ruled: Ruled,
}

impl Clause<'_> {
    pub(in crate::seccomp) const fn verdict(&self) -> Verdict {
        self.ruled.verdict
    }

    fn matches(&self, args: &[u64; 6], width: Width) -> bool {
        self.conditions.iter().all(|condition| holds(condition, args[condition.index as usize], width))
    }
}

/// What happens to one call, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The verdict; the strictest, where several rules claim the call.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Other rules with another verdict that claim the same call: which one wins depends on libseccomp's inner order.
    pub contenders: Vec<Ruled>,
}

/// Where a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A rule, by its position in [`Profile::syscalls`].
    Rule(usize),
    /// No rule claims the call.
    Default,
    /// The filter does not list the architecture.
    ForeignArchitecture,
}

impl<'p> Decision<'p> {
    pub(super) fn add(&mut self, rule: &'p Rule, ruled: Ruled) {
        let mut seen = 0u8;
        let mut repeated = false;
        for condition in &rule.args {
            let bit = 1u8 << condition.index.min(7);
            repeated |= seen & bit != 0;
            seen |= bit;
        }
        if repeated {
            for condition in &rule.args {
                let conditions = Cow::Borrowed(std::slice::from_ref(condition));
                self.add_clause(Clause { conditions, ruled }, Width::Full);
            }
        } else {
            self.add_clause(Clause { conditions: Cow::Borrowed(&rule.args), ruled }, Width::Full);
        }
    }

    fn add_clause(&mut self, mut clause: Clause<'p>, width: Width) {
        if clause.conditions.iter().any(|condition| is_always(condition, width)) {
            clause.conditions.to_mut().retain(|condition| !is_always(condition, width));
        }
        if !clause.conditions.is_empty() {
            self.clauses.push(clause);
        } else if self.always.is_none_or(|first| clause.ruled.rule < first.rule) {
            self.always = Some(clause.ruled);
        }
    }

    /// What the decision is where only part of an argument is compared: conditions that exclude nothing go.
    pub(in crate::seccomp) fn cut(&self, width: Width) -> Cow<'_, Self> {
        let gone = |clause: &Clause<'_>| clause.conditions.iter().any(|condition| is_always(condition, width));
        if !self.clauses.iter().any(gone) {
            return Cow::Borrowed(self);
        }
        let mut cut = Self { always: self.always, clauses: Vec::new(), named: self.named };
        for clause in &self.clauses {
            cut.add_clause(clause.clone(), width);
        }
        Cow::Owned(cut)
    }

    /// The clauses that count: none, where a rule without conditions takes the call.
    pub(in crate::seccomp) fn live(&self) -> &[Clause<'p>] {
        if self.always.is_some() { &[] } else { &self.clauses }
    }

    /// The verdict on what no clause claims.
    pub(in crate::seccomp) fn otherwise(&self, default: Verdict) -> Verdict {
        self.always.map_or(default, |ruled| ruled.verdict)
    }

    /// The strictest verdict that any call can get.
    pub(in crate::seccomp) fn strictest(&self, default: Verdict) -> Verdict {
        let clauses = self.live().iter().map(Clause::verdict);
        clauses.fold(self.otherwise(default), Verdict::max)
    }

    /// The loosest verdict that any call can get.
    pub(in crate::seccomp) fn loosest(&self, default: Verdict) -> Verdict {
        let clauses = self.live().iter().map(Clause::verdict);
        clauses.fold(self.otherwise(default), Verdict::min)
    }

    pub(super) fn answer(&self, args: &[u64; 6], width: Width, default: Verdict) -> Answer {
        if let Some(ruled) = self.always {
            return Answer { verdict: ruled.verdict, reason: Reason::Rule(ruled.rule), contenders: Vec::new() };
        }
        let mut claims = self.clauses.iter().filter(|clause| clause.matches(args, width)).map(|clause| clause.ruled);
        let Some(first) = claims.next() else {
            return Answer { verdict: default, reason: Reason::Default, contenders: Vec::new() };
        };
        let mut best = first;
        let mut contenders = Vec::new();
        for claim in claims.filter(|claim| claim.verdict != first.verdict) {
            let (winner, loser) = if claim.verdict > best.verdict { (claim, best) } else { (best, claim) };
            best = winner;
            contenders.push(loser);
        }
        Answer { verdict: best.verdict, reason: Reason::Rule(best.rule), contenders }
    }
}
