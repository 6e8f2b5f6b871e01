//! A recording as a seccomp profile.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::count::times;
use crate::record::additions::{Addition, Runtime, additions};
use crate::record::recording::{Call, Recording, Seen, Values};
use crate::record::strace::{Kept, kept_argument};
use crate::seccomp::{Action, Arch, Condition, Multiplexer, Op, Profile, Rule, Syscall};

/// How to make a profile.
#[derive(Debug, Clone, Copy)]
pub struct Making {
    /// Who will start the container.
    pub runtime: Runtime,
    /// Whether it will start it with no_new_privs.
    pub no_new_privs: bool,
    /// Whether kept arguments become conditions.
    pub arguments: bool,
    /// What happens to calls that were refused whenever they were seen.
    pub refused: Refused,
    /// Whether to answer for the machine's 32-bit interface though the recording shows no call through it.
    pub compat: bool,
}

/// What a profile says of calls that were refused whenever they were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// They are allowed: what refused them may not be there next time.
    Allow,
    /// They are refused, with the error that was seen.
    Keep,
}

/// A profile, and what there is to say about it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The profile.
    pub profile: Profile,
    /// The calls in it that need not have been seen.
    pub added: Vec<Addition>,
    /// What a person should know.
    pub notes: Vec<String>,
}

const ENOSYS: u32 = 38;

/// Makes the profile that allows what was seen, and what a container of it needs besides.
pub fn make(recording: &Recording, making: Making) -> Made {
    let mut maker = Maker { recording, making, allowed: BTreeSet::new(), rules: Vec::new(), notes: Vec::new() };
    let added = additions(recording, making.runtime, making.no_new_privs);
    maker.allowed.extend(added.iter().map(|added| added.syscall));
    maker.take_calls();
    maker.add_multiplexers();
    maker.say_the_rest();
    maker.finish(added)
}

struct Maker<'r> {
    recording: &'r Recording,
    making: Making,
    allowed: BTreeSet<Syscall>,
    rules: Vec<Rule>,
    notes: Vec<String>,
}

impl Maker<'_> {
    /// A rule holds for every interface of a profile, so that a call's history is that of all of them.
    fn take_calls(&mut self) {
        let mut by_call: BTreeMap<Syscall, Vec<(&Call, &Seen)>> = BTreeMap::new();
        for (call, seen) in &self.recording.calls {
            by_call.entry(call.syscall).or_default().push((call, seen));
        }
        for (syscall, seen) in by_call {
            if seen.iter().all(|(_, seen)| seen.only_refused()) && self.refuse(syscall, &seen) {
                continue;
            }
            match self.conditions(syscall, &seen) {
                Some(rules) => self.rules.extend(rules),
                None => {
                    self.allowed.insert(syscall);
                }
            }
        }
    }

    /// Says that a call was refused, and whether the profile refuses it too.
    fn refuse(&mut self, syscall: Syscall, seen: &[(&Call, &Seen)]) -> bool {
        let not_implemented = seen.iter().all(|(_, seen)| seen.not_permitted == 0);
        let error = if not_implemented { "ENOSYS" } else { "EPERM" };
        let count: u64 = seen.iter().map(|(_, seen)| seen.count).sum();
        let keeps = self.making.refused == Refused::Keep && !self.allowed.contains(&syscall);
        let what = match self.making.refused {
            Refused::Allow => "the profile allows it; --refused keep refuses it as before",
            Refused::Keep if keeps => "the profile refuses it too",
            Refused::Keep => "the profile allows it all the same, since the runtime or the kernel needs it",
        };
        self.notes.push(format!("{} was refused with {error} each time ({count}): {what}", syscall.name()));
        if keeps && not_implemented {
            let names = vec![Cow::Borrowed(syscall.name())];
            self.rules.push(Rule { names, action: Action::Errno, errno_ret: Some(ENOSYS), args: Vec::new() });
        }
        keeps
    }

    /// One rule for each value that the kept argument took.
    fn conditions(&mut self, syscall: Syscall, seen: &[(&Call, &Seen)]) -> Option<Vec<Rule>> {
        let kept = kept_argument(self.recording.arch, syscall).filter(|_| self.making.arguments)?;
        let mut values = BTreeSet::new();
        for (_, seen) in seen {
            match seen.values.as_ref()? {
                Values::Few(few) => values.extend(few.keys().copied()),
                Values::Any(why) => {
                    self.notes.push(format!("{} is allowed with any argument: {why}", syscall.name()));
                    return None;
                }
            }
        }
        if values.is_empty() || values.len() > Values::MOST || self.allowed.contains(&syscall) {
            return None;
        }
        Some(values.into_iter().map(|value| rule(syscall, kept, value)).collect())
    }

    /// On 32-bit x86 and a few others an older C library reaches sockets and System V IPC through one call; strace
    /// prints what is behind it.
    fn add_multiplexers(&mut self) {
        for multiplexer in Multiplexer::ALL {
            let behind = |call: &Call| {
                Multiplexer::used_on(call.arch)
                    && Multiplexer::of(call.syscall.name()).is_some_and(|(of, _)| of == multiplexer)
            };
            if let (true, Some(syscall)) = (self.recording.calls.keys().any(behind), multiplexer.syscall()) {
                self.allowed.insert(syscall);
                self.notes.push(format!("{} is allowed: 32-bit calls may go through it", multiplexer.name()));
            }
        }
    }

    fn say_the_rest(&mut self) {
        for ((arch, number), count) in &self.recording.unknown {
            let (arch, times) = (arch.name(), times(*count));
            self.notes
                .push(format!("call number {number} of {arch} was seen {times} and has no name: not in the profile"));
        }
        let clone3 = Syscall::from_name("clone3").is_some_and(|call| self.allowed.contains(&call));
        if self.making.arguments && clone3 {
            self.notes.push(
                "clone3 takes its flags through a pointer, which seccomp cannot see: it is allowed with any".to_owned(),
            );
        }
    }

    fn architectures(&self) -> Vec<Arch> {
        let mut archs = self.recording.architectures();
        if let (true, [first, ..]) = (self.making.compat, self.recording.arch.compat())
            && !archs.contains(first)
        {
            archs.push(*first);
        }
        archs
    }

    fn finish(mut self, added: Vec<Addition>) -> Made {
        let architectures = self.architectures();
        let names: Vec<Cow<'static, str>> = self.allowed.iter().map(|call| Cow::Borrowed(call.name())).collect();
        let mut syscalls = Vec::new();
        if !names.is_empty() {
            syscalls.push(Rule { names, action: Action::Allow, errno_ret: None, args: Vec::new() });
        }
        syscalls.append(&mut self.rules);
        let profile = Profile {
            default_action: Action::Errno,
            default_errno_ret: Some(1),
            architectures,
            flags: None,
            listener_path: None,
            listener_metadata: None,
            syscalls,
        };
        Made { profile, added, notes: self.notes }
    }
}

