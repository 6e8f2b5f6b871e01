//! AppArmor's lines in the kernel's log, the audit log, syslog and the journal.
//!
//! The kernel writes `apparmor="ALLOWED" operation="open" profile="web" name="/etc/hosts" …`; what stands before it depends
//! on who keeps the log. Text that a program chose is in quotes when it is plain, else in hexadecimal without quotes
//! (`audit_log_untrustedstring`), so a quote always ends a value and a name never forges a field.

/// Whether the access went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A profile in complain mode let it pass.
    Allowed,
    /// A profile refused it.
    Denied,
}

/// One line of AppArmor's about an access that no rule allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// What became of the access.
    pub outcome: Outcome,
    fields: Vec<(String, Vec<u8>)>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// An access.
    Access(Record),
    /// Lines before it or after it are missing.
    Lost,
    /// Something else.
    Other,
}

/// Fields whose text a program chose: they are hexadecimal when they have no quotes.
const UNTRUSTED: &[&str] = &[
    "name",
    "name2",
    "profile",
    "comm",
    "target",
    "srcname",
    "peer",
    "label",
    "namespace",
    "execpath",
    "peer_profile",
    "peer_label",
    "addr",
    "peer_addr",
    "exe",
];

/// What loggers write where lines are missing.
const LOST: &[&str] = &[
    "callbacks suppressed",
    "audit_lost=",
    "rate limit exceeded",
    "backlog limit exceeded",
    "messages lost",
    "queue overflow",
    "printk messages dropped",
];

impl Record {
    /// A field's bytes.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_slice())
    }

    /// A field as text, if it is some.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// A field's number.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }
}

impl Line {
    /// Reads a line, without its end. One in which a text is quoted that the kernel writes in hexadecimal
    /// (`audit_string_contains_control`, kernel/audit.c) was not the kernel's, or is damaged.
    pub(crate) fn parse(line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line);
        let Some(start) = text.find("apparmor=\"") else {
            let is_lost = LOST.iter().any(|sign| text.contains(sign));
            return if is_lost { Self::Lost } else { Self::Other };
        };
        let mut fields = written(&text[start..]);
        let outcome = match fields.next() {
            Some((_, value, _)) if value == b"ALLOWED" => Outcome::Allowed,
            Some((_, value, _)) if value == b"DENIED" => Outcome::Denied,
            // STATUS, AUDIT, HINT, KILLED, ERROR: nothing that a rule would change.
            _ => return Self::Other,
        };
        let mut known: Vec<(String, Vec<u8>)> = Vec::new();
        for (key, value, is_plain) in fields {
            if is_plain && UNTRUSTED.contains(&key) && !value.iter().all(u8::is_ascii_graphic) {
                return Self::Other;
            }
            // The kernel's own come first; auditd appends its reading of them (`PROFILE=…`), which has other keys.
            if !known.iter().any(|(first, _)| first == key) {
                known.push((key.to_owned(), value));
            }
        }
        Self::Access(Record { outcome, fields: known })
    }
}

/// `key="value"` and `key=value`, in order. What is neither is skipped.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = (&str, Vec<u8>)> {
    written(text).map(|(key, value, _)| (key, value))
}

/// As [`fields`], and whether the value stands there as it is and not in hexadecimal digits.
fn written(text: &str) -> impl Iterator<Item = (&str, Vec<u8>, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\'' || c == '\u{1d}');
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            let Some(value) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let (value, is_plain, after) = value_of(key, value);
            rest = after;
            return Some((key, value, is_plain));
        }
    })
}

