//! Counting one call after another, for recorders that meet each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tally::{Count, Tally};
use crate::record::recording::Values;
use crate::record::strace::{Kept, kept_argument};
use crate::seccomp::{Arch, Syscall, X32_BIT};

/// A call as the kernel names it.
pub(super) type Number = (Arch, u32);

/// Larger errors have the kernel make the call again and are never seen by the program (`include/linux/errno.h`).
const FIRST_INTERNAL_ERROR: i64 = 512;
const EPERM: i64 = 1;
const ENOSYS: i64 = 38;

/// What was counted so far.
#[derive(Debug)]
pub(super) struct Counter {
    calls: HashMap<Number, Count>,
    /// Which argument of a call is kept; none where arguments are not.
    kept: Option<HashMap<Number, Option<Kept>>>,
    values: BTreeMap<Number, BTreeSet<u32>>,
}

impl Counter {
    pub(super) fn new(arguments: bool) -> Self {
        Self { calls: HashMap::new(), kept: arguments.then(HashMap::new), values: BTreeMap::new() }
    }

    /// Counts a call through the interface that the kernel calls `audit` (`AUDIT_ARCH_*`).
    pub(super) fn made(&mut self, audit: u32, number: u32, arguments: &[u64; 6]) -> Number {
        let call = (interface(audit, number), number);
        self.calls.entry(call).or_default().made += 1;
        if let Some(known) = &mut self.kept {
            let kept = known.entry(call).or_insert_with(|| {
                Syscall::from_number(call.0, number).and_then(|syscall| kept_argument(Arch::NATIVE, syscall))
            });
            if let Some(kept) = kept {
                let values = self.values.entry(call).or_default();
                // One more than a condition may have, and there is none.
                if values.len() <= Values::MOST {
                    values.insert(low_half(arguments[kept.index as usize % 6]) & kept.mask);
                }
            }
        }
        call
    }

    /// Counts that a call failed; `error` is positive.
    pub(super) fn failed(&mut self, call: Number, error: i64) {
        if error >= FIRST_INTERNAL_ERROR {
            return;
        }
        let count = self.calls.entry(call).or_default();
        count.failed += 1;
        count.not_permitted += u64::from(error == EPERM);
        count.not_implemented += u64::from(error == ENOSYS);
    }

    pub(super) fn finish(self) -> Tally {
        let values = self.values.into_iter().map(|(call, values)| (call, values.into_iter().collect()));
        Tally {
            calls: self.calls.into_iter().collect(),
            values: self.kept.is_some().then(|| values.collect()),
            ..Tally::default()
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the kernel looks at the low half of these arguments")]
const fn low_half(argument: u64) -> u32 {
    argument as u32
}

/// x32's calls are x86-64's with a bit set.
fn interface(audit: u32, number: u32) -> Arch {
    if audit == Arch::X32.audit() && number & X32_BIT != 0 {
        return Arch::X32;
    }
    let own = [Arch::NATIVE];
    let mut all = own.iter().chain(Arch::NATIVE.compat()).filter(|arch| **arch != Arch::X32);
    all.find(|arch| arch.audit() == audit).copied().unwrap_or(Arch::NATIVE)
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;

    #[test]
    fn calls_failures_and_values_are_counted_by_interface() {
        let mut counter = Counter::new(true);
        let socket = counter.made(Arch::X86_64.audit(), 41, &[0xffff_ffff_0000_0002, 1, 0, 0, 0, 0]);
        counter.failed(socket, EPERM);
        counter.failed(socket, ENOSYS);
        counter.failed(socket, FIRST_INTERNAL_ERROR);
        assert_eq!(counter.made(Arch::X86.audit(), 20, &[0; 6]), (Arch::X86, 20));
        assert_eq!(counter.made(Arch::X32.audit(), X32_BIT | 39, &[0; 6]), (Arch::X32, X32_BIT | 39));
        let tally = counter.finish();
        let count = Count { made: 1, failed: 2, not_permitted: 1, not_implemented: 1 };
        assert_eq!(tally.calls[&(Arch::X86_64, 41)], count);
        assert_eq!(tally.values.unwrap()[&(Arch::X86_64, 41)], [2], "the low half, as the kernel sees it");
    }

    #[test]
    fn more_values_than_a_condition_takes_are_not_collected() {
        let mut counter = Counter::new(true);
        for value in 0..1000 {
            counter.made(Arch::X86_64.audit(), 41, &[value, 0, 0, 0, 0, 0]);
        }
        assert_eq!(counter.finish().values.unwrap()[&(Arch::X86_64, 41)].len(), Values::MOST + 1);
    }
}
