//! A line on the terminal that says how far the reading is.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::record::strace::Progress;

/// A progress bar on standard error, where that is a terminal; nothing elsewhere.
pub(super) struct Bar {
    shown: bool,
    progress: Progress,
    began: Instant,
    next: Instant,
    drawn: bool,
}

const EVERY: Duration = Duration::from_millis(100);

impl Bar {
    pub(super) fn new(total: Option<u64>) -> Self {
        let began = Instant::now();
        let progress = Progress { read: 0, total };
        // What is read at once needs no bar.
        Self { shown: std::io::stderr().is_terminal(), progress, began, next: began + 3 * EVERY, drawn: false }
    }

    /// Counts `bytes` more.
    pub(super) fn add(&mut self, bytes: u64) {
        self.progress.read += bytes;
        if self.shown && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.drawn = true;
            let line = bar(self.progress, self.began.elapsed());
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
        }
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.drawn {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
fn bar(progress: Progress, elapsed: Duration) -> String {
    const WIDTH: usize = 24;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let speed = megabytes(progress.read) / elapsed.as_secs_f64().max(1e-9);
    match progress.total.filter(|total| *total > 0) {
        Some(total) => {
            let done = usize::try_from(progress.read.min(total) * WIDTH as u64 / total).unwrap_or(WIDTH);
            let (full, rest) = ("#".repeat(done), ".".repeat(WIDTH - done));
            format!("[{full}{rest}] {:.0} of {:.0} MB, {speed:.0} MB/s", megabytes(progress.read), megabytes(total))
        }
        None => format!("{:.0} MB, {speed:.0} MB/s", megabytes(progress.read)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_and_how_fast() {
        let half = Progress { read: 500_000_000, total: Some(1_000_000_000) };
        assert_eq!(bar(half, Duration::from_secs(1)), "[############............] 500 of 1000 MB, 500 MB/s");
        let open = Progress { read: 2_000_000, total: None };
        assert_eq!(bar(open, Duration::from_secs(2)), "2 MB, 1 MB/s");
    }
}
