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

pub use edit::{EditError, edit};
pub use event::{Asked, Event};
pub use generalise::generalise;
#[cfg(feature = "cli")]
pub(crate) use log::{Line, fields};
pub use log::{Outcome, Record};
pub(super) use propose::{ENGINE_SOCKETS, is_powerful};
pub use propose::{Left, Lesson, Proposal, Why};

use super::profile::Profile;

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

impl Heard {
    /// Takes an access that concerns the profile called `name`, its children, or what runs under it in complain mode.
    pub fn add(&mut self, record: &Record, name: &str) {
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

impl Profile {
    /// What would have to be added for the accesses to be allowed.
    pub fn learn(&self, events: &[Event]) -> Lesson {
        propose::lesson(self, events)
    }
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests;
