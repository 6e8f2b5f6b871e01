//! The values of one argument.

use super::{Width, opposite};
use crate::seccomp::action::Op;
use crate::seccomp::profile::Condition;

/// The values from `low` to `high` whose bits under `mask` are `datum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::seccomp) struct Atom {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) mask: u64,
    pub(super) datum: u64,
}

impl Atom {
    pub(super) const fn interval(low: u64, high: u64) -> Self {
        Self { low, high, mask: 0, datum: 0 }
    }

    /// Every value.
    pub(in crate::seccomp) const fn all(width: Width) -> Self {
        Self::interval(0, width.max())
    }

    /// The smallest value, if there is any.
    pub(in crate::seccomp) fn least(self) -> Option<u64> {
        let Self { low, high, mask, datum } = self;
        if low > high {
            return None;
        }
        let agreed = (low & !mask) | datum;
        let value = if agreed == low {
            low
        } else {
            let differ = (agreed ^ low).ilog2();
            let below = (1u64 << differ) - 1;
            if agreed > low {
                // The datum already lifts the value above `low`; everything free below that bit can be 0.
                (agreed & !below) | (datum & below)
            } else {
                // The datum pulls it below: the next free 0 bit above must become 1 to make up for it.
                let above = !below & !(1u64 << differ);
                let room = !mask & !low & above;
                if room == 0 {
                    return None;
                }
                let bit = room.trailing_zeros();
                let rest = (1u64 << bit) - 1;
                (low & !rest) | (1u64 << bit) | (datum & rest)
            }
        };
        (value <= high).then_some(value)
    }

    /// The values in both.
    pub(in crate::seccomp) fn and(self, other: Self) -> Option<Self> {
        if (self.datum ^ other.datum) & self.mask & other.mask != 0 {
            return None;
        }
        let both = Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
            mask: self.mask | other.mask,
            datum: self.datum | other.datum,
        };
        both.least().map(|_| both)
    }

    /// The atoms that `condition` holds for: one, or two for `NE`, or none.
    pub(in crate::seccomp) fn of(condition: &Condition, width: Width) -> impl Iterator<Item = Self> {
        let max = width.max();
        let value = width.cut(condition.value);
        let (one, two) = match condition.op {
            Op::Eq => (Some(Self::interval(value, value)), None),
            Op::Ne => (below(value), above(value, max)),
            Op::Lt => (below(value), None),
            Op::Le => (Some(Self::interval(0, value)), None),
            Op::Gt => (above(value, max), None),
            Op::Ge => (Some(Self::interval(value, max)), None),
            Op::MaskedEq => {
                let datum = value & condition.value_two;
                let masked = Self { mask: value, datum, ..Self::all(width) };
                (Some(block(value, datum, width).unwrap_or(masked)), None)
            }
        };
        one.into_iter().chain(two)
    }

    /// The atoms, apart from each other, that `condition` does not hold for.
    pub(in crate::seccomp) fn besides(condition: &Condition, width: Width) -> Vec<Self> {
        if let Some(opposite) = opposite(condition) {
            return Self::of(&opposite, width).collect();
        }
        let mask = width.cut(condition.value);
        let datum = mask & condition.value_two;
        match block(mask, datum, width) {
            Some(block) => below(block.low).into_iter().chain(above(block.high, width.max())).collect(),
            None => unmasked(mask, datum, width),
        }
    }

    /// Those of its values that are not in `hole`, as atoms apart from each other.
    pub(super) fn minus(self, hole: Self) -> Vec<Self> {
        let Some(inside) = self.and(Self::interval(hole.low, hole.high)) else { return vec![self] };
        let sides = [below(hole.low), above(hole.high, u64::MAX)].into_iter().flatten();
        let around = sides.filter_map(|side| self.and(side));
        let unlike = unmasked(hole.mask, hole.datum, Width::Full).into_iter().filter_map(|atom| inside.and(atom));
        around.chain(unlike).collect()
    }

    /// The one value that lies between two intervals, if only that keeps them from being everything.
    pub(in crate::seccomp) fn gap(self, other: Self) -> Option<u64> {
        let (low, high) = if self.low < other.low { (self, other) } else { (other, self) };
        let plain = low.mask == 0 && high.mask == 0 && low.low == 0 && high.high == u64::MAX;
        (plain && high.low.checked_sub(low.high) == Some(2)).then(|| low.high + 1)
    }

    /// The same values without bounds that the mask keeps anyway.
    const fn loosened(self) -> Self {
        let Self { mask, datum, .. } = self;
        let low = if datum >= self.low { 0 } else { self.low };
        let high = if datum | !mask <= self.high { u64::MAX } else { self.high };
        Self { low, high, mask, datum }
    }

    /// Conditions on argument `index` that hold, one or another, for just these values. Only masks are used where `masks`
    /// says so. None for every value: that needs no condition.
    pub(in crate::seccomp) fn conditions(self, index: u32, masks: bool) -> Option<Vec<Condition>> {
        let one = |op, value, value_two| Some(vec![Condition { index, value, value_two, op }]);
        if self.low == self.high || self.mask == u64::MAX {
            return one(Op::Eq, self.low.max(self.datum), 0);
        }
        let Self { low, high, mask, datum } = self.loosened();
        if low == 0 && high == u64::MAX {
            return if mask == 0 { None } else { one(Op::MaskedEq, mask, datum) };
        }
        if mask == 0 && !masks {
            if low == 0 {
                return one(Op::Le, high, 0);
            }
            if high == u64::MAX {
                return one(Op::Ge, low, 0);
            }
        }
        let mut conditions = Vec::new();
        for block in blocks(low, high) {
            let cube = Self { low: 0, high: u64::MAX, mask: block.mask, datum: block.datum };
            let fixed = Self { low: 0, high: u64::MAX, mask, datum };
            if let Some(cube) = cube.and(fixed) {
                let op = if cube.mask == u64::MAX { Op::Eq } else { Op::MaskedEq };
                let (value, value_two) = if op == Op::Eq { (cube.datum, 0) } else { (cube.mask, cube.datum) };
                conditions.push(Condition { index, value, value_two, op });
            }
        }
        Some(conditions)
    }
}

