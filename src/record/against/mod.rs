//! A recording held against a filter: what of the run would have failed, and what the filter allows that no run made.

mod findings;

pub use findings::findings;

use crate::record::recording::{Call, Recording, Seen, Values};
use crate::record::strace::kept_argument;
use crate::seccomp::{Arch, Bounds, Filter, Known, Reason, Syscall, Verdict};

/// What a run made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made<'r> {
    /// A call.
    Call(Call, &'r Seen),
    /// A number that no known call has, and how often.
    Number(Arch, u32, u64),
}

/// Something that a run made and that a filter refuses, or may refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused<'r> {
    /// What it was.
    pub made: Made<'r>,
    /// Whether it is refused whatever the arguments were that the recording does not have.
    pub is_sure: bool,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The values of its kept argument that are refused; none where that makes no difference.
    pub values: Vec<u32>,
}

impl Refused<'_> {
    /// Whether the run would have gone another way: calls that were refused in the run as well change nothing.
    pub fn breaks(&self) -> bool {
        let was_refused = matches!(self.made, Made::Call(_, seen) if seen.only_refused());
        self.is_sure && !was_refused
    }

    /// The call's name, or its number.
    pub fn name(&self) -> String {
        match self.made {
            Made::Call(call, _) => call.syscall.name().to_owned(),
            Made::Number(_, number, _) => format!("call number {number}"),
        }
    }

    /// The values for people: `(AF_VSOCK)`, or nothing.
    pub fn shown_values(&self, arch: Arch) -> String {
        let Made::Call(call, _) = self.made else { return String::new() };
        let Some(kept) = kept_argument(arch, call.syscall) else { return String::new() };
        let values: Vec<String> = self.values.iter().map(|value| kept.show(*value)).collect();
        if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) }
    }
}

/// What of `recording` `filter` refuses or may refuse, in the order of calls.
pub fn refused<'r>(recording: &'r Recording, filter: &Filter<'_>) -> Vec<Refused<'r>> {
    let calls = recording.calls.iter().filter_map(|(call, seen)| refused_call(recording.arch, *call, seen, filter));
    let numbers = recording.unknown.iter().filter_map(|((arch, number), count)| {
        let answer = filter.verdict_on_unknown(*arch);
        answer.verdict.refuses().then(|| Refused {
            made: Made::Number(*arch, *number, *count),
            is_sure: true,
            verdict: answer.verdict,
            reason: answer.reason,
            values: Vec::new(),
        })
    });
    calls.chain(numbers).collect()
}

fn refused_call<'r>(native: Arch, call: Call, seen: &'r Seen, filter: &Filter<'_>) -> Option<Refused<'r>> {
    let whole = filter.bounds(call.arch, call.syscall, None);
    let refused = |bounds: Bounds, values| Refused {
        made: Made::Call(call, seen),
        is_sure: bounds.refuse(),
        verdict: bounds.strictest,
        reason: bounds.reason,
        values,
    };
    if whole.refuse() || !whole.may_refuse() {
        return whole.refuse().then(|| refused(whole, Vec::new()));
    }
    let kept = kept_argument(native, call.syscall);
    let (Some(kept), Some(Values::Few(values))) = (kept, &seen.values) else { return Some(refused(whole, Vec::new())) };
    let of = |value: u32| {
        let known = Known { index: kept.index, mask: kept.mask, value };
        (value, filter.bounds(call.arch, call.syscall, Some(known)))
    };
    let all: Vec<(u32, Bounds)> = values.keys().map(|value| of(*value)).filter(|(_, one)| one.may_refuse()).collect();
    let is_sure = all.iter().any(|(_, one)| one.refuse());
    let counts: Vec<&(u32, Bounds)> = all.iter().filter(|(_, one)| one.refuse() || !is_sure).collect();
    let worst = counts.iter().map(|(_, one)| *one).max_by_key(|one| (one.refuse(), one.strictest))?;
    Some(refused(worst, counts.iter().map(|(value, _)| *value).collect()))
}

/// The calls of the machine's own interface that `filter` lets through, at least under conditions, and that neither the
/// recording nor `needed` has.
pub fn unused(recording: &Recording, needed: &[Syscall], filter: &Filter<'_>) -> Vec<Syscall> {
    let seen = recording.syscalls();
    let lets = |call: Syscall| !filter.bounds(recording.arch, call, None).refuse();
    Syscall::all()
        .filter(|call| call.number(recording.arch).is_some())
        .filter(|call| !seen.contains(call) && !needed.contains(call) && lets(*call))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::output::{Making, Refused as OfRefused, make};
    use crate::record::strace::{Options, Reader};
    use crate::record::{Runtime, additions};
    use crate::seccomp::Profile;

    fn record(text: &str) -> Recording {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: true });
        reader.begin("trace");
        reader.feed(text.as_bytes());
        reader.finish().0
    }

    fn profile(text: &str) -> Profile {
        Profile::read(crate::spec::Document::parse(text).unwrap().root()).unwrap()
    }

    const RUN: &str = "read(0, \"\", 1) = 0\nsocket(AF_INET, SOCK_STREAM, 0) = 3\nsocket(AF_VSOCK, SOCK_STREAM, 0) = 4\n\
        ptrace(PTRACE_TRACEME) = -1 EPERM (no)\nsyscall_0x9999(0) = 0\n";

    #[test]
    fn each_refused_call_is_named_with_its_values_and_whether_it_breaks_the_run() {
        let recording = record(RUN);
        let profile = profile(
            r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},
            {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}"#,
        );
        let filter = Filter::new(&profile, Arch::X86_64);
        let found: Vec<_> = refused(&recording, &filter)
            .iter()
            .map(|one| (one.name() + &one.shown_values(Arch::X86_64), one.is_sure, one.breaks()))
            .collect();
        let wanted = [("ptrace", true, false), ("socket(AF_VSOCK)", true, true), ("call number 39321", true, true)];
        assert_eq!(found, wanted.map(|(name, sure, breaks)| (name.to_owned(), sure, breaks)));
    }

    #[test]
    fn without_arguments_a_conditional_call_may_be_refused() {
        let mut recording = record(RUN);
        recording.calls.values_mut().for_each(|seen| seen.values = None);
        let profile = profile(
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ERRNO",
            "args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]}]}"#,
        );
        let filter = Filter::new(&profile, Arch::X86_64);
        let found = refused(&recording, &filter);
        assert_eq!(found.len(), 1);
        assert!(!found[0].is_sure && !found[0].breaks() && found[0].name() == "socket");
    }

    #[test]
    fn a_recording_s_own_profile_refuses_nothing_of_it_and_allows_nothing_else() {
        let recording = record("read(0, \"\", 1) = 0\nsocket(AF_VSOCK, SOCK_STREAM, 0) = 4\nmmap2(NULL, 1) = 0xf7\n");
        for arguments in [true, false] {
            let making = Making {
                runtime: Runtime::Any,
                no_new_privs: true,
                arguments,
                refused: OfRefused::Allow,
                compat: false,
            };
            let made = make(&recording, making);
            let filter = Filter::new(&made.profile, Arch::X86_64);
            assert_eq!(refused(&recording, &filter), []);
            let needed: Vec<_> = additions(&recording, Runtime::Any, true).iter().map(|added| added.syscall).collect();
            assert_eq!(unused(&recording, &needed, &filter), []);
        }
    }
}
