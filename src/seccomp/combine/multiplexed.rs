//! Keeps an intersection strict where calls also go through `socketcall` and `ipc`.
//!
//! Names are combined one by one, but a rule for `connect` also opens `socketcall(3)` on some architectures, whatever the
//! other profile says of `socketcall`. So the multiplexers themselves are compared in the end.

use std::borrow::Cow;

use super::call::Said;
use super::limit::Limit;
use super::profile_of;
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
    /// Another profile, and what libseccomp makes of it that it does not say (see [`Filter::mistaken`]).
    Filter(&'s Filter<'p>, &'s [(Arch, Syscall)]),
    /// Limits on single calls, by [`Syscall::index`].
    Limits(&'s [Option<Limit>]),
}

impl<'s, 'p> Side<'s, 'p> {
    /// What it says of `call` on `arch`, and what it says where that says nothing.
    fn on(self, call: Syscall, arch: Arch) -> (Cow<'s, Decision<'p>>, Verdict) {
        match self {
            Self::Filter(filter, _) => (filter.decision_on(call, arch), filter.default_verdict()),
            Self::Limits(limits) => match &limits[call.index()] {
                Some(limit) => (limit.decision.cut(Width::of(arch)), limit.default),
                None => (Cow::Owned(Decision::default()), Verdict::ALLOW),
            },
        }
    }

    /// Whether what it says of `call` on `arch` is lost in compiling.
    fn loses(self, call: Syscall, arch: Arch) -> bool {
        match self {
            Self::Filter(filter, mistaken) => mistaken.contains(&(arch, call)) || filter.is_lost_on(arch),
            Self::Limits(_) => false,
        }
    }

    /// Whether it says anything of what goes through `multiplexer`, which is `own` as a call.
    fn concerns(self, multiplexer: Multiplexer, own: Syscall) -> bool {
        match self {
            Self::Filter(..) => true,
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
        for multiplexer in Multiplexer::ALL {
            let Some(own) = multiplexer.syscall() else { continue };
            if sides.iter().all(|side| side.concerns(multiplexer, own)) {
                Through { multiplexer, own, arch, default }.harden(said, sides);
            }
        }
    }
}

/// What goes through a multiplexer on one architecture.
#[derive(Clone, Copy)]
struct Through {
    multiplexer: Multiplexer,
    /// The multiplexer as a call.
    own: Syscall,
    arch: Arch,
    /// The result's default.
    default: Verdict,
}

/// What a side says of the multiplexer, and its default.
type Bound<'s, 'p> = (Cow<'s, Decision<'p>>, Verdict);

impl Through {
    fn harden(self, said: &mut [Said<'_>], sides: &[Side<'_, '_>; 2]) {
        let Self { multiplexer, own, arch, default } = self;
        let is_right = |decision: &Decision<'_>| is_faithful(decision.live(), Width::of(arch));
        let lost = sides.iter().any(|side| side.loses(own, arch));
        let bounds = sides.map(|side| side.on(own, arch));
        for (call, bound) in self.look(said, |result| self.loosened(result, &bounds)) {
            let furthest = said[call.index()].strictest(default);
            said[call.index()] = Said::Always(furthest.max(bound));
        }
        let judge = |result: &Decision<'_>| (is_right(result), self.loosened(result, &bounds).is_empty());
        let (mut is_said_right, mut is_within) = self.look(said, judge);
        if !is_said_right {
            // Conditions on a call's first argument are lost behind the multiplexer: their verdicts meet there.
            multiplexer.calls().for_each(|(call, _)| said[call.index()].settle(default));
            (is_said_right, is_within) = self.look(said, judge);
        }
        if lost || !is_said_right || !is_within || !bounds.iter().all(|(side, _)| is_right(side)) {
            let strictest = bounds.iter().map(|(side, side_default)| side.strictest(*side_default));
            close(said, own, multiplexer, strictest.fold(Verdict::ALLOW, Verdict::max), default);
        }
    }

    /// The calls whose companions let through what a side does not, with the verdict that they must get.
    fn loosened(self, result: &Decision<'_>, sides: &[Bound<'_, '_>; 2]) -> Vec<(Syscall, Verdict)> {
        let Self { multiplexer, own, arch, default } = self;
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
            if !looser(result, default, side, *side_default, Width::of(arch), found) {
                bounds.push((own, Verdict::KILL_THREAD));
            }
        }
        bounds
    }

    /// Looks at what the result says of the multiplexer.
    fn look<R>(self, said: &[Said<'_>], look: impl FnOnce(&Decision<'_>) -> R) -> R {
        let profile = self.profile(said);
        let filter = Filter::new(&profile, self.arch);
        look(&filter.decision_on(self.own, self.arch))
    }

    /// The result, as far as it concerns the multiplexer.
    fn profile(self, said: &[Said<'_>]) -> Profile {
        let mut layout = Layout::default();
        for call in self.multiplexer.calls().map(|(call, _)| call).chain([self.own]) {
            said[call.index()].clone().lay(&mut layout, Cow::Borrowed(call.name()));
        }
        profile_of(layout, Vec::new(), self.default)
    }
}

/// Gives every call through the multiplexer to `verdict`. A rule that repeats the default is none, and leaves the call to its
/// companions: then none of them may be looser.
pub(super) fn close(said: &mut [Said<'_>], own: Syscall, multiplexer: Multiplexer, verdict: Verdict, default: Verdict) {
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
