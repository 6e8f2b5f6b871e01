//! Scalar arguments that are few and say much: socket families, namespaces to be cloned, `ioctl` requests, `prctl`
//! options, personalities. Pointers cannot be judged by seccomp, file descriptors mean nothing in the next run.

use crate::seccomp::constants::{Vocabulary, flags_of_clone};
use crate::seccomp::{Arch, Syscall};

/// An argument worth a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Which argument, from 0.
    pub index: u32,
    /// The bits that count. Never more than 32: for each of these arguments the kernel takes an `int`, an
    /// `unsigned int`, or looks at no higher bit, while a C library may or may not extend the sign.
    pub mask: u32,
    vocabulary: Vocabulary,
    /// The name that strace gives the argument where it prints it out of order.
    label: &'static [u8],
}

/// The flags of `clone(2)` and `unshare(2)` that make namespaces. The others change with every C library.
const NAMESPACES: u32 = 0x7e02_0000;
const NEWTIME: u32 = 0x80;

/// The argument of `syscall` that is worth a condition, if it has one.
pub fn kept_argument(arch: Arch, syscall: Syscall) -> Option<Kept> {
    let name = syscall.name();
    let (index, mask, label): (u32, u32, &[u8]) = match name {
        "socket" | "socketpair" | "prctl" | "arch_prctl" | "personality" => (0, u32::MAX, b""),
        "clone" => (flags_of_clone(arch), NAMESPACES, b"flags="),
        "unshare" => (0, NAMESPACES | NEWTIME, b""),
        "setns" | "ioctl" => (1, u32::MAX, b""),
        _ => return None,
    };
    let vocabulary = Vocabulary::of(arch, name, index)?;
    Some(Kept { index, mask, vocabulary, label })
}

impl Kept {
    /// Reads the argument from what follows the call's opening parenthesis. The error is its text.
    pub(super) fn read(&self, rest: &[u8]) -> Result<u32, String> {
        let text = if self.label.is_empty() { argument(rest, self.index) } else { labelled(rest, self.label) };
        let text = text.ok_or_else(|| "its argument is not on the line".to_owned())?;
        let text = String::from_utf8_lossy(text);
        let value =
            flags(self.vocabulary, &text).ok_or_else(|| format!("the value of {} is not known", shorten(&text)))?;
        Ok(value & self.mask)
    }

    /// The value for people: `AF_INET`, `0x5401`.
    pub fn show(&self, value: u32) -> String {
        if self.vocabulary == Vocabulary::Clone {
            let named: Vec<&str> = (0..32)
                .filter(|bit| value & (1 << bit) != 0)
                .filter_map(|bit| self.vocabulary.name(1 << bit))
                .collect();
            return if named.is_empty() { format!("{value:#x}") } else { named.join("|") };
        }
        self.vocabulary.name(value).map_or_else(|| format!("{value:#x}"), str::to_owned)
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The argument at `index`, without the name that newer versions print before it.
fn argument(rest: &[u8], index: u32) -> Option<&[u8]> {
    let text = split(rest).nth(usize::try_from(index).ok()?)?;
    let name = text.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let text = if name > 0 && text.get(name) == Some(&b'=') { &text[name + 1..] } else { text };
    (!text.is_empty()).then_some(text)
}

fn labelled<'l>(rest: &'l [u8], label: &[u8]) -> Option<&'l [u8]> {
    split(rest).find_map(|text| text.strip_prefix(label))
}

/// The arguments, up to the closing parenthesis or what cannot be told apart.
fn split(rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(rest);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let end = end_of_argument(text);
        if text.get(end) == Some(&b',') {
            rest = Some(&text[end + 1..]);
        }
        Some(text[..end].trim_ascii())
    })
}

