//! AppArmor's policy language in tokens, as apparmor_parser's scanner would cut it (`parser_lex.l`).

use crate::apparmor::pattern::Pattern;
use crate::apparmor::quote::push_byte;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word, a path or a quoted string. Its text has the escapes resolved that the scanner resolves; a backslash that
    /// is left makes the next character plain.
    Text { text: Vec<u8>, quoted: bool },
    /// `include <…>` and `abi <…>`.
    Angle(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `=`, `+=`
    Equals,
    /// `->`
    Arrow,
    /// The comma that ends a rule.
    End,
    /// `{` that opens a block.
    BlockOpen,
    /// `}` that closes one.
    BlockClose,
    /// The end of a line; it ends an include and an assignment.
    Newline,
}

impl Token {
    /// The word, if it is an unquoted one.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Text { text, quoted: false } => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The text as a pattern.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        let Self::Text { text, .. } = self else { return None };
        Pattern::label(&respell(text)).ok()
    }
}

/// Text of which this scanner makes no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: a quote is never closed")]
pub struct ScanError {
    /// Counted from 1.
    pub line: usize,
}

/// Where a token stands: its line from 1 on, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) line: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Cuts text into tokens.
pub(super) fn scan(text: &[u8]) -> Result<Vec<(Token, Spot)>, ScanError> {
    let mut scanner = Scanner { text, at: 0, line: 1, parens: 0, tokens: Vec::new() };
    while scanner.at < text.len() {
        scanner.step()?;
    }
    Ok(scanner.tokens)
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
    parens: usize,
    tokens: Vec<(Token, Spot)>,
}

impl Scanner<'_> {
    fn step(&mut self) -> Result<(), ScanError> {
        let rest = &self.text[self.at..];
        let after_equals = matches!(self.tokens.last(), Some((Token::Equals, _)));
        match rest[0] {
            b'\n' => {
                self.push(Token::Newline, 1);
                self.line += 1;
            }
            byte if byte.is_ascii_whitespace() => self.at += 1,
            b'#' if !rest.starts_with(b"#include") => self.at += until(rest, b"\n"),
            b'#' => self.at += 1,
            b'"' => return self.quoted(),
            b'<' => {
                let length = until(rest, b">\n");
                let inside = String::from_utf8_lossy(&rest[1..length]).trim().to_owned();
                self.push(Token::Angle(inside), (length + 1).min(rest.len()));
            }
            b'(' => {
                self.parens += 1;
                self.push(Token::Open, 1);
            }
            b')' => {
                self.parens = self.parens.saturating_sub(1);
                self.push(Token::Close, 1);
            }
            b',' if self.parens > 0 => self.at += 1,
            b',' => self.push(Token::End, 1),
            b'=' => self.push(Token::Equals, 1),
            b'+' if rest.starts_with(b"+=") => self.push(Token::Equals, 2),
            b'-' if rest.starts_with(b"->") => self.push(Token::Arrow, 2),
            b'{' if !after_equals => self.push(Token::BlockOpen, 1),
            b'}' if !after_equals => self.push(Token::BlockClose, 1),
            byte => {
                let is_path = after_equals || matches!(byte, b'/' | b'@');
                let length = if is_path { self.path(rest) } else { word(rest) };
                self.push(Token::Text { text: unescape(&rest[..length]), quoted: false }, length);
            }
        }
        Ok(())
    }

    fn push(&mut self, token: Token, length: usize) {
        let spot = Spot { line: self.line, start: self.at, end: self.at + length };
        self.tokens.push((token, spot));
        self.at += length;
    }

    /// The longest string that could end in a quote: `\"` may be one inside or the end, so the scanner goes on to see
    /// whether another quote follows.
    fn quoted(&mut self) -> Result<(), ScanError> {
        let rest = &self.text[self.at..];
        let mut end = None;
        let mut at = 1;
        while at < rest.len() && rest[at] != 0 {
            if rest[at] == b'"' {
                end = Some(at);
                if rest[at - 1] != b'\\' || at == 1 {
                    break;
                }
            }
            at += 1;
        }
        let end = end.ok_or(ScanError { line: self.line })?;
        let inside = &rest[1..end];
        let lines = inside.iter().filter(|byte| **byte == b'\n').count();
        self.push(Token::Text { text: unescape(inside), quoted: true }, end + 1);
        self.line += lines;
        Ok(())
    }

    /// A path or pattern without quotes: a comma belongs to it unless a space or the end follows.
    fn path(&self, rest: &[u8]) -> usize {
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            let escaped = byte == b'\\' && rest.get(at + 1).is_some_and(|next| b" \t\"!,".contains(next));
            let ends = match byte {
                b',' => self.parens > 0 || rest.get(at + 1).is_none_or(u8::is_ascii_whitespace),
                b')' => self.parens > 0,
                byte => byte.is_ascii_whitespace() || byte == b'"',
            };
            if ends && !escaped {
                break;
            }
            at += if escaped { 2 } else { 1 };
        }
        // What cannot start a path stands alone, so that every step gets on.
        at.min(rest.len()).max(1)
    }
}

