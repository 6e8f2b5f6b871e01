//! The one representation that everything is built on: a verdict over (architecture, call, six arguments).
//!
//! It is what a runtime makes of a profile. runc, crun and youki all do the same: the machine's own architecture is always
//! there (`seccomp_init` adds it), rules that repeat the default are skipped, names that are unknown are too, and an entry
//! whose conditions repeat an argument becomes one rule for each condition (runc `libcontainer/seccomp/seccomp_linux.go`,
//! `matchCall`). libseccomp then gives a rule without conditions the whole call, whatever other rules it has and whenever
//! they came; of two such rules the first counts (`db_rule_add` in its `src/db.c`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::action::Op;
use super::arch::Arch;
use super::domain::{Width, holds};
use super::faithful::is_faithful;
use super::profile::{Condition, Profile, Rule};
use super::syscalls::{Multiplexer, Syscall};
use super::verdict::Verdict;

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

/// What a profile says of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Decision<'p> {
    /// The verdict on every call, if a rule without conditions gives one: it wins over all clauses.
    pub(super) always: Option<Ruled>,
    /// Verdicts under conditions, in the profile's order.
    pub(super) clauses: Vec<Clause<'p>>,
    /// Some rule names the call, if only to repeat the default.
    pub(super) named: bool,
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
pub(super) struct Clause<'p> {
    pub(super) conditions: Cow<'p, [Condition]>,
    pub(super) ruled: Ruled,
}

