//! `batten seccomp explain`: what a profile says to one call, and why.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::named::{Container, Named, read_for};
use crate::capability::{CapSet, Capability};
use crate::doors::{Exit, refuse, say};
use crate::report::escape;
use crate::seccomp::{Answer, Arch, Filter, Group, Machine, Profile, Reason, Syscall, Target, Verdict};

/// Says what a profile does to a system call, and which rule says so
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp explain builtin:default clone3
  batten seccomp explain ./profile.json 'socket(40,1,0)'
  batten seccomp explain docker.json 'socketcall(1)' --arch 386
  batten seccomp explain docker.json 425 --caps CAP_SYS_ADMIN

Exit codes: 0 the call is made, 1 it is not, 3 the profile is refused, 4 wrong usage.")]
pub(super) struct Explain {
    /// A file of any format, - for standard input, builtin:default
    profile: PathBuf,

    /// The call by name or number, with its arguments where conditions ask for them: `socket(40,1,0)`; missing ones are 0
    call: String,

    /// The interface or machine that it is made on: 386, arm64, x32; without it, this machine's own
    #[arg(long, value_name = "ARCH", value_parser = interface)]
    arch: Option<Arch>,

    #[command(flatten)]
    container: Container,
}

fn interface(name: &str) -> Result<Arch, String> {
    let known = Machine::from_goarch(name).map(Machine::arch).or_else(|| Arch::from_name(name));
    let known = known.or_else(|| Arch::from_name(&format!("SCMP_ARCH_{}", name.to_uppercase())));
    known.ok_or_else(|| {
        format!(
            "Go knows {}; SCMP_ARCH_ names will do, too",
            Machine::all().map(Machine::goarch).collect::<Vec<_>>().join(", ")
        )
    })
}

/// A call as a person writes it.
struct Question {
    /// None for numbers that no known call has.
    call: Option<Syscall>,
    number: Option<u32>,
    args: [u64; 6],
    arch: Arch,
    /// The machine: where a filter is made for `arch`.
    native: Arch,
}

impl Explain {
    pub(super) fn run(&self) -> Exit {
        let arch = self.arch.unwrap_or(Arch::NATIVE);
        let native = if Arch::NATIVE.compat().contains(&arch) { Arch::NATIVE } else { arch };
        let question = match Question::parse(&self.call, arch, native) {
            Ok(parsed) => parsed,
            Err((problem, hint)) => return refuse(Exit::Usage, &problem, hint),
        };
        let target = Target { arch: native, ..self.container.target() };
        let named = match read_for(&self.profile, &target) {
            Ok(named) => named,
            Err(exit) => return exit,
        };
        let answer = question.ask(&named.profile);
        let exit = if answer.verdict.lets_through() { Exit::Clean } else { Exit::Denied };
        say(&self.words(&question, &answer, &named, &target)).unwrap_or(exit)
    }

    fn words(&self, question: &Question, answer: &Answer, named: &Named, target: &Target) -> String {
        let mut out = format!("{}{}: {}\n", escape(self.call.trim()), question.title(), answer.verdict);
        let _ = match answer.reason {
            Reason::Rule(rule) => writeln!(out, "  {}", question.by_rule(named, rule)),
            Reason::Default => writeln!(out, "  by the default action: {}", question.by_default(named)),
            Reason::ForeignArchitecture => writeln!(out, "  the profile does not answer for {}", question.arch.name()),
        };
        for other in &answer.contenders {
            let place = named.line(other.rule, question.call).map_or(String::new(), |line| format!(" at line {line}"));
            let _ = writeln!(out, "  another rule{place} says {}; libseccomp decides which counts", other.verdict);
        }
        if let Some(note) = question.runc(named, answer.verdict) {
            let _ = writeln!(out, "  {note}");
        }
        let Some(call) = question.call else { return out };
        for group in Group::of(call) {
            let _ = writeln!(out, "  in @{} ({}): {}", group.name, opened(group), group.about);
        }
        if !answer.verdict.lets_through() {
            let openers = openers(question, named, target);
            if openers != CapSet::EMPTY {
                let _ = writeln!(out, "  the profile opens it to holders of any of {openers}");
            }
        }
        out
    }
}

/// The capabilities of which one, added to the container's, has the profile let the call through.
fn openers(question: &Question, named: &Named, target: &Target) -> CapSet {
    let opens = |cap: &Capability| {
        let target = Target { caps: target.caps.union(CapSet::of(*cap)), ..*target };
        named.resolve(&target).is_some_and(|profile| question.ask(&profile).verdict.lets_through())
    };
    CapSet::ALL.iter().filter(|cap| !target.caps.contains(*cap)).filter(opens).collect()
}

