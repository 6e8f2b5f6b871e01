//! Groups of system calls: the words in which the built-in profile, policies and profiles of our own are written.
//!
//! The groups are data, in `profiles/seccomp/default.toml`; the build turns them into tables.

mod denied;
mod file;
mod grammar;
mod opened;
mod words;

use std::borrow::Cow;

use super::action::Op;
use super::arch::Arch;
use super::profile::{Condition, Profile};
use super::syscalls::Syscall;
use super::target::{Abis, KernelVersion, Target};
use super::verdict::Verdict;
use crate::capability::{CapSet, Capability};

pub use denied::deny;
pub use file::{GroupProfile, Written, WrittenRule};
use opened::Opened;
pub use words::Word;

#[allow(clippy::unreadable_literal, reason = "generated")]
mod table {
    use super::{Arch, Archs, Condition, Cow, Group, KernelVersion, Op, Open, Opening, Refusal, Syscall};

    include!(concat!(env!("OUT_DIR"), "/groups.rs"));
}

pub use table::GROUPS;

/// System calls that serve one purpose.
#[derive(Debug)]
pub struct Group {
    /// Its name, without the `@`.
    pub name: &'static str,
    /// What its calls do, in a sentence.
    pub about: &'static str,
    open: Open,
    calls: &'static [Syscall],
    openings: &'static [Opening],
    refusals: &'static [Refusal],
}

/// When a group is part of `@default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Always,
    /// For containers with one of these capabilities.
    To(&'static [&'static str]),
    Never,
}

/// A call that is let through under conditions, on some machines.
#[derive(Debug)]
struct Opening {
    call: Syscall,
    conditions: &'static [Condition],
    kernel: KernelVersion,
    compat: bool,
    archs: Archs,
}

#[derive(Debug)]
enum Archs {
    All,
    Only(Cow<'static, [Arch]>),
    Not(Cow<'static, [Arch]>),
}

/// What a call that nothing opens answers instead of EPERM.
#[derive(Debug)]
struct Refusal {
    call: Syscall,
    errno: &'static str,
}

impl Opening {
    fn applies(&self, target: &Target) -> bool {
        let machine = match &self.archs {
            Archs::All => true,
            Archs::Only(archs) => archs.contains(&target.arch),
            Archs::Not(archs) => !archs.contains(&target.arch),
        };
        machine && target.kernel >= self.kernel && (!self.compat || target.abis == Abis::Compat)
    }
}

impl Group {
    /// The group called `name`, without the `@`.
    pub fn named(name: &str) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.name == name)
    }

    /// The group that holds `call` outright or under conditions, for messages.
    pub fn of(call: Syscall) -> impl Iterator<Item = &'static Self> {
        GROUPS.iter().filter(move |group| group.all_calls().any(|own| own == call))
    }

    /// Every call it names, those under conditions included.
    pub fn all_calls(&self) -> impl Iterator<Item = Syscall> {
        let conditional = self.openings.iter().map(|opening| opening.call);
        let refused = self.refusals.iter().map(|refusal| refusal.call);
        self.calls.iter().copied().chain(conditional).chain(refused)
    }

    /// The calls that it opens whatever their arguments, on every machine.
    pub fn calls(&self) -> &'static [Syscall] {
        self.calls
    }

    /// The capabilities of which one opens it; none, if it is open or closed whatever they are.
    pub fn capabilities(&self) -> CapSet {
        match self.open {
            Open::To(names) => names.iter().filter_map(|name| Capability::from_name(name)).collect(),
            Open::Always | Open::Never => CapSet::EMPTY,
        }
    }

    /// Whether it is part of `@default` for a container with `caps`.
    pub fn is_open(&self, caps: CapSet) -> bool {
        match self.open {
            Open::Always => true,
            Open::To(_) => !self.capabilities().intersection(caps).is_empty(),
            Open::Never => false,
        }
    }

    /// Whether `held` has the capability that the group is for: CAP_SYS_ADMIN opens much besides that has one of its own.
    #[cfg(feature = "cli")]
    pub(super) fn is_for(&self, held: CapSet) -> bool {
        match self.open {
            Open::To([first, ..]) => Capability::from_name(first).is_some_and(|first| held.contains(first)),
            _ => false,
        }
    }

    /// Whether only a profile that names it opens it.
    pub fn is_closed(&self) -> bool {
        self.open == Open::Never
    }
}

/// The built-in profile for a container: `@default`, written in canonical form. A dropped capability has closed its groups,
/// a granted one has opened them.
pub fn builtin(target: &Target) -> Profile {
    open_only(&[Word::Default], target)
}

/// The profile that lets through the calls of `words` and no others. A group that is named is open whatever the
/// container's capabilities are.
pub fn open_only(words: &[Word], target: &Target) -> Profile {
    let mut opened = Opened::new(target);
    for word in words {
        match word {
            Word::Default => opened.open_default(Verdict::ALLOW),
            Word::Group(group) => opened.open(group, Verdict::ALLOW),
            Word::Call(call) => opened.give(*call, Verdict::ALLOW),
        }
    }
    opened.profile()
}

