//! Paths and labels as profiles name them: text with `*`, `**`, `?`, `[a-z]`, `{a,b}` and `@{VARIABLE}`.
//!
//! A pattern is held in pieces, so that what is plain text and what is a wildcard is settled once, when it is read. It is
//! written out in two spellings: [`std::fmt::Display`] gives the one that is read here (and in TOML), where a backslash
//! makes the next character plain; [`Pattern::quoted`] gives the parser's, where nothing plain is left that could end a
//! string or become a wildcard.

use std::fmt;

use super::quote::{push_byte, push_plain};

/// Longest pattern, in bytes: a path of the kernel's longest.
pub(crate) const MAX_BYTES: usize = 4096;

/// Deepest nesting of braces; the parser takes 49.
const MAX_DEPTH: usize = 16;

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
    #[error("{{}} is nested deeper than {MAX_DEPTH} levels")]
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
        let mut reader = Reader { rest: text };
        let pieces = reader.sequence(0)?;
        match reader.rest.chars().next() {
            None => Ok(Self { pieces }),
            Some(_) => Err(PatternError::StrayBrace),
        }
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

    /// The pattern in the parser's spelling, in double quotes.
    pub fn quoted(&self) -> String {
        let mut out = String::from("\"");
        push_pieces(&mut out, &self.pieces);
        out.push('"');
        out
    }
}

fn push_pieces(out: &mut String, pieces: &[Piece]) {
    let mut plain = Vec::new();
    for piece in pieces {
        if let Piece::Byte(byte) = piece {
            plain.push(*byte);
            continue;
        }
        push_plain(out, &plain);
        plain.clear();
        match piece {
            Piece::Byte(_) => {}
            Piece::One => out.push('?'),
            Piece::Star => out.push('*'),
            Piece::DoubleStar => out.push_str("**"),
            Piece::Class { negated, ranges } => push_class(out, *negated, ranges),
            Piece::Variable(name) => {
                out.push_str("@{");
                out.push_str(name);
                out.push('}');
            }
            Piece::Group(alternatives) => {
                for (position, alternative) in alternatives.iter().enumerate() {
                    out.push(if position == 0 { '{' } else { ',' });
                    push_pieces(out, alternative);
                }
                out.push('}');
            }
        }
    }
    push_plain(out, &plain);
}

fn push_class(out: &mut String, negated: bool, ranges: &[(u8, u8)]) {
    out.push_str(if negated { "[^" } else { "[" });
    for (low, high) in ranges {
        out.push(char::from(*low));
        if low != high {
            out.push('-');
            out.push(char::from(*high));
        }
    }
    out.push(']');
}

/// The spelling of TOML and of messages.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        spell(&mut out, &self.pieces, false);
        f.write_str(&out)
    }
}

fn spell(out: &mut String, pieces: &[Piece], in_group: bool) {
    let mut plain = Vec::new();
    for piece in pieces {
        if let Piece::Byte(byte) = piece {
            plain.push(*byte);
            continue;
        }
        spell_plain(out, &plain, in_group);
        plain.clear();
        match piece {
            Piece::Group(alternatives) => {
                for (position, alternative) in alternatives.iter().enumerate() {
                    out.push(if position == 0 { '{' } else { ',' });
                    spell(out, alternative, true);
                }
                out.push('}');
            }
            other => push_pieces(out, std::slice::from_ref(other)),
        }
    }
    spell_plain(out, &plain, in_group);
}

