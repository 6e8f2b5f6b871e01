//! Lines of any log into what they say: audit.log, dmesg, /dev/kmsg, kern.log, the journal's JSON and export, the shim's log of
//! decisions. What a line is, it says itself; every format may come on standard input.

use std::io::{self, BufRead};

use super::decision::{self, Decision};
use super::heard::Heard;
use super::journal::Entry;
use super::record;

/// Longest line that is read, in bytes; the kernel's are shorter than 9000, a decision's findings are bounded by its bundle.
pub(super) const MAX_LINE: usize = 1 << 20;

/// Reads one log, line by line.
#[derive(Debug, Default)]
pub struct Reader {
    /// The entry of an export that is being read.
    entry: Option<Entry>,
}

impl Reader {
    /// Reads a line, with or without its end.
    pub fn line(&mut self, line: &[u8]) -> Heard {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'{') {
            return object(line);
        }
        let text = String::from_utf8_lossy(line);
        if self.export(&text) {
            return Heard::Nothing;
        }
        match self.entry.take() {
            Some(entry) => entry.heard(),
            None => plain(&text),
        }
    }

    /// What is left at the end of the log.
    pub fn end(&mut self) -> Heard {
        self.entry.take().map_or(Heard::Nothing, |entry| entry.heard())
    }

    /// Takes a field of an entry of the journal's export; `false` for anything else. An entry begins with its cursor and ends
    /// with an empty line.
    fn export(&mut self, text: &str) -> bool {
        if text.starts_with("__CURSOR=") {
            self.entry = Some(Entry::default());
            return true;
        }
        let (Some(entry), false) = (&mut self.entry, text.is_empty()) else { return false };
        if let Some((key, value)) = text.split_once('=') {
            entry.set(key, value);
        }
        true
    }
}

fn object(line: &[u8]) -> Heard {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else { return Heard::Nothing };
    match Entry::of_json(&value) {
        Some(entry) => entry.heard(),
        None => Decision::of(&value).map_or(Heard::Nothing, Heard::decision),
    }
}

fn plain(text: &str) -> Heard {
    // syslog's line of the shim: `Nov 24 11:00:00 host batten-runtime[7]: {…}`.
    if let Some((head, json)) = text.split_once("]: {")
        && head.rsplit(' ').next().is_some_and(|tag| tag.starts_with(decision::IDENTIFIER))
    {
        let decision = Decision::parse(format!("{{{json}").as_bytes());
        return decision.map_or(Heard::Nothing, Heard::decision);
    }
    record::line(without_kmsg_head(text))
}

/// `/dev/kmsg` begins its lines with `5,1234,868354970,-;` (Documentation/ABI/testing/dev-kmsg). User space may write there as
/// well, with another facility than the kernel's 0: such lines stay as they are, and say nothing.
fn without_kmsg_head(text: &str) -> &str {
    let Some((head, rest)) = text.split_once(';') else { return text };
    let mut words = head.split(',');
    let priority: Option<u32> = words.next().and_then(|word| word.parse().ok());
    let numbers = words.next().is_some_and(|word| word.parse::<u64>().is_ok())
        && words.next().is_some_and(|word| word.parse::<u64>().is_ok());
    match priority {
        Some(priority) if numbers && priority < 8 => rest,
        _ => text,
    }
}

/// Reads a whole log and hands on what it says.
///
/// # Errors
/// What the log's reader says.
pub(super) fn read_all(mut log: impl BufRead, mut take: impl FnMut(Heard)) -> io::Result<()> {
    let (mut reader, mut line) = (Reader::default(), Vec::new());
    while next_line(&mut log, &mut line)? {
        take(reader.line(&line));
    }
    take(reader.end());
    Ok(())
}

