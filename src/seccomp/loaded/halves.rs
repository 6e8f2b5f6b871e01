//! What a path through a program says of the six arguments: a program compares 32 bits at a time, so it is kept by halves.

use super::super::action::Op;
use super::super::bpf::Comparison;
use super::super::domain::{Region, Width, low_blocks};
use super::super::profile::Condition;

/// How many regions one path may come to.
const REGIONS: usize = 4_096;

/// Half of an argument, under a mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) index: u32,
    pub(super) high: bool,
    pub(super) mask: u32,
}

/// The arguments that lead down one path.
#[derive(Clone)]
pub(super) struct Halves {
    width: Width,
    known: Vec<Known>,
}

/// What is known of one half.
#[derive(Clone)]
struct Known {
    index: u32,
    high: bool,
    /// The values that are left, in order and apart from each other.
    ranges: Vec<(u32, u32)>,
    /// Bits that have (or do not all have) certain values: mask, value, which.
    bits: Vec<(u32, u32, bool)>,
}

impl Halves {
    pub(super) const fn new(width: Width) -> Self {
        Self { width, known: Vec::new() }
    }

    /// Those arguments for which the comparison of `half` with `right` comes out as `wanted`, in parts that have none in common;
    /// nothing when it is plain that there are none.
    pub(super) fn narrowed(&self, half: Half, comparison: Comparison, right: u32, wanted: bool) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut part = |narrow: &dyn Fn(&mut Known) -> bool| {
            let mut all = self.clone();
            if narrow(all.known(half.index, half.high)) {
                parts.push(all);
            }
        };
        let is_whole = half.mask == u32::MAX;
        match (comparison, wanted) {
            (Comparison::AnyBit, _) => part(&|known| known.narrow_bits(half.mask & right, 0, !wanted)),
            (Comparison::Equal, _) if right & !half.mask != 0 => part(&|_| !wanted),
            (Comparison::Equal, _) if !is_whole => part(&|known| known.narrow_bits(half.mask, right, wanted)),
            (Comparison::Equal, true) => part(&|known| known.keep(right, right)),
            (Comparison::Equal, false) => part(&|known| known.drop(right, right)),
            (Comparison::Greater, true) if is_whole => part(&|known| known.drop(0, right)),
            (Comparison::Greater, false) if is_whole => part(&|known| known.keep(0, right)),
            (Comparison::GreaterOrEqual, true) if is_whole => part(&|known| known.keep(right, u32::MAX)),
            (Comparison::GreaterOrEqual, false) if is_whole => part(&|known| known.drop(right, u32::MAX)),
            (Comparison::Greater | Comparison::GreaterOrEqual, _) => {
                let inclusive = wanted == (comparison == Comparison::GreaterOrEqual);
                for (mask, value) in ordered(half.mask, right, wanted, inclusive) {
                    part(&|known| known.narrow_bits(mask, value, true));
                }
            }
        }
        parts
    }

    fn known(&mut self, index: u32, high: bool) -> &mut Known {
        let at = self.known.iter().position(|known| known.index == index && known.high == high);
        let at = at.unwrap_or_else(|| {
            self.known.push(Known { index, high, ranges: vec![(0, u32::MAX)], bits: Vec::new() });
            self.known.len() - 1
        });
        &mut self.known[at]
    }

    /// The same as regions; none when they are too many.
    pub(super) fn regions(&self) -> Option<Vec<Region>> {
        let mut regions = vec![Region::all(self.width)];
        for index in 0..6 {
            let alternatives = self.alternatives(index);
            if let Some(alternatives) = &alternatives {
                regions = regions
                    .iter()
                    .flat_map(|region| alternatives.iter().flat_map(|all| region.and(all, Width::Full)))
                    .collect();
            }
            for (condition, holds) in self.bits(index) {
                let all = std::slice::from_ref(&condition);
                let split = |region: &Region| {
                    if holds { region.and(all, Width::Full) } else { region.without(all, Width::Full) }
                };
                regions = regions.iter().flat_map(split).collect();
            }
            if regions.len() > REGIONS {
                return None;
            }
        }
        Some(regions)
    }

    /// The ranges of an argument, each as conditions that must all hold; none where nothing is known.
    fn alternatives(&self, index: u32) -> Option<Vec<Vec<Condition>>> {
        let of = |high| self.known.iter().find(|known| known.index == index && known.high == high);
        let (upper, lower) = (of(true), of(false));
        if upper.is_none() && lower.is_none() {
            return None;
        }
        // Where only half of an argument is looked at there is no other half.
        let whole = if self.width == Width::Half { vec![(0, 0)] } else { vec![(0, u32::MAX)] };
        let upper = upper.map_or(whole, |known| known.ranges.clone());
        let lower = lower.map_or_else(|| vec![(0, u32::MAX)], |known| known.ranges.clone());
        let pairs = upper.iter().flat_map(|upper| lower.iter().map(move |lower| (*upper, *lower)));
        Some(pairs.flat_map(|(upper, lower)| both(index, upper, lower)).collect())
    }

    fn bits(&self, index: u32) -> impl Iterator<Item = (Condition, bool)> {
        let its = self.known.iter().filter(move |known| known.index == index);
        its.flat_map(move |known| {
            let place = |half: u32| if known.high { u64::from(half) << 32 } else { half.into() };
            known.bits.iter().map(move |(mask, value, holds)| {
                (Condition { index, op: Op::MaskedEq, value: place(*mask), value_two: place(*value) }, *holds)
            })
        })
    }
}