fn spell_plain(out: &mut String, bytes: &[u8], in_group: bool) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '*' | '?' | '[' | ']' | '{' | '}' | '\\' => out.extend(['\\', c]),
                ',' if in_group => out.push_str("\\,"),
                c if c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic() => out.push(c),
                c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_byte(out, byte)),
            }
        }
        chunk.invalid().iter().for_each(|byte| push_byte(out, *byte));
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn take(&mut self, prefix: &str) -> bool {
        self.rest.strip_prefix(prefix).map(|rest| self.rest = rest).is_some()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Pieces up to the end, or up to the `,` or `}` that ends an alternative (which stays).
    fn sequence(&mut self, depth: usize) -> Result<Vec<Piece>, PatternError> {
        let mut pieces = Vec::new();
        while let Some(c) = self.rest.chars().next() {
            if c == '}' || (c == ',' && depth > 0) {
                break;
            }
            self.next();
            match c {
                '\0' => return Err(PatternError::Nul),
                '\\' => self.escape(&mut pieces)?,
                '*' if self.take("*") => {
                    // More than two are two.
                    while self.take("*") {}
                    pieces.push(Piece::DoubleStar);
                }
                '*' => pieces.push(Piece::Star),
                '?' => pieces.push(Piece::One),
                '[' => pieces.push(self.class()?),
                ']' => return Err(PatternError::StrayClose),
                // Variables are found after escapes are gone: a plain @ before a brace cannot be written at all.
                '{' if pieces.last() == Some(&Piece::Byte(b'@')) => return Err(PatternError::Variable),
                '{' => pieces.push(self.group(depth + 1)?),
                '@' if self.take("{") => pieces.push(self.variable()?),
                c => pieces.extend(c.encode_utf8(&mut [0; 4]).bytes().map(Piece::Byte)),
            }
        }
        Ok(pieces)
    }

    /// A punctuation mark, or a byte as `\xE9`.
    fn escape(&mut self, pieces: &mut Vec<Piece>) -> Result<(), PatternError> {
        match self.next() {
            None => Err(PatternError::TrailingBackslash),
            Some('x') => {
                let digits = self.rest.get(..2).ok_or(PatternError::Escape('x'))?;
                let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let byte = u8::from_str_radix(digits, 16).ok().filter(|_| hex).ok_or(PatternError::Escape('x'))?;
                if byte == 0 {
                    return Err(PatternError::Nul);
                }
                self.rest = &self.rest[2..];
                pieces.push(Piece::Byte(byte));
                Ok(())
            }
            Some(c) if c.is_ascii_punctuation() || c == ' ' => {
                pieces.push(Piece::Byte(c as u8));
                Ok(())
            }
            Some(c) => Err(PatternError::Escape(c)),
        }
    }

    fn class(&mut self) -> Result<Piece, PatternError> {
        let (inside, rest) = self.rest.split_once(']').ok_or(PatternError::OpenClass)?;
        self.rest = rest;
        let (negated, inside) = match inside.strip_prefix('^') {
            Some(inside) => (true, inside.as_bytes()),
            None => (false, inside.as_bytes()),
        };
        if inside.is_empty() || !inside.iter().all(|&byte| is_class_byte(byte)) {
            return Err(PatternError::Class);
        }
        let mut ranges = Vec::new();
        let mut at = 0;
        while at < inside.len() {
            match (inside[at], inside.get(at + 1), inside.get(at + 2)) {
                (low, Some(b'-'), Some(&high)) => {
                    if low > high || !low.is_ascii_alphanumeric() || !high.is_ascii_alphanumeric() {
                        return Err(PatternError::Class);
                    }
                    ranges.push((low, high));
                    at += 3;
                }
                // A plain - is read as a range elsewhere: first or last only.
                (b'-', ..) if at != 0 && at + 1 != inside.len() => return Err(PatternError::Class),
                (byte, ..) => {
                    ranges.push((byte, byte));
                    at += 1;
                }
            }
        }
        Ok(Piece::Class { negated, ranges })
    }

    fn group(&mut self, depth: usize) -> Result<Piece, PatternError> {
        if depth > MAX_DEPTH {
            return Err(PatternError::TooDeep);
        }
        let mut alternatives = vec![self.sequence(depth)?];
        while self.take(",") {
            alternatives.push(self.sequence(depth)?);
        }
        if !self.take("}") {
            return Err(PatternError::OpenGroup);
        }
        if alternatives.len() < 2 {
            return Err(PatternError::SingleAlternative);
        }
        Ok(Piece::Group(alternatives))
    }

    fn variable(&mut self) -> Result<Piece, PatternError> {
        let (name, rest) = self.rest.split_once('}').ok_or(PatternError::Variable)?;
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.bytes().all(letters) {
            return Err(PatternError::Variable);
        }
        self.rest = rest;
        Ok(Piece::Variable(name.to_owned()))
    }
}

/// What the parser takes inside `[]` as itself.
const fn is_class_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'.' | b'/' | b'+' | b'=' | b':' | b'~' | b'@' | b'%' | b',' | b'-')
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
