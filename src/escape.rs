//! What comes out of a bundle, on its way to a terminal or a log.

/// Makes control characters visible, newlines kept: nothing that a bundle brought may steer a terminal or a log.
pub(crate) fn escape(text: &str) -> std::borrow::Cow<'_, str> {
    let steers =
        |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    // A piece is looked at whole: what stops at the first that is not plain is looked at byte by byte.
    let are_plain = |piece: &[u8]| piece.iter().fold(true, |all, byte| all & plain(*byte));
    if text.as_bytes().chunks(32).all(are_plain) || !text.contains(steers) {
        return text.into();
    }
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if steers(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
            out
        })
        .into()
}
