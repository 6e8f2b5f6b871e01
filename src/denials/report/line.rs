//! One line for one row, as it comes up.

use super::{asked_by, interface, shown, verb};
use crate::denials::ledger::{Kind, Row};
use crate::escape::escape;

/// `2026-11-25T15:51:46.661Z web (nginx): refused mkdir [seccomp, /etc/batten/policy.toml:3 (seccomp.profile)], mkdir[7], 3 times,
/// 2 of them since the last line`.
pub fn line(row: &Row, new: u64) -> String {
    let when = row.last.map_or_else(String::new, |at| format!("{at} "));
    let reasons: Vec<String> =
        row.reason.rule.iter().cloned().chain(Some(asked_by(row)).filter(|by| !by.is_empty())).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" [{}]", reasons.join(", ")) };
    let program = match (row.kind, row.pid) {
        (Kind::Start, _) => String::new(),
        (_, Some(pid)) => format!(", {}[{pid}]", row.comm),
        (_, None) => format!(", {}", row.comm),
    };
    let times = match (row.count, new) {
        (1, _) => String::new(),
        (count, new) if new == count => format!(", {count} times"),
        (count, new) => format!(", {count} times, {new} of them since the last line"),
    };
    let text = format!(
        "{when}{}: {} {}{}{reasons}{program}{times}",
        shown(&row.who),
        verb(row.kind, row.fate),
        row.what,
        interface(row),
    );
    escape(&text).replace('\n', "\\n") + "\n"
}
