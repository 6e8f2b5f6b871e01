//! Standing in front of an OCI runtime: reading its command line, handing over to it, and answering as it would.

pub mod argv;
mod clock;
pub mod config;
pub mod decision;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod exec;
pub mod external;
pub mod features;
pub mod find;
pub mod handoff;
pub mod log;
#[cfg(feature = "embedded")]
pub mod signals;
pub mod sigpipe;
pub mod state;
#[cfg(feature = "embedded")]
pub mod terminal;
