//! What a dry run found, in the formats that people and machines read; every format carries the same findings. And what an
//! attestation found.

pub mod attestation;
mod format;
mod github;
mod html;
pub(crate) mod json;
mod junit;
mod markup;
mod patch;
mod sarif;
mod text;

pub use format::{Format, Writer};
pub use html::Page;
pub use json::SCHEMA_VERSION;
pub(crate) use markup::escaped;
pub use patch::{json_patch, unified};
pub use text::{Style, text};
