//! Remarks: what a linter says of a profile that can be read and that its author hardly meant.

/// How much a remark matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Hardly meant.
    Warning,
    /// The profile confines nothing there, or will not load.
    Error,
}

impl Level {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to say of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What kind of thing, in words with hyphens.
    pub code: &'static str,
    /// How much it matters.
    pub level: Level,
    /// The line, counted from 1.
    pub line: usize,
    /// What is there, in one clause.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}
