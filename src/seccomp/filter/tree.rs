//! The tree of 32-bit comparisons that libseccomp makes of the rules for one call.
//!
//! Every condition is one comparison, or two or three where 64 bits are compared (`_db_rule_gen_32` and `_db_rule_gen_64` in
//! its `src/db.c`); rules that begin alike share them (`_db_tree_add`). What a comparison leads nowhere goes on with the next
//! one on its level.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Clause;
use crate::seccomp::action::Op;
use crate::seccomp::domain::Width;
use crate::seccomp::profile::Condition;
use crate::seccomp::verdict::Verdict;

/// The comparisons for one call.
#[derive(Debug)]
pub(super) struct Tree(Vec<Comparison>);

/// One comparison, and where it leads.
#[derive(Debug, Clone)]
struct Comparison {
    /// Which half of which argument: twice its index, and one more for the upper half.
    word: u32,
    jump: Jump,
    rank: Rank,
    /// Of two that ask the same, one under a mask of all bits, libseccomp makes two.
    is_masked: bool,
    mask: u32,
    datum: u32,
    yes: Way,
    no: Way,
}

/// What the kernel's machine can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Jump {
    Equal,
    Greater,
    AtLeast,
}

/// In which order the comparisons of one word stand on a level (`_db_chain_lt`), the last first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    AtLeast,
    AtMost,
    Equal,
}

/// Where a comparison leads.
#[derive(Debug, Clone)]
enum Way {
    /// To the next one on the level, or behind the last to the next of the level above.
    Next,
    Verdict(Verdict),
    Level(Vec<Comparison>),
}

/// A comparison that loads nothing, because the one before it has compared the same word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotLoading {
    /// Two with the same are written once.
    pub(super) signature: u64,
    /// What the signature must have, whatever follows.
    pub(super) head: u64,
    /// The one before it leads on to others, which come back here with another word loaded.
    pub(super) is_returned_to: bool,
}

