//! Ranges of user and group ids, as policies write them: `1000`, `1-4294967295`.

use crate::settings::Words;

/// The first and the last id of a range.
fn range(word: &str) -> Option<(u32, u32)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

/// Whether `word` is a range.
pub(super) fn understands(_: &str, word: &str) -> Result<(), &'static str> {
    range(word).map(|_| ()).ok_or("an id or a range of them: \"1000\", \"1-4294967295\"")
}

/// Whether all ids from `first` to `last` lie in one of the ranges.
pub(super) fn covers(ranges: &Words, first: u64, last: u64) -> bool {
    ranges.iter().filter_map(range).any(|(from, to)| u64::from(from) <= first && last <= u64::from(to))
}
