//! Regions as the conditions of OCI rules.

use crate::seccomp::domain::{Atom, Region, Width};
use crate::seccomp::profile::Condition;

/// How many rules one call may take. The kernel takes 4096 instructions in all (`BPF_MAXINSNS`), a rule needs up to 30.
pub(super) const LIMIT: usize = 64;

/// Rules of which one or another holds for just the calls of `regions`; none, if that takes more than [`LIMIT`].
pub(super) fn written(regions: &[Region], masks: bool) -> Option<Vec<Vec<Condition>>> {
    let mut rules = Vec::new();
    let mut regions = regions.to_vec();
    while let Some(region) = regions.pop() {
        match regions.iter().position(|other| only_gap(&region, other).is_some()).filter(|_| !masks) {
            Some(position) => {
                let other = regions.swap_remove(position);
                let Some((argument, hole)) = only_gap(&region, &other) else { continue };
                let mut rest = region;
                rest.0[argument] = Atom::all(Width::Full);
                let index = u32::try_from(argument).unwrap_or_default();
                let unequal = Condition { index, value: hole, value_two: 0, op: crate::seccomp::action::Op::Ne };
                rules.extend(product(&rest, false)?.into_iter().map(|mut rule| {
                    rule.push(unequal);
                    rule
                }));
            }
            None => rules.extend(product(&region, masks)?),
        }
        if rules.len() > LIMIT {
            return None;
        }
    }
    rules.reverse();
    Some(rules)
}

/// The argument in which alone two regions differ, if together they miss one value of it.
fn only_gap(one: &Region, two: &Region) -> Option<(usize, u64)> {
    let mut differ = (0..6).filter(|argument| one.0[*argument] != two.0[*argument]);
    let argument = differ.next()?;
    if differ.next().is_some() {
        return None;
    }
    one.0[argument].gap(two.0[argument]).map(|hole| (argument, hole))
}

fn product(region: &Region, masks: bool) -> Option<Vec<Vec<Condition>>> {
    let mut rules: Vec<Vec<Condition>> = vec![Vec::new()];
    for (index, atom) in (0u32..).zip(region.0) {
        let Some(alternatives) = atom.conditions(index, masks) else { continue };
        if rules.len() * alternatives.len() > LIMIT {
            return None;
        }
        rules = rules
            .iter()
            .flat_map(|rule| alternatives.iter().map(move |condition| [rule.as_slice(), &[*condition]].concat()))
            .collect();
    }
    Some(rules)
}