impl Question {
    /// `name` or `name(1,0x2,…)`, up to six arguments; a number in the place of the name.
    fn parse(text: &str, arch: Arch, native: Arch) -> Result<Self, (String, &'static str)> {
        const HINT: &str = "write a name or a number, with up to six numbers behind it: socket(40,1,0)";
        let (name, list) = match text.trim().split_once('(') {
            None => (text.trim(), ""),
            Some((name, rest)) => {
                (name.trim(), rest.strip_suffix(')').ok_or_else(|| (format!("{text:?} has no `)`"), HINT))?)
            }
        };
        let number = integer(name).and_then(|number| u32::try_from(number).ok());
        let call = match number {
            Some(number) => Syscall::from_number(arch, number),
            None => Some(Syscall::from_name(name).ok_or_else(|| {
                let problem = format!("no system call {name:?} is known");
                (problem, "spell it as in syscalls(2), without `__x64_sys_`; runtimes skip rules for unknown names")
            })?),
        };
        let mut args = [0; 6];
        let words: Vec<&str> =
            if list.trim().is_empty() { Vec::new() } else { list.split(',').map(str::trim).collect() };
        if words.len() > args.len() {
            return Err(("a system call has six arguments".to_owned(), HINT));
        }
        for (arg, word) in args.iter_mut().zip(words) {
            *arg = integer(word).ok_or_else(|| (format!("{word:?} is no number"), HINT))?;
        }
        Ok(Self { call, number, args, arch, native })
    }

    fn ask(&self, profile: &Profile) -> Answer {
        let filter = Filter::new(profile, self.native);
        match self.call.filter(|call| call.number(self.arch).is_some()) {
            Some(call) => filter.verdict(self.arch, call, &self.args),
            None => filter.verdict_on_unknown(self.arch),
        }
    }

    fn title(&self) -> String {
        let on = if self.arch == Arch::NATIVE { String::new() } else { format!(" on {}", self.arch.name()) };
        match (self.number, self.call) {
            (Some(_), Some(call)) => format!(" ({}){on}", call.name()),
            _ => on,
        }
    }

    fn by_rule(&self, named: &Named, rule: usize) -> String {
        let said = self
            .call
            .map_or_else(String::new, |call| Filter::new(&named.profile, self.native).said_of(call, self.arch));
        match named.line(rule, self.call) {
            Some(line) => format!("by the rule at line {line}: {said}"),
            None => format!("by the built-in profile: {said}"),
        }
    }

    fn by_default(&self, named: &Named) -> String {
        let Some(call) = self.call else { return "no known call has this number".to_owned() };
        if call.number(self.arch).is_none() {
            return format!("{} has no such call", self.arch.name());
        }
        let said = Filter::new(&named.profile, self.native).said_of(call, self.arch);
        if said.contains(" where ") { said } else { "no rule names it".to_owned() }
    }

    /// runc answers numbers above the largest one that a profile names with ENOSYS, whatever the default action is
    /// (`libcontainer/seccomp/patchbpf`).
    fn runc(&self, named: &Named, verdict: Verdict) -> Option<String> {
        let number = self.number.or_else(|| self.call.and_then(|call| call.number(self.arch)))?;
        let listed = named.profile.syscalls.iter().flat_map(|rule| &rule.names);
        let largest = listed.filter_map(|name| Syscall::from_name(name)?.number(self.arch)).max()?;
        let above = number > largest && !verdict.lets_through() && verdict.number() != Some(38);
        above.then(|| format!("runc answers ENOSYS: {largest} is the largest number that the profile names"))
    }
}

fn integer(word: &str) -> Option<u64> {
    word.strip_prefix("0x").map_or_else(|| word.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

fn opened(group: &Group) -> String {
    let caps = group.capabilities();
    match (group.is_closed(), caps == CapSet::EMPTY) {
        (true, _) => "closed".to_owned(),
        (false, true) => "open".to_owned(),
        (false, false) => format!("opened by {caps}"),
    }
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
            let open = opened(group);
            let calls: Vec<_> = group.all_calls().map(Syscall::name).collect();
            let _ = writeln!(out, "@{} ({open}): {}\n  {}", group.name, group.about, calls.join(" "));
        }
        say(&out).unwrap_or(Exit::Clean)
    }
}
