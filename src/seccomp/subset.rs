//! Whether one profile lets through only what another does, with a call that shows it when not.

use std::borrow::Cow;
use std::fmt;

use super::arch::Arch;
use super::arguments::Arguments;
use super::domain::{Region, Width};
use super::faithful::is_faithful;
use super::filter::{Clause, Decision, Filter};
use super::profile::{Condition, Profile};
use super::syscalls::Syscall;
use super::verdict::Verdict;

/// How many regions one call's comparison may look at. Real profiles need a few dozen.
const BUDGET: usize = 50_000;

/// Why a profile is not known to be a subset of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSubset {
    /// A call that it treats less strictly.
    #[error("{0}")]
    Looser(Witness),
    /// The conditions on one call are of a kind that libseccomp may compile to something else (see the module `faithful`).
    #[error("libseccomp may compile the rules for {call} to something else than they say")]
    Unreliable {
        /// The call.
        call: String,
    },
    /// The conditions on one call interlock too much to decide.
    #[error("the conditions on {call} are too intricate to compare")]
    TooIntricate {
        /// The call.
        call: String,
    },
}

/// A call on which two profiles differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Through which interface it is made.
    pub arch: Arch,
    /// The call; none for numbers that no known call has.
    pub call: Option<Cow<'static, str>>,
    /// Its arguments.
    pub args: [u64; 6],
    /// What the first profile says.
    pub left: Verdict,
    /// What the second says.
    pub right: Verdict,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, args) = (self.call.as_deref().unwrap_or("an unknown system call"), Arguments(&self.args));
        write!(f, "{call}{args} on {}: {} by the first, {} by the second", self.arch.name(), self.left, self.right)
    }
}

/// Whether `a` is for every call at least as strict as `b`, on a machine of `native`.
///
/// # Errors
/// [`NotSubset`] with a call that `a` treats less strictly, or with the call on which the comparison gave up.
pub fn is_subset(a: &Profile, b: &Profile, native: Arch) -> Result<(), NotSubset> {
    Filter::new(a, native).is_subset(&Filter::new(b, native))
}

/// What to do with a difference: the calls, the first verdict, the second; true to go on.
pub(super) type Found<'f> = &'f mut dyn FnMut(&Region, Verdict, Verdict) -> bool;

impl Filter<'_> {
    /// See [`is_subset`].
    ///
    /// # Errors
    /// [`NotSubset`].
    pub fn is_subset(&self, other: &Filter<'_>) -> Result<(), NotSubset> {
        let mistaken = self.mistaken();
        self.archs().iter().try_for_each(|arch| self.is_subset_on(other, *arch, &mistaken))
    }

    fn is_subset_on(&self, other: &Filter<'_>, arch: Arch, mistaken: &[(Arch, Syscall)]) -> Result<(), NotSubset> {
        let (left, right) = (self.default_verdict(), other.default_on(arch));
        if left.is_looser_than(right) {
            return Err(NotSubset::Looser(Witness { arch, call: None, args: [0; 6], left, right }));
        }
        let lost = self.is_lost_on(arch);
        for call in Syscall::all().filter(|call| call.number(arch).is_some()) {
            let (mine, theirs) = (self.decision_on(call, arch), other.known_decision_on(call, arch));
            compare_call(&mine, left, &theirs, right, arch, Cow::Borrowed(call.name()))?;
            // Lost rules leave the default, and rules that are not compiled to what they say any of their verdicts.
            let reliable = is_faithful(mine.live(), Width::of(arch)) && !mistaken.contains(&(arch, call));
            let loosest = if reliable { None } else { Some(mine.loosest(left)) };
            let loosest = loosest.into_iter().chain(lost.then_some(left)).min();
            if loosest.is_some_and(|loosest| loosest.is_looser_than(theirs.strictest(right))) {
                return Err(NotSubset::Unreliable { call: call.name().to_owned() });
            }
        }
        let nothing = Decision::default();
        for name in self.strangers().chain(other.strangers()) {
            let mine = self.stranger_decision(name).unwrap_or(&nothing);
            let theirs = other.stranger_decision(name).filter(|_| other.archs().contains(&arch)).unwrap_or(&nothing);
            let (mine, theirs) = (mine.cut(Width::of(arch)), theirs.cut(Width::of(arch)));
            compare_call(&mine, left, &theirs, right, arch, Cow::Owned(name.to_owned()))?;
        }
        Ok(())
    }

    /// The default on `arch`, which kills where the filter does not list it.
    pub(super) fn default_on(&self, arch: Arch) -> Verdict {
        if self.archs().contains(&arch) { self.default_verdict() } else { Verdict::KILL_THREAD }
    }

    pub(super) fn known_decision_on(&self, call: Syscall, arch: Arch) -> Cow<'_, Decision<'_>> {
        if self.archs().contains(&arch) { self.decision_on(call, arch) } else { Cow::Owned(Decision::default()) }
    }
}

