//! Rules beside each other: which of them count.

use std::collections::HashMap;

use super::{Remarks, names};
use crate::seccomp::arch::Arch;
use crate::seccomp::domain::{Region, Width};
use crate::seccomp::filter::{Clause, Filter};
use crate::seccomp::profile::{Condition, Profile, Rule};
use crate::seccomp::syscalls::Syscall;
use crate::seccomp::target::Target;
use crate::seccomp::verdict::Verdict;

/// What came first for one call.
#[derive(Default)]
struct Seen<'p> {
    always: Option<(usize, Verdict)>,
    clauses: Vec<(usize, Verdict, &'p [Condition])>,
}

pub(super) fn check(remarks: &mut Remarks, profile: &Profile, lines: &[usize], target: &Target) {
    let line = |rule: usize| lines.get(rule).copied().unwrap_or(1);
    let default = Verdict::new(profile.default_action, profile.default_errno_ret);
    let seen = all(profile, default);
    for (position, rule) in profile.syscalls.iter().enumerate() {
        let verdict = Verdict::new(rule.action, rule.errno_ret);
        if verdict == default {
            remarks.add("same-as-default", line(position), format!("{verdict}, as by default: {}", counted(rule)));
            continue;
        }
        let (mut void, mut repeated) = (Vec::new(), Vec::new());
        for name in &rule.names {
            let Some(seen) = seen.get(&**name) else { continue };
            match other(seen, position, verdict, &rule.args) {
                Some((by, true)) => repeated.push((&**name, by)),
                Some((by, false)) => void.push((&**name, by)),
                None => {}
            }
        }
        for (code, found, says) in [("void-rule", void, "takes"), ("repeated-rule", repeated, "already says so of")] {
            if let Some((_, by)) = found.first() {
                let of = names(found.iter().map(|(name, _)| *name));
                remarks.add(code, line(position), format!("the rule at line {} {says} {of}", line(*by)));
            }
        }
    }
    contending(remarks, profile, &line, target.arch);
}

fn counted(rule: &Rule) -> String {
    names(rule.names.iter().map(|name| &**name))
}

fn all(profile: &Profile, default: Verdict) -> HashMap<&str, Seen<'_>> {
    let mut seen: HashMap<&str, Seen<'_>> = HashMap::with_capacity(512);
    for (position, rule) in profile.syscalls.iter().enumerate() {
        let verdict = Verdict::new(rule.action, rule.errno_ret);
        if verdict == default {
            continue;
        }
        for name in &rule.names {
            let seen = seen.entry(name).or_default();
            if !rule.args.is_empty() {
                seen.clauses.push((position, verdict, &rule.args));
            } else if seen.always.is_none() {
                seen.always = Some((position, verdict));
            }
        }
    }
    seen
}

/// The rule that leaves nothing for this one to say, and whether it says the same.
fn other(seen: &Seen<'_>, position: usize, verdict: Verdict, args: &[Condition]) -> Option<(usize, bool)> {
    match seen.always {
        Some((first, same)) if first != position => return Some((first, same == verdict)),
        Some(_) => return None,
        None => {}
    }
    let twin =
        |(first, same, own): &&(usize, Verdict, &[Condition])| *first < position && *same == verdict && *own == args;
    seen.clauses.iter().find(twin).map(|(first, _, _)| (*first, true))
}

/// Rules with different verdicts that claim the same call.
fn contending(remarks: &mut Remarks, profile: &Profile, line: &dyn Fn(usize) -> usize, native: Arch) {
    let filter = Filter::new(profile, native);
    for call in Syscall::all() {
        let clauses = filter.decision(call).live();
        let pair = clauses.iter().enumerate().find_map(|(at, one)| {
            let rival = clauses[..at].iter().find(|two| two.verdict() != one.verdict() && meet(one, two));
            rival.map(|two| (two.ruled, one.ruled))
        });
        if let Some((first, second)) = pair {
            let (name, at) = (call.name(), line(first.rule));
            let message = format!(
                "some calls of {name} are {} by this rule and {} by the one at line {at}",
                second.verdict, first.verdict
            );
            remarks.add("contending-rules", line(second.rule), message);
        }
    }
}

fn meet(one: &Clause<'_>, two: &Clause<'_>) -> bool {
    let theirs = Region::of(&two.conditions, Width::Full);
    Region::of(&one.conditions, Width::Full).iter().any(|mine| theirs.iter().any(|theirs| mine.meet(theirs).is_some()))
}
