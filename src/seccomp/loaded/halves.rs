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

    /// Leaves those arguments for which the comparison of `half` with `right` comes out as `wanted`. False when it is plain
    /// that there are none.
    pub(super) fn narrow(&mut self, half: Half, comparison: Comparison, right: u32, wanted: bool) -> bool {
        let known = self.known(half.index, half.high);
        match comparison {
            Comparison::Equal if right & !half.mask != 0 => return !wanted,
            Comparison::AnyBit => return known.narrow_bits(half.mask & right, 0, !wanted),
            Comparison::Equal if half.mask != u32::MAX => return known.narrow_bits(half.mask, right, wanted),
            // A part of a half in an order: nothing is left out.
            _ if half.mask != u32::MAX => return true,
            Comparison::Equal if wanted => known.keep(right, right),
            Comparison::Equal => known.drop(right, right),
            Comparison::Greater if wanted => known.drop(0, right),
            Comparison::Greater => known.keep(0, right),
            Comparison::GreaterOrEqual if wanted => known.keep(right, u32::MAX),
            Comparison::GreaterOrEqual => known.drop(right, u32::MAX),
        }
        !known.ranges.is_empty()
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
    fn keep(&mut self, low: u32, high: u32) {
        self.ranges.retain_mut(|range| {
            *range = (range.0.max(low), range.1.min(high));
            range.0 <= range.1
        });
    }

    fn drop(&mut self, low: u32, high: u32) {
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
