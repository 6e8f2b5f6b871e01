//! What of a stream of rows is printed, and when: a workload that is refused a million times is one row, now and then.

use std::time::{Duration, Instant};

/// Rows a second at most.
const PER_SECOND: u32 = 20;

/// Decides which rows are due. A row that has to wait loses nothing: it carries its count.
#[derive(Debug)]
pub struct Limit {
    every: Duration,
    printed: Vec<Printed>,
    second: Instant,
    used: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Printed {
    at: Option<Instant>,
    count: u64,
}

impl Limit {
    /// Each row at once when it is new, and again when `every` has passed and it was counted on.
    pub fn new(every: Duration, now: Instant) -> Self {
        Self { every, printed: Vec::new(), second: now, used: 0 }
    }

    /// Whether row number `row`, which was counted `count` times, is due at `now`; how many of these are new.
    pub fn due(&mut self, row: usize, count: u64, now: Instant) -> Option<u64> {
        if self.printed.len() <= row {
            self.printed.resize(row + 1, Printed::default());
        }
        let printed = self.printed[row];
        let rested = printed.at.is_none_or(|at| now.duration_since(at) >= self.every);
        if count <= printed.count || !rested || !self.has_room(now) {
            return None;
        }
        self.used += 1;
        self.printed[row] = Printed { at: Some(now), count };
        Some(count - printed.count)
    }

    /// How many of a row's are new, at the end, when nothing waits any more.
    pub fn rest(&mut self, row: usize, count: u64) -> Option<u64> {
        let known = self.printed.get(row).map_or(0, |printed| printed.count);
        (count > known).then(|| count - known)
    }

    fn has_room(&mut self, now: Instant) -> bool {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.used) = (now, 0);
        }
        self.used < PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_at_once_and_then_with_what_was_counted_meanwhile() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut limit = Limit::new(Duration::from_secs(10), start);
        assert_eq!(limit.due(3, 1, start), Some(1));
        assert_eq!(limit.due(3, 500, after(5)), None);
        assert_eq!(limit.due(3, 900, after(10)), Some(899));
        assert_eq!(limit.due(3, 900, after(30)), None, "nothing new");
    }

    #[test]
    fn many_rows_at_once_wait_for_the_next_second_and_none_is_lost() {
        let start = Instant::now();
        let mut limit = Limit::new(Duration::from_secs(10), start);
        let due = |limit: &mut Limit, now| (0..50).filter(|row| limit.due(*row, 2, now).is_some()).count();
        assert_eq!(due(&mut limit, start), 20);
        assert_eq!(due(&mut limit, start), 0);
        assert_eq!(due(&mut limit, start + Duration::from_secs(1)), 20);
        assert_eq!(due(&mut limit, start + Duration::from_secs(2)), 10);
    }
}
