//! How well the runs of a recording cover what the workload does.

use std::fmt::Write;

use super::recording::{Call, Recording, Seen, Values};

impl Recording {
    /// How many runs have passed since the last one that brought a new call, or a new value of a kept argument. Without
    /// a run none have.
    pub fn quiet_runs(&self) -> usize {
        let last = self.calls.values().map(Seen::last_news).max().unwrap_or(0);
        self.runs.len().saturating_sub(last as usize + 1)
    }

    /// A table: in how many runs each call was seen, how often, and in which first. The rarest come last.
    pub fn coverage(&self) -> String {
        let mut rows: Vec<(&Call, &Seen)> = self.calls.iter().collect();
        rows.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.seen_in));
        let runs = self.runs.len();
        let mut out = format!("{:<24} {:>12} {:>12} {:>10}\n", "call", "runs", "calls", "first in");
        for (call, seen) in rows {
            let abi = if call.arch == self.arch { "" } else { " (32-bit)" };
            let (name, share) = (format!("{}{abi}", call.syscall.name()), format!("{} of {runs}", seen.seen_in));
            let _ = writeln!(
                out,
                "{name:<24} {share:>12} {:>12} {:>10}",
                seen.count,
                format!("run {}", seen.first_run + 1)
            );
        }
        out
    }

    /// The calls that fewer than `runs` runs made, which the next run may not make either, or only it.
    pub fn rare(&self, runs: u32) -> impl Iterator<Item = (&Call, &Seen)> {
        self.calls.iter().filter(move |(_, seen)| seen.seen_in < runs)
    }
}

impl Seen {
    /// The last run that brought something new about this call.
    fn last_news(&self) -> u32 {
        match &self.values {
            Some(Values::Few(values)) => values.values().copied().max().unwrap_or(0).max(self.first_run),
            _ => self.first_run,
        }
    }
}
