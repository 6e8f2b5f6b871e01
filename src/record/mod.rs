//! Profiles from what a workload really does: recordings, from strace's text or taken live, and what is made of them.
//!
//! # Terms
//!
//! A *recording* is what one or more *runs* of a workload were seen to call: for each system call how often, how often it
//! was *refused*, and where it was seen first. *Additions* are the calls that no recording shows and a container needs all
//! the same. *Coverage* is in how many of the runs a call was seen.

mod additions;
pub mod against;
pub mod coverage;
mod invariants;
pub mod live;
pub mod merge;
pub mod output;
mod recording;
pub mod strace;

pub use additions::{Addition, Runtime, Why, additions};
pub use invariants::check_reading;
pub use recording::{Call, First, Recording, RecordingError, Seen, Values};
