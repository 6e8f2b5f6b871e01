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
