//! Comparisons that libseccomp writes once for two calls, and makes with the wrong argument for one of them.

use super::tree::{NotLoading, Tree};
use super::{Clause, Decision, Filter};
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::Width;
use crate::seccomp::faithful::{TOO_MANY, is_faithful};
use crate::seccomp::syscalls::{Multiplexer, Syscall};

/// What libseccomp makes of the rules for one call on one architecture, as far as it may be shared.
struct Made {
    arch: Arch,
    /// None for a name that batten does not know.
    call: Option<Syscall>,
    not_loading: Vec<NotLoading>,
    is_faithful: bool,
    /// Some rule says less than another one does: libseccomp may leave it out.
    may_be_pruned: bool,
    /// There are too many rules to look at. What a kernel takes must repeat itself, and may hold any comparison.
    is_unseen: bool,
}

impl Filter<'_> {
    /// The calls, by architecture, that libseccomp may compile to something else than their rules say on account of another
    /// call's.
    ///
    /// It writes a comparison once if what follows is the same, too (`_hsh_add` in its `src/gen_bpf.c`). Whether the argument
    /// must be loaded again is decided for the last place in the program that jumps there (`_gen_bpf_build_bpf`, up to 2.6.1).
    /// Within one call that is the one that needs it; another call's may not.
    pub fn mistaken(&self) -> Vec<(Arch, Syscall)> {
        let made = self.made();
        let is_mistaken = |one: &Made| one.returned_to().any(|own| made.iter().any(|two| one.may_take_over(own, two)));
        made.iter().filter(|one| is_mistaken(one)).filter_map(|one| Some((one.arch, one.call?))).collect()
    }

    fn made(&self) -> Vec<Made> {
        let multiplexers = Multiplexer::ALL.map(Multiplexer::syscall);
        let mut made = Vec::new();
        for arch in self.archs().iter().copied() {
            let is_multiplexer = |call: &Syscall| Multiplexer::used_on(arch) && multiplexers.contains(&Some(*call));
            let is_ruled = |call: &Syscall| !self.decision(*call).live().is_empty() || is_multiplexer(call);
            for call in Syscall::all().filter(|call| is_ruled(call) && call.number(arch).is_some()) {
                made.extend(Made::of(&self.decision_on(call, arch), arch, Some(call)));
            }
            for (_, decision) in &self.strangers {
                made.extend(Made::of(&decision.cut(Width::of(arch)), arch, None));
            }
        }
        made
    }
}

impl Clause<'_> {
    fn says_more_than(&self, other: &Self) -> bool {
        self.verdict() == other.verdict()
            && self.conditions.len() < other.conditions.len()
            && self.conditions.iter().all(|condition| other.conditions.contains(condition))
    }
}

impl Made {
    /// None where nothing is conditional.
    fn of(decision: &Decision<'_>, arch: Arch, call: Option<Syscall>) -> Option<Self> {
        let (all, width) = (decision.live(), Width::of(arch));
        if all.is_empty() {
            return None;
        }
        let is_unseen = all.len() >= TOO_MANY;
        let clauses = if is_unseen { &[] } else { all };
        Some(Self {
            arch,
            call,
            not_loading: Tree::of(clauses, width).not_loading(),
            is_faithful: is_faithful(all, width),
            is_unseen,
            may_be_pruned: clauses.iter().any(|long| clauses.iter().any(|short| short.says_more_than(long))),
        })
    }

    fn returned_to(&self) -> impl Iterator<Item = &NotLoading> {
        self.not_loading.iter().filter(|one| one.is_returned_to)
    }

    /// Whether the argument for `own`, which is come back to, may not be loaded because `other` needs no loading.
    fn may_take_over(&self, own: &NotLoading, other: &Self) -> bool {
        let is_exact = !self.may_be_pruned && !other.may_be_pruned;
        let is_same = |two: &NotLoading| if is_exact { own.signature == two.signature } else { own.head == two.head };
        let is_loaded_again = |two: &NotLoading| two.is_returned_to && other.is_faithful;
        other.is_unseen || other.not_loading.iter().any(|two| !is_loaded_again(two) && is_same(two))
    }
}
