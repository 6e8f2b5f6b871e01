//! Sets of argument values, exactly: what conditions mean, what two of them have in common, what one leaves over.
//!
//! Every comparison that OCI knows describes an interval, or the values that agree with a datum under a mask. Both kinds
//! meet in an [`Atom`], and atoms are closed under intersection. A [`Region`] holds one for each of a call's six arguments.

use super::action::Op;
use super::arch::Arch;
use super::profile::Condition;

/// How much of an argument the filter looks at. libseccomp compares 32 bits on 32-bit architectures and on x32 and n32,
/// and cuts the profile's numbers to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// All 64 bits.
    Full,
    /// The lower 32.
    Half,
}

impl Width {
    /// How much libseccomp compares on `arch` (`.size` in its `arch-*.c`).
    pub(super) const fn of(arch: Arch) -> Self {
        match arch {
            Arch::X86_64
            | Arch::Aarch64
            | Arch::Riscv64
            | Arch::S390x
            | Arch::Ppc64le
            | Arch::Ppc64
            | Arch::Mips64
            | Arch::Mipsel64
            | Arch::Loongarch64
            | Arch::Parisc64 => Self::Full,
            Arch::X86
            | Arch::X32
            | Arch::Arm
            | Arch::S390
            | Arch::Ppc
            | Arch::Mips
            | Arch::Mips64n32
            | Arch::Mipsel
            | Arch::Mipsel64n32
            | Arch::Parisc
            | Arch::M68k
            | Arch::Sh
            | Arch::Sheb => Self::Half,
        }
    }

    const fn max(self) -> u64 {
        match self {
            Self::Full => u64::MAX,
            Self::Half => u32::MAX as u64,
        }
    }

    /// What is left of a number.
    pub(super) const fn cut(self, value: u64) -> u64 {
        value & self.max()
    }
}

/// The values from `low` to `high` whose bits under `mask` are `datum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Atom {
    low: u64,
    high: u64,
    mask: u64,
    datum: u64,
}

impl Atom {
    const fn interval(low: u64, high: u64) -> Self {
        Self { low, high, mask: 0, datum: 0 }
    }

    /// Every value.
    pub(super) const fn all(width: Width) -> Self {
        Self::interval(0, width.max())
    }

