//! Says otherwise what libseccomp may compile to something else, be it on account of what is said of another call.

use std::borrow::Cow;

use super::call::Said;
use super::multiplexed::{Side, close, harden};
use super::{Choice, profile_of};
use crate::seccomp::arch::Arch;
use crate::seccomp::filter::Filter;
use crate::seccomp::layout::Layout;
use crate::seccomp::syscalls::{Multiplexer, Syscall};
use crate::seccomp::verdict::Verdict;

/// Takes conditions away until all that is left is compiled to what it says: from calls whose comparisons others share, and,
/// for an intersection, from those behind a multiplexer.
pub(super) fn settle(
    said: &mut [Said<'_>],
    sides: &[Side<'_, '_>; 2],
    archs: &[Arch],
    default: Verdict,
    choice: Choice,
) {
    loop {
        if choice == Choice::Stricter {
            harden(said, sides, archs, default);
        }
        let mistaken = mistaken(said, archs, default, choice);
        if mistaken.is_empty() {
            return;
        }
        for (call, furthest) in mistaken {
            match (Multiplexer::named(call.name()), choice) {
                (None, _) => said[call.index()] = Said::Always(furthest),
                (Some(multiplexer), Choice::Stricter) => close(said, call, multiplexer, furthest, default),
                (Some(multiplexer), Choice::Looser) => open(said, call, multiplexer, furthest),
            }
        }
    }
}

fn open(said: &mut [Said<'_>], own: Syscall, multiplexer: Multiplexer, verdict: Verdict) {
    for call in multiplexer.calls().map(|(call, _)| call).chain([own]) {
        if call == own || !matches!(said[call.index()], Said::Nothing) {
            said[call.index()] = Said::Always(verdict);
        }
    }
}

/// The calls that are not, and the strictest verdict that any of their calls gets, or the loosest.
fn mistaken(said: &[Said<'_>], archs: &[Arch], default: Verdict, choice: Choice) -> Vec<(Syscall, Verdict)> {
    if said.iter().all(|said| said.clauses().is_empty()) {
        return Vec::new();
    }
    let is_used = archs.iter().any(|arch| Multiplexer::used_on(*arch));
    let multiplexers = Multiplexer::ALL.into_iter().filter(|_| is_used);
    let behind = |one: Multiplexer| one.calls().map(|(call, _)| call).chain(one.syscall());
    let multiplexed: Vec<Syscall> = multiplexers.flat_map(behind).collect();
    let mut layout = Layout::default();
    for (call, said) in Syscall::all().zip(said) {
        if !said.clauses().is_empty() || multiplexed.contains(&call) {
            said.clone().lay(&mut layout, Cow::Borrowed(call.name()));
        }
    }
    let profile = profile_of(layout, archs.to_vec(), default);
    let Some(first) = archs.first() else { return Vec::new() };
    let filter = Filter::new(&profile, *first);
    let furthest = |(arch, call)| {
        let decision = filter.decision_on(call, arch);
        match choice {
            Choice::Stricter => (call, decision.strictest(default)),
            Choice::Looser => (call, decision.loosest(default)),
        }
    };
    filter.mistaken().into_iter().map(furthest).collect()
}
