//! Keeps an intersection strict where calls also go through `socketcall` and `ipc`.
//!
//! Names are combined one by one, but a rule for `connect` also opens `socketcall(3)` on some architectures, whatever the
//! other profile says of `socketcall`. So the multiplexers themselves are compared in the end.

use std::borrow::Cow;

use super::call::Said;
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::{Region, Width};
use crate::seccomp::filter::{Decision, Filter};
use crate::seccomp::layout::Layout;
use crate::seccomp::profile::Profile;
use crate::seccomp::subset::looser;
use crate::seccomp::syscalls::{Multiplexer, Syscall};
use crate::seccomp::verdict::Verdict;

/// Makes `said` stricter until no multiplexer lets more through than it does in `a` and in `b`.
pub(super) fn harden(said: &mut [Said<'_>], a: &Filter<'_>, b: &Filter<'_>, archs: &[Arch], default: Verdict) {
    for arch in archs.iter().copied().filter(|arch| Multiplexer::used_on(*arch)) {
        for multiplexer in Multiplexer::ALL {
            let Some(own) = multiplexer.syscall() else { continue };
            let sides =
                [(a.decision_on(own, arch), a.default_verdict()), (b.decision_on(own, arch), b.default_verdict())];
            let bounds = loosened(said, own, multiplexer, &sides, arch, default);
            if bounds.is_empty() {
                continue;
            }
            for (call, bound) in bounds {
                said[call.index()] = Said::Always(bound);
            }
            if !loosened(said, own, multiplexer, &sides, arch, default).is_empty() {
                let strictest = sides.iter().map(|(side, side_default)| side.strictest(*side_default));
                said[own.index()] = Said::Always(strictest.fold(default, Verdict::max));
            }
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
    let profile = profile(said, own, multiplexer, default);
    let result = Filter::new(&profile, arch);
    let result = result.decision_on(own, arch);
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
        if !looser(&result, default, side, *side_default, Width::of(arch), found) {
            bounds.push((own, Verdict::KILL_THREAD));
        }
    }
    bounds
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