fn value_of<'t>(key: &str, text: &'t str) -> (Vec<u8>, bool, &'t str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted.find('"').unwrap_or(quoted.len());
        let after = quoted.get(end + 1..).unwrap_or_default();
        return (quoted.as_bytes()[..end].to_vec(), true, after);
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '\u{1d}').unwrap_or(text.len());
    let (value, after) = text.split_at(end);
    // The kernel's strings end at a NUL, so one that holds it was not the kernel's.
    let decoded = UNTRUSTED.contains(&key).then(|| unhex(value)).flatten().filter(|text| !text.contains(&0));
    match decoded {
        Some(text) => (text, false, after),
        None => (value.as_bytes().to_vec(), true, after),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> Record {
        match Line::parse(line.as_bytes()) {
            Line::Access(record) => record,
            other => panic!("{other:?}: {line}"),
        }
    }

    const FIELDS: &str = r#"apparmor="ALLOWED" operation="open" class="file" profile="web" name="/etc/hosts" pid=7 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0"#;

    #[test]
    fn whoever_keeps_the_log_the_fields_are_the_kernel_s() {
        for before in [
            "type=AVC msg=audit(1763980000.123:42): ",
            "[   12.345678] audit: type=1400 audit(1763980000.123:42): ",
            "Nov 24 11:00:00 host kernel: [   12.345678] audit: type=1400 audit(1763980000.123:42): ",
            "2025-11-24T11:00:00.1+01:00 host kernel: audit: type=1400 audit(1763980000.123:42): ",
            "AVC ",
            "",
        ] {
            let own = record(&format!("{before}{FIELDS}"));
            assert_eq!(
                (own.outcome, own.text("profile"), own.text("name")),
                (Outcome::Allowed, Some("web"), Some("/etc/hosts"))
            );
            assert_eq!((own.text("denied_mask"), own.number("pid")), (Some("r"), Some(7)));
        }
        let enriched = record(&format!("type=AVC msg=audit(1.2:3): {FIELDS}\u{1d}FSUID=\"root\" OUID=\"root\""));
        assert_eq!((enriched.number("ouid"), enriched.text("FSUID")), (Some(0), Some("root")));
    }

    #[test]
    fn a_name_that_a_program_chose_is_hexadecimal_and_forges_nothing() {
        let own = record(
            r#"apparmor="DENIED" operation="open" profile=6D7920776562 name=2F746D702F6122206E616D653D222F comm=22 pid=1 requested_mask="r""#,
        );
        assert_eq!(own.get("name"), Some(&b"/tmp/a\" name=\"/"[..]));
        assert_eq!(own.text("profile"), Some("my web"));
        assert_eq!(own.text("comm"), Some("\""));
        assert_eq!(record(r#"apparmor="DENIED" name=2F746D702FE9 pid=12"#).get("name"), Some(&b"/tmp/\xe9"[..]));
        assert_eq!(record(r#"apparmor="DENIED" capability=21 capname="sys_admin""#).text("capability"), Some("21"));
    }

    #[test]
    fn what_the_kernel_would_write_in_digits_was_not_its_own() {
        for name in
            ["\"/tmp/a b\"", "\"/tmp/\u{e9}\"", "\"/etc/pas\0\0 pid=7 comm=\"", "/tmp/\u{e9}", "/\"\u{2}\0c/passwd\""]
        {
            let line = format!(r#"apparmor="ALLOWED" operation="open" profile="web" name={name} pid=7"#);
            assert_eq!(Line::parse(line.as_bytes()), Line::Other, "{line:?}");
        }
        let said =
            record(r#"apparmor="DENIED" operation="mount" info="failed mntpnt match" profile="web" name="/mnt""#);
        assert_eq!(said.text("info"), Some("failed mntpnt match"));
    }

    #[test]
    fn a_line_that_says_that_lines_are_missing_is_heard() {
        for line in [
            "[87589.4] audit: rate limit exceeded",
            "audit_printk_skb: 36 callbacks suppressed",
            "audit: audit_lost=5 audit_rate_limit=0",
        ] {
            assert_eq!(Line::parse(line.as_bytes()), Line::Lost, "{line}");
        }
        for line in [
            "",
            "hello",
            r#"apparmor="STATUS" operation="profile_load" name="x""#,
            r#"apparmor="AUDIT" operation="open""#,
            "apparmor=\"",
        ] {
            assert_eq!(Line::parse(line.as_bytes()), Line::Other, "{line}");
        }
    }
}
