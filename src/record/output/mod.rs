//! What is made of a recording: profiles, the reasons for each call in them, a policy's lines, and the recording itself.

mod accesses;
mod docker;
mod file;
mod groups;
mod profile;
mod provenance;
mod saved;
mod snippet;

pub use accesses::accesses;
pub use docker::docker;
pub use file::{WriteError, check_new, write_new};
pub use groups::groups;
pub use profile::{Made, Making, Refused, make};
pub use provenance::provenance;
pub use saved::{load, save};
pub use snippet::snippet;
