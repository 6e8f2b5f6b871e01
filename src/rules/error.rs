//! Why a document cannot be judged.

use super::SeccompError;
use crate::spec::EditError;

/// A document that could not be judged; nothing may start from it.
#[derive(Debug, thiserror::Error)]
pub enum EnforceError {
    /// The findings' edits do not fit the document.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// More to put right than any engine's document has; it would take minutes.
    #[error("the policy would change it at more than {0} places")]
    TooManyEdits(usize),
    /// The seccomp profile that the policy names cannot be used.
    #[error(transparent)]
    Seccomp(#[from] Box<SeccompError>),
}

impl EnforceError {
    /// What the operator can do.
    pub fn hint(&self) -> &str {
        match self {
            Self::Seccomp(error) => error.hint(),
            Self::TooManyEdits(_) => "no engine writes such a document; look at where it comes from",
            Self::Edit(_) => "this is a defect of batten: please report it with the config.json",
        }
    }
}
