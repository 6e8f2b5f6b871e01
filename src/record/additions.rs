//! What no trace shows and a container needs.

use std::collections::BTreeMap;

use super::recording::Recording;
use crate::seccomp::{Arch, Syscall};

/// Which runtime will start the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// runc.
    Runc,
    /// crun.
    Crun,
    /// Whichever there is.
    Any,
}

/// Why a call was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Answered by the vDSO without entering the kernel, until the clock source does not allow it.
    Vdso,
    /// The kernel has programs make it: after a stop, at the end of a signal handler, at the end.
    Kernel,
    /// The runtime makes it between loading the filter and starting the program.
    Runtime,
    /// The recorder could not have seen it.
    Recorder,
}

/// A call that is allowed whether it was seen or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The call.
    pub syscall: Syscall,
    /// Every reason for it.
    pub why: Vec<Why>,
}

impl Why {
    /// The reason, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Vdso => "answered by the vDSO, which no trace shows",
            Self::Kernel => "the kernel has programs make it on its own",
            Self::Runtime => "the runtime makes it after it has loaded the filter",
            Self::Recorder => "the recorder cannot see it",
        }
    }
}

/// `arch/*/entry/vdso` and `arch/*/kernel/vdso` of Linux; a call that a machine does not have is left out.
const VDSO: [&str; 8] = [
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "getcpu",
    "getrandom",
    "gettimeofday",
    "time",
];

/// `restart_syscall` after a stop, `rt_sigreturn` after a handler, the exits after a signal that the run did not get.
const KERNEL: [&str; 5] = ["exit", "exit_group", "restart_syscall", "rt_sigreturn", "sigreturn"];

/// What `tests/measure-runtime-needs.sh` found on Debian 12 (runc 1.1.5, crun 1.8.1) and 13 (runc 1.1.15, crun 1.21).
const NEEDS: &str = include_str!("runtime-needs.txt");

/// The calls that a container needs whatever a recording of it shows, in the order of names. Those that it does show are
/// among them: the workload's arguments are not the runtime's.
pub fn additions(recording: &Recording, runtime: Runtime, no_new_privs: bool) -> Vec<Addition> {
    let archs = recording.architectures();
    let mut found: BTreeMap<&str, Vec<Why>> = BTreeMap::new();
    let mut add = |names: &mut dyn Iterator<Item = &'static str>, why, archs: &[Arch]| {
        for name in names {
            let exists = |call: Syscall| archs.iter().any(|arch| call.number(*arch).is_some());
            if Syscall::from_name(name).is_some_and(exists) {
                let reasons = found.entry(name).or_default();
                if !reasons.contains(&why) {
                    reasons.push(why);
                }
            }
        }
    };
    add(&mut VDSO.into_iter(), Why::Vdso, &archs);
    add(&mut KERNEL.into_iter(), Why::Kernel, &archs);
    add(&mut runtime_needs(runtime, no_new_privs), Why::Runtime, &[recording.arch]);
    add(&mut recording.unseen.iter().map(|call| call.name()), Why::Recorder, &archs);
    let new = |(name, why)| Syscall::from_name(name).map(|syscall| Addition { syscall, why });
    found.into_iter().filter_map(new).collect()
}

/// What the runtime calls once the filter is loaded. With no_new_privs that is just before `execve`; without, the runtime
/// still has to give up its privileges. An x86 measurement: calls that another machine does not have it does not need.
fn runtime_needs(runtime: Runtime, no_new_privs: bool) -> impl Iterator<Item = &'static str> {
    let kind = if no_new_privs { "no_new_privs" } else { "privileges" };
    NEEDS
        .lines()
        .filter(move |line| {
            let mut words = line.split(' ');
            let runs = match words.next() {
                Some("runc") => runtime != Runtime::Crun,
                Some("crun") => runtime != Runtime::Runc,
                _ => false,
            };
            runs && words.next() == Some(kind)
        })
        .flat_map(|line| line.split(' ').skip(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(runtime: Runtime, no_new_privs: bool) -> Vec<&'static str> {
        let added = additions(&Recording::empty(Arch::X86_64), runtime, no_new_privs);
        added.iter().map(|added| added.syscall.name()).collect()
    }

    #[test]
    fn every_measured_line_names_calls_that_exist() {
        for line in NEEDS.lines() {
            let mut words = line.split(' ');
            assert!(matches!(words.next(), Some("runc" | "crun")), "{line}");
            assert!(matches!(words.next(), Some("no_new_privs" | "privileges")), "{line}");
            assert!(words.all(|name| Syscall::from_name(name).is_some()), "{line}");
        }
        assert_eq!(NEEDS.lines().count(), 4);
    }

    #[test]
    fn a_runtime_that_keeps_privileges_needs_more() {
        for runtime in [Runtime::Runc, Runtime::Crun, Runtime::Any] {
            let (with, without) = (names(runtime, true), names(runtime, false));
            assert!(with.iter().all(|name| without.contains(name)) && with.len() < without.len(), "{runtime:?}");
            assert!(with.contains(&"execve"));
        }
        assert!(names(Runtime::Any, false).len() >= names(Runtime::Runc, false).len());
    }

    #[test]
    fn the_vdso_s_calls_are_those_that_the_machine_has() {
        let native = names(Runtime::Crun, true);
        assert!(native.contains(&"clock_gettime") && native.contains(&"time") && !native.contains(&"clock_gettime64"));
        let arm = additions(&Recording::empty(Arch::Aarch64), Runtime::Crun, true);
        assert!(!arm.iter().any(|added| added.syscall.name() == "time"));
    }
}
