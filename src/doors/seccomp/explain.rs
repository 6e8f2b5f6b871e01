//! `batten seccomp explain`: what a profile says to one call, and why.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::named::{Container, Named};
use crate::doors::{Exit, refuse, say};
use crate::seccomp::{Answer, Arch, Filter, Group, Reason, Syscall};

/// Says what a profile does to a system call, and which rule says so
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp explain builtin:default clone3
  batten seccomp explain ./profile.json 'socket(40,1,0)'

Exit codes: 0 the call is made, 1 it is not, 3 the profile is refused, 4 wrong usage.")]
pub(super) struct Explain {
    /// A file of any format, - for standard input, builtin:default
    profile: PathBuf,

    /// The call, with its arguments where conditions ask for them: `socket(40,1,0)`; missing ones are 0
    call: String,

    #[command(flatten)]
    container: Container,
}

impl Explain {
    pub(super) fn run(&self) -> Exit {
        let (call, args) = match parse(&self.call) {
            Ok(parsed) => parsed,
            Err((problem, hint)) => return refuse(Exit::Usage, &problem, hint),
        };
        let named = match self.container.read(&self.profile) {
            Ok(named) => named,
            Err(exit) => return exit,
        };
        let answer = Filter::new(&named.profile, Arch::NATIVE).verdict(Arch::NATIVE, call, &args);
        let exit = if answer.verdict.lets_through() { Exit::Clean } else { Exit::Denied };
        say(&self.words(call, &answer, &named)).unwrap_or(exit)
    }

    fn words(&self, call: Syscall, answer: &Answer, named: &Named) -> String {
        let mut out = format!("{}: {}\n", self.call.trim(), answer.verdict);
        let _ = match answer.reason {
            Reason::Rule(rule) => writeln!(out, "  by rule {}{}", rule + 1, line(named, rule)),
            Reason::Default => writeln!(out, "  by the default action: no rule names it"),
            Reason::ForeignArchitecture => writeln!(out, "  the profile does not answer for {}", Arch::NATIVE.name()),
        };
        for other in &answer.contenders {
            let _ = writeln!(out, "  rule {} says {}; libseccomp decides which counts", other.rule + 1, other.verdict);
        }
        for group in Group::of(call) {
            let caps = group.capabilities();
            if !answer.verdict.lets_through() && !caps.is_empty() {
                let _ = writeln!(out, "  builtin:default opens it (@{}) to any of {caps}", group.name);
            }
        }
        out
    }
}

fn line(named: &Named, rule: usize) -> String {
    named.line(rule, None).map_or(String::new(), |line| format!(" (line {line})"))
}

/// `name` or `name(1,0x2,…)`, up to six arguments.
fn parse(text: &str) -> Result<(Syscall, [u64; 6]), (String, &'static str)> {
    const HINT: &str = "write a name, or a name with up to six numbers: socket(40,1,0)";
    let (name, list) = match text.trim().split_once('(') {
        None => (text.trim(), ""),
        Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(|| (format!("{text:?} has no `)`"), HINT))?),
    };
    let call = Syscall::from_name(name).ok_or_else(|| {
        (format!("no system call {name:?} is known"), "spell it as in syscalls(2), without `__x64_sys_`")
    })?;
    let mut args = [0; 6];
    let words: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.len() > args.len() {
        return Err(("a system call has six arguments".to_owned(), HINT));
    }
    for (arg, word) in args.iter_mut().zip(words) {
        let number = word.strip_prefix("0x").map_or_else(|| word.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok());
        *arg = number.ok_or_else(|| (format!("{word:?} is no number"), HINT))?;
    }
    Ok((call, args))
}

/// Lists the groups of the built-in profile
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten seccomp groups")]
pub(super) struct Groups {}

impl Groups {
    #[allow(clippy::unused_self, reason = "every command runs so")]
    pub(super) fn run(&self) -> Exit {
        let mut out = String::new();
        for group in &crate::seccomp::GROUPS {
            let caps = group.capabilities();
            let open = match (group.is_closed(), caps.is_empty()) {
                (true, _) => "closed".to_owned(),
                (false, true) => "open".to_owned(),
                (false, false) => format!("opened by {caps}"),
            };
            let calls: Vec<_> = group.all_calls().map(Syscall::name).collect();
            let _ = writeln!(out, "@{} ({open}): {}\n  {}", group.name, group.about, calls.join(" "));
        }
        say(&out).unwrap_or(Exit::Clean)
    }
}
