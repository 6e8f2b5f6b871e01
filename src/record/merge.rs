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
