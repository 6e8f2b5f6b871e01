//! One line: what stands before the call, and what kind of line it is.

use memchr::{memchr, memmem};

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// `name(…`
    Call(CallLine<'l>),
    /// `<... name resumed>…`
    Resumed(CallLine<'l>),
    /// `+++ exited with 0 +++`, `+++ killed by SIGKILL +++`, `+++ superseded by execve in pid 7 +++`
    Exit {
        /// The process.
        pid: Option<u32>,
    },
    /// `[ Process PID=7 runs in 32 bit mode. ]`
    Mode {
        /// The process.
        pid: u32,
        /// `32 bit`, `64 bit`, `x32`.
        mode: &'l [u8],
    },
    /// `System call usage summary for 32 bit mode:`
    SummaryMode(&'l [u8]),
    /// Lines that say nothing of calls: signals, stack traces, dumps, notes of strace's own, empty ones.
    Silent,
    /// None of these.
    Unreadable,
}

/// A call's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallLine<'l> {
    /// The process or thread, where the line names it.
    pub(super) pid: Option<u32>,
    /// The number that `-n` prints.
    pub(super) number: Option<u32>,
    /// The name.
    pub(super) name: &'l [u8],
    /// Whether it is one of x32's `name#64`.
    pub(super) wide_on_x32: bool,
    /// What follows the opening parenthesis, or `resumed>`.
    pub(super) rest: &'l [u8],
}

/// Reads one line, without its end of line.
pub(super) fn classify(line: &[u8]) -> Line<'_> {
    let mut leader = Leader { pid: None, number: None, seen: false };
    let mut rest = line;
    loop {
        rest = skip_spaces(rest);
        let Some(&first) = rest.first() else { return Line::Silent };
        rest = match first {
            b'a'..=b'z' | b'_' | b'A'..=b'Z' => return leader.named(rest),
            b'0'..=b'9' => match leader.numbers(rest) {
                Some(rest) => rest,
                None => return Line::Unreadable,
            },
            b'[' => {
                if let Some(tail) = rest.strip_prefix(b"[ Process PID=") {
                    return mode(tail);
                }
                match leader.brackets(rest) {
                    Some(rest) => rest,
                    None => return Line::Unreadable,
                }
            }
            b'(' if rest.starts_with(b"(+") => match memchr(b')', rest) {
                Some(end) => &rest[end + 1..],
                None => return Line::Unreadable,
            },
            b'<' => return leader.resumed(rest),
            b'-' if rest.starts_with(b"--- ") && rest.ends_with(b" ---") => return Line::Silent,
            b'+' if rest.starts_with(b"+++ ") && rest.ends_with(b" +++") => return Line::Exit { pid: leader.pid },
            // -k's stack, and the dumps of -e read= and write=.
            b'>' if !leader.seen && rest.starts_with(b"> ") => return Line::Silent,
            b'|' if !leader.seen && rest.starts_with(b"| ") => return Line::Silent,
            b'*' if !leader.seen && memmem::find(rest, b" bytes in buffer ").is_some() => return Line::Silent,
            _ => return Line::Unreadable,
        };
    }
}

/// What stands before the call: process, time, number, address, in any combination.
struct Leader {
    pid: Option<u32>,
    number: Option<u32>,
    seen: bool,
}

