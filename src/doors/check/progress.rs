//! A line on the terminal that says how far a long check is.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(100);

/// A line on standard error, where that is a terminal and standard output is not in its way; nothing elsewhere.
pub(super) struct Bar {
    shown: bool,
    began: Instant,
    next: Instant,
    drawn: bool,
}

impl Bar {
    pub(super) fn new() -> Self {
        let began = Instant::now();
        let shown = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        // What is done at once needs none.
        Self { shown, began, next: began + 3 * EVERY, drawn: false }
    }

    /// Says that `done` documents are judged.
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    pub(super) fn step(&mut self, done: usize) {
        if self.shown && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.drawn = true;
            let rate = done as f64 / self.began.elapsed().as_secs_f64();
            let _ = write!(std::io::stderr(), "\r\x1b[K{done} judged, {rate:.0} per second");
        }
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.drawn {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
