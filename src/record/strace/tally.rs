//! Counting one file's calls.

use crate::record::{First, Seen, Values};

/// One interface's and call's numbers, in this file.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) traced: u64,
    pub(super) traced_failed: u64,
    pub(super) summed: u64,
    pub(super) summed_failed: u64,
    pub(super) count: u64,
    pub(super) failed: u64,
    pub(super) not_permitted: u64,
    pub(super) not_implemented: u64,
    pub(super) first: Option<Box<First>>,
    pub(super) values: Option<Box<Values>>,
}

impl Tally {
    /// `-C` prints the calls and then their table: the larger number of the two counts.
    pub(super) fn settle(&mut self) {
        self.count += self.traced.max(self.summed);
        self.failed += self.traced_failed.max(self.summed_failed);
        (self.traced, self.traced_failed, self.summed, self.summed_failed) = (0, 0, 0, 0);
    }

    pub(super) fn into_seen(self) -> Seen {
        Seen {
            count: self.count,
            failed: self.failed,
            not_permitted: self.not_permitted,
            not_implemented: self.not_implemented,
            seen_in: 1,
            first_run: 0,
            first: self.first.map(|first| *first).unwrap_or_default(),
            values: self.values.map(|values| *values),
        }
    }
}