impl Leader {
    /// `1234 `, `1234<comm> `, `12:34:56.789012 `, `1700000000.123456 `, `0.000123 `.
    fn numbers<'l>(&mut self, text: &'l [u8]) -> Option<&'l [u8]> {
        self.seen = true;
        let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
        match text.get(digits)? {
            b' ' => {
                self.pid = Some(decimal(&text[..digits])?);
                Some(&text[digits..])
            }
            b'<' => {
                self.pid = Some(decimal(&text[..digits])?);
                after_comm(&text[digits..]).filter(|rest| rest.first() == Some(&b' '))
            }
            b':' | b'.' => {
                let clock = text.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')).count();
                (text.get(clock) == Some(&b' ')).then(|| &text[clock..])
            }
            _ => None,
        }
    }

    /// `[pid 1234] `, `[pid 1234<comm>] `, `[  59] `, `[00007f2f3d0b2e0b] `, `[????] `, `[container_t] `.
    fn brackets<'l>(&mut self, text: &'l [u8]) -> Option<&'l [u8]> {
        self.seen = true;
        if let Some(tail) = text.strip_prefix(b"[pid ") {
            let tail = skip_spaces(tail);
            let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
            self.pid = Some(decimal(&tail[..digits])?);
            let mut tail = &tail[digits..];
            if tail.first() == Some(&b'<') {
                tail = after_comm(tail)?;
            }
            return tail.strip_prefix(b"]");
        }
        let end = memchr(b']', text)?;
        let inside = text[1..end].trim_ascii();
        // Addresses are padded with zeros to the width of a pointer, numbers with spaces to four.
        let address = matches!(inside.len(), 8 | 16) && inside.iter().all(|b| b.is_ascii_hexdigit() || *b == b'?');
        if !address && !is_context(inside) && inside.iter().any(|b| *b != b'?') {
            self.number = Some(decimal(inside)?);
        }
        Some(&text[end + 1..])
    }

    /// `name(…`, or a note of strace's own.
    fn named<'l>(&self, text: &'l [u8]) -> Line<'l> {
        let length = text.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let (name, tail) = text.split_at(length);
        match tail.first() {
            Some(b'(') => self.call(name, false, &tail[1..]),
            Some(b'#') if tail.starts_with(b"#64(") => self.call(name, true, &tail[4..]),
            _ if self.seen => Line::Unreadable,
            _ => note(text),
        }
    }

    fn call<'l>(&self, name: &'l [u8], wide_on_x32: bool, rest: &'l [u8]) -> Line<'l> {
        Line::Call(CallLine { pid: self.pid, number: self.number, name, wide_on_x32, rest })
    }

    /// `<... name resumed>rest`, with a space before `rest` in older versions.
    fn resumed<'l>(&self, text: &'l [u8]) -> Line<'l> {
        let Some(tail) = text.strip_prefix(b"<... ") else { return Line::Unreadable };
        let length = tail.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let (name, tail) = tail.split_at(length);
        let (wide_on_x32, tail) = tail.strip_prefix(b"#64").map_or((false, tail), |tail| (true, tail));
        let Some(rest) = tail.strip_prefix(b" resumed>") else { return Line::Unreadable };
        Line::Resumed(CallLine { pid: self.pid, number: self.number, name, wide_on_x32, rest })
    }
}

fn note(text: &[u8]) -> Line<'_> {
    if let Some(note) = text.strip_prefix(b"strace: ") {
        return note.strip_prefix(b"[ Process PID=").map_or(Line::Silent, mode);
    }
    if let Some(mode) = text.strip_prefix(b"System call usage summary for ") {
        return mode.strip_suffix(b" mode:").map_or(Line::Unreadable, Line::SummaryMode);
    }
    // strace before 4.21 says these without its name.
    if let Some(tail) = text.strip_prefix(b"Process ") {
        let tail = &tail[tail.iter().take_while(|b| b.is_ascii_digit()).count()..];
        if [b" attached".as_slice(), b" detached", b" resumed", b" suspended"].iter().any(|end| tail.starts_with(end)) {
            return Line::Silent;
        }
    }
    Line::Unreadable
}

/// `7 runs in 32 bit mode. ]`
fn mode(tail: &[u8]) -> Line<'_> {
    let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
    let mode = tail[digits..].strip_prefix(b" runs in ").and_then(|tail| tail.strip_suffix(b" mode. ]"));
    match (decimal(&tail[..digits]), mode) {
        (Some(pid), Some(mode)) => Line::Mode { pid, mode },
        _ => Line::Unreadable,
    }
}

/// What `--secontext` prints of a process: a type of SELinux's, or all of `user:role:type:level`.
fn is_context(inside: &[u8]) -> bool {
    let colons = inside.iter().filter(|b| **b == b':').count();
    inside.first().is_some_and(u8::is_ascii_alphabetic) && (inside.ends_with(b"_t") || colons > 1)
}

/// What follows `<comm>`; strace escapes `<` and `>` inside.
fn after_comm(text: &[u8]) -> Option<&[u8]> {
    memchr(b'>', text).map(|end| &text[end + 1..])
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|b| **b == b' ').count()..]
}

/// A number of at most ten digits.
pub(super) fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    let number = digits
        .iter()
        .try_fold(0u64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))?;
    u32::try_from(number).ok()
}

/// What stands before a note of strace's own that ends the line.
pub(super) fn before_note(line: &[u8]) -> Option<&[u8]> {
    if !line.ends_with(b" attached") && !line.ends_with(b" detached") {
        return None;
    }
    memmem::rfind(line, b"strace: Process ").map(|at| &line[..at])
}

