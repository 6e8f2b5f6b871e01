//! The canonical form of a profile: the same verdicts, said as shortly as OCI can.

use std::borrow::Cow;

use super::arch::Arch;
use super::combine::{Said, put_in_order};
use super::domain::Width;
use super::filter::Filter;
use super::layout::Layout;
use super::profile::Profile;
use super::syscalls::{Multiplexer, Syscall};
use super::target::Abis;

/// Writes `profile` anew for a machine of `native`: only architectures that it runs (and only its own, for
/// [`Abis::Native`]), only names that they have, each name in one rule for each verdict and set of conditions. Verdicts stay
/// what they were (stricter only where 32-bit interfaces cut a mask to nothing); an architecture that goes is killed from then
/// on.
///
/// Names that batten does not know stay, last: a newer libseccomp may.
pub fn canonical(profile: &Profile, native: Arch, abis: Abis) -> Profile {
    let filter = Filter::new(profile, native);
    let architectures = machine_archs(filter.archs(), native, abis);
    let half = any_half(&architectures);
    let default = filter.default_verdict();
    let mut layout = Layout::default();
    let say = |call: Syscall| {
        let exists = exists(call, &architectures);
        if exists { Said::of(filter.decision(call), default, half) } else { Said::Nothing }
    };
    let mut said: Vec<Said<'_>> = Syscall::all().map(say).collect();
    put_in_order(&mut said);
    for (call, said) in Syscall::all().zip(said) {
        said.lay(&mut layout, Cow::Borrowed(call.name()));
    }
    for name in filter.strangers() {
        if let Some(decision) = filter.stranger_decision(name) {
            let mut said = Said::of(decision, default, half);
            said.number();
            said.lay(&mut layout, Cow::Owned(name.to_owned()));
        }
    }
    Profile { architectures, syscalls: layout.into_rules(), ..without_rules(profile) }
}

pub(super) fn any_half(archs: &[Arch]) -> bool {
    archs.iter().any(|arch| Width::of(*arch) == Width::Half)
}

/// Everything but rules and architectures.
pub(super) fn without_rules(profile: &Profile) -> Profile {
    Profile {
        default_action: profile.default_action,
        default_errno_ret: profile.default_errno_ret,
        architectures: Vec::new(),
        flags: profile.flags.clone(),
        listener_path: profile.listener_path.clone(),
        listener_metadata: profile.listener_metadata.clone(),
        syscalls: Vec::new(),
    }
}

/// Those of `archs` that a machine of `native` runs.
fn machine_archs(archs: &[Arch], native: Arch, abis: Abis) -> Vec<Arch> {
    let runs = |arch: &&Arch| **arch == native || (abis == Abis::Compat && native.compat().contains(arch));
    archs.iter().filter(runs).copied().collect()
}

/// Whether any of `archs` has the call, be it through a multiplexer.
pub(super) fn exists(call: Syscall, archs: &[Arch]) -> bool {
    archs.iter().any(|arch| {
        call.number(*arch).is_some() || (Multiplexer::used_on(*arch) && Multiplexer::of(call.name()).is_some())
    })
}
