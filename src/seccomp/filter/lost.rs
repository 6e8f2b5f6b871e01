//! Filters that libseccomp compiles to something else than they say.

use super::Filter;
#[cfg(feature = "embedded")]
use super::{Clause, Condition, Verdict};
#[cfg(feature = "embedded")]
use crate::seccomp::action::Op;
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::Width;
use crate::seccomp::faithful::is_faithful;
#[cfg(feature = "cli")]
use crate::seccomp::faithful::may_never_end;
use crate::seccomp::syscalls::{Multiplexer, Syscall};

impl Filter<'_> {
    /// Whether libseccomp compiles the conditional rules for `call` on `arch` to what they say, as far as is known.
    pub fn compiles_as_said(&self, arch: Arch, call: Syscall) -> bool {
        is_faithful(self.decision_on(call, arch).live(), Width::of(arch)) && !self.is_lost_on(arch)
    }

    /// Whether libseccomp may compile the rules for `call` on `arch` to something else than they say on account of another
    /// call's.
    ///
    /// It writes a comparison that two calls make with the same outcome once. Whether the argument must be loaded again before
    /// it is decided for the last that jumps there (`_gen_bpf_build_bpf` in its `src/gen_bpf.c`, up to 2.6.1): where a rule with
    /// more conditions has loaded another argument by then, that one is compared.
    ///
    /// Few rules of which this is said are compiled wrong, Podman's own for `socket` are not: nothing but the properties makes
    /// allowance for it.
    #[cfg(feature = "embedded")]
    #[doc(hidden)]
    pub fn may_share_a_comparison(&self, arch: Arch, call: Syscall) -> bool {
        let own = self.decision_on(call, arch);
        let first = |clause: &Clause<'_>| clause.conditions.iter().min_by_key(|condition| condition.index).copied();
        // A 64-bit range is several comparisons by itself, of one half and of the other.
        let is_longer = |clause: &Clause<'_>| {
            let is_range = |condition: &Condition| !matches!(condition.op, Op::Eq | Op::MaskedEq);
            clause.conditions.len() > 1 || (Width::of(arch) == Width::Full && clause.conditions.iter().any(is_range))
        };
        let goes_on = |index: u32| {
            let mut longer = own.live().iter().filter(|clause| is_longer(clause));
            longer.any(|clause| first(clause).is_some_and(|condition| condition.index == index))
        };
        if own.live().len() < 2 || !own.live().iter().any(is_longer) {
            return false;
        }
        let begun = own.live().iter().filter_map(|clause| Some((first(clause)?, clause.verdict())));
        let shared: Vec<(Condition, Verdict)> = begun.filter(|(condition, _)| goes_on(condition.index)).collect();
        // What compares the upper half leads on to what compares the lower one, and is the same only if that is.
        let alike =
            |one: &Condition, two: &Condition| one.index == two.index && Width::Half.cut(one.value ^ two.value) == 0;
        Syscall::all().filter(|other| *other != call).any(|other| {
            self.archs().iter().any(|arch| {
                let theirs = self.decision_on(other, *arch);
                let made = |clause: &Clause<'_>| {
                    let same = |(one, verdict): &(Condition, Verdict)| {
                        *verdict == clause.verdict() && clause.conditions.iter().any(|two| alike(one, two))
                    };
                    shared.iter().any(same)
                };
                theirs.live().len() > 1 && theirs.live().iter().any(made)
            })
        })
    }

    /// Whether libseccomp may never come to an end with the rules for `call` on `arch`: the runtime hangs, and no container
    /// starts.
    #[cfg(feature = "cli")]
    pub fn may_never_compile(&self, arch: Arch, call: Syscall) -> bool {
        may_never_end(self.decision_on(call, arch).live(), Width::of(arch))
    }

    /// Whether libseccomp may compile a filter for `arch` in which no rule counts.
    ///
    /// It loads the call's number once, in front of the call with the fewest comparisons. Where that one does not exist on
    /// `arch` it is left out, and the load with it (`_gen_bpf_syscalls` in its `src/gen_bpf.c`, up to 2.6.1): every rule then
    /// compares the architecture. One rule without conditions for a call that does exist, and that every libseccomp knows,
    /// prevents it; so does x86_64 without x32, where the number is loaded before.
    pub fn is_lost_on(&self, arch: Arch) -> bool {
        let twins: &[Arch] = match arch {
            Arch::X86_64 | Arch::X32 if self.archs.contains(&Arch::X32) => &[Arch::X86_64, Arch::X32],
            Arch::X86_64 => return false,
            _ if !self.archs.contains(&arch) => return false,
            _ => &[arch],
        };
        let (mut here, mut elsewhere) = (false, false);
        for (call, decision) in Syscall::all().zip(&self.decisions) {
            if decision.always.is_none() && decision.clauses.is_empty() {
                continue;
            }
            let is_known_everywhere = call.since().is_none();
            for twin in twins {
                match (call.number(*twin).is_some(), decision.always.is_some()) {
                    (true, true) if is_known_everywhere => return false,
                    (true, true) => {}
                    (true, false) => here = true,
                    // What is left of it is its companion, which compares an argument.
                    (false, _) => {
                        elsewhere = true;
                        here |= Multiplexer::used_on(*twin) && Multiplexer::of(call.name()).is_some();
                    }
                }
            }
        }
        here && elsewhere
    }
}