fn word(rest: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b",()={}\"<".contains(byte);
    rest.iter().position(ends).unwrap_or(rest.len()).max(1)
}

fn until(rest: &[u8], ends: &[u8]) -> usize {
    rest.iter().position(|byte| ends.contains(byte)).unwrap_or(rest.len())
}

/// Resolves escapes as `processunquoted` does (`parser_misc.c`): what is special to patterns keeps its backslash.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], escape(&text[at + 1..])) {
            (b'\\', Some((byte, length))) => {
                if b"*?[]{}^,\\".contains(&byte) {
                    out.push(b'\\');
                }
                out.push(byte);
                at += 1 + length;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// The byte that the text after a backslash stands for, and how long that text is (`strn_escseq`).
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let number = |digits: &[u8], most: usize, radix: u32| {
        let length = digits.iter().take(most).take_while(|digit| char::from(**digit).is_digit(radix)).count();
        // One digit less where the number would not fit a byte.
        (1..=length).rev().find_map(|length| {
            let value = std::str::from_utf8(&digits[..length]).ok().map(|text| u32::from_str_radix(text, radix))?;
            value.ok().and_then(|value| u8::try_from(value).ok()).filter(|byte| *byte != 0).map(|byte| (byte, length))
        })
    };
    match *rest.first()? {
        b'0'..=b'7' => number(rest, 3, 8),
        b'd' => number(&rest[1..], 3, 10).map(|(byte, length)| (byte, length + 1)),
        b'x' => number(&rest[1..], 2, 16).map(|(byte, length)| (byte, length + 1)),
        b'\\' => Some((b'\\', 1)),
        b'"' => Some((b'"', 1)),
        b'a' => Some((7, 1)),
        b'e' => Some((27, 1)),
        b'f' => Some((12, 1)),
        b'n' => Some((b'\n', 1)),
        b'r' => Some((b'\r', 1)),
        b't' => Some((b'\t', 1)),
        _ => None,
    }
}

/// A pattern of the parser's in the spelling of [`Pattern`]: bytes that are no visible text as `\xHH`.
fn respell(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_byte(&mut out, byte));
            } else {
                out.push(c);
            }
        }
        chunk.invalid().iter().for_each(|byte| push_byte(&mut out, *byte));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let tokens = scan(text.as_bytes()).unwrap();
        let text = |token: Token| match token {
            Token::Text { text, .. } => Some(String::from_utf8(text).unwrap()),
            _ => None,
        };
        tokens.into_iter().filter_map(|(token, _)| text(token)).collect()
    }

    #[test]
    fn a_string_that_ends_in_a_backslash_runs_on_to_the_next_quote() {
        assert_eq!(texts(r#""/a\\" r, " x "/b" w,"#), [r#"/a\\" r, "#, "x", "/b", "w"], "as apparmor_parser reads it");
        assert_eq!(texts(r#""/a\134" r, "/b" w,"#), [r"/a\\", "r", "/b", "w"]);
        assert_eq!(texts(r#""/a\"b" r,"#), ["/a\"b", "r"]);
    }

    #[test]
    fn escapes_are_the_scanner_s() {
        assert_eq!(texts(r#""/\052\40x\x41\d66\n\q""#), ["/\\* xAB\n\\q"]);
        assert_eq!(texts(r"/a\ b,c,"), [r"/a\ b,c"], "an escaped space does not end a path");
    }

    #[test]
    fn a_comma_ends_a_rule_only_before_a_space() {
        assert_eq!(
            texts("/{a,b}/** rw, signal set=(term, kill) peer={x,y},\n"),
            ["/{a,b}/**", "rw", "signal", "set", "term", "kill", "peer", "{x,y}"]
        );
    }

    #[test]
    fn an_open_quote_is_found_at_its_line() {
        assert_eq!(scan(b"a\n\"b"), Err(ScanError { line: 2 }));
    }
}
