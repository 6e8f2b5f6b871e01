//! The stable format: `schemas/denials.schema.json` describes it, and only a new number may change it.

use serde_json::{Map, Value, json};

use crate::denials::containers::Who;
use crate::denials::event::What;
use crate::denials::ledger::{Kind, Ledger, Row};
use crate::denials::reason::By;
use crate::report::json::subject;

/// The number of the format.
const SCHEMA_VERSION: u32 = 1;

/// All rows, and what the logs say of lost messages.
pub fn json(ledger: &Ledger, sources: &[String]) -> Value {
    json!({
        "version": SCHEMA_VERSION,
        "sources": sources,
        "complete": ledger.lost_notices == 0 && ledger.unshown == 0,
        "lost": { "notices": ledger.lost_notices, "messages": ledger.lost_messages },
        "unshown": ledger.unshown,
        "denials": ledger.rows().iter().map(row).collect::<Vec<_>>(),
    })
}

/// One row, as it stands in the report and on a line of its own with --follow.
pub fn row(row: &Row) -> Value {
    let (arch, number, profile) = match &row.detail {
        Some(What::Call { arch, number, .. }) => (arch.map(crate::seccomp::Arch::name), Some(*number), None),
        Some(What::Access { profile, .. }) => (None, None, Some(profile.as_str())),
        None => (None, None, None),
    };
    let program = (row.kind != Kind::Start).then(|| json!({ "comm": row.comm, "exe": row.exe, "pid": row.pid }));
    json!({
        "kind": row.kind.as_str(),
        "outcome": row.fate.as_str(),
        "what": row.what,
        "arch": arch,
        "number": number,
        "profile": profile,
        "command": (row.kind == Kind::Start).then_some(&row.comm),
        "container": container(&row.who),
        "program": program,
        "rule": row.reason.rule,
        "policy": row.reason.policy,
        "by": row.reason.by.map(By::as_str),
        "count": row.count,
        "first": row.first.map(|at| at.to_string()),
        "last": row.last.map(|at| at.to_string()),
    })
}

/// Without an id it is a process of the host, or one of which nothing is known: `found` tells the two apart.
fn container(who: &Who) -> Value {
    let mut value = Map::new();
    value.insert("found".to_owned(), who.is_found.into());
    let named = [("id", &who.id), ("engine", &who.engine), ("name", &who.name), ("image", &who.image)];
    for (key, text) in named {
        if let Some(text) = text {
            value.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(known) = &who.subject {
        value.insert("subject".to_owned(), subject(known));
    }
    Value::Object(value)
}
