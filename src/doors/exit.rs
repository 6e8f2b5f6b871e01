//! Exit codes, the same for every command.

use std::process::ExitCode;

/// What a command's exit says. README.md has the table for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to say.
    Clean = 0,
    /// The policy denies it, or the answer is no.
    Denied = 1,
    /// The policy would change it.
    WouldFix = 2,
    /// The input cannot be read, or two runtimes would read it differently.
    Unreadable = 3,
    /// The policy or the command line is wrong.
    Usage = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