    /// The smallest value, if there is any.
    pub(super) fn least(self) -> Option<u64> {
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
    pub(super) fn and(self, other: Self) -> Option<Self> {
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
    pub(super) fn of(condition: &Condition, width: Width) -> impl Iterator<Item = Self> {
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
    pub(super) fn besides(condition: &Condition, width: Width) -> Vec<Self> {
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
    fn minus(self, hole: Self) -> Vec<Self> {
        let Some(inside) = self.and(Self::interval(hole.low, hole.high)) else { return vec![self] };
        let sides = [below(hole.low), above(hole.high, u64::MAX)].into_iter().flatten();
        let around = sides.filter_map(|side| self.and(side));
        let unlike = unmasked(hole.mask, hole.datum, Width::Full).into_iter().filter_map(|atom| inside.and(atom));
        around.chain(unlike).collect()
    }

    /// The one value that lies between two intervals, if only that keeps them from being everything.
    pub(super) fn gap(self, other: Self) -> Option<u64> {
        let (low, high) = if self.low < other.low { (self, other) } else { (other, self) };
        let plain = low.mask == 0 && high.mask == 0 && low.low == 0 && high.high == u64::MAX;
        (plain && high.low.checked_sub(low.high) == Some(2)).then(|| low.high + 1)
    }

    /// Conditions on argument `index` that hold, one or another, for just these values. Only masks are used where `masks`
    /// says so. None for every value: that needs no condition.
    pub(super) fn conditions(self, index: u32, masks: bool) -> Option<Vec<Condition>> {
        let Self { low, high, mask, datum } = self;
        let one = |op, value, value_two| Some(vec![Condition { index, value, value_two, op }]);
        if low == high || mask == u64::MAX {
            return one(Op::Eq, low.max(datum), 0);
        }
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

/// The values that differ from `datum` under `mask`, split by the lowest bit in which they do.
fn unmasked(mask: u64, datum: u64, width: Width) -> Vec<Atom> {
    let bits = (0..64).map(|bit| 1u64 << bit).filter(|bit| mask & bit != 0);
    bits.map(|bit| {
        let agree = mask & (bit - 1);
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
pub(super) fn low_blocks(low: u32, high: u32) -> impl Iterator<Item = (u32, u32)> {
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is asked for")]
    let half = |wide: u64| wide as u32;
    blocks(low.into(), high.into()).into_iter().map(move |block| (half(block.mask), half(block.datum)))
}

/// Calls by their arguments: an atom for each of the six.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region(pub(super) [Atom; 6]);

impl Region {
    /// Every call.
    pub(super) const fn all(width: Width) -> Self {
        Self([Atom::all(width); 6])
    }

    /// The calls that all of `conditions` (on different arguments) hold for.
    pub(super) fn of(conditions: &[Condition], width: Width) -> Vec<Self> {
        Self::all(width).and(conditions, width)
    }

    /// The calls in both.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        let mut both = *self;
        for (mine, theirs) in both.0.iter_mut().zip(&other.0) {
            *mine = mine.and(*theirs)?;
        }
        Some(both)
    }

    /// Those of its calls that all of `conditions` hold for, as regions apart from each other.
    pub(super) fn and(&self, conditions: &[Condition], width: Width) -> Vec<Self> {
        let mut regions = vec![*self];
        for condition in conditions {
            let argument = condition.index as usize;
            let mut next = Vec::with_capacity(regions.len());
            for region in regions {
                for atom in Atom::of(condition, width) {
                    if let Some(atom) = region.0[argument].and(atom) {
                        let mut narrowed = region;
                        narrowed.0[argument] = atom;
                        next.push(narrowed);
                    }
                }
            }
            regions = next;
        }
        regions
    }

    /// Those of its calls that `conditions` do not all hold for, as regions apart from each other.
    pub(super) fn without(&self, conditions: &[Condition], width: Width) -> Vec<Self> {
        let mut outside = Vec::new();
        let mut inside = vec![*self];
        for condition in conditions {
            let argument = condition.index as usize;
            for region in &inside {
                for atom in Atom::besides(condition, width) {
                    if let Some(atom) = region.0[argument].and(atom) {
                        let mut rest = *region;
                        rest.0[argument] = atom;
                        outside.push(rest);
                    }
                }
            }
            inside = inside.iter().flat_map(|region| region.and(std::slice::from_ref(condition), width)).collect();
        }
        outside
    }

    /// Those of its calls that are not in `hole`, as regions apart from each other.
    pub(super) fn minus(&self, hole: &Self) -> Vec<Self> {
        if self.meet(hole).is_none() {
            return vec![*self];
        }
        let mut outside = Vec::new();
        let mut inside = *self;
        for argument in 0..6 {
            for atom in inside.0[argument].minus(hole.0[argument]) {
                let mut rest = inside;
                rest.0[argument] = atom;
                outside.push(rest);
            }
            match inside.0[argument].and(hole.0[argument]) {
                Some(atom) => inside.0[argument] = atom,
                None => break,
            }
        }
        outside
    }

    /// Whether some of its calls have `value` as their argument.
    pub(super) fn reaches(&self, argument: usize, value: u64) -> bool {
        self.0[argument].and(Atom::interval(value, value)).is_some()
    }

    /// One call of the region: the smallest arguments.
    pub(super) fn sample(&self) -> [u64; 6] {
        self.0.map(|atom| atom.least().unwrap_or_default())
    }
}

/// The condition that holds just when `condition` does not, if one comparison says it.
pub(super) fn opposite(condition: &Condition) -> Option<Condition> {
    let op = match condition.op {
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Lt => Op::Ge,
        Op::Ge => Op::Lt,
        Op::Le => Op::Gt,
        Op::Gt => Op::Le,
        Op::MaskedEq => return None,
    };
    Some(Condition { op, ..*condition })
}

/// Whether `condition` holds for `value`.
pub(super) fn holds(condition: &Condition, value: u64, width: Width) -> bool {
    let (value, given) = (width.cut(value), width.cut(condition.value));
    match condition.op {
        Op::Ne => value != given,
        Op::Lt => value < given,
        Op::Le => value <= given,
        Op::Eq => value == given,
        Op::Ge => value >= given,
        Op::Gt => value > given,
        Op::MaskedEq => value & given == condition.value_two & given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![
            0u64..40,
            prop::sample::select(vec![u64::from(u32::MAX), 1 << 32, (1 << 32) + 1, u64::MAX, u64::MAX - 1, 1 << 63]),
            any::<u64>(),
        ]
    }

    fn condition() -> impl Strategy<Value = Condition> {
        let ops = vec![Op::Ne, Op::Lt, Op::Le, Op::Eq, Op::Ge, Op::Gt, Op::MaskedEq];
        (number(), number(), prop::sample::select(ops)).prop_map(|(value, value_two, op)| Condition {
            index: 0,
            value,
            value_two,
            op,
        })
    }

    fn width() -> impl Strategy<Value = Width> {
        prop::sample::select(vec![Width::Full, Width::Half])
    }

    fn contains(atoms: &[Atom], value: u64) -> usize {
        atoms.iter().filter(|atom| value >= atom.low && value <= atom.high && value & atom.mask == atom.datum).count()
    }

    /// Values at which comparisons change their minds.
    fn probes(conditions: &[Condition], width: Width) -> Vec<u64> {
        let numbers = conditions.iter().flat_map(|condition| [condition.value, condition.value_two]);
        let near = numbers.flat_map(|n| [n, n.wrapping_add(1), n.wrapping_sub(1), n << 32, n >> 32, !n]);
        near.chain([0, 1, 7, u64::MAX]).map(|value| width.cut(value)).collect()
    }

    proptest! {
        #[test]
        fn atoms_hold_just_what_the_condition_holds_for(one in condition(), width in width(), value in number()) {
            let (inside, outside) = (Atom::of(&one, width).collect::<Vec<_>>(), Atom::besides(&one, width));
            for value in probes(&[one], width).into_iter().chain([width.cut(value)]) {
                let expected = usize::from(holds(&one, value, width));
                prop_assert_eq!(contains(&inside, value), expected);
                prop_assert_eq!(contains(&outside, value), 1 - expected);
            }
        }

        #[test]
        fn the_least_value_is_there_and_none_is_smaller(one in condition(), two in condition(), width in width()) {
            for a in Atom::of(&one, width) {
                for b in Atom::of(&two, width) {
                    let least = a.and(b).and_then(Atom::least);
                    for value in probes(&[one, two], width) {
                        if contains(&[a], value) == 1 && contains(&[b], value) == 1 {
                            prop_assert!(least.is_some_and(|least| least <= value), "{a:?} {b:?} {value}");
                        }
                    }
                    if let Some(least) = least {
                        prop_assert_eq!(contains(&[a], least) + contains(&[b], least), 2);
                    }
                }
            }
        }

        #[test]
        fn conditions_written_for_an_atom_mean_the_atom(one in condition(), two in condition(), masks in any::<bool>()) {
            for a in Atom::of(&one, Width::Full) {
                for b in Atom::of(&two, Width::Full) {
                    let Some(both) = a.and(b) else { continue };
                    let written = both.conditions(0, masks);
                    for value in probes(&[one, two], Width::Full) {
                        let said = written.as_ref().is_none_or(|all| all.iter().any(|c| holds(c, value, Width::Full)));
                        prop_assert_eq!(said, contains(&[both], value) == 1, "{:?} as {:?} at {}", both, written, value);
                    }
                }
            }
        }

        #[test]
        fn an_atom_without_another_keeps_just_the_rest(one in condition(), two in condition(), three in condition()) {
            for a in Atom::of(&one, Width::Full) {
                for b in Atom::of(&two, Width::Full) {
                    for hole in Atom::of(&three, Width::Full) {
                        let Some(both) = a.and(b) else { continue };
                        let rest = both.minus(hole);
                        for value in probes(&[one, two, three], Width::Full) {
                            let expected = contains(&[both], value) == 1 && contains(&[hole], value) == 0;
                            prop_assert_eq!(contains(&rest, value), usize::from(expected));
                        }
                    }
                }
            }
        }

        #[test]
        fn inside_and_outside_split_a_region(
            one in condition(), two in condition(), x in number(), y in number(), width in width()
        ) {
            let conditions = [one, Condition { index: 1, ..two }];
            let whole = Region::all(width);
            for x in probes(&[one], width).into_iter().chain([width.cut(x)]) {
                for y in probes(&[two], width).into_iter().chain([width.cut(y)]) {
                    let member = |region: &Region| contains(&[region.0[0]], x) == 1 && contains(&[region.0[1]], y) == 1;
                    let inside = whole.and(&conditions, width).iter().filter(|r| member(r)).count();
                    let outside = whole.without(&conditions, width).iter().filter(|r| member(r)).count();
                    let expected = usize::from(holds(&one, x, width) && holds(&two, y, width));
                    prop_assert_eq!((inside, outside), (expected, 1 - expected));
                }
            }
        }
    }
}
