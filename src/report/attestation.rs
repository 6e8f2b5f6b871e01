//! What an attestation found in the kernel, for people and for machines.

use std::fmt::Write;

use serde_json::{Value, json};

use super::json::{origin, subject};
use crate::attest::process::{NAMESPACES, Namespaces};
use crate::attest::status::{Credentials, SETS};
use crate::attest::{Attested, Finding, Seen, Verdict, names, own_namespaces};
use crate::escape::escape;
use crate::policy::Policy;

/// The number of the format that `schemas/attestation.schema.json` describes.
pub const SCHEMA_VERSION: u32 = 1;

/// All containers for the person at the keyboard.
pub fn text(all: &[Attested], policy: &Policy) -> String {
    let host = own_namespaces();
    let mut out = String::new();
    for one in all {
        container(&mut out, one, policy, &host);
    }
    let count = |verdict| all.iter().filter(|one| one.verdict() == verdict).count();
    let _ = writeln!(
        out,
        "{} {}: {} within the policy, {} looser, {} unreadable",
        all.len(),
        if all.len() == 1 { "container" } else { "containers" },
        count(Verdict::Clean),
        count(Verdict::Looser),
        count(Verdict::Unreadable),
    );
    out
}

fn container(out: &mut String, one: &Attested, policy: &Policy, host: &Namespaces) {
    let verdict = match one.verdict() {
        Verdict::Clean => "within the policy",
        Verdict::Looser => "looser than the policy",
        Verdict::Unreadable => "not proven",
    };
    let name =
        one.id.as_ref().map_or_else(|| format!("process {}", one.pid), |id| format!("{id} (process {})", one.pid));
    let _ = writeln!(out, "{}: {verdict}", escape(&name));
    if let Some(bundle) = &one.bundle {
        let _ = writeln!(out, "  bundle {}", escape(&bundle.display().to_string()));
    }
    for note in &one.notes {
        let _ = writeln!(out, "  note: {}", escape(note));
    }
    for (problem, hint) in &one.problems {
        let _ = writeln!(out, "  error: {}\n    hint: {}", escape(problem), escape(hint));
    }
    for seen in &one.processes {
        process(out, seen, policy, host);
    }
}

fn process(out: &mut String, seen: &Seen, policy: &Policy, host: &Namespaces) {
    let status = &seen.snapshot.status;
    let _ = writeln!(out, "  {} {}", seen.pid, escape(&status.name));
    let (users, groups) = (ids(status.user), ids(status.group));
    let others: Vec<String> = status.groups.iter().map(ToString::to_string).collect();
    let others = if others.is_empty() { String::new() } else { format!(", groups {}", others.join(" ")) };
    let _ = writeln!(out, "    user {users}, group {groups}{others}");
    let _ = writeln!(out, "    {}", credentials(&status.credentials));
    let _ = writeln!(out, "    AppArmor {}", escape(seen.snapshot.label.as_deref().unwrap_or("is not in this kernel")));
    let (own, shared) = namespaces(&seen.snapshot.namespaces, host);
    let _ = writeln!(out, "    namespaces of its own: {own}; the host's: {shared}");
    for thread in &seen.snapshot.threads {
        let _ = writeln!(out, "    thread {}: {}", thread.tid, credentials(&thread.credentials));
    }
    for finding in &seen.findings {
        one_finding(out, finding, policy);
    }
}

fn credentials(may: &Credentials) -> String {
    let sets: Vec<String> = SETS.iter().zip(may.capabilities).map(|(set, mask)| format!("{set} {mask:016x}")).collect();
    let filters = match may.filters {
        Some(1) => " (1 filter)".to_owned(),
        Some(count) if count > 0 => format!(" ({count} filters)"),
        _ => String::new(),
    };
    let (sets, nnp) = (sets.join(" "), u8::from(may.no_new_privs));
    format!("{sets} NoNewPrivs {nnp}, seccomp {}{filters}", may.seccomp.as_str())
}

/// Real, effective, saved and file system ids; one where they are the same.
fn ids(ids: [u32; 4]) -> String {
    if ids.iter().all(|id| *id == ids[0]) {
        return ids[0].to_string();
    }
    ids.map(|id| id.to_string()).join("/")
}

