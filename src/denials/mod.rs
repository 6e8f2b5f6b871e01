//! What was refused, and to whom: the kernel's records of seccomp and AppArmor, by container, beside what batten itself
//! refused or changed before a start.
//!
//! # Terms
//!
//! An *event* is one record of the kernel's. A *decision* is one line of the shim's log. A *row* is all events and decisions
//! that say the same of the same container. The kernel's records name a process, not a container: [`Containers`] finds
//! that while the process lives. What a log says of messages that it *lost* is kept, so that nobody takes silence for
//! peace.

mod accesses;
mod connector;
mod containers;
mod decision;
mod event;
mod heard;
mod invariants;
mod journal;
mod ledger;
mod limit;
mod moment;
mod news;
mod reader;
mod reason;
mod record;
pub mod report;
mod source;
mod tail;

pub use accesses::{Accesses, hear};
pub use connector::Forks;
pub use containers::{Containers, Trace, Who};
pub use decision::Decision;
pub use event::{Event, Fate, What};
pub use heard::Heard;
pub use invariants::check_reading;
pub use ledger::{Kind, Ledger, Row};
pub use limit::Limit;
pub use moment::Moment;
pub use news::News;
pub use reader::Reader;
pub use reason::{By, Reason, Reasons};
pub use source::{Source, SourceError};
