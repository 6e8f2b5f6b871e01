//! Patterns read.

use super::{PatternError, Piece};

/// Deepest nesting of braces; the parser takes 49.
pub(super) const MAX_DEPTH: usize = 16;

/// What `text` says, from its first to its last byte.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, PatternError> {
    let mut reader = Reader { rest: text };
    let pieces = reader.sequence(0)?;
    // Only a brace or comma that belongs to no group ends a sequence early.
    if reader.rest.is_empty() { Ok(pieces) } else { Err(PatternError::StrayBrace) }
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
