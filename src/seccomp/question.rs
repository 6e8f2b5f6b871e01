//! A call as a person writes it: `socket(40,1,0)`, `socket(AF_VSOCK,SOCK_STREAM)`, `openat(AT_FDCWD)`, `425`.

use std::fmt;

use super::arch::Arch;
use super::arguments::Arguments;
use super::constants::Vocabulary;
use super::syscalls::{Syscall, X32_BIT};

/// One call that a profile is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The call; none for a number that no known call has.
    pub call: Option<Syscall>,
    /// Its number, if it was written as one.
    pub number: Option<u32>,
    /// The interface that it is made on.
    pub arch: Arch,
    /// Its arguments; 0 where nothing is written.
    pub args: [u64; 6],
}

/// A text that is no call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// `socket(40`.
    #[error("{0:?} has no `)`")]
    Open(String),
    /// A name that no system call has.
    #[error("no system call {0:?} is known")]
    Name(String),
    /// A number that no system call can have.
    #[error("{0} is no system call's number: they have 32 bits")]
    Number(String),
    /// A seventh argument.
    #[error("a system call has six arguments")]
    Arguments,
    /// An argument that is neither a number of 64 bits nor a name that batten knows there.
    #[error("{word:?} is no number of 64 bits, nor a name that batten knows for argument {index} of {call}")]
    Argument {
        /// What stands there.
        word: String,
        /// Which argument, from 0.
        index: u32,
        /// Whose.
        call: String,
    },
    /// Arguments in parentheses and behind them.
    #[error("arguments stand in parentheses and behind them")]
    Twice,
}

impl QuestionError {
    /// What to write.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Name(_) => "spell it as in syscalls(2), without `__x64_sys_`; runtimes skip rules for unknown names",
            Self::Open(_) | Self::Number(_) | Self::Arguments | Self::Twice => {
                "write a name or a number, with up to six arguments behind it: 'socket(40,1,0)', or socket 40 1 0"
            }
            Self::Argument { .. } => {
                "write a number (40, 0x28, -100), or names with | between them: AF_*, SOCK_*, CLONE_*, PR_*, PER_*, \
                 ioctl requests, AT_FDCWD"
            }
        }
    }
}

impl Question {
    /// Reads a call and the arguments behind it, `socket` and `40`, `1`, which may stand in its parentheses as well.
    ///
    /// # Errors
    /// [`QuestionError`].
    pub fn parse_words(call: &str, args: &[String], arch: Arch) -> Result<Self, QuestionError> {
        match (args, call.contains('(')) {
            ([], _) => Self::parse(call, arch),
            (_, true) => Err(QuestionError::Twice),
            (args, false) => Self::parse(&format!("{call}({})", args.join(",")), arch),
        }
    }

    /// Reads `name` or `name(1,0x2,-1)`, up to six arguments, numbers or the names that [`Vocabulary`] has for them; a
    /// number on `arch` in the place of the call's name. On x86_64 the kernel takes a number with bit 30 for x32's.
    ///
    /// # Errors
    /// [`QuestionError`].
    pub fn parse(text: &str, arch: Arch) -> Result<Self, QuestionError> {
        let text = text.trim();
        let (name, list) = match text.split_once('(') {
            None => (text, ""),
            Some((name, rest)) => {
                (name.trim_end(), rest.strip_suffix(')').ok_or_else(|| QuestionError::Open(text.to_owned()))?)
            }
        };
        let number = match unsigned(name) {
            None => None,
            Some(number) => Some(u32::try_from(number).map_err(|_| QuestionError::Number(name.to_owned()))?),
        };
        let arch = number.map_or(arch, |number| interface(arch, number));
        let call = match number {
            Some(number) => Syscall::from_number(arch, number),
            None => Some(Syscall::from_name(name).ok_or_else(|| QuestionError::Name(name.to_owned()))?),
        };
        let mut args = [0; 6];
        let words = || list.split(',').map(str::trim).filter(|_| !list.trim().is_empty());
        if words().count() > args.len() {
            return Err(QuestionError::Arguments);
        }
        let name = call.map_or(name, |call| call.name());
        for ((arg, word), index) in args.iter_mut().zip(words()).zip(0..) {
            let value = integer(word).or_else(|| named(word, Vocabulary::of(arch, name, index)));
            let unknown = || QuestionError::Argument { word: word.to_owned(), index, call: name.to_owned() };
            *arg = value.ok_or_else(unknown)?;
        }
        Ok(Self { call, number, arch, args })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.number, self.call) {
            (Some(number), _) => write!(f, "{number}")?,
            (None, call) => f.write_str(call.map_or("", Syscall::name))?,
        }
        write!(f, "{}", Arguments(&self.args))
    }
}

