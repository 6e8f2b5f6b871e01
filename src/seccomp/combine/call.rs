//! One call, combined.

use std::borrow::Cow;

use super::Choice;
use super::written::written;
use crate::seccomp::domain::{Region, Width, opposite};
use crate::seccomp::faithful::is_faithful;
use crate::seccomp::filter::{Clause, Decision, Ruled};
use crate::seccomp::layout::Layout;
use crate::seccomp::profile::Condition;
use crate::seccomp::subset::{first_looser, remainder};
use crate::seccomp::verdict::Verdict;

/// How many regions a call's conditions may be split into. Past that the filter would be too long for the kernel anyway.
const BUDGET: usize = 2_000;

/// What the result says of a call. What no clause claims gets the result's default.
#[derive(Debug, Clone)]
pub(in crate::seccomp) enum Said<'c> {
    /// It is not named.
    Nothing,
    /// All its calls.
    Always(Verdict),
    /// Some of its calls.
    Clauses(Vec<Clause<'c>>),
}

/// What two profiles say of one call.
#[derive(Clone, Copy)]
pub(super) struct Call<'f, 'p> {
    pub(super) a: &'f Decision<'p>,
    pub(super) b: &'f Decision<'p>,
    pub(super) a_default: Verdict,
    pub(super) b_default: Verdict,
    pub(super) choice: Choice,
    /// Some architecture compares only 32 bits.
    pub(super) half: bool,
    /// Some architecture loses one profile's rules (see [`Filter::is_lost_on`]), or mistakes those for the call (see
    /// [`Filter::mistaken`]).
    ///
    /// [`Filter::is_lost_on`]: crate::seccomp::Filter::is_lost_on
    /// [`Filter::mistaken`]: crate::seccomp::Filter::mistaken
    pub(super) lost: bool,
}

/// What becomes of error numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Kept,
    /// What fails fails with the default's number: one rule fewer, where rules for both cannot be said.
    Blurred,
}

impl Numbers {
    fn of(self, verdict: Verdict, default: Verdict) -> Verdict {
        if self == Self::Blurred && verdict.action() == default.action() { default } else { verdict }
    }
}

/// Calls that get one verdict.
#[derive(Clone)]
struct Piece<'c> {
    /// The conditions of a clause that says just this, if there is one.
    clause: Option<Cow<'c, [Condition]>>,
    regions: Vec<Region>,
    verdict: Verdict,
}

