//! What a filter may say of a call of which not every argument is known: recordings keep few of them, the kernel's log none.

use super::arch::Arch;
use super::domain::{Width, holds};
use super::filter::{Filter, Reason, Ruled};
use super::profile::Condition;
use super::verdict::Verdict;
use super::{Op, Syscall};

/// What is known of one argument: the bits under `mask`, never more than the lower 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Which argument, from 0.
    pub index: u32,
    /// The bits that are known.
    pub mask: u32,
    /// Their values.
    pub value: u32,
}

/// The verdicts that a call may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The loosest that it may get.
    pub loosest: Verdict,
    /// The strictest that it may get.
    pub strictest: Verdict,
    /// Where the strictest comes from.
    pub reason: Reason,
}

impl Bounds {
    const fn same(verdict: Verdict, reason: Reason) -> Self {
        Self { loosest: verdict, strictest: verdict, reason }
    }

    /// Whether the call fails, whatever its other arguments are.
    pub fn refuse(&self) -> bool {
        self.loosest.refuses()
    }

    /// Whether the call may fail.
    pub fn may_refuse(&self) -> bool {
        self.strictest.refuses()
    }
}

impl Verdict {
    /// Whether the call is not made. What a listener answers is its own business.
    pub fn refuses(self) -> bool {
        !self.lets_through() && self.action() != super::Action::Notify
    }
}

impl Filter<'_> {
    /// The verdicts that a call may get, of which at most one argument is known.
    pub fn bounds(&self, arch: Arch, call: Syscall, known: Option<Known>) -> Bounds {
        if !self.archs().contains(&arch) {
            return Bounds::same(Verdict::KILL_THREAD, Reason::ForeignArchitecture);
        }
        let decision = self.decision_on(call, arch);
        if let Some(ruled) = decision.always {
            return Bounds::same(ruled.verdict, Reason::Rule(ruled.rule));
        }
        let width = Width::of(arch);
        let (mut sure, mut perhaps): (Vec<Ruled>, Vec<Ruled>) = (Vec::new(), Vec::new());
        for clause in &decision.clauses {
            let each = clause.conditions.iter().map(|condition| known.and_then(|known| known.says(condition, width)));
            let each: Vec<Option<bool>> = each.collect();
            match (each.contains(&Some(false)), each.iter().all(|one| *one == Some(true))) {
                (true, _) => {}
                (_, true) => sure.push(clause.ruled),
                _ => perhaps.push(clause.ruled),
            }
        }
        // The strictest of the rules that hold counts, the default only where none does.
        let mut all: Vec<(Verdict, Reason)> =
            sure.iter().chain(&perhaps).map(|ruled| (ruled.verdict, Reason::Rule(ruled.rule))).collect();
        let surely = sure.iter().map(|ruled| ruled.verdict).max();
        if surely.is_none() {
            all.push((self.default_verdict(), Reason::Default));
        }
        let loosest = surely.or_else(|| all.iter().map(|(verdict, _)| *verdict).min()).unwrap_or(Verdict::EPERM);
        let strictest = all.into_iter().max_by_key(|(verdict, _)| *verdict);
        let (strictest, reason) = strictest.unwrap_or((loosest, Reason::Default));
        Bounds { loosest, strictest, reason }
    }
}

impl Known {
    /// Whether `condition` holds; none where that depends on what is not known.
    fn says(self, condition: &Condition, width: Width) -> Option<bool> {
        if condition.index != self.index {
            return None;
        }
        let value = u64::from(self.value);
        if self.mask == u32::MAX {
            let plain = holds(condition, value, width);
            // A C library may or may not extend the sign of an int.
            let extended = self.value >> 31 == 0 || holds(condition, value | !u64::from(u32::MAX), width) == plain;
            return extended.then_some(plain);
        }
        let looked_at = width.cut(condition.value);
        let is_known = condition.op == Op::MaskedEq && looked_at & !u64::from(self.mask) == 0;
        is_known.then(|| holds(condition, value, width))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seccomp::Profile;
    use crate::spec::Document;

    fn profile(rules: &str) -> Profile {
        let text = format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{rules}]}}"#);
        Profile::read(Document::parse(text).unwrap().root()).unwrap()
    }

    const SOCKETS: &str = r#"{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]},
        {"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"op":"SCMP_CMP_MASKED_EQ"}]},
        {"names":["mprotect"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":4,"op":"SCMP_CMP_LT"}]},
        {"names":["read"],"action":"SCMP_ACT_ALLOW"}"#;

    fn bounds(name: &str, arch: Arch, known: Option<Known>) -> (bool, bool) {
        let profile = profile(SOCKETS);
        let filter = Filter::new(&profile, Arch::X86_64);
        let bounds = filter.bounds(arch, Syscall::from_name(name).unwrap(), known);
        (bounds.refuse(), bounds.may_refuse())
    }

    #[test]
    fn what_is_known_decides_and_what_is_not_leaves_it_open() {
        let value = |value| Some(Known { index: 0, mask: u32::MAX, value });
        assert_eq!(bounds("socket", Arch::X86_64, value(2)), (false, false));
        assert_eq!(bounds("socket", Arch::X86_64, value(40)), (true, true));
        assert_eq!(bounds("socket", Arch::X86_64, None), (false, true));
        let namespaces = |value| Some(Known { index: 0, mask: 0x7e02_0000, value });
        assert_eq!(bounds("clone", Arch::X86_64, namespaces(0)), (false, false));
        assert_eq!(bounds("clone", Arch::X86_64, namespaces(0x1000_0000)), (true, true));
        assert_eq!(bounds("mprotect", Arch::X86_64, value(0)), (false, true));
        assert_eq!(bounds("read", Arch::X86_64, None), (false, false));
        assert_eq!(bounds("mount", Arch::X86_64, None), (true, true));
        assert_eq!(bounds("read", Arch::X86, None), (true, true), "an interface that the filter does not list");
    }

    proptest! {
        #[test]
        fn the_filter_s_verdict_lies_within_the_bounds(
            args in prop::array::uniform6(prop_oneof![0u64..8, Just(0x1000_0000), any::<u64>()]),
            name in prop::sample::select(vec!["socket", "clone", "mprotect", "read", "mount"]),
            mask in prop::sample::select(vec![u32::MAX, 0x7e02_0000, 0xff]),
            tells in any::<bool>(),
        ) {
            let profile = profile(SOCKETS);
            let filter = Filter::new(&profile, Arch::X86_64);
            let call = Syscall::from_name(name).unwrap();
            // What is kept are arguments of which the kernel looks at 32 bits.
            let mut args = args;
            args[0] &= u64::from(u32::MAX);
            let value = u32::try_from(args[0]).unwrap() & mask;
            let bounds = filter.bounds(Arch::X86_64, call, tells.then_some(Known { index: 0, mask, value }));
            let verdict = filter.verdict(Arch::X86_64, call, &args).verdict;
            prop_assert!(bounds.loosest <= verdict && verdict <= bounds.strictest, "{bounds:?} {verdict}");
        }
    }
}
