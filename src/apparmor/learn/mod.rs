//! From complain to enforce: what the log says a workload did becomes rules that would have allowed it.
//!
//! Nothing is loosened in silence: every proposal says how often and by which program it was needed, a path that was
//! made wider says from which, what a profile denies by name stays denied, and what would open the way to the host is
//! flagged. The result is a diff to the TOML for a person to read.

mod edit;
mod event;
mod generalise;
mod log;
mod propose;

use std::io::{self, BufRead};

pub use edit::{EditError, edit};
pub use event::{Asked, Event};
pub use generalise::generalise;
#[cfg(feature = "cli")]
pub(crate) use log::fields;
pub use log::{Line, Outcome, Record};
pub(super) use propose::{ENGINE_SOCKETS, is_powerful};
pub use propose::{Left, Lesson, Proposal, Why};

use super::profile::Profile;

/// Longest line of a log that is read, in bytes; the kernel's are shorter than 9000.
const MAX_LINE: usize = 64 * 1024;

/// What a log holds for one profile.
#[derive(Debug, Default)]
pub struct Heard {
    /// The accesses, in order.
    pub events: Vec<Event>,
    /// Whether the log says that lines are missing.
    pub is_incomplete: bool,
    /// The other profiles in the log, in the order of their first line.
    pub others: Vec<String>,
}

/// Reads a log for what concerns the profile called `name`, its children and what runs under it in complain mode.
///
/// # Errors
/// An [`io::Error`] of the log's reader.
pub fn hear(mut log: impl BufRead, name: &str) -> io::Result<Heard> {
    let mut heard = Heard::default();
    let mut line = Vec::new();
    while read_line(&mut log, &mut line)? {
        match Line::parse(&line) {
            Line::Lost => heard.is_incomplete = true,
            Line::Other => {}
            Line::Access(record) => heard.add(&record, name),
        }
    }
    Ok(heard)
}

impl Heard {
    fn add(&mut self, record: &Record, name: &str) {
        let Some(label) = record.get("profile").or_else(|| record.get("label")) else { return };
        let label = String::from_utf8_lossy(label).into_owned();
        if label.split("//&").any(|one| is_part_of(one, name)) {
            self.events.extend(Event::of(record));
        } else if !self.others.contains(&label) && self.others.len() < 64 {
            self.others.push(label);
        }
    }
}

/// The profile itself, or a child: `web//null-/bin/sh` is what an execution without a rule runs under in complain mode.
fn is_part_of(label: &str, name: &str) -> bool {
    label.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("//"))
}

/// The next line without its end; of one that is too long only the start. `false` at the end.
fn read_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let buffer = match log.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(buffer.len());
        let room = MAX_LINE.saturating_sub(line.len());
        line.extend_from_slice(&buffer[..taken.min(room)]);
        log.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            return Ok(true);
        }
    }
}

impl Profile {
    /// What would have to be added for the accesses to be allowed.
    pub fn learn(&self, events: &[Event]) -> Lesson {
        propose::lesson(self, events)
    }
}

#[cfg(test)]
mod tests;