impl<'p> Call<'_, 'p> {
    /// The verdicts of both, combined; `default` is the result's.
    pub(super) fn combined(&self, default: Verdict) -> Said<'p> {
        let named = self.a.named || self.b.named;
        if self.a.live().is_empty() && self.b.live().is_empty() {
            return if named { Said::Always(self.furthest()) } else { Said::Nothing };
        }
        let otherwise = self.otherwise();
        let holds = |said: &Said<'_>| !self.half || self.holds_cut(said, default);
        let attempt = |numbers| self.exact(otherwise, default, numbers).filter(holds);
        let exact = if self.is_trusted() { attempt(Numbers::Kept).or_else(|| attempt(Numbers::Blurred)) } else { None };
        exact.unwrap_or_else(|| Said::Always(self.furthest()))
    }

    fn otherwise(&self) -> Verdict {
        self.choice.of(self.a.otherwise(self.a_default), self.b.otherwise(self.b_default))
    }

    /// The strictest verdict that either has for any call through any interface, or the loosest. Where a mask is cut to
    /// nothing, an earlier rule may take the call.
    fn furthest(&self) -> Verdict {
        let full = self.furthest_of(self.a, self.b);
        let half = || self.furthest_of(&self.a.cut(Width::Half), &self.b.cut(Width::Half));
        if self.half { self.choice.of(full, half()) } else { full }
    }

    fn furthest_of(&self, a: &Decision<'_>, b: &Decision<'_>) -> Verdict {
        let otherwise = self.choice.of(a.otherwise(self.a_default), b.otherwise(self.b_default));
        let clauses = a.live().iter().chain(b.live()).map(Clause::verdict);
        clauses.fold(otherwise, |one, two| self.choice.of(one, two))
    }

    /// Whether libseccomp makes of both what they say.
    fn is_trusted(&self) -> bool {
        !self.lost
            && [self.a, self.b].into_iter().all(|decision| {
                is_faithful(decision.live(), Width::Full)
                    && (!self.half || is_faithful(decision.cut(Width::Half).live(), Width::Half))
            })
    }

    fn exact(&self, otherwise: Verdict, default: Verdict, numbers: Numbers) -> Option<Said<'p>> {
        let mut budget = BUDGET;
        let mut pieces = self.pieces(&mut budget)?;
        for piece in &mut pieces {
            piece.verdict = numbers.of(piece.verdict, default);
        }
        let otherwise = numbers.of(otherwise, default);
        if otherwise == default {
            pieces.retain(|piece| piece.verdict != default);
        } else {
            pieces.retain(|piece| piece.verdict != otherwise);
            if pieces.is_empty() {
                return Some(Said::Always(otherwise));
            }
            pieces.push(complement(&pieces, otherwise, &mut budget)?);
            pieces.retain(|piece| piece.verdict != default);
        }
        if pieces.is_empty() {
            return Some(Said::Always(default));
        }
        let plain = write(&pieces, false).filter(|clauses| self.is_said_right(clauses));
        // Sixty rules for the sake of a number would be too many.
        let masked = || write(&pieces, true).filter(|clauses| self.is_said_right(clauses));
        plain.or_else(|| if numbers == Numbers::Blurred { masked() } else { None }).map(Said::Clauses)
    }

    /// All calls on which a clause of either counts, split by verdict. No call is in two pieces with different verdicts.
    fn pieces(&self, budget: &mut usize) -> Option<Vec<Piece<'p>>> {
        let mine = apart(self.a, self.choice, budget)?;
        let theirs = apart(self.b, self.choice, budget)?;
        let (a_else, b_else) = (self.a.otherwise(self.a_default), self.b.otherwise(self.b_default));
        let mut pieces = Vec::with_capacity(mine.len() + theirs.len());
        for piece in &mine {
            self.split(piece, &theirs, b_else, true, &mut pieces, budget)?;
        }
        for piece in &theirs {
            self.split(piece, &mine, a_else, false, &mut pieces, budget)?;
        }
        Some(pieces)
    }

    /// What becomes of `piece` where it meets `others`, and (with `otherwise`) where it does not. The second of two profiles
    /// leaves `meetings` out: they are the first's already.
    fn split(
        &self,
        piece: &Piece<'p>,
        others: &[Piece<'p>],
        otherwise: Verdict,
        meetings: bool,
        pieces: &mut Vec<Piece<'p>>,
        budget: &mut usize,
    ) -> Option<()> {
        let alone = self.choice.of(piece.verdict, otherwise);
        let mut met: Vec<(Region, Verdict)> = Vec::new();
        for other in others {
            let verdict = self.choice.of(piece.verdict, other.verdict);
            let pairs = piece.regions.iter().flat_map(|one| other.regions.iter().filter_map(|two| one.meet(two)));
            met.extend(pairs.map(|region| (region, verdict)));
        }
        if met.len() > *budget {
            return None;
        }
        *budget -= met.len();
        if met.iter().all(|(_, verdict)| *verdict == alone) {
            pieces.push(Piece { clause: piece.clause.clone(), regions: piece.regions.clone(), verdict: alone });
            return Some(());
        }
        let rest = subtract(&piece.regions, others, budget)?;
        match met.first() {
            Some((_, verdict)) if rest.is_empty() && met.iter().all(|(_, other)| other == verdict) => {
                if meetings {
                    let (clause, regions) = (piece.clause.clone(), piece.regions.clone());
                    pieces.push(Piece { clause, regions, verdict: *verdict });
                }
            }
            _ => {
                let met = met.into_iter().filter(|_| meetings);
                pieces.extend(met.map(|(region, verdict)| Piece { clause: None, regions: vec![region], verdict }));
                if !rest.is_empty() {
                    pieces.push(Piece { clause: None, regions: rest, verdict: alone });
                }
            }
        }
        Some(())
    }

    /// Whether libseccomp compiles `clauses` to what they say.
    fn is_said_right(&self, clauses: &[Clause<'p>]) -> bool {
        let decision = Decision { clauses: clauses.to_vec(), ..Decision::default() };
        let keeps_its_conditions = |cut: &Decision<'_>| {
            let lengths =
                |decision: &Decision<'_>| decision.clauses.iter().map(|clause| clause.conditions.len()).sum::<usize>();
            cut.always.is_none() && lengths(cut) == lengths(&decision)
        };
        is_faithful(&decision.clauses, Width::Full)
            && (!self.half || {
                let cut = decision.cut(Width::Half);
                keeps_its_conditions(&cut) && is_faithful(&cut.clauses, Width::Half)
            })
    }

    /// Whether the result still errs on the right side where conditions are cut to 32 bits.
    fn holds_cut(&self, said: &Said<'p>, default: Verdict) -> bool {
        let result = match said {
            Said::Nothing => Decision::default(),
            Said::Always(verdict) => {
                Decision { always: Some(Ruled { verdict: *verdict, rule: 0 }), ..Decision::default() }
            }
            Said::Clauses(clauses) => Decision { clauses: clauses.clone(), ..Decision::default() },
        };
        let result = result.cut(Width::Half);
        let sides = [(self.a, self.a_default), (self.b, self.b_default)];
        sides.into_iter().all(|(side, side_default)| {
            let side = side.cut(Width::Half);
            let (found, decided) = match self.choice {
                Choice::Stricter => first_looser(&result, default, &side, side_default, Width::Half),
                Choice::Looser => first_looser(&side, side_default, &result, default, Width::Half),
            };
            found.is_none() && decided
        })
    }
}

