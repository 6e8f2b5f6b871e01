//! What a dry run found, in the formats that people and machines read. Every format carries the same findings.

mod escape;
#[cfg(feature = "cli")]
mod format;
#[cfg(feature = "cli")]
mod github;
#[cfg(feature = "cli")]
mod html;
#[cfg(feature = "cli")]
pub(crate) mod json;
#[cfg(feature = "cli")]
mod junit;
#[cfg(feature = "cli")]
mod markup;
#[cfg(feature = "cli")]
mod patch;
#[cfg(feature = "cli")]
mod sarif;
#[cfg(feature = "cli")]
mod text;

pub use escape::escape;
#[cfg(feature = "cli")]
pub use format::{Format, Writer};
#[cfg(feature = "cli")]
pub use html::Page;
#[cfg(feature = "cli")]
pub use json::SCHEMA_VERSION;
#[cfg(feature = "cli")]
pub(crate) use markup::escaped;
#[cfg(feature = "cli")]
pub use patch::{json_patch, unified};
#[cfg(feature = "cli")]
pub use text::{Style, text};
