//! Patterns written out, in both spellings.

use std::fmt;

use super::{Pattern, Piece};
use crate::apparmor::quote::{push_byte, push_plain};

impl Pattern {
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
