//! Regions as the conditions of OCI rules.

use crate::seccomp::action::Op;
use crate::seccomp::domain::{Atom, Region, Width};
use crate::seccomp::profile::Condition;

/// How many rules one call may take. The kernel takes 4096 instructions in all (`BPF_MAXINSNS`), a rule needs up to 30.
pub(super) const LIMIT: usize = 64;

/// A region, and for each argument a value that it leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pierced {
    region: Region,
    holes: [Option<u64>; 6],
}

/// Rules of which one or another holds for just the calls of `regions`; none, if that takes more than [`LIMIT`].
pub(super) fn written(regions: &[Region], masks: bool) -> Option<Vec<Vec<Condition>>> {
    let regions = absorbed(regions);
    let mut pierced: Vec<Pierced> =
        regions.iter().map(|region| Pierced { region: *region, holes: [None; 6] }).collect();
    if !masks {
        join(&mut pierced);
    }
    let mut rules = Vec::new();
    for part in &pierced {
        let holes = (0u32..).zip(part.holes).filter_map(|(index, hole)| Some((index, hole?)));
        let unequal = holes.map(|(index, value)| Condition { index, value, value_two: 0, op: Op::Ne });
        let unequal: Vec<Condition> = unequal.collect();
        rules.extend(product(&part.region, masks)?.into_iter().map(|rule| [rule, unequal.clone()].concat()));
        if rules.len() > LIMIT {
            return None;
        }
    }
    Some(rules)
}

/// The regions without those that lie in another one.
fn absorbed(regions: &[Region]) -> Vec<Region> {
    let mut kept: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        let lies_in = |inner: &Region, outer: &Region| inner.meet(outer).as_ref() == Some(inner);
        if !kept.iter().any(|other| lies_in(region, other)) {
            kept.retain(|other| !lies_in(other, region));
            kept.push(*region);
        }
    }
    kept
}

/// Joins pairs that are everything but one value of an argument, as long as there are any.
fn join(parts: &mut Vec<Pierced>) {
    let mut at = 0;
    while at < parts.len() {
        let found = (at + 1..parts.len()).find_map(|other| Some((other, joined(&parts[at], &parts[other])?)));
        match found {
            Some((other, whole)) => {
                parts.swap_remove(other);
                parts[at] = whole;
                at = 0;
            }
            None => at += 1,
        }
    }
}

/// Both in one, if they differ in one argument only, and together miss one value of it.
fn joined(one: &Pierced, two: &Pierced) -> Option<Pierced> {
    let mut differ = (0..6).filter(|argument| one.region.0[*argument] != two.region.0[*argument]);
    let argument = differ.next().filter(|_| one.holes == two.holes)?;
    if differ.next().is_some() {
        return None;
    }
    let mut whole = *one;
    whole.holes[argument] = Some(one.region.0[argument].gap(two.region.0[argument])?);
    whole.region.0[argument] = Atom::all(Width::Full);
    Some(whole)
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
