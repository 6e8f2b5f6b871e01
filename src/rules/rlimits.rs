//! # rlimits
//!
//! **Intent.** No process can take more of the host's table entries than the policy gives.
//!
//! **Fields.** `process.rlimits`; an exec's process file as well.
//!
//! **Allowed.** Hard and soft limits up to those in `rlimits.most` (`nofile=1048576`, the names of getrlimit(2) without RLIMIT_).
//! A limit that the bundle does not set is the engine's own, so it must be set; an exec inherits the container's.

use super::case::{Case, Wrong};
use super::{Judgement, Rule, prose};
use crate::finding::{RuleId, Severity};
use crate::settings::{Section, section};
use std::borrow::Cow;

use super::DocumentKind;
use crate::spec::{Edit, Pointer, Value};

pub(super) const RULE: Rule = Rule {
    id: RuleId("rlimits"),
    severity: Severity::Medium,
    summary: "Resource limits of processes are set and within what the policy gives.",
    judges_exec: true,
    fixes: true,
    section: Some(SECTION),
    understands: Some(understands),
    source: prose!("rlimits.rs"),
    judge,
};

const SECTION: &Section = &section! {
    "rlimits", Off,
    "most": Ask(&["nofile=1048576", "core=0"]) => "limits and the most they may be: NAME=NUMBER"
};

fn judge(case: &Case<'_>) -> Judgement {
    if !case.has_process() {
        return Ok(Vec::new());
    }
    let pointer = case.process_pointer("/rlimits");
    let own: Vec<Limit<'_>> = case.at(&pointer).into_iter().flat_map(Value::items).map(Limit::of).collect();
    let bounds = case.words("most");
    let (mut findings, mut wrong) = (Vec::new(), Vec::new());
    for (name, most) in bounds.iter().filter_map(bound) {
        let kind = format!("RLIMIT_{}", name.to_ascii_uppercase());
        let Some(problem) = problem(&own, &kind, most, case.kind) else { continue };
        match case.waiver(Some(name)) {
            Some(_) => findings.push(case.found(Some(name), said(&pointer, problem))),
            None => wrong.push((kind, most, problem)),
        }
    }
    if !wrong.is_empty() {
        let message = wrong.iter().map(|(.., problem)| problem.as_str()).collect::<Vec<_>>().join("; ");
        let edits = || vec![Edit::set(pointer.clone(), within(&own, &wrong, case.kind))];
        findings.push(case.fixable(None, said(&pointer, message), edits));
    }
    Ok(findings)
}

fn said(pointer: &Pointer, message: String) -> Wrong {
    let hint = "set --ulimit NAME=SOFT:HARD, or default-ulimits of the engine";
    Wrong { setting: "most", pointer: pointer.clone(), message, hint }
}

struct Limit<'d> {
    value: Value<'d>,
    kind: Cow<'d, str>,
    hard: u64,
    soft: u64,
}

impl<'d> Limit<'d> {
    fn of(value: Value<'d>) -> Self {
        let number = |key| value.get(key).and_then(Value::as_u64).unwrap_or(0);
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        Self { value, kind, hard: number("hard"), soft: number("soft") }
    }
}

fn problem(own: &[Limit<'_>], kind: &str, most: u64, document: DocumentKind) -> Option<String> {
    let mut of_kind = own.iter().filter(|limit| limit.kind == kind).peekable();
    if of_kind.peek().is_none() {
        return (document == DocumentKind::Spec).then(|| format!("{kind} is not set"));
    }
    let high = of_kind.map(|limit| limit.hard.max(limit.soft)).max().filter(|high| *high > most)?;
    Some(format!("{kind} is {high}, the policy gives {most}"))
}

/// The array with everything that is too high brought down, and what is missing added.
fn within(own: &[Limit<'_>], wrong: &[(String, u64, String)], document: DocumentKind) -> String {
    let bound = |kind: &str| wrong.iter().find(|(known, ..)| known == kind).map(|(_, most, _)| *most);
    let kept = own.iter().map(|limit| match bound(&limit.kind) {
        Some(most) => one(&limit.kind, limit.hard.min(most), limit.soft.min(most)),
        None => limit.value.raw().to_owned(),
    });
    let missing = wrong
        .iter()
        .filter(|(kind, ..)| document == DocumentKind::Spec && !own.iter().any(|limit| limit.kind == *kind));
    let added = missing.map(|(kind, most, _)| one(kind, *most, *most));
    format!("[{}]", kept.chain(added).collect::<Vec<_>>().join(","))
}

fn one(kind: &str, hard: u64, soft: u64) -> String {
    format!("{{\"type\":\"{kind}\",\"hard\":{hard},\"soft\":{soft}}}")
}

fn bound(word: &str) -> Option<(&str, u64)> {
    const NAMES: [&str; 16] = [
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let (name, most) = word.split_once('=')?;
    NAMES.contains(&name).then_some((name, most.parse().ok()?))
}

fn understands(_: &str, word: &str) -> Result<(), &'static str> {
    bound(word).map(|_| ()).ok_or("NAME=NUMBER with a name of getrlimit(2): \"nofile=1024\"")
}
