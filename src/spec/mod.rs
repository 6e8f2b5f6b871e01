//! config.json and process.json as they are on disk: strict to read, lossless to keep, atomic to replace.

mod acl;
mod bundle;
mod document;
mod edit;
mod error;
mod pointer;
mod scan;
mod shape;
mod way;

pub use bundle::{CONFIG, Doubt, Durability, FileError, Problem, TrustedFile, is_trusted_owner, read_trusted};
pub use document::{Document, Kind, MAX_BYTES, MAX_DEPTH, Value, quote};
pub use edit::{Change, Edit, EditError, Fragment, Working, apply};
pub use error::{Place, ReadError, Refusal};
pub use pointer::Pointer;
pub use shape::{Members, Shape};
#[cfg(test)]
pub(crate) use shape::{PROCESS_FILE as PROCESS_SHAPE, SPEC as SPEC_SHAPE};
pub use way::{Astray, Cause, trust_way};
