//! The canonical form of a profile: the same verdicts, said as shortly as OCI can.

use std::borrow::Cow;

use super::Limit;
use super::arch::Arch;
use super::combine::within;
use super::domain::Width;
use super::filter::{Decision, Filter};
use super::layout::Layout;
use super::profile::Profile;
use super::syscalls::{Multiplexer, Syscall};
use super::target::Abis;
use super::verdict::Verdict;

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
    let mut layout = Layout::default();
    for call in Syscall::all().filter(|call| exists(*call, &architectures)) {
        lay(&mut layout, Cow::Borrowed(call.name()), filter.decision(call), filter.default_verdict(), half);
    }
    for name in filter.strangers() {
        if let Some(decision) = filter.stranger_decision(name) {
            lay(&mut layout, Cow::Owned(name.to_owned()), decision, filter.default_verdict(), half);
        }
    }
    Profile { architectures, syscalls: layout.into_rules(), ..without_rules(profile) }
}

/// Writes the profile behind `filter` anew, no call with more than its limit: exactly the stricter of both wherever that can
/// be said.
pub(super) fn limited(filter: &Filter<'_>, profile: &Profile, limits: &[Option<Limit>]) -> Profile {
    let default = filter.default_verdict();
    let archs = filter.archs();
    let half = any_half(archs);
    let mut layout = Layout::default();
    for call in Syscall::all().filter(|call| exists(*call, archs)) {
        let own = filter.decision(call);
        match &limits[call.index()] {
            None => lay(&mut layout, Cow::Borrowed(call.name()), own, default, half),
            Some(limit) => within(filter, own, limit).lay(&mut layout, Cow::Borrowed(call.name())),
        }
    }
    for name in filter.strangers() {
        if let Some(decision) = filter.stranger_decision(name) {
            lay(&mut layout, Cow::Owned(name.to_owned()), decision, default, half);
        }
    }
    Profile { architectures: archs.to_vec(), syscalls: layout.into_rules(), ..without_rules(profile) }
}

fn any_half(archs: &[Arch]) -> bool {
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

fn lay<'c>(layout: &mut Layout<'c>, name: Cow<'static, str>, decision: &Decision<'c>, default: Verdict, half: bool) {
    if let Some(ruled) = decision.always {
        // Where a mask is cut to nothing, an earlier rule takes the call: no order of rules says both, the stricter is kept.
        let cut = if half { decision.cut(Width::Half).always } else { None };
        layout.always(name, cut.map_or(ruled.verdict, |cut| cut.verdict.max(ruled.verdict)));
    } else if decision.clauses.is_empty() {
        // A rule that repeats the default. Runtimes skip it, but runc answers ENOSYS for numbers above the largest that a
        // profile names (`libcontainer/seccomp/patchbpf`), so the name still says something.
        if decision.named {
            layout.always(name, default);
        }
    } else {
        let mut seen: Vec<(&[_], Verdict)> = Vec::new();
        for clause in &decision.clauses {
            let this = (&*clause.conditions, clause.verdict());
            if !seen.contains(&this) {
                layout.clause(name.clone(), clause.verdict(), clause.conditions.clone(), seen.len());
                seen.push(this);
            }
        }
    }
}
