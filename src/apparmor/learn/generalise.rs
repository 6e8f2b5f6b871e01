//! Paths as they will be next time: process ids, numbers and the random parts of temporary names become wildcards.
//!
//! Only what surely changes from run to run is touched, and a wildcard is as narrow as the language allows: a random name
//! of ten letters becomes ten `?`. Versions, UUIDs of devices and the like stay.

use crate::apparmor::pattern::Pattern;

/// The pattern for a path of the log.
pub fn generalise(path: &[u8]) -> Pattern {
    let mut spelled = String::new();
    let mut before: Vec<&[u8]> = Vec::new();
    for (at, part) in path.split(|byte| *byte == b'/').enumerate() {
        if at > 0 {
            spelled.push('/');
        }
        spelled.push_str(&component(part, &before));
        before.push(part);
    }
    let spelled = match spelled.strip_prefix("/proc/") {
        Some(rest) => format!("@{{PROC}}/{rest}"),
        None => spelled,
    };
    // What cannot be spelled as a pattern (a path beyond the kernel's longest) stays what it is.
    Pattern::path(&spelled).unwrap_or_else(|_| Pattern::literal(path))
}

fn component(part: &[u8], before: &[&[u8]]) -> String {
    let plain = || Pattern::literal(part).to_string();
    match before {
        [b"", b"proc"] if is_number(part) => "@{pid}".to_owned(),
        [b"", b"proc", pid, b"task"] if is_number(pid) && is_number(part) => "@{tid}".to_owned(),
        _ if is_number(part) && !before.is_empty() => "[0-9]*".to_owned(),
        _ => match random_part(part, before) {
            Some((start, end)) => {
                let literal = |bytes: &[u8]| Pattern::literal(bytes).to_string();
                format!("{}{}{}", literal(&part[..start]), "?".repeat(end - start), literal(&part[end..]))
            }
            None => plain(),
        },
    }
}

fn is_number(part: &[u8]) -> bool {
    !part.is_empty() && part.iter().all(u8::is_ascii_digit)
}

/// Folders in which programs make files of random names.
const TEMPORARY: &[&[u8]] = &[b"tmp", b"shm", b"temp", b".tmp", b"cache", b".cache", b"run"];

/// The random bytes of a name: after `tmp` and its separators anywhere (mktemp's `tmp.XXXXXXXXXX`, Python's `tmpXXXXXXXX`),
/// at the end of a name below a temporary folder (`mkstemp("sortXXXXXX")`), and a UUID below one.
fn random_part(part: &[u8], before: &[&[u8]]) -> Option<(usize, usize)> {
    let is_random = |bytes: &[u8]| {
        bytes.len() >= 6 && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') && is_mixed(bytes)
    };
    if let Some(rest) = part.strip_prefix(b"tmp") {
        let skip = rest.iter().take_while(|byte| matches!(byte, b'.' | b'-' | b'_')).count();
        let end = rest[skip..].iter().position(|byte| *byte == b'.').map_or(rest.len(), |dot| skip + dot);
        if is_random(&rest[skip..end])
            || (skip > 0 && end - skip == 10 && rest[skip..end].iter().all(u8::is_ascii_alphanumeric))
        {
            return Some((3 + skip, 3 + end));
        }
    }
    if !before.iter().any(|folder| TEMPORARY.contains(folder)) {
        return None;
    }
    if let Some(start) = uuid(part) {
        return Some((start, start + 36));
    }
    // mkstemp(3) puts six random characters last; what makes temporary folders for Go and Java puts digits there.
    let digits = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    if digits >= 4 {
        return Some((part.len() - digits, part.len()));
    }
    let start = part.len().checked_sub(6)?;
    is_random(&part[start..]).then_some((start, part.len()))
}

/// Letters of both cases, or letters and digits: not a word.
fn is_mixed(bytes: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| bytes.iter().any(test);
    let inner_capital = bytes.iter().skip(1).any(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    inner_capital || (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)) || bytes.iter().all(u8::is_ascii_digit)
}

fn uuid(part: &[u8]) -> Option<usize> {
    let is_uuid = |window: &[u8]| {
        window.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    part.windows(36).position(is_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_becomes_a_narrow_wildcard() {
        for (path, expected) in [
            ("/etc/hosts", "/etc/hosts"),
            ("/proc/1234/status", "@{PROC}/@{pid}/status"),
            ("/proc/1234/task/77/comm", "@{PROC}/@{pid}/task/@{tid}/comm"),
            ("/proc/sys/kernel/hostname", "@{PROC}/sys/kernel/hostname"),
            ("/proc/1/fd/", "@{PROC}/@{pid}/fd/"),
            ("/proc/1/fd/3", "@{PROC}/@{pid}/fd/[0-9]*"),
            ("/dev/pts/3", "/dev/pts/[0-9]*"),
            ("/tmp/tmp.Xy12AbCd9z", "/tmp/tmp.??????????"),
            ("/srv/tmp.abcdefghij", "/srv/tmp.??????????"),
            ("/tmp/tmpk3_x9abq/data", "/tmp/tmp????????/data"),
            ("/tmp/sortAbC1dE", "/tmp/sort??????"),
            ("/tmp/go-build123456789/b001/x", "/tmp/go-build?????????/b001/x"),
            ("/run/x/123e4567-e89b-12d3-a456-426614174000.sock", "/run/x/????????????????????????????????????.sock"),
            ("/usr/lib/python3.11/os.py", "/usr/lib/python3.11/os.py"),
            ("/usr/lib/libcrypto.so.3", "/usr/lib/libcrypto.so.3"),
            ("/var/lib/app/AbCd12", "/var/lib/app/AbCd12"),
            ("/tmp/settings", "/tmp/settings"),
            ("/tmp/template.txt", "/tmp/template.txt"),
            ("/a*b/{c}", r"/a\*b/\{c\}"),
        ] {
            let pattern = generalise(path.as_bytes());
            assert_eq!(pattern.to_string(), expected);
            assert!(pattern.covers(path.as_bytes()), "{pattern} covers {path}");
        }
        assert_eq!(generalise(b"/x\xe9").to_string(), r"/x\xE9");
    }
}
