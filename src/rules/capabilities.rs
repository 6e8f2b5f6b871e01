//! # capabilities
//!
//! **Intent.** No process of the container can hold a capability above the policy's ceiling, in whichever set.
//!
//! **Fields.** `process.capabilities.{bounding,effective,inheritable,permitted,ambient}`.
//!
//! **Allowed.** Exact names (capabilities(7)) within `capabilities.ceiling`, all five arrays written out. An absent
//! object is not an empty one: runc 1.3 and later then gives root every capability, crun none, youki leaves the
//! process as it is. An absent array is written as an empty one.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::EnforceError;
use super::case::{Case, Control};
use super::{Rule, prose};
use crate::capability::{CapSet, Capability};
use crate::finding::{Finding, RuleId, Severity};
use crate::settings::{Violation, Waiver};
use crate::spec::{Edit, Pointer, Value, quote};

/// How many names a message shows.
const SHOWN: usize = 5;

const SETS: [&str; 5] = ["bounding", "effective", "inheritable", "permitted", "ambient"];

pub(super) const RULE: Rule = Rule {
    id: RuleId("capabilities"),
    severity: Severity::Critical,
    summary: "Every capability set is written out and within the policy's ceiling.",
    judges_exec: true,
    fixes: true,
    section: None,
    understands: None,
    source: prose!("capabilities.rs"),
    judge,
};

fn judge(case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
    let settings = &case.settings.capabilities;
    if settings.violation.value == Violation::Off || !case.has_process() {
        return Ok(Vec::new());
    }
    let control = Control::new(&settings.violation, &settings.ceiling);
    let pointer = case.process_pointer("/capabilities");
    let Some(object) = case.at(&pointer) else { return Ok(vec![absent(case, control, pointer)]) };
    Ok(Excess::of(case, object).findings(case, control, &pointer, object))
}

fn absent(case: &Case<'_>, control: Control, pointer: Pointer) -> Finding {
    let message = "no capabilities are listed, which some runtimes take for all of them";
    let hint = "list what the container needs in process.capabilities; batten gives it none";
    let edits = || vec![Edit::set(pointer.clone(), written_out(|_| String::from("[]")))];
    case.violation(control, pointer.clone(), message, hint, edits)
}

/// What a document asks for above the ceiling.
struct Excess<'d> {
    /// Names above the ceiling or of no capability, in order of appearance, and the waiver that covers each.
    names: Vec<(std::borrow::Cow<'d, str>, Option<&'d Waiver>)>,
    missing: Vec<&'static str>,
}

impl<'d> Excess<'d> {
    fn of(case: &Case<'d>, object: Value<'d>) -> Self {
        let mut excess = Self { names: Vec::new(), missing: Vec::new() };
        let mut seen = BTreeSet::new();
        let ceiling = case.settings.capabilities.ceiling.value;
        for set in SETS {
            let Some(array) = object.get(set) else {
                excess.missing.push(set);
                continue;
            };
            for name in array.items().filter_map(Value::as_str) {
                let within = Capability::from_name(&name).is_some_and(|capability| ceiling.contains(capability));
                if !within && seen.insert(name.clone()) {
                    let waiver = case.waiver(Some(&name));
                    excess.names.push((name, waiver));
                }
            }
        }
        excess
    }

    fn findings(&self, case: &Case<'d>, control: Control, pointer: &Pointer, object: Value<'d>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, waiver) in &self.names {
            if let Some(waiver) = waiver {
                findings.push(case.waived(waiver, control, pointer.clone(), format!("{name} is above the ceiling")));
            }
        }
        if let Some(message) = self.refused() {
            let hint = "drop it from the container (cap_drop, securityContext.capabilities), or ask for a waiver";
            let edits = || vec![Edit::set(pointer.clone(), self.within(object))];
            findings.push(case.violation(control, pointer.clone(), message, hint, edits));
        } else if !self.missing.is_empty() {
            let message = format!("the sets {} are not written out", self.missing.join(", "));
            let hint = "write all five sets; an absent one means something else to each runtime";
            let edits = || vec![Edit::set(pointer.clone(), self.within(object))];
            // Podman's `--cap-drop all` writes no list at all: it asks for nothing, so `deny` has nothing to deny.
            let control = Control { violation: control.violation.min(Violation::Fix), ..control };
            findings.push(case.violation(control, pointer.clone(), message, hint, edits));
        }
        findings
    }

    /// The names that nobody waived, as one clause.
    fn refused(&self) -> Option<String> {
        let (mut above, mut strangers) = (CapSet::EMPTY, Vec::new());
        for (name, _) in self.names.iter().filter(|(_, waiver)| waiver.is_none()) {
            match Capability::from_name(name) {
                Some(capability) => above = above.union(CapSet::of(capability)),
                None => strangers.push(format!("{name:?}")),
            }
        }
        let more = strangers.len().saturating_sub(SHOWN);
        strangers.truncate(SHOWN);
        let mut unknown = strangers.join(", ");
        if more > 0 {
            let _ = write!(unknown, " and {more} more");
        }
        match (above.is_empty(), unknown.is_empty()) {
            (true, true) => None,
            (false, true) => Some(format!("{} above the ceiling", some_of(above))),
            (true, false) => Some(format!("{unknown}: not the exact name of a capability")),
            (false, false) => {
                Some(format!("{} above the ceiling, and {unknown}: not the exact name of a capability", some_of(above)))
            }
        }
    }

    /// The object with every set written out and nothing in it that is refused. Members that batten does not know are
    /// kept.
    fn within(&self, object: Value<'_>) -> String {
        let unwaived = self.names.iter().filter(|(_, waiver)| waiver.is_none());
        let refused: BTreeSet<&str> = unwaived.map(|(name, _)| &**name).collect();
        let mut json = written_out(|set| kept(object.get(set), &refused));
        for (key, value) in object.members().filter(|(key, _)| !SETS.contains(&&**key)) {
            json.pop();
            json.push(',');
            quote(&key, &mut json);
            json.push(':');
            json.push_str(value.raw());
            json.push('}');
        }
        json
    }
}

/// A set without what is refused.
fn kept(array: Option<Value<'_>>, refused: &BTreeSet<&str>) -> String {
    let mut json = String::from("[");
    for item in array.into_iter().flat_map(Value::items) {
        if item.as_str().is_some_and(|name| !refused.contains(&*name)) {
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(item.raw());
        }
    }
    json.push(']');
    json
}

fn written_out(mut array: impl FnMut(&str) -> String) -> String {
    let mut json = String::from("{");
    for set in SETS {
        let comma = if json.len() > 1 { "," } else { "" };
        let _ = write!(json, "{comma}\"{set}\":{}", array(set));
    }
    json.push('}');
    json
}

/// The set as the subject of a sentence, with its verb; a privileged container asks for dozens.
fn some_of(set: CapSet) -> String {
    let count = set.iter().count();
    let shown: CapSet = set.iter().take(SHOWN).collect();
    match count.saturating_sub(SHOWN) {
        0 if count == 1 => format!("{shown} is"),
        0 => format!("{shown} are"),
        more => format!("{shown} and {more} more are"),
    }
}