fn rule(syscall: Syscall, kept: Kept, value: u32) -> Rule {
    let condition = Condition { index: kept.index, value: kept.mask.into(), value_two: value.into(), op: Op::MaskedEq };
    let names = vec![Cow::Borrowed(syscall.name())];
    Rule { names, action: Action::Allow, errno_ret: None, args: vec![condition] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::strace::{Options, Reader};

    const MAKING: Making =
        Making { runtime: Runtime::Crun, no_new_privs: true, arguments: true, refused: Refused::Allow, compat: false };

    fn record(text: &str) -> Recording {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: true });
        reader.begin("trace");
        reader.feed(text.as_bytes());
        reader.finish().0
    }

    fn allows(made: &Made, name: &str) -> bool {
        let named = |rule: &&Rule| rule.action == Action::Allow && rule.names.iter().any(|known| known == name);
        made.profile.syscalls.iter().any(|rule| named(&rule))
    }

    #[test]
    fn what_was_seen_and_what_no_trace_shows_is_allowed_and_nothing_else() {
        let made = make(&record("openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n"), MAKING);
        for name in ["openat", "clock_gettime", "execve", "exit_group"] {
            assert!(allows(&made, name), "{name}");
        }
        assert!(!allows(&made, "ptrace"));
        assert_eq!(made.profile.architectures, [Arch::X86_64]);
        assert_eq!(made.profile.default_action, Action::Errno);
    }

    #[test]
    fn kept_arguments_become_conditions_under_the_bits_that_the_kernel_looks_at() {
        let made = make(&record("socket(AF_INET, SOCK_STREAM, 0) = 3\nsocket(AF_UNIX, SOCK_STREAM, 0) = 3\n"), MAKING);
        let conditions: Vec<Condition> = made
            .profile
            .syscalls
            .iter()
            .filter(|rule| rule.names == ["socket"])
            .flat_map(|rule| rule.args.clone())
            .collect();
        assert_eq!(conditions.iter().map(|condition| condition.value_two).collect::<Vec<_>>(), [1, 2]);
        assert!(conditions.iter().all(|c| c.op == Op::MaskedEq && c.value == 0xffff_ffff && c.index == 0));
    }

    #[test]
    fn a_call_that_the_runtime_needs_keeps_no_condition() {
        let text = "prctl(PR_SET_NAME, \"x\") = 0\n";
        let with = make(&record(text), MAKING);
        assert!(with.profile.syscalls.iter().any(|rule| rule.names == ["prctl"] && !rule.args.is_empty()));
        let without = make(&record(text), Making { no_new_privs: false, ..MAKING });
        assert!(!without.profile.syscalls.iter().any(|rule| rule.names == ["prctl"]), "{:?}", without.profile);
        assert!(allows(&without, "prctl"));
    }

    #[test]
    fn refused_calls_are_said_and_refused_again_where_asked() {
        let recording =
            record("ptrace(PTRACE_TRACEME) = -1 EPERM (no)\nlandlock_create_ruleset(NULL, 0, 1) = -1 ENOSYS (no)\n");
        let allowed = make(&recording, MAKING);
        assert!(
            allows(&allowed, "ptrace")
                && allowed.notes.iter().any(|note| note.contains("ptrace was refused with EPERM"))
        );
        let kept = make(&recording, Making { refused: Refused::Keep, ..MAKING });
        assert!(!allows(&kept, "ptrace") && !allows(&kept, "landlock_create_ruleset"));
        assert!(kept.profile.syscalls.iter().any(|rule| rule.errno_ret == Some(38)));
    }

    #[test]
    fn a_32_bit_recording_answers_for_that_interface_and_its_multiplexers() {
        let made = make(&record("mmap2(NULL, 1) = 0xf7\nsocket(AF_UNIX, SOCK_STREAM, 0) = 3\n"), MAKING);
        assert_eq!(made.profile.architectures, [Arch::X86_64, Arch::X86]);
        assert!(allows(&made, "socketcall"));
        let native = make(&record("read(0, \"\", 0) = 0\n"), Making { compat: true, ..MAKING });
        assert_eq!(native.profile.architectures, [Arch::X86_64, Arch::X86]);
    }
}