/// A profile's clauses as pieces. Where clauses with different verdicts contend for a call, `choice` has it.
fn apart<'p>(decision: &Decision<'p>, choice: Choice, budget: &mut usize) -> Option<Vec<Piece<'p>>> {
    let whole = |clause: &Clause<'p>| Piece {
        clause: Some(clause.conditions.clone()),
        regions: Region::of(&clause.conditions, Width::Full),
        verdict: clause.verdict(),
    };
    let mut pieces: Vec<Piece<'p>> = decision.live().iter().map(whole).collect();
    let same = pieces.windows(2).all(|pair| pair[0].verdict == pair[1].verdict);
    if same {
        return Some(pieces);
    }
    pieces.sort_by(|one, two| {
        let order = one.verdict.cmp(&two.verdict);
        if choice == Choice::Stricter { order.reverse() } else { order }
    });
    for at in 1..pieces.len() {
        let (before, after) = pieces.split_at_mut(at);
        let piece = &mut after[0];
        let contends = |other: &&Piece<'_>| {
            other.verdict != piece.verdict
                && piece.regions.iter().any(|one| other.regions.iter().any(|two| one.meet(two).is_some()))
        };
        if before.iter().any(|other| contends(&other)) {
            let winners = before.iter().filter(|other| other.verdict != piece.verdict);
            let mut regions = piece.regions.clone();
            for winner in winners {
                regions = subtract_one(&regions, winner, budget)?;
            }
            *piece = Piece { clause: None, regions, verdict: piece.verdict };
        }
    }
    pieces.retain(|piece| !piece.regions.is_empty());
    Some(pieces)
}

fn subtract(regions: &[Region], others: &[Piece<'_>], budget: &mut usize) -> Option<Vec<Region>> {
    others.iter().try_fold(regions.to_vec(), |left, other| subtract_one(&left, other, budget))
}

fn subtract_one(regions: &[Region], other: &Piece<'_>, budget: &mut usize) -> Option<Vec<Region>> {
    if let Some(conditions) = &other.clause {
        let mut rest = Vec::new();
        let whole = |region| remainder(region, &[conditions], Width::Full, budget, &mut rest);
        return regions.iter().all(whole).then_some(rest);
    }
    let mut rest = regions.to_vec();
    for hole in &other.regions {
        rest = rest.iter().flat_map(|region| region.minus(hole)).collect();
        *budget = budget.checked_sub(rest.len())?;
    }
    Some(rest)
}

/// Every call that is in no piece.
fn complement<'c>(pieces: &[Piece<'_>], verdict: Verdict, budget: &mut usize) -> Option<Piece<'c>> {
    if let [Piece { clause: Some(conditions), .. }] = pieces
        && let [condition] = &**conditions
        && let Some(opposite) = opposite(condition)
    {
        let opposite = vec![opposite];
        let regions = Region::of(&opposite, Width::Full);
        return Some(Piece { clause: Some(Cow::Owned(opposite)), regions, verdict });
    }
    let regions = subtract(&[Region::all(Width::Full)], pieces, budget)?;
    Some(Piece { clause: None, regions, verdict })
}

