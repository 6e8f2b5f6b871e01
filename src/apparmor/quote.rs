//! Text in the parser's double quotes.
//!
//! The parser's scanner takes the longest string that could end in a quote, and lets `\"` stand for a quote inside: a
//! string whose text ends in a backslash, `"...\\"`, runs on to the next quote in the file (`parser_lex.l`, `QUOTED_ID`;
//! seen on 3.0.8 and 4.1.0). So neither a quote nor a backslash is ever written: both go out as octal numbers, as
//! does everything that is special to patterns or that a person would not see.

/// Appends `bytes` so that the parser reads exactly them, wherever a name or a pattern may stand in quotes.
pub(crate) fn push_plain(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_harmless(c) {
                out.push(c);
            } else {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_octal(out, byte));
            }
        }
        chunk.invalid().iter().for_each(|byte| push_octal(out, *byte));
    }
}

/// Text in double quotes that the parser reads as exactly that text.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    push_plain(&mut out, text.as_bytes());
    out.push('"');
    out
}

/// Letters and digits of any script, the space, and what ASCII has that is special to nobody.
fn is_harmless(c: char) -> bool {
    const SPECIAL: &[char] = &['"', '\\', '*', '?', '[', ']', '{', '}', '^', ','];
    c == ' ' || c.is_alphanumeric() || (c.is_ascii_graphic() && !SPECIAL.contains(&c))
}

/// Three digits always, so that a digit after it is not taken for a part of it.
fn push_octal(out: &mut String, byte: u8) {
    out.push('\\');
    for shift in [6, 3, 0] {
        out.push(char::from(b'0' + (byte >> shift & 7)));
    }
}

/// A byte as `\xE9`, in the spelling of patterns.
pub(crate) fn push_byte(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push_str("\\x");
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quote_or_backslash_never_stands_in_quotes() {
        assert_eq!(quoted("a\" } profile x {\\"), r#""a\042 \175 profile x \173\134""#);
        assert_eq!(quoted("two words"), "\"two words\"");
        assert_eq!(quoted("\u{202e}"), r#""\342\200\256""#, "text that turns the line around is not seen as such");
    }
}
