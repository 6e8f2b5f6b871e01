//! What is said of a text besides its recording.

use crate::record::First;

/// What there is to say about the text besides the recording.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Lines read.
    pub lines: u64,
    /// Lines that mean nothing to the reader.
    pub unreadable: Unreadable,
    /// Calls whose line stops short; they count, how they ended is not known.
    pub cut: Unreadable,
}

/// Lines that something is wrong with.
#[derive(Debug, Clone, Default)]
pub struct Unreadable {
    /// How many.
    pub count: u64,
    /// The first few.
    pub first: Vec<First>,
}

impl Unreadable {
    const SHOWN: usize = 5;

    pub(super) fn push(&mut self, first: impl FnOnce() -> First) {
        self.count += 1;
        if self.first.len() < Self::SHOWN {
            self.first.push(first());
        }
    }
}

/// A line, as it is shown to people.
pub(super) fn place(source: Option<&String>, line: u64, text: &[u8]) -> First {
    const SHOWN: usize = 160;
    let text = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]).into_owned();
    First { source: source.cloned().unwrap_or_default(), line, text }
}
