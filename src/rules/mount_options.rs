//! # mount-options
//!
//! **Intent.** Files on volumes are data: no set-user-ID program and no device node on them works.
//!
//! **Fields.** `mounts[*].options` of binds and tmpfs. The last of two opposite words (`suid`, `nosuid`) counts.
//!
//! **Allowed.** Mounts that have every word of `mount_options.required`, and those whose destination `mount_options.except` matches.

use super::case::{Case, Wrong};
use super::mount::{Mount, mounts, written};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::Edit;

pub(super) const RULE: Rule = Rule {
    id: RuleId("mount-options"),
    severity: Severity::Medium,
    summary: "Volumes are mounted with nosuid, nodev and what else the policy asks.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: Some(understands),
    source: prose!("mount_options.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "mount_options", Off,
    "required": Ask(&["nosuid", "nodev"]) => "options that binds and tmpfs must have: nosuid, nodev, noexec, ro",
    "except": Allow(&["/dev", "/dev/*"]) => "destinations (globs) that need not have them"
};

fn judge(case: &Case<'_>) -> Judgement {
    let (required, except) = (case.words("required"), case.words("except"));
    let mut findings = Vec::new();
    for mount in mounts(case).filter(|mount| mount.is_bind() || mount.kind == "tmpfs") {
        let destination = mount.destination();
        if except.matches(&destination) {
            continue;
        }
        let missing: Vec<&str> = required.iter().filter(|word| !is_set(&mount, word)).collect();
        if missing.is_empty() {
            continue;
        }
        let pointer = mount.pointer().child("options");
        let message = format!("the mount at {destination} is not {}", missing.join(", "));
        let hint = "add the options to the volume, or name the destination in mount_options.except";
        let wrong = Wrong { setting: "required", pointer: pointer.clone(), message, hint };
        let kept = || mount.options().filter(|own| !missing.iter().any(|word| opposite(word) == own));
        let edits = || vec![Edit::set(pointer, written(kept().chain(missing.iter().map(|word| (*word).into()))))];
        findings.push(case.fixable(Some(&destination), wrong, edits));
    }
    Ok(findings)
}

fn is_set(mount: &Mount<'_>, word: &str) -> bool {
    mount.options().filter(|own| own == word || own == opposite(word)).last().is_some_and(|last| last == word)
}

fn opposite(word: &str) -> &'static str {
    match word {
        "nosuid" => "suid",
        "nodev" => "dev",
        "noexec" => "exec",
        _ => "rw",
    }
}

fn understands(key: &str, word: &str) -> Result<(), &'static str> {
    let known = key != "required" || ["nosuid", "nodev", "noexec", "ro"].contains(&word);
    known.then_some(()).ok_or("nosuid, nodev, noexec or ro")
}
