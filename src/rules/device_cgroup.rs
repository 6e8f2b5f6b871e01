//! # device-cgroup
//!
//! **Intent.** The kernel lets the container open only the devices that the policy allows, whatever nodes it makes itself.
//!
//! **Fields.** `linux.resources.devices`, read in order as the runtimes do: an entry for all devices starts anew.
//!
//! **Allowed.** A list that begins by denying all and lets through what `device_cgroup.allowed` covers, written
//! `TYPE MAJOR:MINOR ACCESS` with `*` for any number (`c 1:3 rwm`). Making nodes (`m`) gives nothing that cannot be opened. The
//! fix keeps the denials and what is covered. Without a list the runtime denies all but its own.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use std::borrow::Cow;
use std::fmt;

use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("device-cgroup"),
    severity: Severity::Critical,
    summary: "The device cgroup denies every device that the policy does not allow.",
    judges_exec: false,
    fixes: true,
    section: Some(SECTION),
    understands: Some(understands),
    source: prose!("device_cgroup.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "device_cgroup", Off,
    "allowed": Allow(&[
        "c *:* m",
        "b *:* m",
        "c 1:3 rwm",
        "c 1:5 rwm",
        "c 1:7 rwm",
        "c 1:8 rwm",
        "c 1:9 rwm",
        "c 5:0 rwm",
        "c 5:1 rwm",
        "c 5:2 rwm",
        "c 136:* rwm",
    ]) => "devices that may be let through, with the access"
};

const PLACE: Pointer = Pointer::new("/linux/resources/devices");

fn judge(case: &Case<'_>) -> Judgement {
    let entries: Vec<Entry<'_>> = case.at(&PLACE).into_iter().flat_map(Value::items).map(Entry::of).collect();
    let Some(first) = entries.first() else { return Ok(Vec::new()) };
    let words = case.words("allowed");
    let allowed: Vec<Entry<'_>> = words.iter().filter_map(Entry::of_word).collect();
    let waived = |entry: &Entry<'_>| case.waiver(Some(&entry.to_string()));
    let begins_denied = first.is_all() && !first.allow;
    let refused: Vec<&Entry<'_>> =
        in_force(&entries).filter(|entry| entry.allow && !entry.is_covered(&allowed)).collect();
    let mut findings = Vec::new();
    for entry in refused.iter().filter(|entry| waived(entry).is_some()) {
        findings.push(case.found(Some(&entry.to_string()), wrong(said(entry))));
    }
    let refused: Vec<&Entry<'_>> = refused.into_iter().filter(|entry| waived(entry).is_none()).collect();
    let message = match refused.as_slice() {
        [] if begins_denied => return Ok(findings),
        [] => "the list of devices does not begin by denying all".to_owned(),
        [one] => said(one),
        [one, rest @ ..] => format!("{}, and {} more", said(one), rest.len()),
    };
    let edits = || {
        // What stands before an entry that lets everything through is let through as well.
        let from = entries.iter().rposition(|entry| entry.is_all() && !entry.allow).map_or(0, |last| last + 1);
        let is_kept = |entry: &&Entry<'_>| {
            !entry.is_all() && (!entry.allow || entry.is_covered(&allowed) || waived(entry).is_some())
        };
        let kept = entries[from..].iter().filter(is_kept);
        let all = std::iter::once("{\"allow\":false,\"access\":\"rwm\"}").chain(kept.map(|entry| entry.raw));
        vec![Edit::set(PLACE, format!("[{}]", all.collect::<Vec<_>>().join(",")))]
    };
    findings.push(case.fixable(None, wrong(message), edits));
    Ok(findings)
}

fn said(entry: &Entry<'_>) -> String {
    if entry.is_all() { "every device is let through".to_owned() } else { format!("the device {entry} is let through") }
}

fn wrong(message: String) -> Wrong {
    let hint = "leave the device out (--device, --device-cgroup-rule, privileged), or name it in device_cgroup.allowed";
    Wrong { setting: "allowed", pointer: PLACE, message, hint }
}

/// Whether the last word on all devices is yes.
pub(super) fn lets_every_device(case: &Case<'_>) -> bool {
    let entries: Vec<Entry<'_>> = case.at(&PLACE).into_iter().flat_map(Value::items).map(Entry::of).collect();
    in_force(&entries).any(|entry| entry.allow && entry.is_all())
}

/// The entries from the last one that speaks of all devices.
fn in_force<'e, 'd>(entries: &'e [Entry<'d>]) -> impl Iterator<Item = &'e Entry<'d>> {
    let from = entries.iter().rposition(Entry::is_all).unwrap_or(0);
    entries[from..].iter()
}

struct Entry<'d> {
    raw: &'d str,
    allow: bool,
    /// `a` stands for both kinds.
    kind: Cow<'d, str>,
    /// `None` is any.
    major: Option<i64>,
    minor: Option<i64>,
    access: Cow<'d, str>,
}

impl<'d> Entry<'d> {
    fn of(value: Value<'d>) -> Self {
        let text = |key| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        // -1 is any number as well (runc, libcontainer/devices).
        let number = |key| value.get(key).and_then(Value::as_i64).filter(|number| *number >= 0);
        let kind = text("type").map_or(Cow::Borrowed("a"), |kind| if kind == "u" { Cow::Borrowed("c") } else { kind });
        Self {
            raw: value.raw(),
            allow: value.get("allow").and_then(Value::as_bool).unwrap_or(false),
            kind,
            major: number("major"),
            minor: number("minor"),
            access: text("access").unwrap_or(Cow::Borrowed("rwm")),
        }
    }

    fn of_word(word: &'d str) -> Option<Self> {
        let [kind @ ("a" | "b" | "c"), numbers, access] = word.split(' ').collect::<Vec<_>>()[..] else { return None };
        let (major, minor) = numbers.split_once(':')?;
        let number = |text: &str| if text == "*" { Some(None) } else { text.parse().ok().map(Some) };
        let is_access = !access.is_empty() && access.chars().all(|letter| "rwm".contains(letter));
        let (kind, access) = (Cow::Borrowed(kind), Cow::Borrowed(access));
        is_access.then_some(Self { raw: word, allow: true, kind, major: number(major)?, minor: number(minor)?, access })
    }

    fn is_all(&self) -> bool {
        self.kind == "a"
    }

    /// Whether every access of it is in one of `allowed`.
    fn is_covered(&self, allowed: &[Self]) -> bool {
        let number = |own: Option<i64>, other: Option<i64>| other.is_none() || own == other;
        self.access.chars().all(|letter| {
            allowed.iter().any(|other| {
                (other.kind == self.kind || other.is_all())
                    && number(self.major, other.major)
                    && number(self.minor, other.minor)
                    && other.access.contains(letter)
            })
        })
    }
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<i64>| number.map_or("*".to_owned(), |number| number.to_string());
        write!(f, "{} {}:{} {}", self.kind, number(self.major), number(self.minor), self.access)
    }
}

fn understands(_: &str, word: &str) -> Result<(), &'static str> {
    Entry::of_word(word).map(|_| ()).ok_or("TYPE MAJOR:MINOR ACCESS: \"c 1:3 rwm\", \"b *:* m\"")
}
