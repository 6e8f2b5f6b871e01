//! The kernel's own text: audit records of seccomp (type 1326) and AppArmor (type 1400), and what is said of lost ones.
//!
//! `audit: type=1326 audit(1763980000.123:42): … pid=7 comm="mkdir" exe="/bin/busybox" sig=0 arch=c000003e syscall=83 …
//! code=0x50000` (`audit_seccomp`, kernel/auditsc.c). auditd writes `type=SECCOMP msg=audit(…): …`, the journal `SECCOMP …`.
//! Text that a program chose is in quotes or hexadecimal, so it never forges a field; who wrote the line is for its head to
//! tell: another program's words about audit records are not the kernel's.

use super::event::{Event, Fate, What};
use super::heard::Heard;
use super::moment::Moment;
use crate::apparmor::learn::{Line, Outcome, Record, fields};
use crate::seccomp::Arch;

/// How a record begins, by who wrote it down.
const HEADS: [(&str, Writer); 6] = [
    ("type=1326 audit(", Writer::Kernel),
    ("type=1400 audit(", Writer::Kernel),
    ("type=SECCOMP msg=audit(", Writer::Auditd),
    ("type=UNKNOWN[1326] msg=audit(", Writer::Auditd),
    ("type=AVC msg=audit(", Writer::Auditd),
    ("type=1326 msg=audit(", Writer::Auditd),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Kernel,
    Auditd,
}

/// Reads a line of a log that several programs may write to.
pub(super) fn line(text: &str) -> Heard {
    let found =
        HEADS.iter().filter_map(|(head, writer)| Some((text.find(head)?, *head, *writer))).min_by_key(|one| one.0);
    let Some((at, head, writer)) = found else { return lost(text).map_or(Heard::Nothing, Heard::Lost) };
    let before = &text[..at];
    let is_theirs = match writer {
        Writer::Kernel => is_kernel_s(before),
        Writer::Auditd => {
            before.is_empty() || (before.starts_with("node=") && before.trim_end().len() + 1 == before.len())
        }
    };
    if !is_theirs {
        return Heard::Nothing;
    }
    let Some((stamp, body)) = text[at + head.len()..].split_once("):") else { return Heard::Nothing };
    let (at, serial) = stamp_of(stamp);
    let kind = if head.contains("AVC") || head.contains("1400") { Type::AppArmor } else { Type::Seccomp };
    kind.heard(body, at, serial)
}

/// Reads a message that the journal says came from the kernel, or from its audit socket.
pub(super) fn trusted(message: &str, at: Option<Moment>, serial: Option<u64>) -> Heard {
    let typed = [("SECCOMP ", Type::Seccomp), ("AVC ", Type::AppArmor)];
    match typed.iter().find_map(|(word, kind)| Some((message.strip_prefix(word)?, *kind))) {
        Some((body, kind)) => kind.heard(body, at, serial),
        None => match line(message) {
            Heard::Event(event) => Heard::Event(Event { at: event.at.or(at), ..event }),
            Heard::Allowed(event) => Heard::Allowed(Event { at: event.at.or(at), ..event }),
            other => other,
        },
    }
}

/// Whether what stands before `type=` is how the kernel's log begins its lines, in dmesg, /dev/kmsg or a syslog file:
/// nothing, a time, or the tag `kernel:`, then `audit: `.
fn is_kernel_s(before: &str) -> bool {
    let Some(before) = before.strip_suffix("audit: ") else { return false };
    let before = before.trim_end();
    let before = match before.rfind('[') {
        Some(open) if before.ends_with(']') => before[..open].trim_end(),
        _ => before,
    };
    // dmesg --decode writes `kern  :notice:`.
    let is_decoded = before.starts_with("kern ") && before.matches(':').count() == 2;
    let is_time =
        |c: char| c.is_ascii_digit() || matches!(c, 'T' | 'Z' | ':' | ',' | '.' | '-' | '+' | '<' | '>' | ' ');
    before.is_empty()
        || before.ends_with(" kernel:")
        || is_decoded
        || (before.chars().all(is_time) && !before.ends_with(':'))
}

/// `1763980000.123:42`
fn stamp_of(stamp: &str) -> (Option<Moment>, Option<u64>) {
    match stamp.split_once(':') {
        Some((at, serial)) => (Moment::from_seconds(at), serial.parse().ok()),
        None => (None, None),
    }
}

