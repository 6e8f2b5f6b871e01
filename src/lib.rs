//! Brings containers within one policy before their OCI runtime starts them.

pub mod capability;
pub mod doors;
pub mod spec;
