//! What holds for all profiles.

use std::str::FromStr;

use batten::seccomp::compiled::{CompileError, Compiled};
use batten::seccomp::{
    Abis, Answer, Arch, Filter, Multiplexer, NotSubset, Profile, Syscall, Verdict, X32_BIT, canonical, intersect,
    is_subset, merge,
};
use libseccomp::{ScmpArch, ScmpSyscall};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::generated::{odd, pair, plain, plain_or_equal};
use super::probes::{Probe, probes};
use crate::asked::fresh;

pub type Checked = Result<(), TestCaseError>;

/// A profile, its meaning to batten, and the program that libseccomp makes of it.
struct Both<'p> {
    filter: Filter<'p>,
    compiled: Compiled,
    mistaken: Vec<(Arch, Syscall)>,
}

impl<'p> Both<'p> {
    /// Nothing for a profile that libseccomp does not take, for contending rules or for words that begin with either end, or
    /// never comes to an end with, be it known before or not: no container starts with it.
    fn of(profile: &'p Profile, native: Arch) -> Option<Self> {
        let mixed = profile.architectures.iter().any(|arch| arch.is_big_endian() != native.is_big_endian());
        match Compiled::new(profile, native) {
            // libseccomp writes long jumps in the byte order of the machine that it runs on.
            Ok(compiled) if native.is_big_endian() && compiled.instructions() > 255 => None,
            Ok(compiled) => {
                let filter = Filter::new(profile, native);
                Some(Self { mistaken: filter.mistaken(), filter, compiled })
            }
            Err(CompileError::Rule { .. } | CompileError::Hangs { .. } | CompileError::Endless { .. }) => None,
            Err(CompileError::Library(_)) if mixed => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn kernel(&self, probe: &Probe) -> Verdict {
        self.compiled.verdict(probe.arch, probe.number, probe.args).expect("the kernel would take it").0
    }

    fn said(&self, probe: &Probe) -> Answer {
        match probe.call {
            Some(call) => self.filter.verdict(probe.arch, call, &probe.args),
            None => self.filter.verdict_on_unknown(probe.arch),
        }
    }

    /// Whether this libseccomp knows the call on the architecture: tables end with different kernels.
    fn knows(&self, probe: &Probe) -> bool {
        let Some(call) = probe.call else { return true };
        let arch = ScmpArch::from_str(probe.arch.name()).expect("libseccomp's own spelling");
        let known = |arch| ScmpSyscall::from_name_by_arch(call.name(), arch).is_ok_and(|number| i32::from(number) >= 0);
        !self.compiled.unknown.iter().any(|name| name == call.name()) && known(arch)
    }

    /// Whether libseccomp knows the call and compiles its rules to what they say.
    fn is_sure(&self, probe: &Probe) -> bool {
        let as_said =
            |call| self.filter.compiles_as_said(probe.arch, call) && !self.mistaken.contains(&(probe.arch, call));
        self.knows(probe) && probe.call.is_none_or(as_said)
    }
}

fn explain(both: &Both<'_>, probe: &Probe) -> Checked {
    let (said, kernel) = (both.said(probe), both.kernel(probe));
    let contends = said.contenders.iter().any(|ruled| ruled.verdict == kernel);
    prop_assert!(
        said.verdict == kernel || contends || !both.is_sure(probe),
        "{probe:?}: said {said:?}, the program says {kernel:?}"
    );
    Ok(())
}

pub fn explained(native: Arch, a: &Profile, sparse: bool) -> Checked {
    let Some(both) = Both::of(a, native) else { return Ok(()) };
    probes(&[a], native, sparse).iter().try_for_each(|probe| explain(&both, probe))
}

/// A call through an interface that a filter does not list kills the thread, whatever stricter death the rules name.
fn at_most_killed(verdict: Verdict) -> Verdict {
    verdict.min(Verdict::KILL_THREAD)
}

impl Both<'_> {
    /// Whether some interface compares 32 bits: rules that differ there cannot always be said in another order.
    fn lists_half(&self) -> bool {
        self.filter
            .archs()
            .iter()
            .any(|arch| arch.audit() >> 31 == 0 || matches!(arch, Arch::X32 | Arch::Mips64n32 | Arch::Mipsel64n32))
    }

    /// Whether libseccomp may lose all rules for an interface.
    fn loses_rules(&self) -> bool {
        self.filter.archs().iter().any(|arch| self.filter.is_lost_on(*arch))
    }

    fn lists(&self, probe: &Probe) -> bool {
        self.filter.archs().contains(&probe.arch)
    }

    /// Whether what is said of the call is what the program says of it, and no two rules claim it.
    fn is_plain(&self, probe: &Probe) -> bool {
        !self.lists(probe) || self.is_sure(probe) && self.said(probe).contenders.is_empty()
    }
}

/// The stricter, and of two that refuse with an error the one with the greater number.
fn stricter(left: Verdict, right: Verdict, listed: bool) -> Verdict {
    let bound = left.max(right);
    if listed { bound } else { at_most_killed(bound) }
}

pub fn intersection(native: Arch, a: &Profile, b: &Profile, sparse: bool, plain: bool) -> Checked {
    let (Some(mine), Some(theirs)) = (Both::of(a, native), Both::of(b, native)) else { return Ok(()) };
    let result = intersect(a, b, native);
    let Some(both) = Both::of(&result, native) else {
        prop_assume!(!native.is_big_endian(), "checked on others");
        return Err(TestCaseError::fail(format!("libseccomp does not take {}", result.to_json())));
    };
    let exact = plain && ![&mine, &theirs, &both].iter().any(|one| one.loses_rules());
    for probe in probes(&[a, b], native, sparse) {
        let (left, right, kernel) = (mine.kernel(&probe), theirs.kernel(&probe), both.kernel(&probe));
        let bound = stricter(left, right, both.lists(&probe));
        let told = || format!("{probe:?}: {left:?} and {right:?} became {kernel:?} in {}", result.to_json());
        prop_assert!(!kernel.is_looser_than(bound), "{}", told());
        let clear = mine.is_plain(&probe) && theirs.is_plain(&probe) && both.is_plain(&probe);
        prop_assert!(!exact || !clear || kernel.action() == bound.action(), "{}", told());
        explain(&both, &probe)?;
    }
    for side in [a, b] {
        match is_subset(&result, side, native) {
            // Of odd profiles the comparison may give up; the programs have been compared.
            Err(NotSubset::TooIntricate { .. }) if !plain => {}
            proved => prop_assert_eq!(proved, Ok(()), "{}", result.to_json()),
        }
    }
    Ok(())
}

pub fn union(native: Arch, a: &Profile, b: &Profile, sparse: bool, exact: bool) -> Checked {
    let (Some(mine), Some(theirs)) = (Both::of(a, native), Both::of(b, native)) else { return Ok(()) };
    let result = merge(a, b, native);
    let Some(both) = Both::of(&result, native) else {
        // Companions of two rules may be one call with two verdicts.
        let multiplexed = result.architectures.iter().any(|arch| Multiplexer::used_on(*arch));
        prop_assume!(!native.is_big_endian() && !multiplexed, "checked on others");
        return Err(TestCaseError::fail(format!("libseccomp does not take {}", result.to_json())));
    };
    let exact = exact && ![&mine, &theirs, &both].iter().any(|one| one.loses_rules());
    for probe in probes(&[a, b], native, sparse) {
        let (left, right, kernel) = (mine.kernel(&probe), theirs.kernel(&probe), both.kernel(&probe));
        let bound = left.min(right);
        let told = || format!("{probe:?}: {left:?} and {right:?} became {kernel:?} in {}", result.to_json());
        let plain = mine.is_plain(&probe) && theirs.is_plain(&probe) && both.is_plain(&probe);
        // A rule that repeats the default cannot keep companions away (`Multiplexer`).
        let multiplexed = probe.call.is_some_and(|call| Multiplexer::named(call.name()).is_some());
        prop_assert!(!plain || multiplexed || !bound.is_looser_than(at_most_killed(kernel)), "{}", told());
        // One profile has one list of rules for all its interfaces.
        let exact = exact && mine.lists(&probe) == theirs.lists(&probe);
        prop_assert!(!exact || !plain || kernel.action() == bound.action(), "{}", told());
    }
    Ok(())
}

pub fn subset(native: Arch, a: &Profile, b: &Profile, sparse: bool) -> Checked {
    let (Some(mine), Some(theirs)) = (Both::of(a, native), Both::of(b, native)) else { return Ok(()) };
    match is_subset(a, b, native) {
        Ok(()) => {
            let sees = |probe: &&Probe| mine.lists(probe) && mine.knows(probe);
            for probe in probes(&[a, b], native, sparse).iter().filter(sees) {
                let (left, right) = (mine.kernel(probe), theirs.said(probe).verdict);
                prop_assert!(!left.is_looser_than(right), "{probe:?}: {left:?} is looser than {right:?}");
            }
        }
        Err(NotSubset::Looser(witness)) => {
            let call = witness.call.as_deref().map(Syscall::from_name);
            let call = match call {
                Some(None) => return Ok(()),
                Some(known) => known,
                None => None,
            };
            let unknown = if witness.arch == Arch::X32 { 9999 | X32_BIT } else { 9999 };
            let number = call.map_or(Some(unknown), |call| call.number(witness.arch));
            let Some(number) = number else { return Ok(()) };
            let probe = Probe { arch: witness.arch, call, number, args: witness.args };
            if mine.is_sure(&probe) && theirs.is_sure(&probe) {
                let contended = mine.said(&probe).contenders.len() + theirs.said(&probe).contenders.len() > 0;
                let (left, right) = (mine.kernel(&probe), theirs.kernel(&probe));
                prop_assert!(left.is_looser_than(right) || contended, "{witness}: {left:?}, {right:?}");
            }
        }
        Err(NotSubset::Unreliable { .. } | NotSubset::TooIntricate { .. }) => {}
    }
    Ok(())
}

pub fn rewritten(native: Arch, a: &Profile, sparse: bool) -> Checked {
    let Some(before) = Both::of(a, native) else { return Ok(()) };
    for abis in [Abis::Native, Abis::Compat] {
        let result = canonical(a, native, abis);
        let Some(after) = Both::of(&result, native) else {
            prop_assume!(!native.is_big_endian(), "checked on others");
            return Err(TestCaseError::fail(format!("libseccomp does not take {}", result.to_json())));
        };
        for probe in probes(&[a], native, sparse) {
            let (was, is) = (before.kernel(&probe), after.kernel(&probe));
            if after.lists(&probe) {
                let sure = before.is_plain(&probe) && after.is_plain(&probe);
                let kept = was == is || is > was && after.lists_half();
                prop_assert!(kept || !sure, "{probe:?}: {was:?} became {is:?} in {}", result.to_json());
            } else {
                prop_assert_eq!(is, Verdict::KILL_THREAD);
            }
        }
        prop_assert_eq!(canonical(&result, native, abis), result);
    }
    Ok(())
}

proptest! {
    // `PROPTEST_CASES=20000 cargo test --test seccomp library` for a search.
    #![proptest_config(ProptestConfig { max_shrink_iters: 500, max_shrink_time: 60_000, ..fresh(400) })]

    #[test]
    fn what_is_said_of_a_call_is_what_the_program_returns((native, a, _, sparse) in pair(odd)) {
        explained(native, &a, sparse)?;
    }

    #[test]
    fn an_intersection_is_nowhere_looser_than_either((native, a, b, sparse) in pair(odd)) {
        intersection(native, &a, &b, sparse, false)?;
    }

    #[test]
    fn an_intersection_of_plain_profiles_is_just_the_stricter_of_both((native, a, b, sparse) in pair(plain_or_equal)) {
        intersection(native, &a, &b, sparse, true)?;
    }

    #[test]
    fn a_union_is_nowhere_stricter_than_either((native, a, b, sparse) in pair(odd)) {
        union(native, &a, &b, sparse, false)?;
    }

    #[test]
    fn a_union_of_plain_profiles_is_just_the_looser_of_both((native, a, b, sparse) in pair(plain)) {
        union(native, &a, &b, sparse, true)?;
    }

    #[test]
    fn a_subset_lets_nothing_more_through_and_a_witness_is_one((native, a, b, sparse) in pair(odd)) {
        subset(native, &a, &b, sparse)?;
        subset(native, &a, &a, sparse)?;
    }

    #[test]
    fn a_profile_written_anew_says_what_it_said((native, a, _, sparse) in pair(odd)) {
        rewritten(native, &a, sparse)?;
    }
}
