//! How a call ended.

use memchr::{memchr2, memchr3, memrchr};

/// A call's end, as its line shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It returned a value.
    Returned(Option<u32>),
    /// `-1 EPERM`
    NotPermitted,
    /// `-1 ENOSYS`
    NotImplemented,
    /// Another error.
    Failed,
    /// `?`, `<unfinished ...>`, `<detached ...>`: it did not return, or not on this line.
    Open,
    /// The line stops short.
    Cut,
}

/// Reads the end of a call from what follows its opening parenthesis (or `resumed>`).
pub(super) fn outcome(rest: &[u8]) -> Outcome {
    let rest = without_time(rest.trim_ascii_end());
    if let Some(value) = plain_result(rest) {
        return judge(value);
    }
    match result(rest) {
        Some(value) => judge(value),
        None if rest.ends_with(b" ...>") || rest.ends_with(b"<unavailable>") => Outcome::Open,
        None => Outcome::Cut,
    }
}

/// Whether the line ends in the middle of the call, to be resumed on another.
pub(super) fn is_unfinished(rest: &[u8]) -> bool {
    rest.ends_with(b"<unfinished ...>")
}

fn judge(value: &[u8]) -> Outcome {
    match value {
        [b'?', ..] => Outcome::Open,
        [b'-', b'1', error @ ..] => match error.strip_prefix(b" ") {
            Some(error) if error.starts_with(b"EPERM ") => Outcome::NotPermitted,
            Some(error) if error.starts_with(b"ENOSYS ") => Outcome::NotImplemented,
            _ => Outcome::Failed,
        },
        digits => Outcome::Returned(super::line::decimal(digits)),
    }
}

/// `-T` appends ` <0.000183>`.
fn without_time(rest: &[u8]) -> &[u8] {
    let Some(inner) = rest.strip_suffix(b">") else { return rest };
    let Some(open) = memrchr(b'<', inner) else { return rest };
    let seconds = &inner[open + 1..];
    let is_time = seconds.contains(&b'.') && seconds.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if is_time { inner[..open].trim_ascii_end() } else { rest }
}

/// The result where it is one plain word, read from the end: most lines, and no string can look like it, since after a
/// string comes at least a parenthesis.
fn plain_result(rest: &[u8]) -> Option<&[u8]> {
    let word = rest.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'?')).count();
    let (head, value) = rest.split_at(rest.len() - word);
    let head = head.strip_suffix(b" = ").or_else(|| head.strip_suffix(b"\t= "))?;
    let ended = head.trim_ascii_end().last() == Some(&b')');
    (ended && !value.is_empty() && starts_result(value[0])).then_some(value)
}

const fn starts_result(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'?')
}

/// What follows the first `) = ` that is in no string.
fn result(rest: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        at += memchr3(b'"', b')', b'\\', rest.get(at..)?)?;
        match rest[at] {
            b'"' => at = after_string(rest, at + 1)?,
            b'\\' => at += 2,
            _ => {
                at += 1;
                let tail = rest[at..].trim_ascii_start();
                if let Some(value) = tail.strip_prefix(b"= ")
                    && value.first().is_some_and(|byte| starts_result(*byte))
                {
                    return Some(value);
                }
            }
        }
    }
}

fn after_string(rest: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_read_from_every_form_of_end() {
        for (rest, wanted) in [
            ("NULL) = 0x55cc5e4c6000", Outcome::Returned(None)),
            ("3)                       = 0", Outcome::Returned(Some(0))),
            ("NULL) = 0x55cc5e4c6000 <0.000007>", Outcome::Returned(None)),
            ("AT_FDCWD, \"/a\", O_RDONLY) = 3</etc/ld.so.cache> <0.000009>", Outcome::Returned(None)),
            ("3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)", Outcome::Returned(None)),
            ("{a}, 1, -1) = 1 ([{fd=3, revents=POLLIN}])", Outcome::Returned(None)),
            ("\"/x\", R_OK) = -1 ENOENT (No such file or directory)", Outcome::Failed),
            ("\"/x\", R_OK) = -1 ENOENT (No such file or directory) <0.1>", Outcome::Failed),
            ("\"h\") = -1 EPERM (Operation not permitted)", Outcome::NotPermitted),
            ("\"h\") = -1 EPERM (Operation not permitted) (INJECTED)", Outcome::NotPermitted),
            (") = -1 ENOSYS (Function not implemented)", Outcome::NotImplemented),
            (") = -1 (errno 524)", Outcome::Failed),
            ("0) = ?", Outcome::Open),
            ("{}, 0x7) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)", Outcome::Open),
            ("0, ", Outcome::Cut),
            ("0, \"half a str", Outcome::Cut),
            ("", Outcome::Cut),
            (" <unfinished ...>", Outcome::Open),
            (" <unfinished ...>) = ?", Outcome::Open),
            (" <detached ...>", Outcome::Open),
            ("1, \") = -1 EPERM (Operation not permitted)\", 9) = 9", Outcome::Returned(Some(9))),
            ("1, \"\\\") = -1 EPERM (no)\", 9) = 5", Outcome::Returned(Some(5))),
            ("1, \") = -1 EPERM (x)\", 9) = 5</tmp/a>", Outcome::Returned(None)),
        ] {
            assert_eq!(outcome(rest.as_bytes()), wanted, "{rest:?}");
        }
    }
}
