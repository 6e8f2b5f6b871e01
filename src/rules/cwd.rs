//! # cwd
//!
//! **Intent.** The process does not start in a folder that the runtime itself holds open: `/proc/self/fd/N` led out of the
//! container (CVE-2024-21626).
//!
//! **Fields.** `process.cwd`; an exec's process file as well.
//!
//! **Allowed.** Any folder that is not within one of `cwd.denied`, however it is written. Where a link in the image leads is
//! not in the bundle; runtimes since runc 1.1.12 look themselves.

use super::case::{Case, Wrong};
use super::path::{is_within, normal};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("cwd"),
    severity: Severity::Critical,
    summary: "The process does not start below /proc, where descriptors of the runtime lead out.",
    judges_exec: true,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("cwd.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "cwd", Deny,
    "denied": Ask(&["/proc"]) => "folders that no process may start in or below"
};

fn judge(case: &Case<'_>) -> Judgement {
    let pointer = case.process_pointer("/cwd");
    let Some(cwd) = case.at(&pointer).and_then(Value::as_str) else { return Ok(Vec::new()) };
    if cwd == "/" {
        return Ok(Vec::new());
    }
    // A relative one starts from the container's root for crun; runc refuses it.
    let normal = normal(&format!("/{cwd}"));
    if !case.words("denied").iter().any(|folder| is_within(&normal, folder)) {
        return Ok(Vec::new());
    }
    let message = format!("the process starts in {cwd}");
    let hint = "set WORKDIR in the image, or --workdir, to a folder of the image";
    let wrong = Wrong { setting: "denied", pointer: pointer.clone(), message, hint };
    Ok(vec![case.fixable(Some(&normal), wrong, || vec![Edit::set(pointer, "\"/\"")])])
}
