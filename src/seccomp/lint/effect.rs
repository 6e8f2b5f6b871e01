//! What a profile comes to on one machine, for one container.

use super::{Purpose, Remarks, names};
use crate::capability::CapSet;
use crate::seccomp::action::{Action, Op};
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::{Region, Width};
use crate::seccomp::errno;
use crate::seccomp::filter::{Filter, Reason};
use crate::seccomp::groups::{GROUPS, Group};
use crate::seccomp::optimise::exists;
use crate::seccomp::profile::Profile;
use crate::seccomp::syscalls::{Multiplexer, Syscall};
use crate::seccomp::verdict::Verdict;

/// What `tests/measure-runtime-needs.sh` found.
const NEEDS: &str = include_str!("../../record/runtime-needs.txt");

/// Arguments of 32 bits that profiles compare: the kernel cuts them (`SYSCALL_DEFINE` with `int` or `unsigned int`).
const NARROW: [(&str, u32); 18] = [
    ("bpf", 0),
    ("clone", 0),
    ("fcntl", 1),
    ("ioctl", 1),
    ("keyctl", 0),
    ("madvise", 2),
    ("personality", 0),
    ("prctl", 0),
    ("quotactl", 0),
    ("seccomp", 0),
    ("setns", 1),
    ("setsockopt", 1),
    ("setsockopt", 2),
    ("socket", 0),
    ("socket", 1),
    ("socket", 2),
    ("socketpair", 0),
    ("syslog", 0),
];

/// Which line a rule, or what decides a call, stands in.
pub(super) type Lines<'l> = &'l dyn Fn(usize, Option<Syscall>) -> usize;

struct Effect<'r, 'p> {
    remarks: &'r mut Remarks,
    profile: &'p Profile,
    filter: Filter<'p>,
    purpose: &'p Purpose,
    line: Lines<'p>,
}

pub(super) fn check<'p>(
    remarks: &mut Remarks,
    profile: &'p Profile,
    purpose: &'p Purpose,
    is_for_one_machine: bool,
    line: Lines<'p>,
) {
    let filter = Filter::new(profile, purpose.target.arch);
    let mut effect = Effect { remarks, profile, filter, purpose, line };
    effect.interfaces();
    effect.start();
    effect.clone3();
    effect.multiplexed();
    effect.compiled();
    effect.upper_bits();
    if is_for_one_machine {
        effect.foreign();
    }
    effect.closed_groups();
    if purpose.fits_capabilities {
        effect.capabilities();
    }
}

impl Effect<'_, '_> {
    fn native(&self) -> Arch {
        self.purpose.target.arch
    }

    /// The loosest and the strictest verdict on a call of the machine's own interface.
    fn verdicts(&self, call: Syscall) -> (Verdict, Verdict) {
        let decision = self.filter.decision_on(call, self.native());
        let default = self.filter.default_verdict();
        (decision.loosest(default), decision.strictest(default))
    }

    fn lets_some_through(&self, call: Syscall) -> bool {
        self.verdicts(call).0.lets_through()
    }

    /// The line that decides `call`.
    fn line_of(&self, call: Syscall) -> usize {
        let decision = self.filter.decision(call);
        let rule = decision
            .always
            .map(|ruled| ruled.rule)
            .or_else(|| decision.clauses.first().map(|clause| clause.ruled.rule));
        rule.map_or(1, |rule| (self.line)(rule, Some(call)))
    }

    fn interfaces(&mut self) {
        let listed = &self.profile.architectures;
        if !listed.is_empty() && !listed.contains(&self.native()) {
            self.remarks.add("other-machine", 1, format!("{} is not listed", self.native().name()));
        }
        let narrow = self.filter.archs().iter().find(|arch| Width::of(**arch) == Width::Half);
        let Some(narrow) = narrow else { return };
        for (position, rule) in self.profile.syscalls.iter().enumerate() {
            if let Some(wide) = rule.args.iter().find(|condition| condition.value > u64::from(u32::MAX)) {
                let line = (self.line)(position, None);
                self.remarks.add(
                    "cut-value",
                    line,
                    format!("{} is compared as {:#x} on {}", wide.value, wide.value & 0xffff_ffff, narrow.name()),
                );
            }
        }
    }

