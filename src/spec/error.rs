//! Why a document was refused, and where.

use std::fmt;

use super::pointer::Pointer;

/// Line and column, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of byte `offset` in `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        // Continuation bytes are not characters of their own.
        let column = before[line_start..].iter().filter(|&&b| b & 0xc0 != 0x80).count() + 1;
        Self { line, column }
    }

    /// The line with a caret under the column, as the TOML reader draws it.
    pub fn point_at(self, line: &str) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(self.column.saturating_sub(1));
        format!("{margin} |\n{number} | {line}\n{margin} | {indent}^")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A document that is not judged because it cannot be read, or because two readers could read it differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}{} ({place})", within(pointer))]
pub struct ReadError {
    /// What is wrong.
    pub refusal: Refusal,
    /// Where in the text.
    pub place: Place,
    /// Where in the tree.
    pub pointer: Pointer,
}

/// Where in the tree, for a message about more than all of it.
fn within(pointer: &Pointer) -> String {
    if *pointer == Pointer::root() { String::new() } else { format!(" at {pointer}") }
}

impl ReadError {
    pub(super) const fn new(refusal: Refusal, place: Place, pointer: Pointer) -> Self {
        Self { refusal, place, pointer }
    }

    pub(super) const fn at_start(refusal: Refusal) -> Self {
        Self::new(refusal, Place { line: 1, column: 1 }, Pointer::root())
    }

    /// What the person who wrote the document can do.
    pub const fn hint(&self) -> &'static str {
        self.refusal.hint()
    }
}

/// What makes a document unreadable or ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error("the document is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("expected {expected}, found {found}")]
    Syntax { expected: &'static str, found: String },
    #[error("data after the end of the document")]
    TrailingData,
    #[error("nesting deeper than {} levels", super::document::MAX_DEPTH)]
    TooDeep,
    #[error("the key {key:?} stands twice in one object")]
    DuplicateKey { key: String },
    #[error("the key {key:?} reads as {known:?} to some runtimes and as unknown to others")]
    FoldedKey { key: String, known: &'static str },
    #[error("a NUL character in a string")]
    Nul,
    #[error("a lone surrogate in a string")]
    LoneSurrogate,
    #[error("the integer {number} does not fit 64 bits")]
    HugeInteger { number: String },
    #[error("expected {expected}, found {found}")]
    WrongType { expected: &'static str, found: String },
}

impl Refusal {
    /// What the person who wrote the document can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "no engine writes a config.json of this size; look at what was put at this path",
            Self::NotUtf8 | Self::LoneSurrogate => {
                "write the text as UTF-8; runtimes replace bad bytes in different ways"
            }
            Self::Syntax { .. } => "write strict JSON (RFC 8259): no comments, no trailing commas, double quotes only",
            Self::TrailingData => {
                "keep one JSON document per file; Go-based runtimes ignore the rest, others refuse it"
            }
            Self::TooDeep => "the runtime-spec needs 8 levels; flatten the unknown part",
            Self::DuplicateKey { .. } => "keep one of them: runc merges both, crun takes the first or the last",
            Self::FoldedKey { .. } => {
                "spell the key exactly as the runtime-spec does: runc ignores case, crun does not"
            }
            Self::Nul => "remove it: C-based runtimes end the string there, Go-based ones do not",
            Self::HugeInteger { .. } => "runtimes clamp, round or refuse such a number; write one that fits",
            Self::WrongType { .. } => {
                "use the type that the runtime-spec gives; some runtimes read a wrong type as absent"
            }
        }
    }
}
