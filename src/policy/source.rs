//! One file of a policy, for the messages about it.

use std::path::PathBuf;

use super::error::PolicyError;
use crate::spec::Place;

/// One file that was read for a policy.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, for messages.
    pub path: PathBuf,
    pub(super) text: String,
}

impl Source {
    /// Line and column of a byte offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        Place::of(&self.text, offset)
    }

    /// What is wrong with the setting at a byte offset.
    pub(super) fn wrong(&self, offset: usize, problem: String, hint: impl Into<String>) -> PolicyError {
        let place = self.place(offset);
        let line = self.text.lines().nth(place.line - 1).unwrap_or_default().to_owned();
        PolicyError::Setting { path: self.path.clone(), place, line, problem, hint: hint.into() }
    }
}
