//! The doors: every way into the judgement, one file each. A door reads its source, calls the judgement, writes its
//! sink, and turns errors into exit codes and messages; it has no logic of its own.

#[cfg(feature = "cli")]
pub mod cli;
mod exit;

pub use exit::Exit;
