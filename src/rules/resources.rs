//! Limits of the cgroup, which a bundle can give in two ways.

use super::Judgement;
use super::case::{Case, Wrong};
use crate::spec::{Edit, Pointer, Value};

/// A number that must be there and not be too large.
pub(super) struct Limit {
    /// The field of its own.
    pub(super) own: Pointer,
    /// The file of cgroup v2 that `linux.resources.unified` may set instead; runtimes write it last.
    pub(super) unified: &'static str,
}

impl Limit {
    /// Judges by the setting `most`.
    pub(super) fn judge(&self, case: &Case<'_>, what: &str, unit: &str, hint: &'static str) -> Judgement {
        if !case.is_linux() {
            return Ok(Vec::new());
        }
        let most = case.count("most");
        let own = case.at(&self.own).and_then(Value::as_i64).and_then(|limit| u64::try_from(limit).ok());
        let own = own.filter(|limit| *limit > 0);
        let unified = unified(case, self.unified);
        let limit = match &unified {
            Some(text) => text.trim().parse().ok().filter(|limit| *limit > 0),
            None => own,
        };
        let message = match limit {
            None => format!("the {what} is not limited"),
            Some(limit) if most != 0 && limit.max(own.unwrap_or(0)) > most => {
                format!("the {what} is limited to {} {unit}, the policy gives {most}", limit.max(own.unwrap_or(0)))
            }
            Some(_) => return Ok(Vec::new()),
        };
        let wrong = Wrong { setting: "most", pointer: self.own.clone(), message, hint };
        if most == 0 {
            return Ok(vec![case.found(None, wrong)]);
        }
        Ok(vec![case.fixable(None, wrong, || {
            let removed = unified.as_ref().map(|_| Edit::remove(unified_place(self.unified)));
            std::iter::once(Edit::set(self.own.clone(), most.to_string())).chain(removed).collect()
        })])
    }
}

pub(super) fn unified_place(file: &str) -> Pointer {
    Pointer::new("/linux/resources/unified").child(file)
}

/// What `unified` says for a file of cgroup v2.
pub(super) fn unified(case: &Case<'_>, file: &str) -> Option<String> {
    case.at(&unified_place(file)).and_then(Value::as_str).map(std::borrow::Cow::into_owned)
}
