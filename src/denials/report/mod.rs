//! How what was refused is shown.

mod json;
mod line;
mod table;
mod text;

pub use json::{json, row as json_row};
pub use line::line;
pub use table::table;
pub use text::text;

use super::containers::Who;
use super::event::{Fate, What};
use super::ledger::{Kind, Row};
use super::reason::By;
use crate::seccomp::Arch;

/// The container in a few words: what people call it, its engine, its image.
fn shown(who: &Who) -> String {
    let Some(id) = &who.id else {
        return if who.is_found { "no container" } else { "unknown container" }.to_owned();
    };
    let short = if id.len() == 64 { &id[..12] } else { id };
    let name = match &who.name {
        Some(name) => format!("{name} ({short}"),
        None => format!("{short} ("),
    };
    let more: Vec<&str> = [&who.engine, &who.image].into_iter().flatten().map(String::as_str).collect();
    match (more.is_empty(), name.ends_with('(')) {
        (true, true) => name.trim_end_matches(" (").to_owned(),
        (true, false) => name + ")",
        (false, true) => format!("{name}{})", more.join(", ")),
        (false, false) => format!("{name}, {})", more.join(", ")),
    }
}

/// What became of it, as a verb: `refused mkdir`.
const fn verb(kind: Kind, fate: Fate) -> &'static str {
    match fate {
        Fate::Refused if matches!(kind, Kind::Start) => "did not start:",
        Fate::Refused => "refused",
        Fate::Killed => "killed at",
        Fate::Trapped => "stopped by SIGSYS at",
        Fate::Logged => "logged",
        Fate::Asked => "left to a tracer or listener",
        Fate::Fixed => "fixed before the start:",
    }
}

/// ` (SCMP_ARCH_X86)` for a call by another interface than the machine's own.
fn interface(row: &Row) -> String {
    match &row.detail {
        Some(What::Call { arch: Some(arch), .. }) if *arch != Arch::NATIVE => format!(" ({})", arch.name()),
        Some(What::Call { arch: None, .. }) => " (of an interface that batten does not know)".to_owned(),
        _ => String::new(),
    }
}

/// Who asks for it: the policy's line, and whose filter it is where that is not the policy's.
fn asked_by(row: &Row) -> String {
    let policy = row.reason.policy.as_deref();
    match (row.reason.by, policy) {
        (Some(By::Program), _) => "by a filter of the program's own".to_owned(),
        (Some(By::Bundle), Some(policy)) => format!("by the bundle's own filter, {policy}"),
        (_, Some(policy)) => policy.to_owned(),
        (_, None) if row.kind == Kind::AppArmor => match &row.detail {
            Some(What::Access { profile, .. }) => format!("profile {profile}"),
            _ => String::new(),
        },
        (_, None) => String::new(),
    }
}