fn compare_call(
    mine: &Decision<'_>,
    left: Verdict,
    theirs: &Decision<'_>,
    right: Verdict,
    arch: Arch,
    call: Cow<'static, str>,
) -> Result<(), NotSubset> {
    match first_looser(mine, left, theirs, right, Width::of(arch)) {
        (Some((args, left, right)), _) => Err(NotSubset::Looser(Witness { arch, call: Some(call), args, left, right })),
        (None, true) => Ok(()),
        (None, false) => Err(NotSubset::TooIntricate { call: call.into_owned() }),
    }
}

/// A call to which `a` gives a looser verdict than `b`, with both verdicts, and whether the search came to an end.
pub(super) fn first_looser(
    a: &Decision<'_>,
    a_default: Verdict,
    b: &Decision<'_>,
    b_default: Verdict,
    width: Width,
) -> (Option<([u64; 6], Verdict, Verdict)>, bool) {
    let mut first = None;
    let decided = looser(a, a_default, b, b_default, width, &mut |region, left, right| {
        first = Some((region.sample(), left, right));
        false
    });
    (first, decided)
}

/// Finds the calls to which `a` gives a looser verdict than `b`, and gives them to `found` until it has enough. False when
/// the budget ran out before all was seen.
///
/// Where rules contend for a call, `a` is taken to let it through and `b` to refuse it.
pub(super) fn looser(
    a: &Decision<'_>,
    a_default: Verdict,
    b: &Decision<'_>,
    b_default: Verdict,
    width: Width,
    found: Found<'_>,
) -> bool {
    let (a_else, b_else) = (a.otherwise(a_default), b.otherwise(b_default));
    let (mine, theirs) = (a.live(), b.live());
    if mine.is_empty() && theirs.is_empty() {
        if a_else.is_looser_than(b_else) {
            found(&Region::all(width), a_else, b_else);
        }
        return true;
    }
    let mut search = Search { width, budget: BUDGET, found };
    for clause in mine {
        for region in Region::of(&clause.conditions, width) {
            if !search.against(&region, clause.verdict(), b, b_else) {
                return search.budget > 0;
            }
        }
    }
    search.unclaimed(mine, a_else, b, b_else) || search.budget > 0
}

/// Finds the calls of `regions`, which all get `verdict`, to which `b` gives a stricter one. False as in [`looser`].
#[cfg(feature = "cli")]
pub(super) fn looser_on(
    regions: &[Region],
    verdict: Verdict,
    b: &Decision<'_>,
    b_default: Verdict,
    width: Width,
    found: Found<'_>,
) -> bool {
    let mut search = Search { width, budget: BUDGET, found };
    let b_else = b.otherwise(b_default);
    regions.iter().all(|region| search.against(region, verdict, b, b_else)) || search.budget > 0
}

struct Search<'f> {
    width: Width,
    budget: usize,
    found: Found<'f>,
}

impl Search<'_> {
    /// Looks at the calls that no clause of `mine` claims, which get `verdict`; false to stop.
    fn unclaimed(&mut self, mine: &[Clause<'_>], verdict: Verdict, b: &Decision<'_>, b_else: Verdict) -> bool {
        let mut claimed: Vec<_> = mine.iter().map(|clause| &*clause.conditions).collect();
        for clause in b.live().iter().filter(|clause| verdict.is_looser_than(clause.verdict())) {
            for region in Region::of(&clause.conditions, self.width) {
                if !self.outside(&region, &claimed, verdict, clause.verdict()) {
                    return false;
                }
            }
        }
        claimed.extend(b.live().iter().map(|clause| &*clause.conditions));
        !verdict.is_looser_than(b_else) || self.outside(&Region::all(self.width), &claimed, verdict, b_else)
    }

    /// Gives what no clause of `claimed` holds for to `found`; false to stop.
    fn outside(&mut self, region: &Region, claimed: &[&[Condition]], left: Verdict, right: Verdict) -> bool {
        let mut rest = Vec::new();
        let whole = remainder(region, claimed, self.width, &mut self.budget, &mut rest);
        rest.iter().all(|region| (self.found)(region, left, right)) && whole
    }

    /// Looks at the calls of `region`, which get `verdict`; false to stop.
    fn against(&mut self, region: &Region, verdict: Verdict, b: &Decision<'_>, b_else: Verdict) -> bool {
        for clause in b.live() {
            for theirs in region.and(&clause.conditions, self.width) {
                if verdict.is_looser_than(clause.verdict()) && !(self.found)(&theirs, verdict, clause.verdict()) {
                    return false;
                }
            }
        }
        let claimed: Vec<_> = b.live().iter().map(|clause| &*clause.conditions).collect();
        !verdict.is_looser_than(b_else) || self.outside(region, &claimed, verdict, b_else)
    }
}