    fn start(&mut self) {
        let refused = |name: &&str| {
            let call = Syscall::from_name(name).filter(|call| call.number(self.native()).is_some());
            call.is_some_and(|call| !self.lets_some_through(call))
        };
        let vital: Vec<&str> = ["execve", "exit_group"].into_iter().filter(refused).collect();
        if !vital.is_empty() {
            self.remarks.add("cannot-start", 1, format!("refused: {}", names(vital)));
            return;
        }
        let lines = NEEDS.lines().filter_map(|line| line.strip_prefix("runc privileges "));
        let needed: Vec<&str> = lines.flat_map(|line| line.split(' ')).filter(refused).collect();
        if !needed.is_empty() {
            self.remarks.add("runtime-needs", 1, format!("refused: {}", names(needed)));
        }
    }

    fn clone3(&mut self) {
        let (Some(clone), Some(clone3)) = (Syscall::from_name("clone"), Syscall::from_name("clone3")) else { return };
        let (old, new) = (self.verdicts(clone), self.verdicts(clone3));
        if !old.1.lets_through() && new.0.lets_through() {
            let line = self.line_of(clone3);
            self.remarks.add(
                "clone3-open",
                line,
                format!("some calls of clone are {}, and clone3 is {}", old.1, new.0),
            );
        } else if old.0.lets_through() && new.0.action() == Action::Errno {
            let enosys = errno::number("ENOSYS", self.purpose.target.numbering());
            if new.0.number() != enosys {
                let line = self.line_of(clone3);
                self.remarks.add("clone3-not-enosys", line, format!("clone3 is {}", new.0));
            }
        }
    }

    fn multiplexed(&mut self) {
        let (Some(socket), Some(socketcall)) = (Syscall::from_name("socket"), Syscall::from_name("socketcall")) else {
            return;
        };
        let default = self.filter.default_verdict();
        let open = self.filter.archs().iter().copied().find(|arch| {
            let own = self.filter.decision_on(socketcall, *arch);
            Multiplexer::used_on(*arch)
                && socketcall.number(*arch).is_some()
                && own.otherwise(default).lets_through()
                && !self.filter.decision_on(socket, *arch).strictest(default).lets_through()
        });
        if let Some(arch) = open {
            let line = self.line_of(socketcall);
            self.remarks.add("multiplexed", line, format!("socketcall is let through on {}", arch.name()));
        }
    }

    fn compiled(&mut self) {
        let mistaken = self.filter.mistaken();
        for arch in self.filter.archs().to_vec() {
            if self.filter.is_lost_on(arch) {
                self.remarks.add("lost-rules", 1, format!("on {}", arch.name()));
                continue;
            }
            let endless = |call: &Syscall| self.filter.may_never_compile(arch, *call);
            if let Some(call) = Syscall::all().find(endless) {
                let line = self.line_of(call);
                self.remarks.add("endless", line, format!("{} on {}", call.name(), arch.name()));
                continue;
            }
            let mut wrong = Syscall::all().filter(|call| call.number(arch).is_some()).filter(|call| {
                let has_several = self.filter.decision(*call).live().len() > 1;
                has_several && !self.filter.compiles_as_said(arch, *call) || mistaken.contains(&(arch, *call))
            });
            let first = wrong.next();
            let count = usize::from(first.is_some()) + wrong.count();
            if let Some(call) = first {
                let others = if count > 1 { format!(" and {} others", count - 1) } else { String::new() };
                let line = self.line_of(call);
                self.remarks.add("miscompiled", line, format!("{}{others} on {}", call.name(), arch.name()));
            }
        }
    }

