//! Calls by all of their arguments.

use super::{Atom, Width};
use crate::seccomp::profile::Condition;

/// Calls by their arguments: an atom for each of the six.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::seccomp) struct Region(pub(in crate::seccomp) [Atom; 6]);

impl Region {
    /// Every call.
    pub(in crate::seccomp) const fn all(width: Width) -> Self {
        Self([Atom::all(width); 6])
    }

    /// The calls that all of `conditions` (on different arguments) hold for.
    pub(in crate::seccomp) fn of(conditions: &[Condition], width: Width) -> Vec<Self> {
        Self::all(width).and(conditions, width)
    }

    /// The calls in both.
    pub(in crate::seccomp) fn meet(&self, other: &Self) -> Option<Self> {
        let mut both = *self;
        for (mine, theirs) in both.0.iter_mut().zip(&other.0) {
            *mine = mine.and(*theirs)?;
        }
        Some(both)
    }

    /// Those of its calls that all of `conditions` hold for, as regions apart from each other.
    pub(in crate::seccomp) fn and(&self, conditions: &[Condition], width: Width) -> Vec<Self> {
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
    pub(in crate::seccomp) fn without(&self, conditions: &[Condition], width: Width) -> Vec<Self> {
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
    pub(in crate::seccomp) fn minus(&self, hole: &Self) -> Vec<Self> {
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
    pub(in crate::seccomp) fn reaches(&self, argument: usize, value: u64) -> bool {
        self.0[argument].and(Atom::interval(value, value)).is_some()
    }

    /// One call of the region: the smallest arguments.
    pub(in crate::seccomp) fn sample(&self) -> [u64; 6] {
        self.0.map(|atom| atom.least().unwrap_or_default())
    }
}
