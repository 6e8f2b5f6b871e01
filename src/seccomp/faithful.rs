//! Which rules libseccomp compiles to what they say.
//!
//! It builds a tree of 32-bit comparisons for each call, and where conditional rules share nodes it goes wrong: calls that
//! no rule names come out allowed, calls that a rule allows come out refused (versions 2.5.4 to 2.6 alike). The shapes below
//! were found right in every one of hundreds of thousands of random rule sets, and the property tests keep compiling more of
//! them; of shapes outside, about one in ten comes out wrong. batten writes only these, and where it is given others it
//! takes no rule at its word.

use super::action::Op;
use super::domain::Width;
use super::filter::Clause;
use super::profile::Condition;

/// How many different clauses for one call are one too many: each is a comparison, and the kernel takes 4096 instructions in
/// all (`BPF_MAXINSNS`). Clauses are held against each other, so more are not looked at.
pub(super) const TOO_MANY: usize = 4096;

/// Whether the filter that libseccomp compiles of `clauses` for one call means what they say.
pub(super) fn is_faithful(clauses: &[Clause<'_>], width: Width) -> bool {
    if clauses.len() < 2 {
        return true;
    }
    if clauses.len() >= TOO_MANY {
        return false;
    }
    if are_refused(clauses, width) {
        return false;
    }
    meet_in_no_wrong_node(clauses, width) || is_decided_by_one_argument(clauses, width)
}

/// Whether all clauses first ask for one value of the same argument. Each value has a branch of the tree to itself, and a
/// branch with one clause only shares nothing.
fn is_decided_by_one_argument(clauses: &[Clause<'_>], width: Width) -> bool {
    let first = |clause: &Clause<'_>| {
        let first = clause.conditions.iter().min_by_key(|condition| condition.index)?;
        (first.op == Op::Eq).then(|| (first.index, width.cut(first.value)))
    };
    let Some((index, value)) = first(&clauses[0]) else { return false };
    let mut values = Vec::with_capacity(clauses.len());
    for clause in clauses {
        match first(clause) {
            Some((other, found)) if other == index && found >> 32 == value >> 32 && !values.contains(&found) => {
                values.push(found);
            }
            _ => return false,
        }
    }
    true
}

/// What libseccomp compares: the argument, how, with what, and what must be left of it under a mask.
type Cut = (u32, Op, u64, u64);

fn cut(condition: &Condition, width: Width) -> Cut {
    let value = width.cut(condition.value);
    let datum = if condition.op == Op::MaskedEq { condition.value_two & value } else { 0 };
    (condition.index, condition.op, value, datum)
}

/// Whether libseccomp may never come to an end with `clauses` (2.5.4 to 2.6.1). Two ways lead on from a 64-bit comparison
/// other than for equality, by its upper half and by its lower. Where two rules share one and go on otherwise, what the second
/// goes on with is put into the tree twice, and from then on stands before itself (`_db_tree_add` in its `src/db.c`): whoever
/// looks for the first of the row looks for ever. What comes before it need be shared by the upper half only.
#[cfg(feature = "cli")]
pub(super) fn may_never_end(clauses: &[Clause<'_>], width: Width) -> bool {
    if width == Width::Half || clauses.len() >= TOO_MANY {
        return false;
    }
    let ordered = |clause: &Clause<'_>| {
        let mut conditions: Vec<_> = clause.conditions.iter().map(|condition| cut(condition, width)).collect();
        conditions.sort_by_key(|(index, ..)| *index);
        conditions
    };
    let rules: Vec<_> = clauses.iter().filter(|clause| clause.conditions.len() > 1).map(ordered).collect();
    let meet = |one: &[Cut], two: &[Cut]| {
        let pairs = || one.iter().zip(two);
        let mut shared = pairs().take_while(|(one, two)| one == two || share_the_upper_half(one, two));
        let fork = shared.position(|(one, two)| one == two && !matches!(one.1, Op::Eq | Op::MaskedEq));
        fork.is_some_and(|fork| pairs().skip(fork + 1).any(|(one, two)| one != two))
    };
    (1..rules.len()).any(|at| rules[..at].iter().any(|earlier| meet(earlier, &rules[at])))
}

/// Whether two comparisons go on by the same way of the same comparison of upper halves. One for equality goes on by the
/// lower half only.
#[cfg(feature = "cli")]
fn share_the_upper_half((one, op, value, _): &Cut, (two, other, given, _): &Cut) -> bool {
    let is_one_way = match op {
        Op::Gt | Op::Ge => matches!(other, Op::Gt | Op::Ge),
        Op::Lt | Op::Le => matches!(other, Op::Lt | Op::Le),
        Op::Ne => *other == Op::Ne,
        Op::Eq | Op::MaskedEq => false,
    };
    one == two && value >> 32 == given >> 32 && is_one_way
}

/// Whether a rule is another one's beginning, comes after it and has another verdict: libseccomp does not take it, and no
/// container starts. Its tree compares arguments in their order, so the beginning is the conditions on the first of them.
fn are_refused(clauses: &[Clause<'_>], width: Width) -> bool {
    let begins = |short: &Clause<'_>, long: &Clause<'_>| {
        let last = short.conditions.iter().map(|condition| condition.index).max();
        let beginning = || long.conditions.iter().filter(|condition| Some(condition.index) <= last);
        beginning().count() == short.conditions.len()
            && short.conditions.iter().all(|one| beginning().any(|other| cut(one, width) == cut(other, width)))
    };
    let against =
        |later: &Clause<'_>, earlier: &Clause<'_>| earlier.verdict() != later.verdict() && begins(later, earlier);
    (1..clauses.len()).any(|at| clauses[..at].iter().any(|earlier| against(&clauses[at], earlier)))
}

fn meet_in_no_wrong_node(clauses: &[Clause<'_>], width: Width) -> bool {
    let many = |clause: &&Clause<'_>| clause.conditions.len() > 1;
    let masks = |condition: &Condition| matches!(condition.op, Op::Eq | Op::MaskedEq);
    clauses.iter().filter(many).all(|clause| clause.conditions.iter().all(masks))
        && ranges_share_a_high_word(clauses, width)
        && !shares_a_node_with_ne(clauses, width)
}

fn is_range(op: Op) -> bool {
    matches!(op, Op::Lt | Op::Le | Op::Ge | Op::Gt)
}

/// All that is compared with an argument that also has ranges must agree in the upper 32 bits: one tree level compares
/// them all.
fn ranges_share_a_high_word(clauses: &[Clause<'_>], width: Width) -> bool {
    let conditions = || clauses.iter().flat_map(|clause| clause.conditions.iter());
    let high = |condition: &Condition| width.cut(condition.value) >> 32;
    conditions().filter(|condition| is_range(condition.op)).all(|range| {
        let compared = |other: &&Condition| other.index == range.index && other.op != Op::MaskedEq;
        conditions().filter(compared).all(|other| high(other) == high(range))
    })
}

/// `NE v` alone and `EQ w` among several conditions meet in one node where halves of v and w are the same.
fn shares_a_node_with_ne(clauses: &[Clause<'_>], width: Width) -> bool {
    let alone = |clause: &Clause<'_>| matches!(*clause.conditions, [one] if one.op == Op::Ne);
    clauses.iter().enumerate().filter(|(_, clause)| alone(clause)).any(|(at, ne)| {
        let unequal = ne.conditions[0];
        clauses.iter().enumerate().filter(|(_, other)| other.conditions.len() > 1).any(|(there, other)| {
            let suspect = other.verdict() == ne.verdict() || at < there;
            suspect && other.conditions.iter().any(|equal| equal.op == Op::Eq && share_a_half(equal, &unequal, width))
        })
    })
}

fn share_a_half(one: &Condition, two: &Condition, width: Width) -> bool {
    let differ = one.value ^ two.value;
    one.index == two.index && (Width::Half.cut(differ) == 0 || (width == Width::Full && differ >> 32 == 0))
}
