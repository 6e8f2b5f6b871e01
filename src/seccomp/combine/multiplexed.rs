//! Keeps an intersection strict where calls also go through `socketcall` and `ipc`.
//!
//! Names are combined one by one, but a rule for `connect` also opens `socketcall(3)` on some architectures, whatever the
//! other profile says of `socketcall`. So the multiplexers themselves are compared in the end.

use std::borrow::Cow;

use super::call::Said;
use super::limit::Limit;
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::{Region, Width};
use crate::seccomp::faithful::is_faithful;
use crate::seccomp::filter::{Decision, Filter};
use crate::seccomp::layout::Layout;
use crate::seccomp::profile::Profile;
use crate::seccomp::subset::looser;
use crate::seccomp::syscalls::{Multiplexer, Syscall};
use crate::seccomp::verdict::Verdict;

/// What a result must not be looser than.
#[derive(Clone, Copy)]
pub(super) enum Side<'s, 'p> {
    /// Another profile.
    Filter(&'s Filter<'p>),
    /// Limits on single calls, by [`Syscall::index`].
    Limits(&'s [Option<Limit>]),
}

impl<'s, 'p> Side<'s, 'p> {
    /// What it says of `call` on `arch`, and what it says where that says nothing.
    fn on(self, call: Syscall, arch: Arch) -> (Cow<'s, Decision<'p>>, Verdict) {
        match self {
            Self::Filter(filter) => (filter.decision_on(call, arch), filter.default_verdict()),
            Self::Limits(limits) => match &limits[call.index()] {
                Some(limit) => (limit.decision.cut(Width::of(arch)), limit.default),
                None => (Cow::Owned(Decision::default()), Verdict::ALLOW),
            },
        }
    }

    fn is_lost_on(self, arch: Arch) -> bool {
        match self {
            Self::Filter(filter) => filter.is_lost_on(arch),
            Self::Limits(_) => false,
        }
    }

    /// Whether it says anything of what goes through `multiplexer`, which is `own` as a call.
    fn concerns(self, multiplexer: Multiplexer, own: Syscall) -> bool {
        match self {
            Self::Filter(_) => true,
            Self::Limits(limits) => {
                let mut calls = multiplexer.calls().map(|(call, _)| call).chain([own]);
                calls.any(|call| limits[call.index()].is_some())
            }
        }
    }
}

/// Makes `said` stricter until no multiplexer lets more through than it does on either side, and until libseccomp compiles
/// to what it says.
pub(super) fn harden(said: &mut [Said<'_>], sides: &[Side<'_, '_>; 2], archs: &[Arch], default: Verdict) {
    for arch in archs.iter().copied().filter(|arch| Multiplexer::used_on(*arch)) {
        let width = Width::of(arch);
        for multiplexer in Multiplexer::ALL {
            let Some(own) = multiplexer.syscall() else { continue };
            if !sides.iter().all(|side| side.concerns(multiplexer, own)) {
                continue;
            }
            let lost = sides.iter().any(|side| side.is_lost_on(arch));
            let sides = sides.map(|side| side.on(own, arch));
            for (call, bound) in loosened(said, own, multiplexer, &sides, arch, default) {
                let furthest = said[call.index()].strictest(default);
                said[call.index()] = Said::Always(furthest.max(bound));
            }
            let is_said_right = |said: &[Said<'_>]| {
                on_result(said, own, multiplexer, arch, default, |result| is_faithful(result.live(), width))
            };
            if !is_said_right(said) {
                // Conditions on a call's first argument are lost behind the multiplexer: their verdicts meet there.
                multiplexer.calls().for_each(|(call, _)| said[call.index()].settle(default));
            }
            let sure = !lost && sides.iter().all(|(side, _)| is_faithful(side.live(), width)) && is_said_right(said);
            if !sure || !loosened(said, own, multiplexer, &sides, arch, default).is_empty() {
                let strictest = sides.iter().map(|(side, side_default)| side.strictest(*side_default));
                close(said, own, multiplexer, strictest.fold(Verdict::ALLOW, Verdict::max), default);
            }
        }
    }
}

/// Gives every call through the multiplexer to `verdict`. A rule that repeats the default is none, and leaves the call to its
/// companions: then none of them may be looser.
fn close(said: &mut [Said<'_>], own: Syscall, multiplexer: Multiplexer, verdict: Verdict, default: Verdict) {
    said[own.index()] = Said::Always(verdict);
    if verdict != default {
        return;
    }
    for (call, _) in multiplexer.calls() {
        if !matches!(said[call.index()], Said::Nothing) {
            said[call.index()] = Said::Always(said[call.index()].strictest(default).max(default));
        }
    }
}

/// The calls whose companions let through what a side does not, with the verdict that they must get.
fn loosened(
    said: &[Said<'_>],
    own: Syscall,
    multiplexer: Multiplexer,
    sides: &[(Cow<'_, Decision<'_>>, Verdict); 2],
    arch: Arch,
    default: Verdict,
) -> Vec<(Syscall, Verdict)> {
    let mut bounds: Vec<(Syscall, Verdict)> = Vec::new();
    for (side, side_default) in sides {
        let found = &mut |region: &Region, _: Verdict, right: Verdict| {
            for (call, _) in multiplexer.calls().filter(|(_, number)| region.reaches(0, *number)) {
                match bounds.iter_mut().find(|(known, _)| *known == call) {
                    Some((_, bound)) => *bound = right.max(*bound),
                    None => bounds.push((call, right)),
                }
            }
            if multiplexer.calls().all(|(_, number)| !region.reaches(0, number)) {
                bounds.push((own, right));
            }
            true
        };
        let decided = on_result(said, own, multiplexer, arch, default, |result| {
            looser(result, default, side, *side_default, Width::of(arch), found)
        });
        if !decided {
            bounds.push((own, Verdict::KILL_THREAD));
        }
    }
    bounds
}

/// Looks at what the result says of the multiplexer.
fn on_result<R>(
    said: &[Said<'_>],
    own: Syscall,
    multiplexer: Multiplexer,
    arch: Arch,
    default: Verdict,
    look: impl FnOnce(&Decision<'_>) -> R,
) -> R {
    let profile = profile(said, own, multiplexer, default);
    let filter = Filter::new(&profile, arch);
    look(&filter.decision_on(own, arch))
}

/// The result, as far as it concerns the multiplexer.
fn profile(said: &[Said<'_>], own: Syscall, multiplexer: Multiplexer, default: Verdict) -> Profile {
    let mut layout = Layout::default();
    for call in multiplexer.calls().map(|(call, _)| call).chain([own]) {
        said[call.index()].clone().lay(&mut layout, Cow::Borrowed(call.name()));
    }
    Profile {
        default_action: default.action(),
        default_errno_ret: default.number(),
        architectures: Vec::new(),
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls: layout.into_rules(),
    }
}
