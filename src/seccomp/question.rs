//! A call as a person writes it: `socket(40,1,0)`, `openat(-100)`, `425`.

use std::fmt;

use super::arch::Arch;
use super::syscalls::Syscall;

/// One call that a profile is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The call; none for a number that no known call has.
    pub call: Option<Syscall>,
    /// Its number, if it was written as one.
    pub number: Option<u32>,
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
    /// An argument that is no number of 64 bits.
    #[error("{0:?} is no number of 64 bits")]
    Argument(String),
}

impl QuestionError {
    /// What to write.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Name(_) => "spell it as in syscalls(2), without `__x64_sys_`; runtimes skip rules for unknown names",
            Self::Open(_) | Self::Number(_) | Self::Arguments | Self::Argument(_) => {
                "write a name or a number, with up to six numbers behind it: socket(40,1,0)"
            }
        }
    }
}

impl Question {
    /// Reads `name` or `name(1,0x2,-1)`, up to six arguments; a number on `arch` in the place of the name.
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
        let call = match number {
            Some(number) => Syscall::from_number(arch, number),
            None => Some(Syscall::from_name(name).ok_or_else(|| QuestionError::Name(name.to_owned()))?),
        };
        let mut args = [0; 6];
        let words = || list.split(',').map(str::trim).filter(|_| !list.trim().is_empty());
        if words().count() > args.len() {
            return Err(QuestionError::Arguments);
        }
        for (arg, word) in args.iter_mut().zip(words()) {
            *arg = integer(word).ok_or_else(|| QuestionError::Argument(word.to_owned()))?;
        }
        Ok(Self { call, number, args })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.number, self.call) {
            (Some(number), _) => write!(f, "{number}")?,
            (None, call) => f.write_str(call.map_or("", Syscall::name))?,
        }
        let used = self.args.iter().rposition(|arg| *arg != 0).map_or(0, |last| last + 1);
        if used > 0 {
            let args: Vec<String> = self.args[..used].iter().map(ToString::to_string).collect();
            write!(f, "({})", args.join(","))?;
        }
        Ok(())
    }
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
            ("mmap(1,2,3,4,18446744073709551615,-0x8000000000000000)", "mmap", [1, 2, 3, 4, u64::MAX, 1 << 63]),
        ] {
            let question = Question::parse(text, Arch::X86_64).unwrap();
            assert_eq!((question.call.map(Syscall::name), question.args), (Some(name), args), "{text}");
            assert_eq!(Question::parse(&question.to_string(), Arch::X86_64), Ok(question));
        }
        let nobody = Question::parse("99999", Arch::X86_64).unwrap();
        assert_eq!((nobody.call, nobody.number), (None, Some(99999)));
    }

    #[test]
    fn what_is_no_call_is_refused_with_a_reason() {
        for (text, problem) in [
            ("", "no system call \"\" is known"),
            ("sockt(1)", "no system call \"sockt\" is known"),
            ("socket(1", "\"socket(1\" has no `)`"),
            ("socket(1)2", "\"socket(1)2\" has no `)`"),
            ("read(1,2,3,4,5,6,7)", "a system call has six arguments"),
            ("read(,)", "\"\" is no number of 64 bits"),
            ("read(+1)", "\"+1\" is no number of 64 bits"),
            ("read(0x+1)", "\"0x+1\" is no number of 64 bits"),
            ("read(--1)", "\"--1\" is no number of 64 bits"),
            ("read(18446744073709551616)", "\"18446744073709551616\" is no number of 64 bits"),
            ("read(-0x8000000000000001)", "\"-0x8000000000000001\" is no number of 64 bits"),
            ("4294967296", "4294967296 is no system call's number: they have 32 bits"),
            ("-1", "no system call \"-1\" is known"),
        ] {
            let error = Question::parse(text, Arch::X86_64).unwrap_err();
            assert_eq!(error.to_string(), problem);
            assert!(!error.hint().is_empty());
        }
    }
}
