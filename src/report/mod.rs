//! What a dry run found, in the formats that people and machines read. Every format carries the same findings.

mod escape;
#[cfg(feature = "cli")]
pub(crate) mod json;
#[cfg(feature = "cli")]
mod judged;
#[cfg(feature = "cli")]
mod patch;
#[cfg(feature = "cli")]
mod text;

pub use escape::escape;
#[cfg(feature = "cli")]
pub use json::{SCHEMA_VERSION, json};
#[cfg(feature = "cli")]
pub use judged::{Judged, Verdict};
#[cfg(feature = "cli")]
pub use patch::{json_patch, unified};
#[cfg(feature = "cli")]
pub use text::text;