/// The comma or parenthesis that ends the first argument. strace escapes quotes and angle brackets within paths; in
/// `<UNIX:[1->2]>` the arrow closes nothing.
fn end_of_argument(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'(' | b'[' | b'{' => depth += 1,
            b'<' if text[at..].starts_with(b"<unfinished") && depth == 0 => return at,
            b'<' if text.get(at + 1) != Some(&b'<') && (at == 0 || text[at - 1] != b'<') => depth += 1,
            b'>' if at > 0 && text[at - 1] != b'-' => depth = depth.saturating_sub(1),
            b')' | b',' if depth == 0 => return at,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// `A|B|0x10`, `TCGETS or SNDCTL_TMR_TIMEBASE`, `0x2 /* AF_INET */`, `_IOC(_IOC_READ, 0x54, 0x30, 0x4)`.
fn flags(vocabulary: Vocabulary, text: &str) -> Option<u32> {
    let text = text.split("/*").next()?.trim();
    if let Some(parts) = text.strip_prefix("_IOC(") {
        return ioc(parts.strip_suffix(')')?);
    }
    if text.contains(" or ") {
        // Requests of one number: any name that is known will do.
        return text.split(" or ").find_map(|name| vocabulary.value(name.trim()));
    }
    text.split('|').try_fold(0, |sum, word| Some(sum | number(word.trim()).or_else(|| vocabulary.value(word.trim()))?))
}

/// `asm-generic/ioctl.h`: direction, type, number, size.
fn ioc(parts: &str) -> Option<u32> {
    let mut parts = parts.split(',').map(str::trim);
    let direction = parts.next()?.split('|').try_fold(0, |sum, word| match word {
        "_IOC_NONE" => Some(sum),
        "_IOC_WRITE" => Some(sum | 1),
        "_IOC_READ" => Some(sum | 2),
        other => number(other).map(|bits| sum | bits),
    })?;
    let (kind, nr, size) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    (direction < 4 && kind < 0x100 && nr < 0x100 && size < 0x4000 && parts.next().is_none())
        .then_some(direction << 30 | size << 16 | kind << 8 | nr)
}

/// As C writes numbers; the low 32 bits of those that are longer.
#[allow(clippy::cast_possible_truncation, reason = "the kernel looks at the low 32 bits")]
fn number(word: &str) -> Option<u32> {
    let wide = match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None if word.starts_with('-') => word.parse::<i64>().ok()?.cast_unsigned(),
        None if word.len() > 1 && word.starts_with('0') => u64::from_str_radix(word, 8).ok()?,
        None => word.parse().ok()?,
    };
    Some(wide as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, rest: &str) -> Result<u32, String> {
        kept_argument(Arch::X86_64, Syscall::from_name(name).unwrap()).unwrap().read(rest.as_bytes())
    }

    #[test]
    fn arguments_are_read_as_strace_prints_them() {
        for (name, rest, value) in [
            ("socket", "AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3", 2),
            ("socket", "domain=AF_INET6, type=SOCK_STREAM, protocol=0) = 3", 10),
            ("socket", "0x2 /* AF_INET */, 0x1 /* SOCK_STREAM */, 0) = 3", 2),
            ("socket", "0x2c /* AF_??? */, SOCK_RAW, 0) = -1 EPERM (Operation not permitted)", 44),
            ("ioctl", "0, TCGETS, {c_iflags=0x4500}) = 0", 0x5401),
            ("ioctl", "0</dev/pts/0<char 136:0>>, TIOCGWINSZ, {ws_row=24}) = 0", 0x5413),
            ("ioctl", "3<TCP:[127.0.0.1:1->127.0.0.1:2]>, FIONBIO, [1]) = 0", 0x5421),
            ("ioctl", "3<UNIX-STREAM:[7->8, \"/a, b)\"]>, FIONREAD, [1]) = 0", 0x541b),
            ("ioctl", "3</tmp/a, b>, FIONBIO, [1]) = 0", 0x5421),
            ("ioctl", "0, SNDCTL_TMR_TIMEBASE or TCGETS, {B38400}) = 0", 0x5401),
            ("ioctl", "3, _IOC(_IOC_READ|_IOC_WRITE, 0x15, 0xa, 0x8), 0x7) = -1 ENOTTY (x)", 0xc008_150a),
            ("ioctl", "3, 0xffffffff80045430, 0x7) = 0", 0x8004_5430),
            (
                "clone",
                "child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7) = 9",
                0,
            ),
            ("clone", "child_stack=0x7f, flags=CLONE_NEWUSER|CLONE_NEWPID|SIGCHLD <unfinished ...>", 0x3000_0000),
            ("unshare", "CLONE_NEWNS|CLONE_NEWTIME) = 0", 0x2_0080),
            ("setns", "3, CLONE_NEWNET) = 0", 0x4000_0000),
            ("prctl", "PR_SET_NAME, \"x\") = 0", 15),
            ("arch_prctl", "0x3001 /* ARCH_??? */, 0x7ffd) = -1 EINVAL (Invalid argument)", 0x3001),
            ("personality", "PER_LINUX|ADDR_NO_RANDOMIZE) = 0", 0x4_0000),
            ("personality", "0xffffffff) = 0", u32::MAX),
        ] {
            assert_eq!(read(name, rest), Ok(value), "{name}({rest}");
        }
    }

    #[test]
    fn an_argument_that_cannot_be_read_says_so() {
        assert!(read("ioctl", "3, SOME_NEW_REQUEST, 0x7) = 0").unwrap_err().contains("SOME_NEW_REQUEST"));
        assert!(read("ioctl", "3 <unfinished ...>").unwrap_err().contains("not on the line"));
        assert!(read("clone", " <unfinished ...>").is_err());
        assert!(read("socket", "").is_err());
    }

    #[test]
    fn values_are_shown_by_name() {
        let show = |name, value| kept_argument(Arch::X86_64, Syscall::from_name(name).unwrap()).unwrap().show(value);
        assert_eq!(show("socket", 1), "AF_UNIX");
        assert_eq!(show("ioctl", 0x5401), "TCGETS");
        assert_eq!(show("ioctl", 7), "0x7");
        assert_eq!(show("unshare", 0x3000_0000), "CLONE_NEWUSER|CLONE_NEWPID");
        assert_eq!(show("clone", 0), "0x0");
    }
}
