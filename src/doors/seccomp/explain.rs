//! `batten seccomp explain`: what a profile says to one call, and why.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::named::{Container, Named, read_for};
use crate::capability::{CapSet, Capability};
use crate::doors::format::Format;
use crate::doors::{Exit, refuse, say};
use crate::escape::escape;
use crate::seccomp::{
    Answer, Arch, Filter, Group, KernelVersion, Machine, Profile, Question, Reason, Ruled, Syscall, Target, Verdict,
};

/// Says what a profile does to a system call, and which rule says so
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp explain builtin:default clone3
  batten seccomp explain ./profile.json 'socket(40,1,0)'
  batten seccomp explain ./profile.json socket AF_VSOCK SOCK_STREAM
  batten seccomp explain docker.json 'socketcall(1)' --arch 386
  batten seccomp explain docker.json 425 --caps CAP_SYS_ADMIN --format json

Exit codes: 0 the call is made, 1 it is not, 3 the profile is refused, 4 wrong usage.")]
pub(super) struct Explain {
    /// A file of any format, - for standard input, builtin:default
    profile: PathBuf,

    /// The call by name or number; its arguments may stand in parentheses: `socket(40,1,0)`, `openat(-100)`
    call: String,

    /// Its arguments, where conditions ask for them: numbers, or names such as `AF_VSOCK`, `CLONE_NEWUSER|SIGCHLD`, `TIOCSTI`; missing ones are 0
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    args: Vec<String>,

    /// The interface or machine that it is made on: 386, arm64, x32; without it, this machine's own
    #[arg(long, value_name = "ARCH", value_parser = interface)]
    arch: Option<Arch>,

    /// The kernel, as `uname -r` names it, for conditions on it; without it, this one
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    kernel: Option<KernelVersion>,