/// The architectures that the built-in profile answers for. Not x32: no distribution ships programs for it, most kernels are
/// built without it, and it doubles what can be called.
fn architectures(target: &Target) -> Vec<Arch> {
    let mut archs = vec![target.arch];
    if target.abis == Abis::Compat {
        archs.extend(target.arch.compat().iter().filter(|arch| **arch != Arch::X32));
    }
    archs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::Filter;

    pub(super) fn target(caps: CapSet) -> Target {
        let kernel = KernelVersion { major: 6, minor: 18 };
        Target { arch: Arch::X86_64, kernel, caps, abis: Abis::Native }
    }

    fn ask(target: &Target, arch: Arch, name: &str, args: &[u64]) -> Verdict {
        ask_profile(&builtin(target), arch, name, args)
    }

    pub(super) fn ask_profile(profile: &Profile, arch: Arch, name: &str, args: &[u64]) -> Verdict {
        let mut six = [0; 6];
        six[..args.len()].copy_from_slice(args);
        Filter::new(profile, Arch::X86_64).verdict(arch, Syscall::from_name(name).unwrap(), &six).verdict
    }

    #[test]
    fn every_capability_that_opens_a_group_exists() {
        for group in &GROUPS {
            if let Open::To(names) = group.open {
                assert_eq!(group.capabilities().iter().count(), names.len(), "{}", group.name);
            }
            assert!(!group.about.is_empty() && group.about.ends_with('.'), "{}", group.name);
            let twins = GROUPS.iter().filter(|other| other.name == group.name).count();
            assert_eq!(twins, 1, "{}", group.name);
        }
    }

    #[test]
    fn no_call_is_outright_in_two_groups_that_are_always_open() {
        for call in Syscall::all() {
            let holders = GROUPS.iter().filter(|group| group.open == Open::Always && group.calls.contains(&call));
            assert!(holders.count() <= 1, "{}", call.name());
        }
    }

    #[test]
    fn kernel_attack_calls_are_refused_without_capabilities() {
        let none = target(CapSet::DOCKER);
        for name in [
            "keyctl",
            "add_key",
            "request_key",
            "bpf",
            "perf_event_open",
            "userfaultfd",
            "io_uring_setup",
            "mount",
            "kexec_load",
            "open_by_handle_at",
            "unshare",
            "setns",
            "init_module",
            "pivot_root",
            "modify_ldt",
        ] {
            assert_eq!(ask(&none, Arch::X86_64, name, &[]), Verdict::EPERM, "{name}");
        }
        for family in [38, 40, 30, 21, 0x1_0000_0028, 0x1_0000_0002] {
            assert_eq!(ask(&none, Arch::X86_64, "socket", &[family]), Verdict::EPERM, "family {family}");
        }
        assert_eq!(ask(&none, Arch::X86_64, "clone", &[0x1000_0000]), Verdict::EPERM);
    }

    #[test]
    fn granted_capabilities_open_their_calls() {
        let admin = target([Capability::from_name("CAP_SYS_ADMIN").unwrap()].into_iter().collect());
        for name in ["mount", "unshare", "clone3", "bpf", "setns", "pivot_root"] {
            assert_eq!(ask(&admin, Arch::X86_64, name, &[0x1000_0000]), Verdict::ALLOW, "{name}");
        }
        let net = target([Capability::from_name("CAP_NET_ADMIN").unwrap()].into_iter().collect());
        assert_eq!(ask(&net, Arch::X86_64, "socket", &[30]), Verdict::ALLOW);
        for family in [38, 40, 0x1_0000_0028] {
            assert_eq!(ask(&net, Arch::X86_64, "socket", &[family]), Verdict::EPERM, "family {family}");
        }
        assert_eq!(ask(&target(CapSet::ALL), Arch::X86_64, "io_uring_setup", &[]), Verdict::EPERM);
    }

    #[test]
    fn clone3_is_unknown_where_clone_is_filtered() {
        let enosys = Verdict::from_kernel(0x0005_0026).unwrap();
        assert_eq!(ask(&target(CapSet::EMPTY), Arch::X86_64, "clone3", &[]), enosys);
        assert_eq!(ask(&target(CapSet::EMPTY), Arch::X86_64, "clone", &[0x11]), Verdict::ALLOW);
        let s390x = Target { arch: Arch::S390x, ..target(CapSet::EMPTY) };
        assert_eq!(ask(&s390x, Arch::S390x, "clone", &[0, 0x1000_0000]), Verdict::EPERM);
        assert_eq!(ask(&s390x, Arch::S390x, "clone", &[0x1000_0000, 0]), Verdict::ALLOW);
    }

    #[test]
    fn ptrace_needs_a_kernel_that_filters_after_it() {
        let old = Target { kernel: KernelVersion { major: 4, minor: 7 }, ..target(CapSet::EMPTY) };
        assert_eq!(ask(&old, Arch::X86_64, "ptrace", &[]), Verdict::EPERM);
        assert_eq!(ask(&target(CapSet::EMPTY), Arch::X86_64, "ptrace", &[]), Verdict::ALLOW);
    }

    #[test]
    fn thirty_two_bit_calls_are_answered_only_where_they_are_kept() {
        assert_eq!(ask(&target(CapSet::EMPTY), Arch::X86, "read", &[]), Verdict::KILL_THREAD);
        let compat = Target { abis: Abis::Compat, ..target(CapSet::EMPTY) };
        assert_eq!(ask(&compat, Arch::X86, "mmap2", &[]), Verdict::ALLOW);
        assert_eq!(ask(&compat, Arch::X86, "modify_ldt", &[]), Verdict::ALLOW);
        assert_eq!(ask(&compat, Arch::X32, "read", &[]), Verdict::KILL_THREAD);
    }

    #[test]
    fn what_runc_itself_calls_before_the_program_starts_is_open() {
        for name in ["capset", "setuid", "setgid", "setgroups", "prctl", "fstat", "execve", "futex", "close", "openat"]
        {
            assert_eq!(ask(&target(CapSet::EMPTY), Arch::X86_64, name, &[]), Verdict::ALLOW, "{name}");
        }
    }
}
