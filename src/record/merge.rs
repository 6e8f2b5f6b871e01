//! Recordings of several runs as one.

use std::collections::BTreeMap;

use super::recording::{Recording, RecordingError, Seen, Values};

impl Recording {
    /// Adds the runs of `later`, which come after this one's.
    ///
    /// # Errors
    /// [`RecordingError::Machine`] for another architecture's: a call's number and name are not the same there.
    pub fn merge(&mut self, later: Self) -> Result<(), RecordingError> {
        if later.arch != self.arch {
            let name = later.runs.first().cloned().unwrap_or_default();
            return Err(RecordingError::Machine { name, found: later.arch.name(), expected: self.arch.name() });
        }
        let before = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        self.runs.extend(later.runs);
        for (call, mut seen) in later.calls {
            seen.delay(before);
            match self.calls.get_mut(&call) {
                Some(known) => known.merge(seen),
                None => {
                    self.calls.insert(call, seen);
                }
            }
        }
        for (number, count) in later.unknown {
            let known = self.unknown.entry(number).or_default();
            *known = known.saturating_add(count);
        }
        self.unseen.extend(later.unseen);
        self.capabilities = match (self.capabilities, later.capabilities) {
            (Some(mine), Some(other)) => Some(mine.union(other)),
            (mine, other) => mine.or(other),
        };
        Ok(())
    }
}

impl Seen {
    /// Counts runs from where the earlier recording's end.
    fn delay(&mut self, runs: u32) {
        self.first_run = self.first_run.saturating_add(runs);
        if let Some(Values::Few(values)) = &mut self.values {
            for run in values.values_mut() {
                *run = run.saturating_add(runs);
            }
        }
    }

    fn merge(&mut self, later: Self) {
        self.count = self.count.saturating_add(later.count);
        self.failed = self.failed.saturating_add(later.failed);
        self.not_permitted = self.not_permitted.saturating_add(later.not_permitted);
        self.not_implemented = self.not_implemented.saturating_add(later.not_implemented);
        self.seen_in = self.seen_in.saturating_add(later.seen_in);
        self.first_run = self.first_run.min(later.first_run);
        self.values = match (self.values.take(), later.values) {
            (Some(mine), Some(other)) => Some(mine.merge(other)),
            (None, None) => None,
            _ => Some(Values::Any("a run was recorded without arguments".to_owned())),
        };
    }
}

impl Values {
    fn merge(self, later: Self) -> Self {
        let (mut mine, later): (Self, BTreeMap<u32, u32>) = match (self, later) {
            (Self::Few(mine), Self::Few(later)) => (Self::Few(mine), later),
            (Self::Any(why), _) | (_, Self::Any(why)) => return Self::Any(why),
        };
        for (value, run) in later {
            mine.insert(value, run);
        }
        mine
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::record::against::refused;
    use crate::record::output::{Making, Refused, load, make, save};
    use crate::record::strace::{Options, Reader};
    use crate::record::{Call, Runtime};
    use crate::seccomp::{Arch, Filter};

    const LINES: [&str; 8] = [
        "read(0, \"\", 1) = 0\n",
        "read(0, \"\", 1) = -1 EPERM (no)\n",
        "socket(AF_INET, SOCK_STREAM, 0) = 3\n",
        "socket(AF_UNIX, SOCK_STREAM, 0) = 4\n",
        "unshare(CLONE_NEWNS) = -1 EPERM (no)\n",
        "getpid() = 7\n",
        "mmap2(NULL, 1) = 0xf7\n",
        "syscall_0x9999(0) = 0\n",
    ];

    fn runs() -> impl Strategy<Value = Vec<Recording>> {
        let run = prop::collection::vec(prop::sample::select(&LINES[..]), 1..6);
        prop::collection::vec(run, 1..7).prop_map(|runs| {
            let read = |(position, lines): (usize, Vec<&str>)| {
                let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: true });
                reader.begin(&format!("run {position}"));
                reader.feed(lines.concat().as_bytes());
                reader.finish().0
            };
            runs.into_iter().enumerate().map(read).collect()
        })
    }

    fn merged(runs: &[Recording]) -> Recording {
        let mut all = runs[0].clone();
        for run in &runs[1..] {
            all.merge(run.clone()).unwrap();
        }
        all
    }

    /// What a run may bring that is new: its calls, and the values of their kept arguments.
    fn news(run: &Recording) -> BTreeSet<(Call, Option<u32>)> {
        let mut news = BTreeSet::new();
        for (call, seen) in &run.calls {
            news.insert((*call, None));
            if let Some(Values::Few(values)) = &seen.values {
                news.extend(values.keys().map(|value| (*call, Some(*value))));
            }
        }
        news
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_which_runs_are_merged_first(runs in runs(), at in 0usize..7) {
            let whole = merged(&runs);
            let at = at % runs.len();
            if at > 0 {
                let mut halves = merged(&runs[..at]);
                halves.merge(merged(&runs[at..])).unwrap();
                prop_assert_eq!(&halves, &whole);
            }
            prop_assert_eq!(load("saved", save(&whole).as_bytes()).unwrap(), whole);
        }

        #[test]
        fn coverage_is_what_counting_the_runs_one_by_one_gives(runs in runs()) {
            let whole = merged(&runs);
            prop_assert_eq!(whole.runs.len(), runs.len());
            for (call, seen) in &whole.calls {
                let own: Vec<(usize, &Seen)> =
                    runs.iter().enumerate().filter_map(|(run, one)| Some((run, one.calls.get(call)?))).collect();
                prop_assert_eq!(seen.seen_in as usize, own.len());
                prop_assert_eq!(seen.first_run as usize, own[0].0);
                prop_assert_eq!(seen.count, own.iter().map(|(_, seen)| seen.count).sum::<u64>());
                prop_assert_eq!(seen.only_refused(), own.iter().all(|(_, seen)| seen.only_refused()));
                let rare = whole.rare(2).any(|(known, _)| known == call);
                prop_assert_eq!(rare, own.len() < 2);
            }
            let (mut known, mut quiet) = (BTreeSet::new(), 0);
            for run in &runs {
                let before = known.len();
                known.extend(news(run));
                quiet = if known.len() > before { 0 } else { quiet + 1 };
            }
            // A run of nothing but unknown numbers brings no call.
            prop_assert!(whole.calls.is_empty() || whole.quiet_runs() == quiet, "{} {quiet}", whole.quiet_runs());
        }

        #[test]
        fn the_profile_of_several_runs_would_have_broken_none_of_them(runs in runs(), arguments in any::<bool>()) {
            let making =
                Making { runtime: Runtime::Any, no_new_privs: true, arguments, refused: Refused::Allow, compat: false };
            let made = make(&merged(&runs), making);
            let filter = Filter::new(&made.profile, Arch::X86_64);
            for run in &runs {
                // No profile can name a number.
                let named = Recording { unknown: BTreeMap::new(), ..run.clone() };
                prop_assert!(refused(&named, &filter).is_empty());
            }
        }
    }
}
