//! What is taken away from a profile, whatever it says.
//!
//! Denying a group closes its calls. A group that capabilities open shares some calls with one that is always open
//! (`clone` without new namespaces, `socket` for the usual families): those go back to what the always open group says, since
//! nothing starts without them. A call that is closed is closed behind `socketcall` and `ipc` as well.

use std::borrow::Cow;

use super::{GROUPS, Group, Open, Target, Word};
use crate::seccomp::action::{Action, Op};
use crate::seccomp::combine::{Limit, limited};
use crate::seccomp::errno;
use crate::seccomp::filter::{Clause, Decision, Filter, Ruled};
use crate::seccomp::profile::{Condition, Profile};
use crate::seccomp::syscalls::{Multiplexer, Syscall};
use crate::seccomp::verdict::{EPERM, Verdict};

/// Limits on calls.
pub(in crate::seccomp) struct Denied<'t> {
    target: &'t Target,
    limits: Vec<Option<Limit>>,
}

/// `profile` without the calls of `words`.
pub fn deny(profile: &Profile, words: &[Word], target: &Target) -> Profile {
    let mut denied = Denied::new(target);
    for word in words {
        denied.word(*word);
    }
    denied.apply(profile)
}

impl<'t> Denied<'t> {
    pub(in crate::seccomp) fn new(target: &'t Target) -> Self {
        Self { target, limits: vec![None; Syscall::COUNT] }
    }

    /// Whether nothing is denied.
    pub(in crate::seccomp) fn is_empty(&self) -> bool {
        self.limits.iter().all(Option::is_none)
    }

    /// Takes a word's calls away.
    pub(in crate::seccomp) fn word(&mut self, word: Word) {
        match word {
            Word::Default => {
                GROUPS.iter().filter(|group| group.is_open(self.target.caps)).for_each(|group| self.group(group));
            }
            Word::Group(group) => self.group(group),
            Word::Call(call) => self.close(call, refusal(call, self.target)),
        }
    }

    fn group(&mut self, group: &'static Group) {
        for call in group.all_calls() {
            let shared = if group.open == Open::Always { Shared::Nothing } else { shared(call, self.target) };
            match shared {
                Shared::Nothing => self.close(call, refusal(call, self.target)),
                Shared::Some(clauses) if self.limits[call.index()].is_none() => {
                    let decision = Decision { clauses, named: true, ..Decision::default() };
                    self.limits[call.index()] = Some(Limit { decision, default: refusal(call, self.target) });
                }
                Shared::Some(_) | Shared::All => {}
            }
        }
    }

    /// Gives every call of `call` to `verdict`, at least.
    pub(in crate::seccomp) fn close(&mut self, call: Syscall, verdict: Verdict) {
        self.limits[call.index()] =
            Some(Limit { decision: Decision { named: true, ..Decision::default() }, default: verdict });
        self.close_behind_multiplexers(call, verdict);
    }

    /// Gives the calls for which `conditions` hold to `verdict`, at least.
    pub(in crate::seccomp) fn close_when(&mut self, call: Syscall, conditions: Vec<Condition>, verdict: Verdict) {
        if conditions.is_empty() {
            return self.close(call, verdict);
        }
        self.add_clause(call, conditions, verdict);
        // A multiplexer takes a pointer to the arguments: no filter sees them there.
        self.close_behind_multiplexers(call, verdict);
    }

    fn close_behind_multiplexers(&mut self, call: Syscall, verdict: Verdict) {
        let Some((multiplexer, number)) = Multiplexer::of(call.name()) else { return };
        let Some(own) = multiplexer.syscall() else { return };
        self.add_clause(own, vec![Condition { index: 0, value: number, value_two: 0, op: Op::Eq }], verdict);
    }

    fn add_clause(&mut self, call: Syscall, conditions: Vec<Condition>, verdict: Verdict) {
        let limit = &mut self.limits[call.index()];
        let limit = limit.get_or_insert_with(|| Limit { decision: Decision::default(), default: Verdict::ALLOW });
        if limit.default == Verdict::ALLOW {
            match limit.decision.clauses.iter_mut().find(|known| *known.conditions == *conditions) {
                Some(known) => known.ruled.verdict = known.ruled.verdict.max(verdict),
                None => limit.decision.clauses.push(clause(Cow::Owned(conditions), verdict)),
            }
        } else if limit.decision.clauses.iter().any(|clause| clause.verdict() == Verdict::ALLOW) {
            // What is left open of it meets a condition of another kind: rather nothing than too much.
            *limit = Limit { decision: Decision::default(), default: limit.default.max(verdict) };
        }
    }

    /// The profile within the limits.
    pub(in crate::seccomp) fn apply(&self, profile: &Profile) -> Profile {
        if self.is_empty() {
            return profile.clone();
        }
        limited(&Filter::new(profile, self.target.arch), profile, &self.limits)
    }
}

