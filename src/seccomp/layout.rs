//! Puts verdicts on calls back into OCI rules: names merged per action and conditions, in one order.

use std::borrow::Cow;

use super::profile::{Condition, Rule};
use super::verdict::Verdict;

/// Rules in the making.
#[derive(Debug, Default)]
pub(super) struct Layout<'c> {
    groups: Vec<Group<'c>>,
}

#[derive(Debug)]
struct Group<'c> {
    verdict: Verdict,
    conditions: Cow<'c, [Condition]>,
    /// How many clauses of the same call come before: rules of one call keep their order.
    depth: usize,
    names: Vec<Cow<'static, str>>,
}

impl<'c> Layout<'c> {
    /// Gives every call of `name` to `verdict`.
    pub(super) fn always(&mut self, name: Cow<'static, str>, verdict: Verdict) {
        self.put(name, verdict, Cow::Borrowed(&[]), 0);
    }

    /// Gives the calls of `name` for which `conditions` hold to `verdict`; `depth` clauses of the call came before.
    pub(super) fn clause(
        &mut self,
        name: Cow<'static, str>,
        verdict: Verdict,
        conditions: Cow<'c, [Condition]>,
        depth: usize,
    ) {
        self.put(name, verdict, conditions, depth);
    }

    fn put(&mut self, name: Cow<'static, str>, verdict: Verdict, conditions: Cow<'c, [Condition]>, depth: usize) {
        let same =
            |group: &&mut Group<'_>| group.verdict == verdict && group.depth == depth && group.conditions == conditions;
        if let Some(group) = self.groups.iter_mut().find(same) {
            if group.names.last() != Some(&name) {
                group.names.push(name);
            }
            return;
        }
        let room = if conditions.is_empty() { 256 } else { 1 };
        let mut names = Vec::with_capacity(room);
        names.push(name);
        self.groups.push(Group { verdict, conditions, depth, names });
    }

    /// The rules: those without conditions first, the loosest of them at the top, then the others in their order.
    pub(super) fn into_rules(self) -> Vec<Rule> {
        let mut groups = self.groups;
        groups.sort_by_key(|group| {
            let conditional = !group.conditions.is_empty();
            (conditional, if conditional { None } else { Some(group.verdict) }, group.depth)
        });
        groups
            .into_iter()
            .map(|group| Rule {
                names: group.names,
                action: group.verdict.action(),
                errno_ret: group.verdict.number(),
                args: group.conditions.into_owned(),
            })
            .collect()
    }
}
