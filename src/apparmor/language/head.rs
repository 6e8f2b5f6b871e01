//! A profile's head: `profile NAME [PROGRAM] [xattrs=(…)] [[flags=](…)]`, `/PROGRAM …`, `hat NAME …`, `^NAME …`.

use std::ops::Range;

use super::Written;
use super::scanner::{Spot, Token};
use crate::apparmor::words::Mode;

type Spotted<'t> = (&'t Token, &'t Spot);

/// Where the flags stand in the file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FlagsPlace {
    /// There are none; they would stand here.
    None(usize),
    /// `flags=(…)`, and in it each flag.
    List { whole: Range<usize>, each: Vec<Range<usize>> },
    /// The head is none of the language's: apparmor_parser refuses the file.
    Unreadable,
}

/// The profile that `tokens`, up to the brace, begin; `None` where they begin another block.
pub(super) fn head(tokens: &[(Token, Spot)], parent: Option<&str>) -> Option<Written> {
    let (brace, head) = tokens.split_last()?;
    let head: Vec<Spotted> =
        head.iter().filter(|(token, _)| *token != Token::Newline).map(|(token, spot)| (token, spot)).collect();
    let line = head.first()?.1.line;
    let (own, rest) = match head.split_first()? {
        ((token, _), rest) if matches!(token.word(), Some("profile" | "hat")) => (rest.first()?.0, rest.get(1..)?),
        ((token, _), rest) => (*token, rest),
    };
    let Token::Text { text, quoted } = own else { return None };
    // A qualifier or condition before a block (`owner {`, `if … {`) names no profile.
    let is_keyword = !quoted && matches!(&text[..], b"audit" | b"deny" | b"allow" | b"owner" | b"if" | b"else");
    if is_keyword {
        return None;
    }
    let plain = own.pattern().and_then(|pattern| pattern.as_literal()).unwrap_or_else(|| text.clone());
    let name = String::from_utf8_lossy(plain.strip_prefix(b"^").unwrap_or(&plain)).into_owned();
    let name = parent.map_or(name.clone(), |parent| format!("{parent}//{name}"));
    let mut written = Written::new(name, line);
    let mut rest = rest;
    if let Some(((Token::Text { .. }, _), after)) = rest.split_first()
        && !matches!(after.first(), Some((Token::Equals, _)))
    {
        written.attachment = rest[0].0.pattern();
        rest = after;
    } else if plain.starts_with(b"/") {
        written.attachment = own.pattern();
    }
    written.flags_at = match without_xattrs(rest) {
        Some([]) => FlagsPlace::None(brace.1.start),
        Some(rest) => flags(rest, &mut written).unwrap_or(FlagsPlace::Unreadable),
        None => FlagsPlace::Unreadable,
    };
    if written.flags_at == FlagsPlace::Unreadable {
        let words: Vec<&Token> = head.iter().map(|(token, _)| *token).collect();
        written.unknown.push((line, super::rules::words_of(&words)));
    }
    Some(written)
}

fn without_xattrs<'h, 't>(rest: &'h [Spotted<'t>]) -> Option<&'h [Spotted<'t>]> {
    let [(xattrs, _), (Token::Equals, _), (Token::Open, _), list @ ..] = rest else { return Some(rest) };
    if xattrs.word() != Some("xattrs") {
        return Some(rest);
    }
    let close = list.iter().position(|(token, _)| **token == Token::Close)?;
    list.get(close + 1..)
}

/// Reads `[flags=](FLAG, …)`, of which nothing may be left over. A flag may be in quotes, and may have a value.
fn flags(rest: &[Spotted], written: &mut Written) -> Option<FlagsPlace> {
    let list = match rest {
        [(Token::Open, _), list @ ..] => list,
        [(flags, _), (Token::Equals, _), (Token::Open, _), list @ ..] if flags.word() == Some("flags") => list,
        _ => return None,
    };
    let ((Token::Close, close), mut list) = list.split_last()? else { return None };
    let whole = rest.first()?.1.start..close.end;
    let (mut each, mut words) = (Vec::new(), Vec::new());
    let mut last_end = None;
    while let [(Token::Text { text, quoted }, spot), after @ ..] = list {
        // What touches is one word to the parser, and no flag ends in what would escape a comma.
        if last_end == Some(spot.start) || !quoted && text.ends_with(b"\\") {
            return None;
        }
        let mut word = String::from_utf8_lossy(text).into_owned();
        let mut end = spot.end;
        list = after;
        if let [(Token::Equals, equals), (Token::Text { text, .. }, value), after @ ..] = after {
            let ends_escaped = text.ends_with(b"\\");
            if (equals.start, value.start) != (spot.end, equals.end) || ends_escaped {
                return None;
            }
            word = format!("{word}={}", String::from_utf8_lossy(text));
            end = value.end;
            list = after;
        }
        words.push(word);
        each.push(spot.start..end);
        last_end = Some(end);
    }
    if !list.is_empty() || each.is_empty() {
        return None;
    }
    written.set_flags(words);
    Some(FlagsPlace::List { whole, each })
}

impl Written {
    /// `text`, in which this profile was found, with the profile in another mode; `None` where its head is none that
    /// apparmor_parser takes. Nothing but the modes among its flags is touched.
    pub fn in_mode(&self, text: &str, mode: Mode) -> Option<String> {
        let word = if mode == Mode::Enforce { "" } else { mode.as_str() };
        match &self.flags_at {
            FlagsPlace::Unreadable => None,
            FlagsPlace::None(_) if word.is_empty() => Some(text.to_owned()),
            FlagsPlace::None(at) => {
                let (before, after) = text.split_at_checked(*at)?;
                let gap = if before.ends_with(char::is_whitespace) { "" } else { " " };
                Some(format!("{before}{gap}flags=({word}) {after}"))
            }
            FlagsPlace::List { whole, each } => {
                let kept = each.iter().zip(&self.flags).filter(|(_, flag)| !is_mode(flag));
                let mut kept: Vec<&str> = kept.map(|(place, _)| text.get(place.clone())).collect::<Option<_>>()?;
                kept.extend((!word.is_empty()).then_some(word));
                let (start, end) = match (each.as_slice(), kept.as_slice()) {
                    // The brackets may not be empty.
                    (_, []) => (whole.start, whole.end),
                    ([first, .., last], _) => (first.start, last.end),
                    ([only], _) => (only.start, only.end),
                    ([], _) => return None,
                };
                Some(format!("{}{}{}", text.get(..start)?, kept.join(", "), text.get(end..)?))
            }
        }
    }

    fn set_flags(&mut self, flags: Vec<String>) {
        for flag in &flags {
            match flag.as_str() {
                "attach_disconnected" => self.profile.attach_disconnected = true,
                "mediate_deleted" => self.profile.mediate_deleted = true,
                word => {
                    if let Some(mode) = Mode::from_word(word) {
                        self.profile.mode = mode;
                    }
                }
            }
        }
        self.flags = flags;
    }
}

/// Of these apparmor_parser takes one.
fn is_mode(flag: &str) -> bool {
    Mode::from_word(flag).is_some() || matches!(flag, "unconfined" | "prompt" | "default_allow")
}
