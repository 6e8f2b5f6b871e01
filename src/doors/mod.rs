//! The doors: every way into the judgement, one file each. A door reads its source, calls the judgement, writes its
//! sink, and turns errors into exit codes and messages; it has no logic of its own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "doors speak to people")]

/// As the standard library's, which panics half-way where nobody reads any more (`2>&1 | head`).
#[cfg(feature = "cli")]
macro_rules! eprintln {
    ($($words:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{}\n", format_args!($($words)*)));
    }};
}

/// As [`eprintln`], for words that end as they are to.
#[cfg(feature = "cli")]
macro_rules! eprint {
    ($($words:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!($($words)*));
    }};
}

#[cfg(feature = "cli")]
pub mod apparmor;
#[cfg(feature = "cli")]
pub mod apply;
#[cfg(feature = "cli")]
pub mod attest;
#[cfg(feature = "cli")]
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "embedded")]
pub mod delete;
#[cfg(feature = "cli")]
pub mod denials;
#[cfg(feature = "cli")]
pub mod diff;
#[cfg(feature = "cli")]
pub mod doctor;
mod exit;
#[cfg(feature = "cli")]
pub mod explain;
#[cfg(feature = "cli")]
mod format;
#[cfg(feature = "cli")]
pub mod hook;
#[cfg(feature = "cli")]
pub mod input;
#[cfg(feature = "cli")]
pub mod install;
#[cfg(feature = "cli")]
pub mod manual;
#[cfg(feature = "cli")]
pub mod policy;
#[cfg(feature = "cli")]
pub mod record;
#[cfg(feature = "cli")]
mod remarks;
#[cfg(feature = "embedded")]
pub mod run;
#[cfg(feature = "cli")]
pub mod seccomp;
pub mod shim;
pub mod start;
#[cfg(feature = "cli")]
pub mod status;

pub use exit::Exit;

/// Prints data on standard output. Gives the exit code when that fails: a reader that went away is no error.
#[cfg(feature = "cli")]
pub fn say(data: &str) -> Option<Exit> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(data.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => None,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Some(Exit::Clean),
        Err(error) => {
            Some(refuse(Exit::Unreadable, &format!("cannot write the output: {error}"), "make room and run again"))
        }
    }
}

/// Prints what a verdict rests on and gives the verdict's exit code: a reader that went away changes no verdict.
#[cfg(feature = "cli")]
pub fn conclude(data: &str, exit: Exit) -> Exit {
    say(data).filter(|failed| *failed != Exit::Clean).unwrap_or(exit)
}

/// Says on standard error what went wrong and what to do, and gives the exit code back.
#[cfg(feature = "cli")]
pub fn refuse(exit: Exit, error: &dyn std::fmt::Display, hint: &str) -> Exit {
    eprintln!("error: {}\n\nhint: {}", crate::escape::escape(&error.to_string()), crate::escape::escape(hint));
    exit
}