impl Tree {
    /// The tree for `clauses`, whose conditions are cut to `width`.
    pub(super) fn of(clauses: &[Clause<'_>], width: Width) -> Self {
        let mut first = Vec::new();
        for clause in clauses {
            if let Way::Level(chain) = chain(clause, width) {
                for comparison in chain {
                    add(&mut first, comparison);
                }
            }
        }
        Self(first)
    }

    /// The comparisons that load nothing (`_gen_bpf_node` in libseccomp's `src/gen_bpf.c`).
    pub(super) fn not_loading(&self) -> Vec<NotLoading> {
        let mut found = Vec::new();
        sign(&self.0, None, 0, &mut found);
        found
    }
}

/// The signature of what a level begins with; `next` is that of what follows it.
fn sign(level: &[Comparison], above: Option<&Comparison>, next: u64, found: &mut Vec<NotLoading>) -> u64 {
    (0..level.len()).rev().fold(next, |next, at| {
        let comparison = &level[at];
        let before = if at == 0 { above } else { Some(&level[at - 1]) };
        let loaded = before.filter(|before| comparison.finds_loaded(before)).map(|before| before.mask);
        let mut follow = |way: &Way| match way {
            Way::Next => (0, next),
            Way::Verdict(verdict) => (1, hashed(verdict)),
            Way::Level(level) => (2, sign(level, Some(comparison), next, found)),
        };
        let ways = [follow(&comparison.yes), follow(&comparison.no)];
        let verdicts = ways.map(|(kind, signature)| if kind == 1 { signature } else { 0 });
        let asked = (loaded, comparison.word, comparison.jump, comparison.mask, comparison.datum);
        let signature = hashed((asked, ways.map(|(_, signature)| signature)));
        if loaded.is_some() {
            let is_returned_to = at > 0 && before.is_some_and(Comparison::leads_on);
            found.push(NotLoading { signature, head: hashed((asked, verdicts)), is_returned_to });
        }
        signature
    })
}

/// What differs may be taken for the same, once in a very long time: then a rule counts as one that may be mistaken.
fn hashed(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Comparison {
    fn finds_loaded(&self, before: &Self) -> bool {
        self.word == before.word && self.mask & before.mask == self.mask
    }

    fn leads_on(&self) -> bool {
        matches!(self.yes, Way::Level(_)) || matches!(self.no, Way::Level(_))
    }

    fn is(&self, other: &Self) -> bool {
        let asked = |one: &Self| (one.word, one.jump, one.is_masked, one.mask, one.datum);
        asked(self) == asked(other)
    }

    /// Whether libseccomp puts `other` in front of this one.
    fn comes_after(&self, other: &Self) -> bool {
        let nearer = match self.rank {
            Rank::AtMost => self.datum.cmp(&other.datum).reverse(),
            Rank::AtLeast | Rank::Equal => self.datum.cmp(&other.datum),
        };
        (self.word, self.rank).cmp(&(other.word, other.rank)).then(nearer).is_lt()
    }
}

impl Way {
    /// Adds what another rule says: the shorter one counts.
    fn add(&mut self, new: Self) {
        match (self, new) {
            (_, Self::Next) | (Self::Verdict(_), _) => {}
            (Self::Level(own), Self::Level(new)) => new.into_iter().for_each(|comparison| add(own, comparison)),
            (own, new) => *own = new,
        }
    }
}

fn add(level: &mut Vec<Comparison>, new: Comparison) {
    for at in 0..level.len() {
        let known = &mut level[at];
        if known.is(&new) {
            known.yes.add(new.yes);
            known.no.add(new.no);
            return;
        }
        if known.comes_after(&new) {
            level.insert(at, new);
            return;
        }
    }
    level.push(new);
}

fn chain(clause: &Clause<'_>, width: Width) -> Way {
    let mut conditions: Vec<&Condition> = clause.conditions.iter().collect();
    conditions.sort_by_key(|condition| std::cmp::Reverse(condition.index));
    conditions.into_iter().fold(Way::Verdict(clause.verdict()), |then, condition| match width {
        Width::Half => lower(condition, then),
        Width::Full => both(condition, then),
    })
}

/// Compares the upper half and then the lower one.
fn both(condition: &Condition, then: Way) -> Way {
    let upper = |jump, yes, no| one(condition, condition.index * 2 + 1, 32, jump, yes, no);
    match condition.op {
        Op::Eq | Op::MaskedEq => upper(Jump::Equal, lower(condition, then), Way::Next),
        Op::Ne => upper(Jump::Equal, lower(condition, then.clone()), then),
        Op::Gt | Op::Ge => {
            let equal = upper(Jump::Equal, lower(condition, then.clone()), Way::Next);
            upper(Jump::Greater, then, equal)
        }
        Op::Lt | Op::Le => {
            let equal = upper(Jump::Equal, lower(condition, then.clone()), then);
            upper(Jump::Greater, Way::Next, equal)
        }
    }
}

fn lower(condition: &Condition, then: Way) -> Way {
    let (jump, holds) = match condition.op {
        Op::Eq | Op::MaskedEq => (Jump::Equal, true),
        Op::Ne => (Jump::Equal, false),
        Op::Gt => (Jump::Greater, true),
        Op::Le => (Jump::Greater, false),
        Op::Ge => (Jump::AtLeast, true),
        Op::Lt => (Jump::AtLeast, false),
    };
    let (yes, no) = if holds { (then, Way::Next) } else { (Way::Next, then) };
    one(condition, condition.index * 2, 0, jump, yes, no)
}

#[expect(clippy::cast_possible_truncation, reason = "half of the value is asked for")]
fn one(condition: &Condition, word: u32, shift: u32, jump: Jump, yes: Way, no: Way) -> Way {
    let (mask, datum) = match condition.op {
        Op::MaskedEq => (condition.value, condition.value_two & condition.value),
        _ => (u64::MAX, condition.value),
    };
    let rank = match condition.op {
        Op::Eq | Op::Ne | Op::MaskedEq => Rank::Equal,
        Op::Lt | Op::Le => Rank::AtMost,
        Op::Gt | Op::Ge => Rank::AtLeast,
    };
    let half = |value: u64| (value >> shift) as u32;
    let is_masked = condition.op == Op::MaskedEq;
    Way::Level(vec![Comparison { word, jump, rank, is_masked, mask: half(mask), datum: half(datum), yes, no }])
}
