//! Filters that libseccomp compiles to something else than they say.

use super::Filter;
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::Width;
use crate::seccomp::faithful::is_faithful;
#[cfg(feature = "cli")]
use crate::seccomp::faithful::may_never_end;
use crate::seccomp::syscalls::{Multiplexer, Syscall};

impl Filter<'_> {
    /// Whether libseccomp compiles the conditional rules for `call` on `arch` to what they say, as far as is known, if no
    /// other call's come in between (see [`Filter::mistaken`]).
    pub fn compiles_as_said(&self, arch: Arch, call: Syscall) -> bool {
        is_faithful(self.decision_on(call, arch).live(), Width::of(arch)) && !self.is_lost_on(arch)
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