/// Whose call a number is when it is made on `arch`. Of -1, which no interface has, libseccomp makes no call of x32.
fn interface(arch: Arch, number: u32) -> Arch {
    match arch {
        Arch::X86_64 if number & X32_BIT != 0 && number != u32::MAX => Arch::X32,
        other => other,
    }
}

/// Flags by name or number: `CLONE_NEWUSER|SIGCHLD`.
fn named(word: &str, vocabulary: Option<Vocabulary>) -> Option<u64> {
    /// Where calls that end in `at` begin (`include/uapi/linux/fcntl.h`).
    const AT_FDCWD: u64 = 100_u64.wrapping_neg();
    if word == "AT_FDCWD" {
        return Some(AT_FDCWD);
    }
    let flag = |flag: &str| unsigned(flag).or_else(|| vocabulary?.value(flag).map(u64::from));
    word.split('|').map(str::trim).try_fold(0, |all, one| Some(all | flag(one)?))
}

/// A negative number is what the kernel sees of it: `AT_FDCWD`, -100, has its upper bits set.
fn integer(word: &str) -> Option<u64> {
    match word.strip_prefix('-') {
        None => unsigned(word),
        Some(rest) => {
            let least = unsigned(rest).filter(|number| *number <= 1 << 63)?;
            Some(least.wrapping_neg())
        }
    }
}

