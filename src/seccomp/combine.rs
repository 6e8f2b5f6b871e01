//! Two profiles made one: the stricter of both for every call, or the looser.
//!
//! Verdicts are combined over calls with their arguments, never over names. The result is exact wherever OCI's conditions
//! can say it and libseccomp compiles what they say; elsewhere the intersection takes the strictest verdict that either
//! profile has for the call, and the union the loosest.

mod call;
mod limit;
mod mistaken;
mod multiplexed;
mod order;
mod written;

use std::borrow::Cow;

use super::action::Action;
use super::arch::Arch;
use super::filter::{Decision, Filter};
use super::layout::Layout;
use super::optimise::{any_half, exists};
use super::profile::Profile;
use super::syscalls::Syscall;
use super::verdict::Verdict;
use call::Call;
pub(super) use call::Said;
pub(super) use limit::{Limit, limited};
use mistaken::settle;
use multiplexed::Side;
pub(super) use order::put_in_order;

/// Which of two verdicts counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Stricter,
    Looser,
}

impl Choice {
    fn of(self, one: Verdict, two: Verdict) -> Verdict {
        match self {
            Self::Stricter => one.max(two),
            Self::Looser => one.min(two),
        }
    }
}

/// The profile that is for every call at least as strict as `a` and as `b`, on a machine of `native`: exactly the stricter
/// of both wherever that can be said. In canonical form, for the architectures that both list.
///
/// Calls that either leaves to a listener go to `a`'s, if both have one: what `b` alone would leave to its own is refused
/// with EPERM.
pub fn intersect(a: &Profile, b: &Profile, native: Arch) -> Profile {
    if listeners_differ(a, b) {
        return intersect(a, &without_listener(b), native);
    }
    let (mine, theirs) = (Filter::new(a, native), Filter::new(b, native));
    let archs: Vec<Arch> = mine.archs().iter().copied().filter(|arch| theirs.archs().contains(arch)).collect();
    let listener = if a.listener_path.is_some() { a } else { b };
    Profile {
        flags: common_flags(a.flags.as_deref(), b.flags.as_deref()),
        listener_path: listener.listener_path.clone(),
        listener_metadata: listener.listener_metadata.clone(),
        ..combine(&mine, &theirs, archs, Choice::Stricter)
    }
}

/// The profile that lets through what `a` or `b` lets through, on a machine of `native`: for profiles that were recorded
/// in several runs. It answers for the architectures that either lists.
pub fn merge(a: &Profile, b: &Profile, native: Arch) -> Profile {
    let (mine, theirs) = (Filter::new(a, native), Filter::new(b, native));
    let mut archs = mine.archs().to_vec();
    archs.extend(theirs.archs().iter().filter(|arch| !mine.archs().contains(arch)));
    let listener = if a.listener_path.is_some() { a } else { b };
    Profile {
        flags: a.flags.clone().or_else(|| b.flags.clone()),
        listener_path: listener.listener_path.clone(),
        listener_metadata: listener.listener_metadata.clone(),
        ..combine(&mine, &theirs, archs, Choice::Looser)
    }
}

fn combine(a: &Filter<'_>, b: &Filter<'_>, archs: Vec<Arch>, choice: Choice) -> Profile {
    let default = choice.of(a.default_verdict(), b.default_verdict());
    let half = any_half(&archs);
    let lost = archs.iter().any(|arch| a.is_lost_on(*arch) || b.is_lost_on(*arch));
    let (mistaken, theirs_mistaken) = (a.mistaken(), b.mistaken());
    let is_mistaken = |call| mistaken.iter().chain(&theirs_mistaken).any(|(_, known)| *known == call);
    let pair = |mine, theirs, is_mistaken| Call {
        a: mine,
        b: theirs,
        a_default: a.default_verdict(),
        b_default: b.default_verdict(),
        choice,
        half,
        lost: lost || is_mistaken,
    };
    let mut said: Vec<Said<'_>> = Vec::with_capacity(Syscall::COUNT);
    said.extend(Syscall::all().map(|call| {
        if !exists(call, &archs) {
            return Said::Nothing;
        }
        pair(a.decision(call), b.decision(call), is_mistaken(call)).combined(default)
    }));
    put_in_order(&mut said);
    let sides = [Side::Filter(a, &mistaken), Side::Filter(b, &theirs_mistaken)];
    settle(&mut said, &sides, &archs, default, choice);
    let mut layout = Layout::default();
    let mentions = Mentions::new(a, b, &archs, default);
    for (call, said) in Syscall::all().zip(said) {
        if !matches!(said, Said::Always(verdict) if verdict == default) || mentions.need(call) {
            said.lay(&mut layout, Cow::Borrowed(call.name()));
        }
    }
    let nothing = Decision::default();
    let known = |name: &str| a.stranger_decision(name).is_some();
    for name in a.strangers().chain(b.strangers().filter(|name| !known(name))) {
        let mine = a.stranger_decision(name).unwrap_or(&nothing);
        let theirs = b.stranger_decision(name).unwrap_or(&nothing);
        // Where its comparisons end up is not known: another call's may be mistaken for them.
        let is_mistaken = choice == Choice::Stricter;
        pair(mine, theirs, is_mistaken).combined(default).lay(&mut layout, Cow::Owned(name.to_owned()));
    }
    let result = profile_of(layout, archs, default);
    if choice == Choice::Stricter { kept(result, default) } else { result }
}

