//! What a person should know about a resolved profile that its JSON does not say.

use std::fmt::Display;

use super::docker::{Dialect, DockerProfile, Fidelity, has_any, items};
use super::errno::{self, Numbering};
use super::resolve::Facts;
use super::resolved::Resolved;
use crate::spec::Value;

impl<'d> DockerProfile<'d> {
    /// One sentence for each way in which the result is not what the profile's author can have meant.
    pub fn notes(&self, facts: &Facts<'_>, resolved: Option<&Resolved<'d>>) -> Vec<String> {
        let Some(resolved) = resolved else {
            let what = if self.root.get("ociVersion").is_some() {
                "this is a config.json, whose profile stands in linux.seccomp; read as a profile it has"
            } else {
                "the profile has"
            };
            let engine = self.dialect.engine();
            return vec![format!(
                "{what} neither a default action nor rules: {engine} runs the container without seccomp"
            )];
        };
        let found = [
            self.lost_conditions(),
            self.ignored_min_kernel(),
            self.missed_architectures(facts, resolved),
            self.foreign_numbers(facts),
            resolved.profile().err().map(|error| format!("no runtime loads the result: {error}; {}", error.hint)),
        ];
        found.into_iter().flatten().collect()
    }

    fn lost_conditions(&self) -> Option<String> {
        let conditional = |rule: &Value<'d>| has_any(*rule, &["includes", "excludes"]);
        let first = self.rules().find(|rule| self.dialect == Dialect::Containerd && conditional(rule))?;
        let count = self.rules().filter(conditional).count();
        Some(format!(
            "containerd reads the file as plain OCI: {count} conditional rules apply always, the first at {}",
            at(first)
        ))
    }

    fn ignored_min_kernel(&self) -> Option<String> {
        let exact = self.dialect == Dialect::Containers && self.fidelity == Fidelity::Exact;
        let asks = |rule: &Value<'d>| {
            ["includes", "excludes"].iter().any(|key| rule.get(key).is_some_and(|own| has_any(own, &["minKernel"])))
        };
        let first = self.rules().find(|rule| exact && asks(rule))?;
        Some(format!("container-libs does not know minKernel, first met at {}; --safe honours it", at(first)))
    }

    fn missed_architectures(&self, facts: &Facts<'_>, resolved: &Resolved<'d>) -> Option<String> {
        let own = facts.machine.arch().name();
        let mut map = items(self.root, "archMap");
        let missed =
            map.find(|entry| entry.get("architecture").and_then(Value::as_str).is_some_and(|name| name == own));
        let missed = missed.filter(|_| resolved.architectures.is_empty())?;
        if self.dialect == Dialect::Containerd {
            return Some("containerd does not read archMap, so that only the native interface is left".to_owned());
        }
        Some(format!(
            "{} does not find {} in archMap, so that only the native interface is left; --safe takes the entry at {}",
            self.dialect.engine(),
            facts.machine.goarch(),
            at(missed)
        ))
    }

    fn foreign_numbers(&self, facts: &Facts<'_>) -> Option<String> {
        let (here, there) = (Numbering::NATIVE, facts.machine.numbering());
        if self.dialect != Dialect::Containers || self.fidelity == Fidelity::Safe || here == there {
            return None;
        }
        let given = self.rules().filter_map(|rule| rule.get("errno")).chain(self.root.get("defaultErrno"));
        let mut names = given.filter_map(Value::as_str);
        let name = names.find(|name| errno::number(name, here) != errno::number(name, there))?;
        Some(format!(
            "{name} has this machine's number, as in a container-libs compiled here; --safe writes {}'s",
            facts.machine.goarch()
        ))
    }
}

impl Dialect {
    /// Who reads profiles this way.
    pub const fn engine(self) -> &'static str {
        match self {
            Self::Moby => "moby",
            Self::Containers => "container-libs",
            Self::Containerd => "containerd",
        }
    }
}

fn at(value: Value<'_>) -> impl Display {
    format!("{} ({})", value.pointer(), value.place())
}