#[derive(Debug, Clone, Copy)]
enum Type {
    Seccomp,
    AppArmor,
}

impl Type {
    fn heard(self, body: &str, at: Option<Moment>, serial: Option<u64>) -> Heard {
        match self.event(body, at, serial) {
            None => Heard::Nothing,
            Some(event) if event.access.as_ref().is_some_and(|access| access.outcome == Outcome::Allowed) => {
                Heard::Allowed(event)
            }
            Some(event) => Heard::Event(event),
        }
    }

    fn event(self, body: &str, at: Option<Moment>, serial: Option<u64>) -> Option<Event> {
        let all: Vec<(&str, Vec<u8>)> = fields(body).collect();
        let (what, access) = match self {
            Self::Seccomp => (call(&all)?, None),
            Self::AppArmor => {
                let Line::Access(record) = Line::parse(body.as_bytes()) else { return None };
                (access(&record)?, Some(Box::new(record)))
            }
        };
        let text = |key| text(&all, key).unwrap_or_default();
        let pid = text("pid").parse().ok().filter(|pid| *pid > 0);
        Some(Event { at, serial, pid, comm: text("comm"), exe: text("exe"), what, access })
    }
}

/// A field; of two with one name the first, which is the kernel's.
fn text(fields: &[(&str, Vec<u8>)], key: &str) -> Option<String> {
    let value = fields.iter().find(|(known, _)| *known == key).map(|(_, value)| value)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn call(fields: &[(&str, Vec<u8>)]) -> Option<What> {
    let hex = |key| u32::from_str_radix(text(fields, key)?.trim_start_matches("0x"), 16).ok();
    let number: u32 = text(fields, "syscall")?.parse().ok()?;
    Some(What::Call { arch: Arch::from_audit(hex("arch")?, number), number, fate: Fate::from_code(hex("code")?)? })
}

fn access(record: &Record) -> Option<What> {
    let text = |key| record.get(key).map(|value| String::from_utf8_lossy(value).into_owned());
    let object = ["name", "capname", "peer", "target"].into_iter().find_map(text);
    let family = || Some([text("family")?, text("sock_type").unwrap_or_default()].join(" ").trim_end().to_owned());
    let profile = text("profile").or_else(|| text("label")).unwrap_or_default();
    let object = object.or_else(family).unwrap_or_default();
    Some(What::Access { operation: text("operation")?, object, profile })
}

/// How many messages a line says were lost; 0 where it does not say how many.
fn lost(text: &str) -> Option<u64> {
    if Line::parse(text.as_bytes()) != Line::Lost {
        return None;
    }
    let before =
        |sign: &str| text.split_once(sign).and_then(|(before, _)| before.trim_end().rsplit(' ').next()?.parse().ok());
    let after = |sign: &str| {
        let digits: String = text.split_once(sign)?.1.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some(
        before("callbacks suppressed")
            .or_else(|| after("audit_lost="))
            .or_else(|| before("messages lost"))
            .unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"auid=4294967295 uid=0 gid=0 ses=4294967295 subj=unconfined pid=26442 comm="mkdir" exe="/bin/busybox" sig=0 arch=c000003e syscall=83 compat=0 ip=0x47b567 code=0x50000"#;

    fn event(line: &str) -> Option<Event> {
        match super::line(line) {
            Heard::Event(event) => Some(event),
            _ => None,
        }
    }

    #[test]
    fn whoever_keeps_the_log_a_seccomp_record_says_the_same() {
        for head in [
            "audit: type=1326 audit(1795621906.661:2): ",
            "[  868.354970] audit: type=1326 audit(1795621906.661:2): ",
            "[Wed Nov 25 15:51:46 2026] audit: type=1326 audit(1795621906.661:2): ",
            "kern  :notice: [  868.354970] audit: type=1326 audit(1795621906.661:2): ",
            "<5>[  868.354970] audit: type=1326 audit(1795621906.661:2): ",
            "2026-11-25T15:51:46,661000+00:00 audit: type=1326 audit(1795621906.661:2): ",
            "Nov 25 15:51:46 host kernel: [  868.354970] audit: type=1326 audit(1795621906.661:2): ",
            "2026-11-25T15:51:46.661+00:00 host kernel: audit: type=1326 audit(1795621906.661:2): ",
            "type=SECCOMP msg=audit(1795621906.661:2): ",
            "node=host type=SECCOMP msg=audit(1795621906.661:2): ",
            "type=UNKNOWN[1326] msg=audit(1795621906.661:2): ",
        ] {
            let found = event(&format!("{head}{BODY}")).unwrap_or_else(|| panic!("{head}"));
            assert_eq!((found.at, found.serial), (Some(Moment(1_795_621_906_661)), Some(2)), "{head}");
            assert_eq!((found.pid, found.comm.as_str(), found.exe.as_str()), (Some(26442), "mkdir", "/bin/busybox"));
            assert_eq!((found.what.name().as_str(), found.what.fate()), ("mkdir", Fate::Refused));
        }
        let enriched = format!("type=SECCOMP msg=audit(1.2:3): {BODY}\u{1d}ARCH=x86_64 SYSCALL=mkdir UID=\"root\"");
        assert_eq!(event(&enriched).unwrap().what.name(), "mkdir");
    }

    #[test]
    fn what_another_program_says_of_records_is_not_the_kernel_s() {
        for head in [
            "Nov 25 15:51:46 host app[7]: audit: type=1326 audit(1795621906.661:2): ",
            "app: audit: type=1326 audit(1795621906.661:2): ",
            "Nov 25 15:51:46 host app: type=SECCOMP msg=audit(1795621906.661:2): ",
            "[  12.3] app[7]: audit: type=1326 audit(1795621906.661:2): ",
            "type=1326 audit(1795621906.661:2): ",
            "type=USER_LOGIN msg=audit(1.2:3): msg='type=SECCOMP msg=audit(1795621906.661:2): ",
        ] {
            assert_eq!(event(&format!("{head}{BODY}")), None, "{head}");
        }
        let forged = r#"audit: type=1326 audit(1.2:3): pid=7 comm=6120706964 exe="/x" arch=c000003e syscall=83 code=0x50000 pid=8 syscall=1"#;
        let found = event(forged).unwrap();
        assert_eq!((found.pid, found.comm.as_str(), found.what.name().as_str()), (Some(7), "a pid", "mkdir"));
    }

    #[test]
    fn interfaces_and_actions_are_told_apart() {
        for (arch, number, code, name, fate) in [
            ("c000003e", "83", "0x50000", "mkdir", Fate::Refused),
            ("40000003", "39", "0x50000", "mkdir", Fate::Refused),
            ("c000003e", "1073741907", "0x0", "mkdir", Fate::Killed),
            ("c00000b7", "34", "0x80000000", "mkdirat", Fate::Killed),
            ("c000003e", "83", "0x7ffc0000", "mkdir", Fate::Logged),
            ("c000003e", "83", "0x30000", "mkdir", Fate::Trapped),
            ("c000003e", "9999", "0x50000", "call number 9999", Fate::Refused),
            ("dead", "83", "0x50000", "call number 83", Fate::Refused),
        ] {
            let body = BODY.replace("c000003e", arch).replace("syscall=83", &format!("syscall={number}"));
            let found = event(&format!("audit: type=1326 audit(1.2:3): {}", body.replace("0x50000", code))).unwrap();
            assert_eq!((found.what.name().as_str(), found.what.fate()), (name, fate), "{arch} {number} {code}");
        }
    }

    #[test]
    fn apparmor_s_refusals_are_events_and_its_other_lines_are_not() {
        let line = |outcome: &str| {
            format!(
                r#"audit: type=1400 audit(1795621906.661:2): apparmor="{outcome}" operation="open" class="file" profile="web" name="/etc/shadow" pid=7 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0"#
            )
        };
        let found = event(&line("DENIED")).unwrap();
        assert_eq!((found.what.name().as_str(), found.pid), ("open /etc/shadow", Some(7)));
        assert!(matches!(found.what, What::Access { profile, .. } if profile == "web"));
        assert_eq!(event(&line("ALLOWED")), None);
        assert_eq!(event(&line("STATUS")), None);
    }

    #[test]
    fn lost_messages_are_counted() {
        for (line, count) in [
            ("[87589.4] audit: rate limit exceeded", 0),
            ("[87589.4] kauditd_printk_skb: 36 callbacks suppressed", 36),
            ("audit: audit_lost=5 audit_rate_limit=0 audit_backlog_limit=64", 5),
            ("audit: backlog limit exceeded", 0),
        ] {
            assert_eq!(super::line(line), Heard::Lost(count), "{line}");
        }
        assert_eq!(super::line("hello"), Heard::Nothing);
    }
}
