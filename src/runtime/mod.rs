//! Standing in front of an OCI runtime: reading its command line, handing over to it, and answering as it would.

pub mod argv;
pub mod config;
pub mod external;
pub mod find;
pub mod handoff;
