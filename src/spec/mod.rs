//! config.json and process.json as they are on disk: strict to read, lossless to keep, atomic to replace.

mod document;
mod error;
mod pointer;
mod scan;

pub use document::{Document, Kind, MAX_BYTES, MAX_DEPTH, Value, quote};
pub use error::{Place, ReadError, Refusal};
pub use pointer::Pointer;