fn profile_of(layout: Layout<'_>, architectures: Vec<Arch>, default: Verdict) -> Profile {
    Profile {
        default_action: default.action(),
        default_errno_ret: default.number(),
        architectures,
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls: layout.into_rules(),
    }
}

/// The result, if libseccomp does not lose its rules or nothing strict is lost with them; else a filter that has none.
fn kept(result: Profile, default: Verdict) -> Profile {
    let verdicts = result.syscalls.iter().map(|rule| Verdict::new(rule.action, rule.errno_ret));
    let strictest = verdicts.fold(default, Verdict::max);
    if !strictest.is_looser_than(default) && !default.is_looser_than(strictest) {
        return result;
    }
    let filter = Filter::new(&result, result.architectures[0]);
    if !filter.archs().iter().any(|arch| filter.is_lost_on(*arch)) {
        return result;
    }
    Profile {
        default_action: strictest.max(Verdict::EPERM).action(),
        default_errno_ret: strictest.max(Verdict::EPERM).number(),
        syscalls: Vec::new(),
        ..result
    }
}

/// Which calls to name although they get the default. Runtimes skip such rules, but runc answers ENOSYS for every number
/// above the largest that a profile names (`libcontainer/seccomp/patchbpf`), which may be looser than the default.
struct Mentions<'f> {
    a: &'f Filter<'f>,
    b: &'f Filter<'f>,
    native: Option<Arch>,
    largest: Vec<Option<Syscall>>,
}

/// Where the numbers begin that all architectures share (Linux 5.1). How many of them a runtime knows depends on its
/// libseccomp; it knows all below.
const SHARED_NUMBERS: u32 = 403;

impl<'f> Mentions<'f> {
    fn new(a: &'f Filter<'f>, b: &'f Filter<'f>, archs: &[Arch], default: Verdict) -> Self {
        let native = archs.first().copied().filter(|_| !default.lets_through());
        let named = |call: &Syscall| a.decision(*call).named || b.decision(*call).named;
        let largest = |arch: &Arch| {
            let numbered = Syscall::all().filter(named).filter_map(|call| Some((call.number(*arch)?, call)));
            numbered.max_by_key(|(number, _)| *number).map(|(_, call)| call)
        };
        let largest = if native.is_some() { archs.iter().map(largest).collect() } else { Vec::new() };
        Self { a, b, native, largest }
    }

    fn need(&self, call: Syscall) -> bool {
        let Some(native) = self.native else { return false };
        let named = self.a.decision(call).named || self.b.decision(call).named;
        named
            && (call.number(native).is_some_and(|number| number >= SHARED_NUMBERS)
                || self.largest.contains(&Some(call)))
    }
}

fn listeners_differ(a: &Profile, b: &Profile) -> bool {
    let both = a.listener_path.is_some() && b.listener_path.is_some();
    both && (&a.listener_path, &a.listener_metadata) != (&b.listener_path, &b.listener_metadata)
}

/// The profile with EPERM where it asks its listener.
fn without_listener(profile: &Profile) -> Profile {
    let mut without = Profile { listener_path: None, listener_metadata: None, ..profile.clone() };
    if without.default_action == Action::Notify {
        (without.default_action, without.default_errno_ret) = (Action::Errno, None);
    }
    for rule in without.syscalls.iter_mut().filter(|rule| rule.action == Action::Notify) {
        (rule.action, rule.errno_ret) = (Action::Errno, None);
    }
    without
}

/// Flags that make the filter stricter or let it log come from either; SPEC_ALLOW, which gives up a defence, needs both.
/// runc takes an absent list for one with SPEC_ALLOW (`libcontainer/specconv/spec_linux.go`), so an absent list stays absent
/// only if both are.
fn common_flags(a: Option<&[String]>, b: Option<&[String]>) -> Option<Vec<String>> {
    const SPEC_ALLOW: &str = "SECCOMP_FILTER_FLAG_SPEC_ALLOW";
    if a.is_none() && b.is_none() {
        return None;
    }
    let allows = |flags: Option<&[String]>| flags.is_none_or(|flags| flags.iter().any(|flag| flag == SPEC_ALLOW));
    let both_allow = allows(a) && allows(b);
    let mut flags: Vec<String> = Vec::new();
    for flag in a.unwrap_or_default().iter().chain(b.unwrap_or_default()) {
        if !flags.contains(flag) && (flag != SPEC_ALLOW || both_allow) {
            flags.push(flag.clone());
        }
    }
    Some(flags)
}