fn unsigned(word: &str) -> Option<u64> {
    let (digits, radix) = word.strip_prefix("0x").map_or((word, 10), |hex| (hex, 16));
    let all = digits.chars().all(|digit| digit.is_digit(radix));
    if all { u64::from_str_radix(digits, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_a_name_or_a_number_and_up_to_six_arguments() {
        for (text, name, args) in [
            ("read", "read", [0; 6]),
            (" socket ( 40 , 1,0 ) ", "socket", [40, 1, 0, 0, 0, 0]),
            ("read()", "read", [0; 6]),
            ("41(0x28)", "socket", [40, 0, 0, 0, 0, 0]),
            ("0x29", "socket", [0; 6]),
            ("openat(-100)", "openat", [0xffff_ffff_ffff_ff9c, 0, 0, 0, 0, 0]),
            ("openat(AT_FDCWD)", "openat", [0xffff_ffff_ffff_ff9c, 0, 0, 0, 0, 0]),
            ("socket(AF_VSOCK, SOCK_STREAM|SOCK_CLOEXEC)", "socket", [40, 0x80001, 0, 0, 0, 0]),
            ("41(AF_ALG)", "socket", [38, 0, 0, 0, 0, 0]),
            ("clone(CLONE_NEWUSER | SIGCHLD|0x20000)", "clone", [0x1002_0011, 0, 0, 0, 0, 0]),
            ("ioctl(0,TIOCSTI)", "ioctl", [0, 0x5412, 0, 0, 0, 0]),
            ("prctl(PR_SET_NO_NEW_PRIVS,1)", "prctl", [38, 1, 0, 0, 0, 0]),
            ("personality(PER_LINUX32)", "personality", [8, 0, 0, 0, 0, 0]),
            ("mmap(1,2,3,4,18446744073709551615,-0x8000000000000000)", "mmap", [1, 2, 3, 4, u64::MAX, 1 << 63]),
        ] {
            let question = Question::parse(text, Arch::X86_64).unwrap();
            assert_eq!((question.call.map(Syscall::name), question.args), (Some(name), args), "{text}");
            assert_eq!(Question::parse(&question.to_string(), Arch::X86_64), Ok(question));
        }
        let on_s390x = Question::parse("clone(0,CLONE_NEWUSER)", Arch::S390x).unwrap();
        assert_eq!(on_s390x.args, [0, 0x1000_0000, 0, 0, 0, 0]);
        let of_x32 = Question::parse("0x40000000", Arch::X86_64).unwrap();
        assert_eq!((of_x32.call.map(Syscall::name), of_x32.arch), (Some("read"), Arch::X32));
        assert_eq!(Question::parse("0xffffffff", Arch::X86_64).unwrap().arch, Arch::X86_64);
        let nobody = Question::parse("99999", Arch::X86_64).unwrap();
        assert_eq!((nobody.call, nobody.number), (None, Some(99999)));
    }

    #[test]
    fn arguments_may_stand_behind_the_call_as_words() {
        let words = |call, args: &[&str]| {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            Question::parse_words(call, &args, Arch::X86_64)
        };
        let inside = Question::parse("socket(40,1,0)", Arch::X86_64).unwrap();
        assert_eq!(words("socket", &["40", "1", "0"]), Ok(inside));
        assert_eq!(words("socket", &["AF_VSOCK,1"]), Ok(inside));
        assert_eq!(words("socket(40,1)", &[]), Ok(inside));
        assert_eq!(words("socket(40)", &["1"]), Err(QuestionError::Twice));
        assert_eq!(words("read", &["1"; 7]), Err(QuestionError::Arguments));
    }

    #[test]
    fn what_is_no_call_is_refused_with_a_reason() {
        for (text, problem) in [
            ("", "no system call \"\" is known"),
            ("sockt(1)", "no system call \"sockt\" is known"),
            ("socket(1", "\"socket(1\" has no `)`"),
            ("socket(1)2", "\"socket(1)2\" has no `)`"),
            ("read(1,2,3,4,5,6,7)", "a system call has six arguments"),
            ("read(,)", "\"\" is no number of 64 bits, nor a name that batten knows for argument 0 of read"),
            ("read(+1)", "\"+1\" is no number of 64 bits, nor a name that batten knows for argument 0 of read"),
            ("read(0x+1)", "\"0x+1\" is no number of 64 bits, nor a name that batten knows for argument 0 of read"),
            ("read(--1)", "\"--1\" is no number of 64 bits, nor a name that batten knows for argument 0 of read"),
            (
                "read(18446744073709551616)",
                "\"18446744073709551616\" is no number of 64 bits, nor a name that batten knows for argument 0 of read",
            ),
            (
                "read(-0x8000000000000001)",
                "\"-0x8000000000000001\" is no number of 64 bits, nor a name that batten knows for argument 0 of read",
            ),
            (
                "read(AF_UNIX)",
                "\"AF_UNIX\" is no number of 64 bits, nor a name that batten knows for argument 0 of read",
            ),
            (
                "socket(2,AF_UNIX)",
                "\"AF_UNIX\" is no number of 64 bits, nor a name that batten knows for argument 1 of socket",
            ),
            (
                "socket(AF_UNIX|)",
                "\"AF_UNIX|\" is no number of 64 bits, nor a name that batten knows for argument 0 of socket",
            ),
            ("4294967296", "4294967296 is no system call's number: they have 32 bits"),
            ("-1", "no system call \"-1\" is known"),
        ] {
            let error = Question::parse(text, Arch::X86_64).unwrap_err();
            assert_eq!(error.to_string(), problem);
            assert!(!error.hint().is_empty());
        }
    }
}