/// The interval that a mask of all upper bits describes: intervals are split into far fewer parts than masks.
fn block(mask: u64, datum: u64, width: Width) -> Option<Atom> {
    let free = width.max() & !mask;
    (free & free.wrapping_add(1) == 0).then(|| Atom::interval(datum, datum | free))
}

fn below(value: u64) -> Option<Atom> {
    value.checked_sub(1).map(|high| Atom::interval(0, high))
}

fn above(value: u64, max: u64) -> Option<Atom> {
    (value < max).then(|| Atom::interval(value + 1, max))
}

/// The values that differ from `datum` under `mask`, split by the highest bit in which they do: what is written for an
/// interval ([`blocks`]) meets only one of these.
fn unmasked(mask: u64, datum: u64, width: Width) -> Vec<Atom> {
    let bits = (0..64).rev().map(|bit| 1u64 << bit).filter(|bit| mask & bit != 0);
    bits.map(|bit| {
        let agree = mask & !(bit | (bit - 1));
        Atom { mask: agree | bit, datum: (datum & agree) | (!datum & bit), ..Atom::all(width) }
    })
    .collect()
}

/// An interval as blocks that are each one mask: the fewest, at most 126.
fn blocks(low: u64, high: u64) -> Vec<Atom> {
    let mut blocks = Vec::new();
    let mut from = low;
    loop {
        let mut size = if from == 0 { 63 } else { from.trailing_zeros() };
        while size > 0 && (from | ((1u64 << size) - 1)) > high {
            size -= 1;
        }
        let free = (1u64 << size) - 1;
        blocks.push(Atom { low: 0, high: u64::MAX, mask: !free, datum: from });
        let last = from | free;
        if last >= high {
            return blocks;
        }
        from = last + 1;
    }
}

/// The 32-bit values from `low` to `high` as masks with their data.
#[cfg(feature = "cli")]
pub(in crate::seccomp) fn low_blocks(low: u32, high: u32) -> impl Iterator<Item = (u32, u32)> {
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is asked for")]
    let half = |wide: u64| wide as u32;
    blocks(low.into(), high.into()).into_iter().map(move |block| (half(block.mask), half(block.datum)))
}
