//! What is open so far, while a profile is put together.

use std::borrow::Cow;

use super::{Condition, GROUPS, Group, Profile, Syscall, Target, architectures};
use crate::seccomp::action::Action;
use crate::seccomp::errno;
use crate::seccomp::layout::Layout;
use crate::seccomp::optimise::exists;
use crate::seccomp::verdict::{EPERM, Verdict};

/// The calls that a profile lets through, and what the others get.
pub(in crate::seccomp) struct Opened<'t> {
    target: &'t Target,
    pub(in crate::seccomp) default: Verdict,
    calls: Vec<Call>,
}

/// What is said of one call so far.
#[derive(Clone, Default)]
struct Call {
    always: Option<Verdict>,
    clauses: Vec<(Cow<'static, [Condition]>, Verdict)>,
    refusal: Option<Verdict>,
}

impl<'t> Opened<'t> {
    /// Nothing is open; every call is refused with EPERM, or with what its group says.
    pub(in crate::seccomp) fn new(target: &'t Target) -> Self {
        let mut calls = vec![Call::default(); Syscall::COUNT];
        for refusal in GROUPS.iter().flat_map(|group| group.refusals) {
            let number = errno::number(refusal.errno, target.numbering()).unwrap_or(EPERM);
            calls[refusal.call.index()].refusal = Some(Verdict::new(Action::Errno, Some(number)));
        }
        Self { target, default: Verdict::EPERM, calls }
    }

    /// Opens the groups of `@default` that the container's capabilities open.
    pub(in crate::seccomp) fn open_default(&mut self, verdict: Verdict) {
        for group in GROUPS.iter().filter(|group| group.is_open(self.target.caps)) {
            self.open(group, verdict);
        }
    }

    /// Gives a group's calls to `verdict`, under the group's conditions.
    pub(in crate::seccomp) fn open(&mut self, group: &'static Group, verdict: Verdict) {
        for call in group.calls {
            self.give(*call, verdict);
        }
        for opening in group.openings.iter().filter(|opening| opening.applies(self.target)) {
            if opening.conditions.is_empty() {
                self.give(opening.call, verdict);
            } else {
                self.give_when(opening.call, Cow::Borrowed(opening.conditions), verdict);
            }
        }
    }

    /// Gives every call of `call` to `verdict`: the last word counts.
    pub(in crate::seccomp) fn give(&mut self, call: Syscall, verdict: Verdict) {
        self.calls[call.index()].always = Some(verdict);
    }

    /// Gives the calls for which `conditions` hold to `verdict`.
    pub(in crate::seccomp) fn give_when(
        &mut self,
        call: Syscall,
        conditions: Cow<'static, [Condition]>,
        verdict: Verdict,
    ) {
        self.calls[call.index()].clauses.push((conditions, verdict));
    }

    /// The profile, in canonical form.
    pub(in crate::seccomp) fn profile(mut self) -> Profile {
        let architectures = architectures(self.target);
        let mut layout = Layout::default();
        // An error instead of a default that kills, or that lets through, would be another profile.
        let refusals = self.default.action() == Action::Errno;
        for (call, said) in Syscall::all().zip(&mut self.calls) {
            if !exists(call, &architectures) {
                continue;
            }
            let name = Cow::Borrowed(call.name());
            let nothing = said.always.is_none() && said.clauses.is_empty();
            if let Some(verdict) = said.always.or(said.refusal.filter(|_| nothing && refusals)) {
                if verdict != self.default {
                    layout.always(name, verdict);
                }
                continue;
            }
            for (depth, (conditions, verdict)) in said.clauses.drain(..).enumerate() {
                layout.clause(name.clone(), verdict, conditions, depth);
            }
        }
        Profile {
            default_action: self.default.action(),
            default_errno_ret: self.default.number(),
            architectures,
            flags: None,
            listener_path: None,
            listener_metadata: None,
            syscalls: layout.into_rules(),
        }
    }
}
