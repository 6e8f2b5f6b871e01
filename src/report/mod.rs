//! What a dry run found, in the formats that people and machines read. Every format carries the same findings.

mod json;
mod judged;
mod patch;
mod text;

pub use json::{SCHEMA_VERSION, json};
pub use judged::{Judged, Verdict};
pub use patch::{json_patch, unified};
pub use text::{escape, text};
