//! What a recorder counted, by number, before it has names.

use std::collections::BTreeMap;

use crate::capability::CapSet;
use crate::record::recording::{Call, First, Recording, Seen, Values};
use crate::record::strace::kept_argument;
use crate::seccomp::{Arch, Syscall};

/// Everything that a recorder counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Calls, by interface and number.
    pub calls: BTreeMap<(Arch, u32), Count>,
    /// The values that kept arguments took, where arguments were kept.
    pub values: Option<BTreeMap<(Arch, u32), Vec<u32>>>,
    /// The capabilities that were used, where the recorder can see that.
    pub capabilities: Option<CapSet>,
    /// What there was no room for.
    pub lost: u64,
}

/// How often one call was made, and how often in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Made, and not refused by a filter before.
    pub made: u64,
    /// Failed, with whatever error, a filter's too.
    pub failed: u64,
    /// Failed with EPERM.
    pub not_permitted: u64,
    /// Failed with ENOSYS.
    pub not_implemented: u64,
}

impl Tally {
    /// The recording of the one run `run`. `recorder` says who saw it.
    pub fn recording(self, run: &str, recorder: &str) -> Recording {
        let mut recording = Recording::empty(Arch::NATIVE);
        recording.runs = vec![run.to_owned()];
        recording.capabilities = self.capabilities;
        for ((arch, number), count) in self.calls {
            // A call that a filter refused was never made, but it failed.
            let times = count.made.max(count.failed);
            let Some(syscall) = Syscall::from_number(arch, number) else {
                recording.unknown.insert((arch, number), times);
                continue;
            };
            let kept = kept_argument(Arch::NATIVE, syscall);
            let values = self.values.as_ref().filter(|_| kept.is_some()).map(|values| {
                let mut few = Values::Few(BTreeMap::new());
                values.get(&(arch, number)).into_iter().flatten().for_each(|value| few.insert(*value, 0));
                few
            });
            let seen = Seen {
                count: times,
                failed: count.failed,
                not_permitted: count.not_permitted,
                not_implemented: count.not_implemented,
                seen_in: 1,
                first_run: 0,
                first: First { source: recorder.to_owned(), ..First::default() },
                values,
            };
            recording.calls.insert(Call { arch, syscall }, seen);
        }
        recording
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_the_names_of_their_interface_and_strangers_stay_numbers() {
        let mut tally = Tally::default();
        let count = Count { made: 2, ..Count::default() };
        for call in [(Arch::X86_64, 39), (Arch::X86, 20), (Arch::X86_64, 9999)] {
            tally.calls.insert(call, count);
        }
        let recording = tally.recording("run", "test");
        let getpid = Syscall::from_name("getpid").unwrap();
        for arch in [Arch::X86_64, Arch::X86] {
            assert_eq!(recording.calls[&Call { arch, syscall: getpid }].count, 2);
        }
        assert_eq!(recording.unknown[&(Arch::X86_64, 9999)], 2);
    }

    #[test]
    fn what_a_filter_refused_before_it_was_made_counts_as_refused() {
        let mut tally = Tally::default();
        let refused = Count { made: 0, failed: 3, not_permitted: 3, not_implemented: 0 };
        tally.calls.insert((Arch::X86_64, 101), refused);
        let recording = tally.recording("run", "test");
        let seen = recording.calls.values().next().unwrap();
        assert!(seen.count == 3 && seen.only_refused());
    }

    #[test]
    fn values_are_there_only_where_arguments_were_kept() {
        let mut tally = Tally::default();
        tally.calls.insert((Arch::X86_64, 41), Count { made: 1, ..Count::default() });
        assert_eq!(tally.clone().recording("run", "test").calls.values().next().unwrap().values, None);
        tally.values = Some(BTreeMap::from([((Arch::X86_64, 41), vec![2])]));
        let recording = tally.recording("run", "test");
        let few = Values::Few(BTreeMap::from([(2, 0)]));
        assert_eq!(recording.calls.values().next().unwrap().values, Some(few));
    }
}