/// What the groups that are always open give of a call.
enum Shared {
    Nothing,
    Some(Vec<Clause<'static>>),
    All,
}

fn shared(call: Syscall, target: &Target) -> Shared {
    let mut clauses = Vec::new();
    for group in GROUPS.iter().filter(|group| group.open == Open::Always) {
        if group.calls.contains(&call) {
            return Shared::All;
        }
        for opening in group.openings.iter().filter(|opening| opening.call == call && opening.applies(target)) {
            if opening.conditions.is_empty() {
                return Shared::All;
            }
            clauses.push(clause(Cow::Borrowed(opening.conditions), Verdict::ALLOW));
        }
    }
    if clauses.is_empty() { Shared::Nothing } else { Shared::Some(clauses) }
}

fn clause(conditions: Cow<'static, [Condition]>, verdict: Verdict) -> Clause<'static> {
    Clause { conditions, ruled: Ruled { verdict, rule: 0 } }
}

/// What a call that is closed answers: EPERM, or what its group says (ENOSYS for `clone3`, after which programs use `clone`).
fn refusal(call: Syscall, target: &Target) -> Verdict {
    let own = GROUPS.iter().flat_map(|group| group.refusals).find(|refusal| refusal.call == call);
    let number = own.and_then(|refusal| errno::number(refusal.errno, target.numbering())).unwrap_or(EPERM);
    Verdict::new(Action::Errno, Some(number))
}

#[cfg(test)]
mod tests {
    use super::super::{open_only, tests::ask_profile, tests::target};
    use super::*;
    use crate::capability::{CapSet, Capability};
    use crate::seccomp::{Abis, Arch, builtin, is_subset};

    fn admin() -> Target {
        target([Capability::from_name("CAP_SYS_ADMIN").unwrap()].into_iter().collect())
    }

    fn words(words: &[&str]) -> Vec<Word> {
        words.iter().map(|word| Word::read(word).unwrap()).collect()
    }

    fn without(target: &Target, denied: &[&str]) -> Profile {
        deny(&builtin(target), &words(denied), target)
    }

    #[test]
    fn a_denied_group_is_closed_whatever_capability_would_open_it() {
        let target = admin();
        let profile = without(&target, &["@mount", "@bpf"]);
        for name in ["mount", "umount2", "move_mount", "bpf"] {
            assert_eq!(ask_profile(&profile, Arch::X86_64, name, &[]), Verdict::EPERM, "{name}");
        }
        assert_eq!(ask_profile(&profile, Arch::X86_64, "unshare", &[]), Verdict::ALLOW);
    }

    #[test]
    fn without_namespaces_programs_still_start() {
        let target = admin();
        let profile = without(&target, &["@namespaces"]);
        assert_eq!(ask_profile(&profile, Arch::X86_64, "clone", &[0x11]), Verdict::ALLOW);
        assert_eq!(ask_profile(&profile, Arch::X86_64, "clone", &[0x1000_0000]), Verdict::EPERM);
        assert_eq!(ask_profile(&profile, Arch::X86_64, "unshare", &[0x1000_0000]), Verdict::EPERM);
        let enosys = Verdict::from_kernel(0x0005_0026).unwrap();
        assert_eq!(ask_profile(&profile, Arch::X86_64, "clone3", &[]), enosys);
        assert_eq!(is_subset(&profile, &builtin(&target), Arch::X86_64), Ok(()));
    }

    #[test]
    fn a_group_that_is_always_open_is_closed_whole() {
        let profile = without(&target(CapSet::ALL), &["@network"]);
        for name in ["socket", "socketpair", "connect", "sendmsg"] {
            assert_eq!(ask_profile(&profile, Arch::X86_64, name, &[1]), Verdict::EPERM, "{name}");
        }
    }

    #[test]
    fn a_call_is_closed_behind_its_multiplexer() {
        let target = Target { abis: Abis::Compat, ..target(CapSet::EMPTY) };
        let profile = without(&target, &["connect"]);
        assert_eq!(ask_profile(&profile, Arch::X86, "connect", &[]), Verdict::EPERM);
        assert_eq!(ask_profile(&profile, Arch::X86, "socketcall", &[3]), Verdict::EPERM);
        assert_eq!(ask_profile(&profile, Arch::X86, "socketcall", &[2]), Verdict::ALLOW);
        assert_eq!(ask_profile(&profile, Arch::X86_64, "bind", &[]), Verdict::ALLOW);
    }

    #[test]
    fn what_kills_is_not_softened() {
        let target = target(CapSet::EMPTY);
        let mut profile = open_only(&words(&["@default"]), &target);
        profile.default_action = Action::KillProcess;
        profile.default_errno_ret = None;
        let denied = deny(&profile, &words(&["keyctl", "getpid"]), &target);
        assert_eq!(ask_profile(&denied, Arch::X86_64, "keyctl", &[]).action(), Action::KillProcess);
        assert_eq!(ask_profile(&denied, Arch::X86_64, "getpid", &[]), Verdict::EPERM);
    }

    #[test]
    fn a_profile_that_opens_everything_else_is_closed_there_too() {
        let target = target(CapSet::EMPTY);
        let open = Profile {
            default_action: Action::Allow,
            default_errno_ret: None,
            syscalls: Vec::new(),
            ..builtin(&target)
        };
        let denied = deny(&open, &words(&["@namespaces", "@keyring"]), &target);
        assert_eq!(ask_profile(&denied, Arch::X86_64, "clone", &[0x11]), Verdict::ALLOW);
        assert_eq!(ask_profile(&denied, Arch::X86_64, "clone", &[0x1000_0011]), Verdict::EPERM);
        assert_eq!(ask_profile(&denied, Arch::X86_64, "keyctl", &[]), Verdict::EPERM);
        assert_eq!(ask_profile(&denied, Arch::X86_64, "mount", &[]), Verdict::ALLOW);
    }

    #[test]
    fn groups_that_are_named_are_open_whatever_the_capabilities() {
        let target = target(CapSet::EMPTY);
        let profile = open_only(&words(&["@default", "@io-uring", "keyctl"]), &target);
        for name in ["io_uring_setup", "keyctl", "read"] {
            assert_eq!(ask_profile(&profile, Arch::X86_64, name, &[]), Verdict::ALLOW, "{name}");
        }
        assert_eq!(ask_profile(&profile, Arch::X86_64, "add_key", &[]), Verdict::EPERM);
        let few = open_only(&words(&["@file-io"]), &target);
        assert_eq!(ask_profile(&few, Arch::X86_64, "execve", &[]), Verdict::EPERM);
    }
}