    fn upper_bits(&mut self) {
        if Width::of(self.native()) == Width::Half {
            return;
        }
        for (name, index) in NARROW {
            let Some(call) = Syscall::from_name(name) else { continue };
            if let Some((value, rule)) = self.let_through_above(call, index) {
                let line = rule.map_or_else(|| self.line_of(call), |rule| (self.line)(rule, Some(call)));
                let message = format!(
                    "{name} is refused for {value:#x} in argument {index}, and let through for {:#x}",
                    value | 1 << 32
                );
                self.remarks.add("upper-bits", line, message);
            }
        }
    }

    /// A value that is refused, and let through with bit 32 set; the rule that does so.
    fn let_through_above(&self, call: Syscall, index: u32) -> Option<(u64, Option<usize>)> {
        let at = index as usize;
        let clauses = self.filter.decision(call).live();
        for condition in clauses.iter().flat_map(|clause| clause.conditions.iter()).filter(|own| own.index == index) {
            let given = if condition.op == Op::MaskedEq { condition.value_two } else { condition.value };
            for base in clauses.iter().flat_map(|clause| Region::of(&clause.conditions, Width::Full)) {
                for value in
                    [given, given.wrapping_sub(1), given.wrapping_add(1)].into_iter().filter(|value| *value >> 32 == 0)
                {
                    let ask = |value| {
                        let mut args = base.sample();
                        args[at] = value;
                        self.filter.verdict(self.native(), call, &args)
                    };
                    let above = ask(value | 1 << 32);
                    if !ask(value).verdict.lets_through() && above.verdict.lets_through() {
                        let rule = if let Reason::Rule(rule) = above.reason { Some(rule) } else { None };
                        return Some((value, rule));
                    }
                }
            }
        }
        None
    }

    fn foreign(&mut self) {
        let archs = self.filter.archs();
        let exists = |name: &str| Syscall::from_name(name).is_none_or(|call| exists(call, archs));
        for (position, rule) in self.profile.syscalls.iter().enumerate() {
            let foreign: Vec<&str> = rule.names.iter().map(|name| &**name).filter(|name| !exists(name)).collect();
            if !foreign.is_empty() {
                let line = (self.line)(position, None);
                self.remarks.add("foreign-calls", line, names(foreign));
            }
        }
    }

    fn closed_groups(&mut self) {
        if self.filter.default_verdict().lets_through() {
            return;
        }
        for group in GROUPS.iter().filter(|group| group.is_closed() && group.name != "obsolete") {
            let open: Vec<Syscall> = group.all_calls().filter(|call| self.lets_some_through(*call)).collect();
            if let Some(first) = open.first() {
                let line = self.line_of(*first);
                let message =
                    format!("{} (@{}: {})", names(open.iter().map(|call| call.name())), group.name, group.about);
                self.remarks.add("opens-closed-group", line, message);
            }
        }
    }

    /// "Syscall check errors": the calls of a granted capability should be let through, and those of no other.
    fn capabilities(&mut self) {
        let held = self.purpose.target.caps;
        for group in GROUPS.iter().filter(|group| !group.capabilities().is_empty()) {
            let caps = group.capabilities();
            let granted = caps.intersection(held);
            let own = |call: &Syscall| call.number(self.native()).is_some() && !is_open_to_all(*call);
            let all = group.calls().iter().copied().filter(own);
            if granted == CapSet::EMPTY {
                let open: Vec<Syscall> = all.filter(|call| self.lets_some_through(*call)).collect();
                if let Some(first) = open.first() {
                    let line = self.line_of(*first);
                    let open = names(open.iter().map(|call| call.name()));
                    self.remarks.add("capability-missing", line, format!("{open}: for holders of any of {caps}"));
                }
            } else if group.is_for(held) {
                let shut: Vec<Syscall> = all.filter(|call| !self.lets_some_through(*call)).collect();
                if let Some(first) = shut.first() {
                    let line = self.line_of(*first);
                    let shut = names(shut.iter().map(|call| call.name()));
                    self.remarks.add("capability-refused", line, format!("{granted} is granted, and refused: {shut}"));
                }
            }
        }
    }
}

/// Whether a group that is always open has the call, too.
fn is_open_to_all(call: Syscall) -> bool {
    Group::of(call).any(|group| group.capabilities().is_empty() && !group.is_closed())
}
