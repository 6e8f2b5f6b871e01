//! For the person at the keyboard: by container, the latest first.

use std::fmt::Write;

use super::{asked_by, interface, shown, verb};
use crate::count::times;
use crate::denials::containers::Who;
use crate::denials::ledger::{Kind, Ledger, Row};
use crate::denials::reason::By;
use crate::escape::escape;

/// All rows, and what the logs say of lost messages.
pub fn text(ledger: &Ledger) -> String {
    let mut rows: Vec<&Row> = ledger.rows().iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.last, row.count)));
    let mut out = String::new();
    let mut done: Vec<&Who> = Vec::new();
    for row in &rows {
        if done.iter().any(|who| same(who, &row.who)) {
            continue;
        }
        done.push(&row.who);
        let _ = writeln!(out, "{}", clean(&shown(&row.who)));
        let mut hints = Vec::new();
        for own in rows.iter().filter(|other| same(&other.who, &row.who)) {
            one(&mut out, own);
            // Each once for a container.
            if let Some(hint) = hint(own).filter(|hint| !hints.contains(hint)) {
                let _ = writeln!(out, "    hint: {hint}");
                hints.push(hint);
            }
        }
    }
    summary(&mut out, ledger);
    out
}

/// Nothing of a log's may break the lines or steer the terminal.
fn clean(text: &str) -> String {
    escape(text).replace('\n', "\\n")
}

fn same(one: &Who, other: &Who) -> bool {
    (&one.id, one.is_found) == (&other.id, other.is_found)
}

fn one(out: &mut String, row: &Row) {
    let times = times(row.count);
    let rule = row.reason.rule.as_deref().map_or(String::new(), |rule| format!(" [{rule}]"));
    let _ =
        writeln!(out, "  {} {}{}{}, {times}", verb(row.kind, row.fate), clean(&row.what), interface(row), clean(&rule));
    let program = match (row.kind, row.pid) {
        (Kind::Start, _) => String::new(),
        (_, Some(pid)) => format!("by {} ({}), process {pid}; ", row.comm, row.exe),
        (_, None) => format!("by {} ({}); ", row.comm, row.exe),
    };
    let program = program.replace(" ()", "");
    let when = match (row.first, row.last) {
        (Some(first), Some(last)) if first != last => format!("first {first}, last {last}"),
        (Some(first), _) => format!("at {first}"),
        _ => "at an unknown time".to_owned(),
    };
    let _ = writeln!(out, "    {}{when}", clean(&program));
    let asked_by = asked_by(row);
    if !asked_by.is_empty() {
        let _ = writeln!(out, "    policy: {}", clean(&asked_by));
    }
}

fn hint(row: &Row) -> Option<&'static str> {
    match (row.kind, row.reason.by) {
        (Kind::AppArmor, _) => Some("batten apparmor learn proposes the rule that would allow it"),
        (Kind::Seccomp, Some(By::Policy)) => Some(
            "if it needs this, allow the call for it in an [[override]] of the policy; batten seccomp explain says what it opens",
        ),
        (Kind::Seccomp, Some(By::Bundle)) => {
            Some("look where the bundle gets its filter from (seccomp=FILE, localhostProfile)")
        }
        (Kind::Seccomp, None) if row.who.id.is_none() && !row.who.is_found => {
            Some("the process is gone; with --follow, run as root, batten takes note of processes while they live")
        }
        (Kind::Start | Kind::Seccomp, _) => None,
    }
}

fn summary(out: &mut String, ledger: &Ledger) {
    if ledger.rows().is_empty() {
        out.push_str("nothing was refused, as far as the logs say\n");
    }
    if ledger.unshown > 0 {
        let _ = writeln!(out, "{} more records are of other kinds than these", ledger.unshown);
    }
    if let Some(lost) = lost(ledger) {
        let _ = writeln!(out, "{lost}");
    }
}

/// What the logs say of messages that are missing.
pub(super) fn lost(ledger: &Ledger) -> Option<String> {
    let how_many = match ledger.lost_messages {
        0 => "messages".to_owned(),
        messages => format!("at least {messages} messages"),
    };
    (ledger.lost_notices > 0).then(|| {
        format!("incomplete: the logs say that {how_many} were lost; auditd keeps more than the kernel's own log")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denials::{Event, Fate, Moment, Reason, What};
    use crate::seccomp::Arch;

    #[test]
    fn rows_stand_under_their_container_and_silence_is_no_peace() {
        let mut ledger = Ledger::default();
        let event = |at: u64, number| Event {
            at: Some(Moment(at)),
            serial: None,
            pid: Some(7),
            comm: "mk\ndir".to_owned(),
            exe: "/bin/busybox".to_owned(),
            what: What::Call { arch: Some(Arch::X86_64), number, fate: Fate::Refused },
            access: None,
        };
        let web = Who {
            id: Some("a".repeat(64)),
            name: Some("web".to_owned()),
            image: Some("nginx".to_owned()),
            is_found: true,
            ..Who::default()
        };
        let reason = |policy: &str| Reason {
            rule: Some("seccomp".to_owned()),
            policy: Some(policy.to_owned()),
            by: Some(By::Policy),
        };
        for at in [1000, 2000] {
            ledger.add(&event(at, 83), web.clone(), |_| reason("p.toml:3 (seccomp.profile)"));
        }
        ledger.add(&event(3000, 84), Who::default(), |_| Reason::default());
        ledger.add(&event(2500, 85), Who::default(), |_| Reason::default());
        ledger.lose(36);
        let text = text(&ledger);
        let call = if Arch::NATIVE == Arch::X86_64 {
            "refused mkdir [seccomp], 2 times"
        } else {
            "refused mkdir (SCMP_ARCH_X86_64) [seccomp], 2 times"
        };
        for line in [
            "web (aaaaaaaaaaaa, nginx)",
            call,
            "by mk\\ndir (/bin/busybox), process 7; first 1970-01-01T00:00:01.000Z, last 1970-01-01T00:00:02.000Z",
            "policy: p.toml:3 (seccomp.profile)",
            "unknown container",
            "incomplete: the logs say that at least 36 messages were lost",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(text.starts_with("unknown container"), "the latest first\n{text}");
        assert_eq!(text.matches("hint: the process is gone").count(), 1, "what holds of both is said once\n{text}");
    }
}
