//! # hooks
//!
//! **Intent.** What runs on the host for a container, as root and outside of every limit, is a program that root chose, in an
//! environment that no container chose (CVE-2025-23266: a hook without one inherited the container's, LD_PRELOAD included).
//!
//! **Fields.** `hooks.*[*].path` and `env`.
//!
//! **Allowed.** Programs that `hooks.allowed` matches, owned by root and writable by nobody else (`hooks.trusted_owner`; a program that
//! is not on this machine cannot be asked); an environment that is written out and not empty (`hooks.explicit_env`), without the
//! variables of `hooks.denied_env`. The fix writes an environment; it replaces no program. Docker's own hook has none.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::mount::written;
use super::path::normal;
use crate::finding::Finding;
use crate::spec::{Edit, Pointer, Value, is_trusted_owner};

pub(super) const RULE: Rule = Rule {
    id: RuleId("hooks"),
    severity: Severity::Critical,
    summary: "Hooks are trusted programs with an environment of their own.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("hooks.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "hooks", Off,
    "allowed": Allow(&["*"]) => "programs (globs) that may run as hooks",
    "trusted_owner": Demand(true) => "whether a program must be root's, and writable by nobody else",
    "explicit_env": Demand(true) => "whether each hook must bring an environment",
    "denied_env": Ask(&["LD_*", "GLIBC_TUNABLES", "GCONV_PATH", "BASH_ENV", "ENV"]) => "variables (globs) that no hook may have"
};

const STAGES: [&str; 6] = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
const PATH: &str = "[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"]";

fn judge(case: &Case<'_>) -> Judgement {
    if case.at(&Pointer::new("/hooks")).is_none() {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for stage in STAGES {
        let place = Pointer::new("/hooks").child(stage);
        for (position, hook) in case.at(&place).into_iter().flat_map(Value::items).enumerate() {
            let pointer = place.child(&position.to_string());
            let path = hook.get("path").and_then(Value::as_str).unwrap_or_default();
            // A startContainer hook runs in the container, from its own files.
            findings.extend(judge_program(case, &pointer, &path, stage != "startContainer"));
            findings.extend(judge_env(case, pointer.child("env"), &path));
        }
    }
    Ok(findings)
}

fn judge_program(case: &Case<'_>, pointer: &Pointer, path: &str, on_host: bool) -> Option<Finding> {
    let (setting, message) = if !path.starts_with('/') {
        ("allowed", format!("the hook {path:?} is no absolute path"))
    } else if !case.words("allowed").matches(&normal(path)) {
        ("allowed", format!("the hook {path} runs on the host"))
    } else if on_host && case.flag("trusted_owner") && can_be_changed(Path::new(path)) {
        ("trusted_owner", format!("others than root can change the hook {path}"))
    } else {
        return None;
    };
    let hint = "take the hook out of the engine's settings, or name it in hooks.allowed";
    Some(case.found(Some(path), Wrong { setting, pointer: pointer.child("path"), message, hint }))
}

/// Whether others than root can change the program or a folder above it. What is not there cannot run either.
fn can_be_changed(program: &Path) -> bool {
    let Ok(real) = program.canonicalize() else { return false };
    real.ancestors().any(|place| {
        let Ok(found) = std::fs::metadata(place) else { return true };
        // A sticky folder keeps others from replacing what they do not own.
        let sticky = found.is_dir() && found.mode() & 0o1000 != 0;
        !is_trusted_owner(found.uid()) || (found.mode() & 0o022 != 0 && !sticky)
    })
}

fn judge_env(case: &Case<'_>, pointer: Pointer, path: &str) -> Option<Finding> {
    let denied = case.words("denied_env");
    let env: Vec<_> = case.at(&pointer).into_iter().flat_map(Value::items).filter_map(Value::as_str).collect();
    let name = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
    let (setting, message) = if env.is_empty() {
        if !case.flag("explicit_env") {
            return None;
        }
        ("explicit_env", format!("the hook {path} has no environment of its own"))
    } else {
        let refused: Vec<_> = env.iter().map(|entry| name(entry)).filter(|name| denied.matches(name)).collect();
        if refused.is_empty() {
            return None;
        }
        ("denied_env", format!("the hook {path} runs with {}", refused.join(", ")))
    };
    let hint = "write env into the hook's configuration, as [\"PATH=/usr/sbin:/usr/bin\"]";
    let wrong = Wrong { setting, pointer: pointer.clone(), message, hint };
    let kept: Vec<_> = env.iter().map(|entry| &**entry).filter(|entry| !denied.matches(&name(entry))).collect();
    if kept.is_empty() && denied.matches("PATH") {
        return Some(case.found(Some(path), wrong));
    }
    Some(case.fixable(Some(path), wrong, || {
        let json = if kept.is_empty() { PATH.to_owned() } else { written(kept.into_iter()) };
        vec![Edit::set(pointer, json)]
    }))
}