/// Leaves out `ESC [ … m`.
pub(super) fn without_colours(line: &[u8], plain: &mut Vec<u8>) {
    plain.clear();
    let mut rest = line;
    while let Some(escape) = memchr(0x1b, rest) {
        plain.extend_from_slice(&rest[..escape]);
        rest = &rest[escape + 1..];
        let parameters = rest.iter().skip(1).take_while(|b| b.is_ascii_digit() || **b == b';').count();
        if rest.first() == Some(&b'[') && rest.get(1 + parameters) == Some(&b'm') {
            rest = &rest[parameters + 2..];
        } else {
            plain.push(0x1b);
        }
    }
    plain.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> (Option<u32>, Option<u32>, String, String) {
        match classify(line.as_bytes()) {
            Line::Call(call) | Line::Resumed(call) => (
                call.pid,
                call.number,
                String::from_utf8_lossy(call.name).into_owned(),
                String::from_utf8_lossy(call.rest).into_owned(),
            ),
            other => panic!("{line:?} is {other:?}"),
        }
    }

    #[test]
    fn every_leader_leads_to_the_call() {
        for (leader, pid, number) in [
            ("", None, None),
            ("1234  ", Some(1234), None),
            ("[pid  1234] ", Some(1234), None),
            ("[pid  1234<sh>] ", Some(1234), None),
            ("1234<Web Content> ", Some(1234), None),
            ("1234<a\\76b> ", Some(1234), None),
            ("12:34:56 ", None, None),
            ("12:34:56.123456 ", None, None),
            ("1700000000.123456 ", None, None),
            ("1700000000 (+     0.000000) ", None, None),
            ("     0.000123 ", None, None),
            ("12:34:56 (+     0.000123) ", None, None),
            ("[  59] ", None, Some(59)),
            ("[????] ", None, None),
            ("[00007fe82a331ad7] ", None, None),
            ("[f7f3c549] ", None, None),
            ("[????????????????] ", None, None),
            ("1234  [container_t] ", Some(1234), None),
            ("[pid 8903] [system_u:system_r:container_t:s0:c1,c2] 12:35:17 [  59] ", Some(8903), Some(59)),
            ("8903<sh> 12:35:17.363947 [  59] [00007fa108aa1c47] ", Some(8903), Some(59)),
            ("[pid 8903] 12:35:17 (+     0.000001) [1073742344] [f7f3c549] ", Some(8903), Some(1_073_742_344)),
        ] {
            let line = format!("{leader}execve(\"/bin/ls\", [\"ls\"], 0x7 /* 3 vars */) = 0");
            let (found_pid, found_number, name, rest) = call(&line);
            if leader.starts_with("1700000000 ") {
                // -ttt without a fraction cannot be told from a pid, and does no harm.
                assert_eq!(name, "execve");
                continue;
            }
            assert_eq!((found_pid, found_number, name.as_str()), (pid, number, "execve"), "{leader:?}");
            assert!(rest.starts_with("\"/bin/ls\""), "{leader:?}");
        }
    }

    #[test]
    fn resumed_calls_are_told_from_begun_ones() {
        assert!(matches!(classify(b"7 <... read resumed>\"\", 1) = 0"), Line::Resumed(c) if c.name == b"read"));
        assert!(matches!(classify(b"[pid 7] <... read resumed> \"\", 1) = 0"), Line::Resumed(c) if c.pid == Some(7)));
        assert_eq!(classify(b"<... resuming interrupted read ...>"), Line::Unreadable);
        assert_eq!(call("restart_syscall(<... resuming interrupted poll ...>) = 1").2, "restart_syscall");
        assert!(matches!(classify(b"read#64(0, 0x7, 1) = 0"), Line::Call(c) if c.wide_on_x32 && c.name == b"read"));
    }

    #[test]
    fn modes_are_read_with_and_without_strace_s_name() {
        let mode = Line::Mode { pid: 7, mode: b"32 bit" };
        assert_eq!(classify(b"[ Process PID=7 runs in 32 bit mode. ]"), mode);
        assert_eq!(classify(b"strace: [ Process PID=7 runs in 32 bit mode. ]"), mode);
        assert_eq!(classify(b"System call usage summary for 32 bit mode:"), Line::SummaryMode(b"32 bit"));
    }

    #[test]
    fn lines_about_other_things_are_silent() {
        for line in [
            "",
            "   ",
            "--- SIGCHLD {si_signo=SIGCHLD, si_pid=8948} ---",
            "8946  --- SIGCHLD {si_signo=SIGCHLD} ---",
            "[pid 7] --- stopped by SIGSTOP ---",
            " > /lib/x86_64-linux-gnu/libc.so.6(__read+0x14) [0xfe1a4]",
            " | 00000  68 65 6c 6c 6f 0a                                 hello.           |",
            " * 16 bytes in buffer 0",
            "strace: Process 1234 attached",
            "Process 1234 attached",
            "Process 7 attached with 2 threads",
            "Process 7 detached",
        ] {
            assert_eq!(classify(line.as_bytes()), Line::Silent, "{line:?}");
        }
        assert_eq!(classify(b"7 +++ exited with 0 +++"), Line::Exit { pid: Some(7) });
        assert_eq!(classify(b"+++ killed by SIGKILL (core dumped) +++"), Line::Exit { pid: None });
    }

    #[test]
    fn what_is_none_of_these_is_unreadable() {
        for line in
            ["hello, world", "7", "7 openat", "????(", "[x] read(", "99999999999 read(0", "{", "\u{1f980}", "<read"]
        {
            assert_eq!(classify(line.as_bytes()), Line::Unreadable, "{line:?}");
        }
    }
}
