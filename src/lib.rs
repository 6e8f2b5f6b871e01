//! Brings containers within one policy before their OCI runtime starts them.

pub mod apparmor;
#[cfg(feature = "cli")]
pub mod attest;
pub mod capability;
#[cfg(feature = "cli")]
pub mod cases;
#[cfg(feature = "cli")]
mod count;
#[cfg(feature = "cli")]
pub mod denials;
#[cfg(feature = "cli")]
pub mod doctor;
pub mod doors;
pub mod enforce;
#[cfg(feature = "cli")]
pub mod engines;
mod escape;
pub mod finding;
#[cfg(feature = "cli")]
pub mod fleet;
pub mod host;
pub mod memo;
pub mod policy;
#[cfg(feature = "cli")]
pub mod record;
#[cfg(feature = "cli")]
pub mod remark;
#[cfg(feature = "cli")]
pub mod report;
pub mod rules;
pub mod runtime;
pub mod seccomp;
pub mod settings;
pub mod spec;
#[cfg(feature = "cli")]
pub mod validity;
