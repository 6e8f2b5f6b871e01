//! # masked-paths
//!
//! **Intent.** The parts of /proc and /sys that show or change the host's kernel are covered.
//!
//! **Fields.** `linux.maskedPaths`.
//!
//! **Allowed.** A list that holds every path of `masked_paths.required`, or a folder above it; more is fine. Any list where
//! `masked_paths.in_user_namespace` says so and the bundle makes a user namespace. The paths required are those that
//! Docker, containerd, CRI-O and Podman all mask.

use super::case::{Case, Wrong};
use super::namespaces;
use super::path::{is_within, normal};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Pointer, Value, quote};

pub(super) const RULE: Rule = Rule {
    id: RuleId("masked-paths"),
    severity: Severity::High,
    summary: "The paths that every engine masks are masked.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("masked_paths.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "masked_paths", Off,
    "required": Ask(&[
        "/proc/acpi",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
    ]) => "paths that must be covered",
    "in_user_namespace": Permit(false) => "whether nothing is required in a user namespace of the container's own"
};

fn judge(case: &Case<'_>) -> Judgement {
    judge_list(case, Pointer::new("/linux/maskedPaths"), &[], "masked")
}

/// What is required and neither in the list at `pointer` nor in `instead`.
pub(super) fn judge_list(case: &Case<'_>, pointer: Pointer, instead: &[String], word: &str) -> Judgement {
    if !case.is_linux() || (case.flag("in_user_namespace") && namespaces::makes(case, "user")) {
        return Ok(Vec::new());
    }
    let own: Vec<_> = case.at(&pointer).into_iter().flat_map(Value::items).collect();
    let covered: Vec<String> = own.iter().filter_map(|item| item.as_str()).map(|path| normal(&path)).collect();
    let covered =
        |path: &str| covered.iter().chain(instead).any(|folder| !folder.is_empty() && is_within(path, folder));
    let required = case.words("required");
    let (mut findings, mut missing) = (Vec::new(), Vec::new());
    for path in required.iter().filter(|path| !covered(path)) {
        match case.waiver(Some(path)) {
            Some(_) => findings.push(case.found(Some(path), wrong(&pointer, format!("{path} is not {word}")))),
            None => missing.push(path),
        }
    }
    if !missing.is_empty() {
        let are = if missing.len() == 1 { "is" } else { "are" };
        let message = format!("{} {are} not {word}", missing.join(", "));
        let mut all: Vec<String> = own.iter().map(|item| item.raw().to_owned()).collect();
        all.extend(missing.iter().map(|path| {
            let mut json = String::new();
            quote(path, &mut json);
            json
        }));
        let edits = || vec![Edit::set(pointer.clone(), format!("[{}]", all.join(",")))];
        findings.push(case.fixable(None, wrong(&pointer, message), edits));
    }
    Ok(findings)
}

fn wrong(pointer: &Pointer, message: String) -> Wrong {
    let hint = "leave the lists to the engine: no systempaths=unconfined, no procMount: Unmasked, no privileged";
    Wrong { setting: "required", pointer: pointer.clone(), message, hint }
}