/// The next line without its end; of one that is too long only the start. `false` at the end.
fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let buffer = match log.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = memchr::memchr(b'\n', buffer);
        let taken = end.unwrap_or(buffer.len());
        let room = MAX_LINE.saturating_sub(line.len());
        line.extend_from_slice(&buffer[..taken.min(room)]);
        log.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::moment::Moment;
    use super::*;

    const RECORD: &str = r#"auid=1 uid=0 gid=0 ses=1 pid=7 comm="mkdir" exe="/bin/busybox" sig=0 arch=c000003e syscall=83 compat=0 ip=0x1 code=0x50000"#;

    fn heard(text: &str) -> Vec<Heard> {
        let mut all = Vec::new();
        read_all(text.as_bytes(), |heard| all.push(heard)).unwrap();
        all.retain(|heard| *heard != Heard::Nothing);
        all
    }

    fn events(text: &str) -> Vec<(Option<Moment>, Option<u64>)> {
        let of = |heard: &Heard| match heard {
            Heard::Event(event) => Some((event.at, event.serial)),
            _ => None,
        };
        heard(text).iter().filter_map(of).collect()
    }

    #[test]
    fn the_journal_is_believed_by_its_own_fields_only() {
        let quoted = RECORD.replace('"', "\\\"");
        let kernel = format!(
            r#"{{"_TRANSPORT":"kernel","MESSAGE":"audit: type=1326 audit(1795621906.661:2): {quoted}","__REALTIME_TIMESTAMP":"1795621906700000"}}"#
        );
        let audit = format!(
            r#"{{"_TRANSPORT":"audit","MESSAGE":"SECCOMP {quoted}","_AUDIT_ID":"2","_SOURCE_REALTIME_TIMESTAMP":"1795621906661000","__REALTIME_TIMESTAMP":"1795621906700000"}}"#
        );
        let same = (Some(Moment(1_795_621_906_661)), Some(2));
        assert_eq!(events(&kernel), [same]);
        assert_eq!(events(&audit), [same], "the audit socket's copy of the same record has the same stamp");
        assert!(events(&kernel.replace("kernel\",", "syslog\",")).is_empty());
        let bytes: Vec<String> = format!("SECCOMP {RECORD}").bytes().map(|byte| byte.to_string()).collect();
        assert_eq!(
            events(&format!(r#"{{"_TRANSPORT":"audit","MESSAGE":[{}],"_AUDIT_ID":"2"}}"#, bytes.join(","))).len(),
            1
        );
        let export = format!(
            "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795621906661000\n_TRANSPORT=audit\n_AUDIT_ID=2\nMESSAGE=SECCOMP {RECORD}\n\n"
        );
        assert_eq!(events(&(export.clone() + &export)), [same, same]);
        assert!(events(&export.replace("=audit", "=stdout")).is_empty());
        let missed = r#"{"_TRANSPORT":"driver","MESSAGE":"Missed 36 kernel messages"}"#;
        assert_eq!(heard(missed), [Heard::Lost(36)]);
    }

    #[test]
    fn kmsg_is_the_kernel_s_where_its_facility_says_so() {
        let line = |priority: u32| {
            format!("{priority},1234,868354970,-;audit: type=1326 audit(1.2:3): {RECORD}\n SUBSYSTEM=x\n")
        };
        assert_eq!(events(&line(5)).len(), 1);
        assert!(events(&line(13)).is_empty(), "user space wrote it");
    }

    #[test]
    fn decisions_are_read_from_a_file_a_syslog_and_the_journal_of_root() {
        let line = r#"{"time":"2026-11-24T11:00:00Z","command":"create","id":"web","runtime":"/usr/sbin/runc","bundle":"/b/config.json","subject":{"namespace":"prod"},"verdict":"fixed","findings":[{"rule":"capabilities","severity":"critical","disposition":"fixed","pointer":"/p","message":"CAP_SYS_ADMIN is above the ceiling","policy":"/etc/batten/policy.toml:2 (capabilities.ceiling)"},{"rule":"apparmor","disposition":"waived","message":"x"}]}"#;
        let quoted = serde_json::Value::from(line).to_string();
        let journal = |uid: u32| {
            format!(
                r#"{{"_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"batten-runtime","_UID":"{uid}","MESSAGE":{quoted}}}"#
            )
        };
        for text in [line.to_owned(), format!("Nov 24 11:00:00 host batten-runtime[7]: {line}"), journal(0)] {
            let [Heard::Decision(decision)] = &heard(&text)[..] else { panic!("{text}") };
            assert_eq!((decision.id.as_str(), decision.matters.len()), ("web", 1));
            assert_eq!(decision.subject.namespace.as_deref(), Some("prod"));
        }
        assert!(heard(&journal(1000)).is_empty(), "anyone may send to the journal under any name");
        let refused = r#"{"time":"2026-11-24T11:00:00Z","command":"unknown","id":"","verdict":"refused","error":"no"}"#;
        let [Heard::Decision(decision)] = &heard(refused)[..] else { panic!() };
        assert_eq!(decision.matters[0].message, "no");
    }
}
