//! A profile within limits on single calls: what a policy denies, whatever the profile says.

use std::borrow::Cow;

use super::call::{Call, Said};
use super::mistaken::settle;
use super::multiplexed::Side;
use super::order::put_in_order;
use super::{Choice, kept};
use crate::seccomp::filter::{Decision, Filter};
use crate::seccomp::layout::Layout;
use crate::seccomp::optimise::{any_half, exists, without_rules};
use crate::seccomp::profile::Profile;
use crate::seccomp::syscalls::Syscall;
use crate::seccomp::verdict::Verdict;

/// The most that a call may get: what `decision` says, and `default` where it says nothing.
#[derive(Debug, Clone)]
pub(in crate::seccomp) struct Limit {
    pub(in crate::seccomp) decision: Decision<'static>,
    pub(in crate::seccomp) default: Verdict,
}

/// Writes the profile behind `filter` anew, no call with more than its limit: exactly the stricter of both wherever that can
/// be said. `limits` has one for each call, by [`Syscall::index`].
pub(in crate::seccomp) fn limited(filter: &Filter<'_>, profile: &Profile, limits: &[Option<Limit>]) -> Profile {
    let default = filter.default_verdict();
    let archs = filter.archs();
    let half = any_half(archs);
    let is_lost = archs.iter().any(|arch| filter.is_lost_on(*arch));
    let mistaken = filter.mistaken();
    let say = |call: Syscall| match &limits[call.index()] {
        _ if !exists(call, archs) => Said::Nothing,
        None => Said::of(filter.decision(call), default, half),
        Some(limit) => {
            let is_mistaken = mistaken.iter().any(|(_, known)| *known == call);
            within(filter, filter.decision(call), limit, is_lost || is_mistaken)
        }
    };
    let mut said: Vec<Said<'_>> = Syscall::all().map(say).collect();
    put_in_order(&mut said);
    settle(&mut said, &[Side::Filter(filter, &mistaken), Side::Limits(limits)], archs, default, Choice::Stricter);
    let mut layout = Layout::default();
    for (call, said) in Syscall::all().zip(said) {
        said.lay(&mut layout, Cow::Borrowed(call.name()));
    }
    for name in filter.strangers() {
        if let Some(decision) = filter.stranger_decision(name) {
            // Where its comparisons end up is not known: another call's may be mistaken for them.
            let said = match Said::of(decision, default, half) {
                said @ Said::Clauses(_) => Said::Always(said.strictest(default)),
                said => said,
            };
            said.lay(&mut layout, Cow::Owned(name.to_owned()));
        }
    }
    let result = Profile { architectures: archs.to_vec(), syscalls: layout.into_rules(), ..without_rules(profile) };
    kept(result, default)
}

/// What `filter` says of one call, and no more than `limit` lets through.
fn within<'p>(filter: &Filter<'p>, own: &Decision<'p>, limit: &'p Limit, lost: bool) -> Said<'p> {
    let default = filter.default_verdict();
    let call = Call {
        a: own,
        b: &limit.decision,
        a_default: default,
        b_default: limit.default,
        choice: Choice::Stricter,
        half: any_half(filter.archs()),
        lost,
    };
    match call.combined(default) {
        Said::Always(verdict) if verdict == default && !own.named => Said::Nothing,
        said => said,
    }
}