/// Splits what is left of `region` when all calls are gone that any of `clauses` holds for. False when the budget is used up.
pub(super) fn remainder(
    region: &Region,
    clauses: &[&[Condition]],
    width: Width,
    budget: &mut usize,
    rest: &mut Vec<Region>,
) -> bool {
    let mut left = vec![*region];
    for clause in clauses {
        let mut next = Vec::with_capacity(left.len());
        for region in &left {
            if region.and(clause, width).is_empty() {
                next.push(*region);
            } else {
                next.extend(region.without(clause, width));
            }
        }
        if next.len() > *budget {
            *budget = 0;
            return false;
        }
        *budget -= next.len();
        left = next;
    }
    rest.extend(left);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::{Action, Op, Rule};

    fn allow(names: &[&'static str], args: &[Condition]) -> Rule {
        let names = names.iter().map(|name| Cow::Borrowed(*name)).collect();
        Rule { names, action: Action::Allow, errno_ret: None, args: args.to_vec() }
    }

    fn allow_list(architectures: Vec<Arch>, syscalls: Vec<Rule>) -> Profile {
        Profile {
            default_action: Action::Errno,
            default_errno_ret: None,
            architectures,
            flags: None,
            listener_path: None,
            listener_metadata: None,
            syscalls,
        }
    }

    fn condition(index: u32, op: Op, value: u64) -> Condition {
        Condition { index, value, value_two: 0, op }
    }

    fn verdict(a: &Profile, b: &Profile) -> Result<(), NotSubset> {
        is_subset(a, b, Arch::X86_64)
    }

    fn witness(a: &Profile, b: &Profile) -> Witness {
        match verdict(a, b) {
            Err(NotSubset::Looser(witness)) => witness,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn fewer_calls_are_a_subset_and_more_are_shown_by_one() {
        let few = allow_list(vec![], vec![allow(&["read"], &[])]);
        let more = allow_list(vec![], vec![allow(&["read", "mount"], &[])]);
        assert_eq!(verdict(&few, &more), Ok(()));
        assert_eq!(verdict(&few, &few), Ok(()));
        assert_eq!(witness(&more, &few).call.as_deref(), Some("mount"));
    }

    #[test]
    fn alternatives_cover_an_interval_together_but_not_each_alone() {
        let docker = [(Op::Lt, 38), (Op::Eq, 39), (Op::Gt, 40)];
        let rules = |all: &[(Op, u64)]| {
            let rules = all.iter().map(|(op, value)| allow(&["socket"], &[condition(0, *op, *value)]));
            allow_list(vec![], rules.collect())
        };
        assert_eq!(verdict(&rules(&docker), &rules(&[(Op::Ne, 38)])), Ok(()));
        assert_eq!(witness(&rules(&[(Op::Ne, 38)]), &rules(&docker)).args[0], 40);
        assert_eq!(
            verdict(&rules(&[(Op::Le, 20), (Op::Gt, 20)]), &allow_list(vec![], vec![allow(&["socket"], &[])])),
            Ok(())
        );
        assert_eq!(
            verdict(&allow_list(vec![], vec![allow(&["socket"], &[])]), &rules(&[(Op::Le, 20), (Op::Gt, 20)])),
            Ok(())
        );
    }

    #[test]
    fn a_looser_default_shows_on_calls_that_nobody_knows() {
        let open = Profile { default_action: Action::Allow, ..allow_list(vec![], vec![]) };
        let shown = witness(&open, &allow_list(vec![], vec![]));
        assert_eq!(shown.call, None);
        assert_eq!(
            shown.to_string(),
            "an unknown system call on SCMP_ARCH_X86_64: allowed by the first, refused with EPERM by the second"
        );
    }

    #[test]
    fn an_architecture_more_is_looser() {
        let native = allow_list(vec![Arch::X86_64], vec![allow(&["read"], &[])]);
        let both = allow_list(vec![Arch::X86_64, Arch::X86], vec![allow(&["read"], &[])]);
        assert_eq!(verdict(&native, &both), Ok(()));
        assert_eq!(witness(&both, &native).arch, Arch::X86);
    }

    #[test]
    fn multiplexed_calls_count() {
        let direct = allow_list(vec![Arch::X86], vec![allow(&["socket"], &[condition(0, Op::Eq, 1)])]);
        let muxed = allow_list(
            vec![Arch::X86],
            vec![allow(&["socket"], &[condition(0, Op::Eq, 1)]), allow(&["socketcall"], &[])],
        );
        assert_eq!(verdict(&direct, &muxed), Ok(()));
        assert_eq!(witness(&muxed, &direct).call.as_deref(), Some("socketcall"));
    }

    #[test]
    fn names_that_nobody_knows_are_compared_as_names() {
        let one = allow_list(vec![], vec![allow(&["brand_new"], &[])]);
        let none = allow_list(vec![], vec![]);
        assert_eq!(verdict(&none, &one), Ok(()));
        assert_eq!(witness(&one, &none).call.as_deref(), Some("brand_new"));
    }
}
