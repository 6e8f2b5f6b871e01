//! # cgroup-path
//!
//! **Intent.** The container's cgroup lies where the engine puts containers, not at the root or in a slice of the host's.
//!
//! **Fields.** `linux.cgroupsPath`. Absent, the runtime chooses.
//!
//! **Allowed.** Paths that `cgroup_path.allowed` matches (`slice:prefix:name` with the systemd driver); never the root, and never one
//! with `..` in it.

use super::case::{Case, Wrong};
use super::path::normal;
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("cgroup-path"),
    severity: Severity::High,
    summary: "The cgroup lies where the policy lets containers be.",
    judges_exec: false,
    fixes: false,
    section: Some(SECTION),
    understands: None,
    source: prose!("cgroup_path.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "cgroup_path", Off,
    "allowed": Allow(&["*"]) => "paths (globs) that may be asked for"
};

fn judge(case: &Case<'_>) -> Judgement {
    let pointer = Pointer::new("/linux/cgroupsPath");
    let Some(path) = case.at(&pointer).and_then(Value::as_str).filter(|path| !path.is_empty()) else {
        return Ok(Vec::new());
    };
    let message = if path.split('/').any(|part| part == "..") {
        format!("the cgroup {path} is written with ..")
    } else if normal(&path) == "/" {
        "the cgroup is the root of all".to_owned()
    } else if case.words("allowed").matches(&path) {
        return Ok(Vec::new());
    } else {
        format!("the cgroup is {path}")
    };
    let hint = "leave --cgroup-parent out, or name the path in cgroup_path.allowed";
    Ok(vec![case.found(Some(&path), Wrong { setting: "allowed", pointer, message, hint })])
}