    #[command(flatten)]
    container: Container,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn release(text: &str) -> Result<KernelVersion, String> {
    let unreadable = || "it does not begin with two numbers, as what `uname -r` prints does: 6.1.0-18-amd64".to_owned();
    KernelVersion::parse(text).ok_or_else(unreadable)
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

/// A call on a machine.
struct Asked {
    question: Question,
    /// The machine: where a filter is made for `arch`.
    native: Arch,
}

impl Explain {
    pub(super) fn run(&self) -> Exit {
        let arch = self.arch.unwrap_or(Arch::NATIVE);
        let native = if Arch::NATIVE.compat().contains(&arch) { Arch::NATIVE } else { arch };
        let asked = match Question::parse_words(&self.call, &self.args, arch) {
            Ok(question) => Asked { question, native },
            Err(error) => return refuse(Exit::Usage, &error.to_string(), error.hint()),
        };
        let container = self.container.target();
        let target = Target { arch: native, kernel: self.kernel.unwrap_or(container.kernel), ..container };
        let named = match read_for(&self.profile, &target) {
            Ok(named) => named,
            Err(exit) => return exit,
        };
        let answer = asked.ask(&named.profile);
        let exit = if answer.verdict.lets_through() { Exit::Clean } else { Exit::Denied };
        let printed = match self.format {
            Format::Text => self.words(&asked, &answer, &named, &target),
            Format::Json => format!("{:#}\n", asked.to_json(&answer, &named, &target)),
        };
        say(&printed).unwrap_or(exit)
    }

    /// The call as it was asked for.
    fn written(&self) -> String {
        let call = self.call.trim();
        if self.args.is_empty() { call.to_owned() } else { format!("{call}({})", self.args.join(",")) }
    }

    fn words(&self, asked: &Asked, answer: &Answer, named: &Named, target: &Target) -> String {
        let mut out = format!("{}{}: {}\n", escape(&self.written()), asked.title(), answer.verdict);
        let _ = match answer.reason {
            Reason::Rule(rule) => writeln!(out, "  {}", asked.by_rule(named, rule)),
            Reason::Default => writeln!(out, "  by the default action: {}", asked.by_default(named)),
            Reason::ForeignArchitecture => {
                writeln!(out, "  the profile does not answer for {}", asked.question.arch.name())
            }
        };
        for other in &answer.contenders {
            let place =
                named.line(other.rule, asked.question.call).map_or(String::new(), |line| format!(" at line {line}"));
            let _ = writeln!(out, "  another rule{place} says {}; libseccomp decides which counts", other.verdict);
        }
        for note in asked.compiled(&named.profile).into_iter().chain(asked.runc(named, answer.verdict)) {
            let _ = writeln!(out, "  {note}");
        }
        let Some(call) = asked.question.call else { return out };
        for group in Group::of(call) {
            let _ = writeln!(out, "  in @{} ({}): {}", group.name, opened(group), group.about);
        }
        if !answer.verdict.lets_through() {
            let openers = openers(asked, named, target);
            if openers != CapSet::EMPTY {
                let _ = writeln!(out, "  the profile opens it to holders of any of {openers}");
            }
        }
        out
    }
}

/// The capabilities of which one, added to the container's, has the profile let the call through.
fn openers(asked: &Asked, named: &Named, target: &Target) -> CapSet {
    let opens = |cap: &Capability| {
        let target = Target { caps: target.caps.union(CapSet::of(*cap)), ..*target };
        named.resolve(&target).is_some_and(|profile| asked.ask(&profile).verdict.lets_through())
    };
    CapSet::ALL.iter().filter(|cap| !target.caps.contains(*cap)).filter(opens).collect()
}

impl Asked {
    fn ask(&self, profile: &Profile) -> Answer {
        let filter = Filter::new(profile, self.native);
        match self.question.call.filter(|call| call.number(self.question.arch).is_some()) {
            Some(call) => filter.verdict(self.question.arch, call, &self.question.args),
            None => filter.verdict_on_unknown(self.question.arch),
        }
    }

    fn to_json(&self, answer: &Answer, named: &Named, target: &Target) -> Value {
        let Question { call, number, args, arch } = self.question;
        let number = number.or_else(|| call.and_then(|call| call.number(arch)));
        let (by, rule) = by(answer.reason);
        let said = match answer.reason {
            Reason::Rule(_) => self.said(named),
            Reason::Default => self.by_default(named),
            Reason::ForeignArchitecture => String::new(),
        };
        let line = |rule| named.line(rule, call);
        let contender = |other: &Ruled| json!({ "line": line(other.rule), "verdict": verdict(other.verdict) });
        let groups = call.into_iter().flat_map(Group::of);
        let openers = if answer.verdict.lets_through() { CapSet::EMPTY } else { openers(self, named, target) };
        json!({
            "call": call.map(Syscall::name),
            "number": number,
            "args": args,
            "architecture": arch.name(),
            "verdict": verdict(answer.verdict),
            "made": answer.verdict.lets_through(),
            "by": by,
            "line": rule.and_then(line),
            "said": said,
            "contenders": answer.contenders.iter().map(contender).collect::<Vec<_>>(),
            "compiled": self.compiled(&named.profile),
            "runc": self.runc(named, answer.verdict),
            "groups": groups.map(|group| json!({ "group": group.name, "open": opened(group), "about": group.about })).collect::<Vec<_>>(),
            "opened_by": names(openers),
        })
    }

    fn title(&self) -> String {
        let on = if self.question.arch == Arch::NATIVE {
            String::new()
        } else {
            format!(" on {}", self.question.arch.name())
        };
        match (self.question.number, self.question.call) {
            (Some(_), Some(call)) => format!(" ({}){on}", call.name()),
            _ => on,
        }
    }

    /// What the profile says of the call, whatever its arguments.
    fn said(&self, named: &Named) -> String {
        let said = |call| Filter::new(&named.profile, self.native).said_of(call, self.question.arch);
        self.question.call.map_or_else(String::new, said)
    }

    fn by_rule(&self, named: &Named, rule: usize) -> String {
        let said = self.said(named);
        match named.line(rule, self.question.call) {
            Some(line) => format!("by the rule at line {line}: {said}"),
            None => format!("by the built-in profile: {said}"),
        }
    }

    fn by_default(&self, named: &Named) -> String {
        let Some(call) = self.question.call else { return "no known call has this number".to_owned() };
        if call.number(self.question.arch).is_none() {
            return format!("{} has no such call", self.question.arch.name());
        }
        let said = self.said(named);
        if said.contains(" where ") { said } else { "no rule names it".to_owned() }
    }

    /// What the kernel is given is what libseccomp makes of the rules.
    fn compiled(&self, profile: &Profile) -> Option<String> {
        let (call, arch) = (self.question.call?, self.question.arch);
        let filter = Filter::new(profile, self.native);
        let is_as_said = filter.compiles_as_said(arch, call) && !filter.mistaken().contains(&(arch, call));
        let told = "libseccomp may compile the rules to something else than they say: `batten seccomp lint` says what to write";
        (!is_as_said && filter.archs().contains(&arch)).then(|| told.to_owned())
    }

    /// runc answers numbers above the largest one that a profile names with ENOSYS, whatever the default action is
    /// (`libcontainer/seccomp/patchbpf`).
    fn runc(&self, named: &Named, verdict: Verdict) -> Option<String> {
        let number =
            self.question.number.or_else(|| self.question.call.and_then(|call| call.number(self.question.arch)))?;
        let listed = named.profile.syscalls.iter().flat_map(|rule| &rule.names);
        let largest = listed.filter_map(|name| Syscall::from_name(name)?.number(self.question.arch)).max()?;
        let above = number > largest && !verdict.lets_through() && verdict.number() != Some(38);
        above.then(|| format!("runc answers ENOSYS: {largest} is the largest number that the profile names"))
    }
}

/// What decides, as JSON calls it, and the rule, if it is one.
pub(super) const fn by(reason: Reason) -> (&'static str, Option<usize>) {
    match reason {
        Reason::Rule(rule) => ("rule", Some(rule)),
        Reason::Default => ("default", None),
        Reason::ForeignArchitecture => ("foreign-architecture", None),
    }
}

pub(super) fn verdict(verdict: Verdict) -> Value {
    json!({ "action": verdict.action().name(), "number": verdict.number(), "words": verdict.to_string() })
}

fn names(caps: CapSet) -> Vec<String> {
    caps.iter().map(|cap| cap.to_string()).collect()
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
