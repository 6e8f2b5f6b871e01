//! Paths and labels as profiles name them: text with `*`, `**`, `?`, `[a-z]`, `{a,b}` and `@{VARIABLE}`.
//!
//! A pattern is held in pieces, so that what is plain text and what is a wildcard is settled once, when it is read. It is
//! written out in two spellings: [`std::fmt::Display`] gives the one that is read here (and in TOML), where a backslash
//! makes the next character plain; [`Pattern::quoted`] gives the parser's, where nothing plain is left that could end a
//! string or become a wildcard.

mod read;
mod spelling;

/// Longest pattern, in bytes: a path of the kernel's longest.
pub(crate) const MAX_BYTES: usize = 4096;

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Piece {
    /// This byte.
    Byte(u8),
    /// `?`: any byte but `/`.
    One,
    /// `*`: any number of bytes but `/`.
    Star,
    /// `**`: any number of bytes.
    DoubleStar,
    /// `[a-z]`, `[^a-z]`: one byte in (or not in) these ranges.
    Class { negated: bool, ranges: Vec<(u8, u8)> },
    /// `{a,b}`: one of these.
    Group(Vec<Vec<Self>>),
    /// `@{NAME}`: what the tunables define.
    Variable(String),
}

/// A checked pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

/// Text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum PatternError {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("a path starts with / or @{{VARIABLE}}")]
    NotAbsolute,
    #[error("a NUL character cannot be part of a path")]
    Nul,
    #[error("the backslash before {0:?} makes no sense")]
    Escape(char),
    #[error("it ends in a backslash")]
    TrailingBackslash,
    #[error("a [ has no ]")]
    OpenClass,
    #[error("[] holds letters, digits, ranges such as a-z and _ . / + = : ~ @ % , -")]
    Class,
    #[error("a ] has no [")]
    StrayClose,
    #[error("a {{ has no }}")]
    OpenGroup,
    #[error("a }} has no {{")]
    StrayBrace,
    #[error("{{}} needs at least two alternatives, separated by commas")]
    SingleAlternative,
    #[error("{{}} is nested deeper than {} levels", read::MAX_DEPTH)]
    TooDeep,
    #[error("@{{ begins a variable, such as @{{HOME}}")]
    Variable,
}

impl PatternError {
    /// What to write instead.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::NotAbsolute => "write the path as the container sees it, from / on; /dir/ is the folder itself",
            Self::Empty | Self::TooLong | Self::Nul => "check the path",
            Self::SingleAlternative => "write {a,b}, or \\{ for a plain brace",
            _ => "a backslash makes the next character plain: \\* \\? \\[ \\{ \\@ \\\\; in TOML, quote with '...' then",
        }
    }
}

impl Pattern {
    /// A path's pattern.
    ///
    /// # Errors
    /// [`PatternError`] when it does not start at the root or is malformed.
    pub fn path(text: &str) -> Result<Self, PatternError> {
        let pattern = Self::label(text)?;
        match pattern.pieces.first() {
            Some(Piece::Byte(b'/') | Piece::Variable(_)) => Ok(pattern),
            _ => Err(PatternError::NotAbsolute),
        }
    }

    /// The pattern of a label, a file system type or anything else that need not start with `/`.
    ///
    /// # Errors
    /// [`PatternError`] when it is malformed.
    pub fn label(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(PatternError::TooLong);
        }
        Ok(Self { pieces: read::pieces(text)? })
    }

    /// The pattern that is exactly these bytes; NULs, which no name of the kernel's holds, are left out.
    pub fn literal(text: impl AsRef<[u8]>) -> Self {
        Self { pieces: text.as_ref().iter().filter(|byte| **byte != 0).map(|byte| Piece::Byte(*byte)).collect() }
    }

    /// `/{**,}`: every path there is, which `file,` stands for.
    pub fn everything() -> Self {
        let group = Piece::Group(vec![vec![Piece::DoubleStar], vec![]]);
        Self { pieces: vec![Piece::Byte(b'/'), group] }
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The bytes, where nothing in it is a wildcard or a variable.
    pub fn as_literal(&self) -> Option<Vec<u8>> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Byte(byte) => Some(*byte),
                _ => None,
            })
            .collect()
    }

    /// The bytes before the first wildcard.
    pub fn literal_prefix(&self) -> Vec<u8> {
        self.pieces
            .iter()
            .map_while(|piece| match piece {
                Piece::Byte(byte) => Some(*byte),
                _ => None,
            })
            .collect()
    }

    /// The variables it names, in order.
    pub fn variables(&self) -> Vec<&str> {
        fn walk<'p>(pieces: &'p [Piece], names: &mut Vec<&'p str>) {
            for piece in pieces {
                match piece {
                    Piece::Variable(name) => names.push(name),
                    Piece::Group(alternatives) => alternatives.iter().for_each(|one| walk(one, names)),
                    _ => {}
                }
            }
        }
        let mut names = Vec::new();
        walk(&self.pieces, &mut names);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_spelled_as_it_was_read() {
        for text in [
            "/etc/passwd",
            "/etc/**",
            "/a b/*.log",
            "/{usr/,}lib{,32,64}/[^a-z.]?",
            "@{PROC}/@{pid}/status",
            r"/a\*b\{c\}\\d",
            r"/{a\,b,c}",
            r"/caf\xE9",
            "/données/é",
            "/a,b",
            r"/@\{HOME\}",
        ] {
            assert_eq!(Pattern::path(text).map(|pattern| pattern.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_the_parser_would_refuse_or_read_otherwise_is_no_pattern() {
        for (text, error) in [
            ("", PatternError::Empty),
            ("etc/passwd", PatternError::NotAbsolute),
            ("{/a,/b}", PatternError::NotAbsolute),
            ("/a\\", PatternError::TrailingBackslash),
            ("/a\\n", PatternError::Escape('n')),
            ("/a\\012", PatternError::Escape('0')),
            ("/a\\x+1", PatternError::Escape('x')),
            ("/a\\x00", PatternError::Nul),
            ("/a\0", PatternError::Nul),
            ("/[a", PatternError::OpenClass),
            ("/[]", PatternError::Class),
            ("/[z-a]", PatternError::Class),
            ("/[a*]", PatternError::Class),
            ("/a]", PatternError::StrayClose),
            ("/{a", PatternError::OpenGroup),
            ("/{a}", PatternError::SingleAlternative),
            ("/a}", PatternError::StrayBrace),
            ("/@{a-b}", PatternError::Variable),
            ("/@{", PatternError::Variable),
            (r"/\@{a,b}", PatternError::Variable),
        ] {
            assert_eq!(Pattern::path(text), Err(error), "{text:?}");
        }
        assert_eq!(Pattern::path(&format!("/{}", "{a,".repeat(17))), Err(PatternError::TooDeep));
        assert_eq!(Pattern::path(&format!("/{}", "a".repeat(4096))), Err(PatternError::TooLong));
    }

    #[test]
    fn nothing_plain_is_left_in_quotes_that_the_parser_reads_otherwise() {
        assert_eq!(Pattern::literal("/a\"b\\").quoted(), r#""/a\042b\134""#);
        assert_eq!(
            Pattern::literal("/*?[x]{a,b}^@{HOME}\n#").quoted(),
            r#""/\052\077\133x\135\173a\054b\175\136@\173HOME\175\012#""#
        );
        assert_eq!(Pattern::path("/a b/{x,y}/**").unwrap().quoted(), r#""/a b/{x,y}/**""#);
    }
}