impl Clause<'_> {
    pub(super) const fn verdict(&self) -> Verdict {
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
            && let Some(multiplexer) = Multiplexer::ALL.into_iter().find(|known| known.name() == call.name())
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

    /// Whether libseccomp compiles the conditional rules for `call` on `arch` to what they say, as far as is known.
    pub fn compiles_as_said(&self, arch: Arch, call: Syscall) -> bool {
        is_faithful(self.decision_on(call, arch).live(), Width::of(arch)) && !self.is_lost_on(arch)
    }

    /// Whether libseccomp may compile a filter for `arch` in which no rule counts.
    ///
    /// It loads the call's number once, in front of the call with the fewest comparisons. Where that one does not exist on
    /// `arch` it is left out, and the load with it (`_gen_bpf_syscalls` in its `src/gen_bpf.c`, up to 2.6.1): every rule then
    /// compares the architecture. One rule without conditions for a call that does exist, and that every libseccomp knows,
    /// prevents it; so does x86_64 without x32, where the number is loaded before.
    pub fn is_lost_on(&self, arch: Arch) -> bool {
        let twins: &[Arch] = match arch {
            Arch::X86_64 | Arch::X32 if self.archs.contains(&Arch::X32) => &[Arch::X86_64, Arch::X32],
            Arch::X86_64 => return false,
            _ if !self.archs.contains(&arch) => return false,
            _ => &[arch],
        };
        let (mut here, mut elsewhere) = (false, false);
        for (call, decision) in Syscall::all().zip(&self.decisions) {
            if decision.always.is_none() && decision.clauses.is_empty() {
                continue;
            }
            let is_known_everywhere = call.since().is_none();
            for twin in twins {
                match (call.number(*twin).is_some(), decision.always.is_some()) {
                    (true, true) if is_known_everywhere => return false,
                    (true, true) => {}
                    (true, false) => here = true,
                    // What is left of it is its companion, which compares an argument.
                    (false, _) => {
                        elsewhere = true;
                        here |= Multiplexer::used_on(*twin) && Multiplexer::of(call.name()).is_some();
                    }
                }
            }
        }
        here && elsewhere
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

/// Whether a condition excludes nothing: then libseccomp leaves it out.
fn is_always(condition: &Condition, width: Width) -> bool {
    condition.op == Op::MaskedEq && width.cut(condition.value) == 0
}

impl<'p> Decision<'p> {
    fn add(&mut self, rule: &'p Rule, ruled: Ruled) {
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
    pub(super) fn cut(&self, width: Width) -> Cow<'_, Self> {
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
    pub(super) fn live(&self) -> &[Clause<'p>] {
        if self.always.is_some() { &[] } else { &self.clauses }
    }

    /// The verdict on what no clause claims.
    pub(super) fn otherwise(&self, default: Verdict) -> Verdict {
        self.always.map_or(default, |ruled| ruled.verdict)
    }

    /// The strictest verdict that any call can get.
    pub(super) fn strictest(&self, default: Verdict) -> Verdict {
        let clauses = self.live().iter().map(Clause::verdict);
        clauses.fold(self.otherwise(default), Verdict::max)
    }

    /// The loosest verdict that any call can get.
    pub(super) fn loosest(&self, default: Verdict) -> Verdict {
        let clauses = self.live().iter().map(Clause::verdict);
        clauses.fold(self.otherwise(default), Verdict::min)
    }

    fn answer(&self, args: &[u64; 6], width: Width, default: Verdict) -> Answer {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::Action;

    fn rule(names: &[&'static str], action: Action, args: &[Condition]) -> Rule {
        let names = names.iter().map(|name| Cow::Borrowed(*name)).collect();
        Rule { names, action, errno_ret: None, args: args.to_vec() }
    }

    fn profile(default_action: Action, syscalls: Vec<Rule>) -> Profile {
        let architectures = Vec::new();
        let (flags, listener_path, listener_metadata) = (None, None, None);
        Profile {
            default_action,
            default_errno_ret: None,
            architectures,
            flags,
            listener_path,
            listener_metadata,
            syscalls,
        }
    }

    const fn is(index: u32, value: u64) -> Condition {
        Condition { index, value, value_two: 0, op: Op::Eq }
    }

    fn ask(profile: &Profile, arch: Arch, name: &str, args: [u64; 6]) -> Answer {
        Filter::new(profile, Arch::X86_64).verdict(arch, Syscall::from_name(name).unwrap(), &args)
    }

    #[test]
    fn conditions_on_one_argument_are_alternatives_on_several_they_must_all_hold() {
        let either = profile(Action::Errno, vec![rule(&["socket"], Action::Allow, &[is(0, 1), is(0, 2), is(1, 9)])]);
        for (args, expected) in [
            ([1, 0, 0, 0, 0, 0], Verdict::ALLOW),
            ([2, 0, 0, 0, 0, 0], Verdict::ALLOW),
            ([3, 9, 0, 0, 0, 0], Verdict::ALLOW),
            ([3, 0, 0, 0, 0, 0], Verdict::EPERM),
        ] {
            assert_eq!(ask(&either, Arch::X86_64, "socket", args).verdict, expected, "{args:?}");
        }
        let both = profile(Action::Errno, vec![rule(&["socket"], Action::Allow, &[is(0, 1), is(1, 9)])]);
        assert_eq!(ask(&both, Arch::X86_64, "socket", [1, 0, 0, 0, 0, 0]).verdict, Verdict::EPERM);
        assert_eq!(ask(&both, Arch::X86_64, "socket", [1, 9, 0, 0, 0, 0]).verdict, Verdict::ALLOW);
    }

    #[test]
    fn a_rule_without_conditions_takes_the_call_and_the_first_such_rule_counts() {
        let profile = profile(
            Action::Errno,
            vec![
                rule(&["socket"], Action::KillProcess, &[is(0, 1)]),
                rule(&["socket"], Action::Allow, &[]),
                rule(&["socket"], Action::Log, &[]),
            ],
        );
        let answer = ask(&profile, Arch::X86_64, "socket", [1, 0, 0, 0, 0, 0]);
        assert_eq!((answer.verdict, answer.reason), (Verdict::ALLOW, Reason::Rule(1)));
    }

    #[test]
    fn the_machines_own_architecture_is_always_listed_and_others_are_killed() {
        let profile = profile(Action::Allow, vec![]);
        assert_eq!(ask(&profile, Arch::X86_64, "read", [0; 6]).verdict, Verdict::ALLOW);
        let foreign = ask(&profile, Arch::X86, "read", [0; 6]);
        assert_eq!((foreign.verdict, foreign.reason), (Verdict::KILL_THREAD, Reason::ForeignArchitecture));
    }

    #[test]
    fn socketcall_answers_for_the_calls_behind_it_but_cannot_see_their_first_argument() {
        let mut profile = profile(Action::Errno, vec![rule(&["socket"], Action::Allow, &[is(0, 2)])]);
        profile.architectures = vec![Arch::X86];
        let sub = |number| [number, 40, 0, 0, 0, 0];
        assert_eq!(ask(&profile, Arch::X86, "socketcall", sub(1)).verdict, Verdict::ALLOW);
        assert_eq!(ask(&profile, Arch::X86, "socketcall", sub(2)).verdict, Verdict::EPERM);
        assert_eq!(ask(&profile, Arch::X86, "socket", sub(40)).verdict, Verdict::EPERM);
    }

    #[test]
    fn thirty_two_bit_architectures_compare_thirty_two_bits() {
        let mask = Condition { index: 0, value: 1 << 40, value_two: 1 << 40, op: Op::MaskedEq };
        let mut profile = profile(Action::Errno, vec![rule(&["dup"], Action::Allow, &[mask])]);
        profile.architectures = vec![Arch::X86];
        assert_eq!(ask(&profile, Arch::X86_64, "dup", [0; 6]).verdict, Verdict::EPERM);
        assert_eq!(ask(&profile, Arch::X86, "dup", [0; 6]).verdict, Verdict::ALLOW);
    }
}