fn namespaces(its: &Namespaces, host: &Namespaces) -> (String, String) {
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for ((kind, one), hosts) in NAMESPACES.iter().zip(its).zip(host) {
        match one {
            Some(_) if one == hosts => shared.push(kind.0),
            Some(_) => own.push(kind.0),
            None => {}
        }
    }
    let shown = |list: Vec<&str>| if list.is_empty() { "none".to_owned() } else { list.join(" ") };
    (shown(own), shown(shared))
}

fn one_finding(out: &mut String, finding: &Finding, policy: &Policy) {
    let thread = finding.tid.map_or(String::new(), |tid| format!(" of thread {tid}"));
    let _ = writeln!(
        out,
        "    {}: {}{thread} is {}: {} [{}, {}]",
        finding.standing.as_str(),
        finding.field,
        escape(&finding.value),
        escape(&finding.message),
        finding.rule,
        finding.severity.as_str(),
    );
    let _ = writeln!(out, "      policy: {}", escape(&policy.cite(finding.origin)));
    if let Some(waiver) = &finding.waiver {
        let _ = writeln!(out, "      waiver: {}", escape(waiver));
    }
    let _ = writeln!(out, "      hint: {}", finding.hint);
}

/// The same as one JSON value.
pub fn json(all: &[Attested], policy: &Policy) -> Value {
    let host = own_namespaces();
    let count = |verdict| all.iter().filter(|one| one.verdict() == verdict).count();
    json!({
        "version": SCHEMA_VERSION,
        "containers": all.iter().map(|one| json!({
            "id": one.id,
            "pid": one.pid,
            "bundle": one.bundle.as_ref().map(|path| path.display().to_string()),
            "subject": subject(&one.subject),
            "cgroups": one.groups.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "verdict": one.verdict().as_str(),
            "processes": one.processes.iter().map(|seen| json_process(seen, policy, &host)).collect::<Vec<_>>(),
            "notes": one.notes,
            "errors": one.problems.iter().map(|(message, hint)| json!({ "message": message, "hint": hint }))
                .collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "summary": {
            "containers": all.len(),
            "clean": count(Verdict::Clean),
            "looser": count(Verdict::Looser),
            "unreadable": count(Verdict::Unreadable),
        },
    })
}

fn json_process(seen: &Seen, policy: &Policy, host: &Namespaces) -> Value {
    let status = &seen.snapshot.status;
    let mut value = json!({
        "pid": seen.pid,
        "name": status.name,
        "program": seen.snapshot.program,
        "user": { "uid": status.user, "gid": status.group, "groups": status.groups },
        "apparmor": seen.snapshot.label,
        "namespaces": NAMESPACES.iter().zip(&seen.snapshot.namespaces).zip(host)
            .filter_map(|((kind, one), hosts)| {
                let inode = one.as_ref()?.inode;
                Some((kind.0.to_owned(), json!({ "inode": inode, "is_host": one == hosts })))
            })
            .collect::<serde_json::Map<_, _>>(),
        "threads": seen.snapshot.threads.iter().map(|thread| {
            let mut value = json_credentials(&thread.credentials);
            value["tid"] = thread.tid.into();
            value
        }).collect::<Vec<_>>(),
        "findings": seen.findings.iter().map(|finding| json!({
            "rule": finding.rule.0,
            "severity": finding.severity.as_str(),
            "standing": finding.standing.as_str(),
            "tid": finding.tid,
            "field": finding.field,
            "value": finding.value,
            "message": finding.message,
            "calls": finding.calls.iter().map(|call| json!({
                "arch": call.arch.name(),
                "number": call.number,
                "name": call.name,
                "args": call.args,
                "kernel": call.kernel.to_string(),
                "policy": call.policy.to_string(),
            })).collect::<Vec<_>>(),
            "policy": origin(finding.origin, policy),
            "decided_by": origin(finding.decided_by, policy),
            "hint": finding.hint,
            "waiver": finding.waiver,
        })).collect::<Vec<_>>(),
    });
    if let (Value::Object(value), Value::Object(may)) = (&mut value, json_credentials(&status.credentials)) {
        value.extend(may);
    }
    value
}

fn json_credentials(may: &Credentials) -> Value {
    let sets = SETS.iter().zip(may.capabilities).map(|(set, mask)| {
        ((*set).to_owned(), json!({ "mask": format!("{mask:016x}"), "names": names(mask).collect::<Vec<_>>() }))
    });
    json!({
        "capabilities": sets.collect::<serde_json::Map<_, _>>(),
        "no_new_privs": may.no_new_privs,
        "seccomp": { "mode": may.seccomp.as_str(), "filters": may.filters },
    })
}