/// The pieces as OCI clauses, if there are not too many; with masks only, which libseccomp never gets wrong, if so asked.
fn write<'c>(pieces: &[Piece<'c>], masks: bool) -> Option<Vec<Clause<'c>>> {
    let mut clauses: Vec<Clause<'c>> = Vec::new();
    let (whole, parts): (Vec<_>, Vec<_>) = pieces.iter().partition(|piece| piece.clause.is_some() && !masks);
    let mut verdicts: Vec<Verdict> = Vec::new();
    for piece in &parts {
        if !verdicts.contains(&piece.verdict) {
            verdicts.push(piece.verdict);
        }
    }
    let parts = verdicts.into_iter().map(|verdict| {
        let same = parts.iter().filter(|piece| piece.verdict == verdict);
        let regions: Vec<Region> = same.flat_map(|piece| piece.regions.iter().copied()).collect();
        Piece { clause: None, regions, verdict }
    });
    for piece in whole.into_iter().cloned().chain(parts) {
        let conditions: Vec<Cow<'c, [Condition]>> = match piece.clause {
            Some(clause) => vec![clause],
            None => written(&piece.regions, masks)?.into_iter().map(Cow::Owned).collect(),
        };
        for conditions in conditions {
            let ruled = Ruled { verdict: piece.verdict, rule: clauses.len() };
            add(&mut clauses, Clause { conditions, ruled });
        }
        if clauses.len() > super::written::LIMIT {
            return None;
        }
    }
    Some(clauses)
}

/// Adds `clause`, if none says the same.
fn add<'c>(clauses: &mut Vec<Clause<'c>>, clause: Clause<'c>) {
    if !clauses.iter().any(|known| known.conditions == clause.conditions && known.verdict() == clause.verdict()) {
        clauses.push(clause);
    }
}

impl<'c> Said<'c> {
    /// What `decision` says, where what it does not say gets `default`; `half`, if some architecture compares only 32 bits.
    pub(in crate::seccomp) fn of(decision: &Decision<'c>, default: Verdict, half: bool) -> Self {
        if let Some(ruled) = decision.always {
            // Where a mask is cut to nothing, an earlier rule takes the call: no order of rules says both, the stricter is
            // kept.
            let cut = if half { decision.cut(Width::Half).always } else { None };
            return Self::Always(cut.map_or(ruled.verdict, |cut| cut.verdict.max(ruled.verdict)));
        }
        if decision.clauses.is_empty() {
            // A rule that repeats the default. Runtimes skip it, but runc answers ENOSYS for numbers above the largest that
            // a profile names (`libcontainer/seccomp/patchbpf`), so the name still says something.
            return if decision.named { Self::Always(default) } else { Self::Nothing };
        }
        let mut clauses = Vec::with_capacity(decision.clauses.len());
        decision.clauses.iter().for_each(|clause| add(&mut clauses, clause.clone()));
        Self::Clauses(clauses)
    }

    /// Leaves only one verdict beside `default`, never a looser one: what is looser than the default goes, if anything is
    /// stricter, and else all but the loosest.
    pub(super) fn settle(&mut self, default: Verdict) {
        let Self::Clauses(clauses) = self else { return };
        let verdicts = || clauses.iter().map(Clause::verdict);
        let strictest = verdicts().fold(default, Verdict::max);
        if strictest == default {
            let loosest = verdicts().fold(default, Verdict::min);
            clauses.retain(|clause| clause.verdict() == loosest);
        } else {
            clauses.retain(|clause| clause.verdict() >= default);
            for clause in clauses {
                clause.ruled.verdict = strictest;
            }
        }
    }

    /// The clauses; none where it has no conditions.
    pub(super) fn clauses(&self) -> &[Clause<'c>] {
        match self {
            Self::Clauses(clauses) => clauses,
            Self::Nothing | Self::Always(_) => &[],
        }
    }

    pub(super) const fn clauses_mut(&mut self) -> Option<&mut Vec<Clause<'c>>> {
        match self {
            Self::Clauses(clauses) => Some(clauses),
            Self::Nothing | Self::Always(_) => None,
        }
    }

    /// Numbers the clauses in their order.
    pub(in crate::seccomp) fn number(&mut self) {
        (0..).zip(self.clauses_mut().into_iter().flatten()).for_each(|(number, clause)| clause.ruled.rule = number);
    }

    /// The strictest verdict that any call gets.
    pub(super) fn strictest(&self, default: Verdict) -> Verdict {
        match self {
            Self::Nothing => default,
            Self::Always(verdict) => *verdict,
            Self::Clauses(clauses) => clauses.iter().map(Clause::verdict).fold(default, Verdict::max),
        }
    }

    /// Puts it among the rules, by the numbers of its clauses.
    pub(in crate::seccomp) fn lay(self, layout: &mut Layout<'c>, name: Cow<'static, str>) {
        match self {
            Self::Nothing => {}
            Self::Always(verdict) => layout.always(name, verdict),
            Self::Clauses(clauses) => {
                for Clause { conditions, ruled } in clauses {
                    layout.clause(name.clone(), ruled.verdict, conditions, ruled.rule);
                }
            }
        }
    }
}