impl Known {
    /// False when nothing is left, as below.
    fn keep(&mut self, low: u32, high: u32) -> bool {
        self.ranges.retain_mut(|range| {
            *range = (range.0.max(low), range.1.min(high));
            range.0 <= range.1
        });
        !self.ranges.is_empty()
    }

    fn drop(&mut self, low: u32, high: u32) -> bool {
        let mut left = Vec::with_capacity(self.ranges.len() + 1);
        for (from, to) in self.ranges.drain(..) {
            if from < low {
                left.push((from, to.min(low - 1)));
            }
            if to > high {
                left.push((from.max(high + 1), to));
            }
        }
        self.ranges = left;
        !self.ranges.is_empty()
    }

    /// False when it contradicts what is known of the bits.
    fn narrow_bits(&mut self, mask: u32, value: u32, holds: bool) -> bool {
        if mask == 0 {
            return holds;
        }
        self.bits.push((mask, value, holds));
        !self.bits.contains(&(mask, value, !holds))
    }
}

/// The values that are above `right` (or else below it) in the bits under `mask`, and `right` itself where it counts: masks and the
/// bits under them, one for each bit in which a value can be the first to differ.
fn ordered(mask: u32, right: u32, above: bool, inclusive: bool) -> impl Iterator<Item = (u32, u32)> {
    let equal = (inclusive && right & !mask == 0).then_some((mask, right));
    let differs = (0..u32::BITS).rev().map(|at| 1 << at).filter_map(move |bit: u32| {
        let (higher, is_set) = (!(bit | (bit - 1)), right & bit != 0);
        // A bit of `right` that no value has makes all with the same bits before it smaller.
        let is_open = right & higher & !mask == 0 && is_set != above && (mask & bit != 0 || is_set);
        is_open.then_some((mask & (higher | bit), right & higher | if above { bit } else { 0 }))
    });
    equal.into_iter().chain(differs)
}

/// An argument whose halves are in two ranges: one range, or, where it is not, the lower half by bits.
fn both(index: u32, upper: (u32, u32), lower: (u32, u32)) -> Vec<Vec<Condition>> {
    let at_least = |value| Condition { index, op: Op::Ge, value, value_two: 0 };
    let at_most = |value| Condition { index, op: Op::Le, value, value_two: 0 };
    let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    if upper.0 == upper.1 || lower == (0, u32::MAX) {
        return vec![vec![at_least(wide(upper.0, lower.0)), at_most(wide(upper.1, lower.1))]];
    }
    let (first, last) = (at_least(wide(upper.0, 0)), at_most(wide(upper.1, u32::MAX)));
    let block =
        |(mask, value): (u32, u32)| Condition { index, op: Op::MaskedEq, value: mask.into(), value_two: value.into() };
    low_blocks(lower.0, lower.1).map(|bits| vec![first, last, block(bits)]).collect()
}
