//! # devices
//!
//! **Intent.** The container has device nodes of its own needs only: no disk, no kernel memory, no /dev/kmsg.
//!
//! **Fields.** `linux.devices`: type, major and minor number count, whatever the path says. Pipes are no devices.
//!
//! **Allowed.** Devices that `devices.allowed` matches, written `TYPE MAJOR:MINOR` (`c 1:3` is /dev/null). Others are taken out.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("devices"),
    severity: Severity::High,
    summary: "The container has no device node besides those that the policy allows.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: None,
    source: prose!("devices.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "devices", Off,
    "allowed": Allow(&["c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2", "c 136:*"]) => "devices (globs) that may be there: null, zero, full, random, urandom, tty, console, ptmx, pts"
};

fn judge(case: &Case<'_>) -> Judgement {
    let allowed = case.words("allowed");
    let pointer = Pointer::new("/linux/devices");
    let all: Vec<_> = case.at(&pointer).into_iter().flat_map(Value::items).collect();
    let (mut findings, mut refused, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for (position, device) in all.into_iter().enumerate() {
        let number = number(device);
        if number.is_none() || number.as_ref().is_some_and(|number| allowed.matches(number)) {
            kept.push(device.raw());
            continue;
        }
        let path = device.get("path").and_then(Value::as_str).unwrap_or_default();
        let number = number.unwrap_or_default();
        if case.waiver(Some(&number)).is_some() {
            kept.push(device.raw());
            let place = pointer.child(&position.to_string());
            findings.push(case.found(Some(&number), wrong(place, format!("the device {path} ({number}) is there"))));
        } else {
            refused.push(format!("{path} ({number})"));
        }
    }
    if !refused.is_empty() {
        let message = some_of(&refused);
        let edits = || vec![Edit::set(pointer.clone(), format!("[{}]", kept.join(",")))];
        findings.push(case.fixable(None, wrong(pointer.clone(), message), edits));
    }
    Ok(findings)
}

fn wrong(pointer: Pointer, message: String) -> Wrong {
    let hint = "leave the device out (--device, privileged), or name its number in devices.allowed";
    Wrong { setting: "allowed", pointer, message, hint }
}

/// `c 1:3`; nothing for a pipe.
fn number(device: Value<'_>) -> Option<String> {
    let kind = device.get("type").and_then(Value::as_str).unwrap_or_default();
    let number = |key| device.get(key).and_then(Value::as_i64).unwrap_or(0);
    // `u` is an unbuffered character device: the same node (mknod(1)).
    let kind = if kind == "u" { "c" } else { &*kind };
    (kind != "p").then(|| format!("{kind} {}:{}", number("major"), number("minor")))
}

/// A privileged container brings a hundred.
fn some_of(devices: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = devices.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match devices.len() {
        1 => format!("the device {shown} is there"),
        count if count <= SHOWN => format!("the devices {shown} are there"),
        count => format!("the devices {shown} and {} more are there", count - SHOWN),
    }
}
