//! One JSON line per decision, for whoever asks later what was started and why.
//!
//! ```json
//! {"time":"2026-11-24T11:00:00Z","command":"create","id":"web","verdict":"fixed","runtime":"/usr/sbin/runc",
//!  "bundle":"/run/…","subject":{"namespace":"prod"},"findings":[{"rule":"capabilities","severity":"critical",
//!  "disposition":"fixed","pointer":"/process/capabilities","message":"…","policy":"/etc/batten/policy.toml:3 (…)"}]}
//! ```
//!
//! A line goes out in one write that never waits: a datagram to `/dev/log`, or an append to a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use super::clock::rfc3339;
use super::config::DecisionLog;
use crate::finding::{Disposition, Finding};
use crate::policy::Policy;
use crate::settings::Subject;
use crate::spec::quote;

/// Where syslog daemons and the journal listen.
const SYSLOG: &str = "/dev/log";

/// `LOG_AUTHPRIV | LOG_NOTICE` (syslog(3)): who may do what.
const PRIORITY: u8 = 10 << 3 | 5;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Started as it was.
    Clean,
    /// Started within the policy, changed.
    Fixed,
    /// Not started: the policy says no.
    Denied,
    /// Not started: it could not be judged.
    Refused,
}

impl Decision {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Fixed => "fixed",
            Self::Denied => "denied",
            Self::Refused => "refused",
        }
    }

    /// What a list of findings comes to.
    pub fn of(findings: &[Finding]) -> Self {
        match findings.iter().map(|finding| finding.disposition).max() {
            Some(Disposition::Denied) => Self::Denied,
            Some(Disposition::Fixed) => Self::Fixed,
            _ => Self::Clean,
        }
    }
}

/// The line that is being put together; nothing is where nothing is logged.
#[derive(Debug)]
pub struct Entry<'c> {
    to: &'c DecisionLog,
    line: String,
}

impl<'c> Entry<'c> {
    /// Begins a line; `command` is create, run, restore or exec.
    pub fn new(to: &'c DecisionLog, command: &str, id: &str) -> Self {
        let mut entry = Self { to, line: String::new() };
        if entry.is_wanted() {
            entry.line.push('{');
            entry.text("time", &rfc3339());
            entry.text("command", command);
            entry.text("id", id);
        }
        entry
    }

    fn is_wanted(&self) -> bool {
        *self.to != DecisionLog::None
    }

    /// Adds a member.
    pub fn text(&mut self, key: &str, value: &str) {
        if !self.is_wanted() {
            return;
        }
        self.key(key);
        quote(value, &mut self.line);
    }

    fn key(&mut self, key: &str) {
        if !self.line.ends_with('{') {
            self.line.push(',');
        }
        quote(key, &mut self.line);
        self.line.push(':');
    }

    /// Adds the verdict.
    pub fn decision(&mut self, decision: Decision) {
        self.text("verdict", decision.as_str());
    }

    /// Adds who it was.
    pub fn subject(&mut self, subject: &Subject) {
        if !self.is_wanted() {
            return;
        }
        self.key("subject");
        self.line.push('{');
        let named = [
            ("namespace", &subject.namespace),
            ("pod", &subject.pod),
            ("container", &subject.container),
            ("image", &subject.image),
        ];
        for (key, value) in named {
            if let Some(value) = value {
                self.text(key, value);
            }
        }
        if !subject.annotations.is_empty() {
            self.key("annotations");
            self.line.push('{');
            for (key, value) in &subject.annotations {
                self.text(key, value);
            }
            self.line.push('}');
        }
        self.line.push('}');
    }

    /// Adds what was found.
    pub fn findings(&mut self, findings: &[Finding], policy: &Policy) {
        if !self.is_wanted() {
            return;
        }
        self.key("findings");
        self.line.push('[');
        for finding in findings {
            if !self.line.ends_with('[') {
                self.line.push(',');
            }
            self.line.push('{');
            self.text("rule", finding.rule.0);
            self.text("severity", finding.severity.as_str());
            self.text("disposition", finding.disposition.as_str());
            self.text("pointer", finding.pointer.as_str());
            self.text("message", &finding.message);
            self.text("policy", &policy.cite(finding.origin));
            if let Some(waiver) = &finding.waiver {
                self.text("waiver", waiver);
            }
            self.line.push('}');
        }
        self.line.push(']');
    }

    /// Writes the line.
    ///
    /// # Errors
    /// What the kernel says: no such socket, no room, a full queue.
    pub fn write(mut self) -> io::Result<()> {
        self.line.push('}');
        match self.to {
            DecisionLog::None => Ok(()),
            DecisionLog::Syslog => syslog(Path::new(SYSLOG), &self.line),
            DecisionLog::File(path) => {
                self.line.push('\n');
                append(path, &self.line)
            }
        }
    }
}

fn syslog(socket: &Path, line: &str) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to(format!("<{PRIORITY}>batten-runtime[{}]: {line}", std::process::id()).as_bytes(), socket)?;
    Ok(())
}

/// The log is root's to read: it names bundles and pods.
fn append(path: &Path, line: &str) -> io::Result<()> {
    use nix::fcntl::OFlag;
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    file.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_whatever_the_bundle_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let to = DecisionLog::File(path.clone());
        let mut entry = Entry::new(&to, "create", "web");
        entry.decision(Decision::Refused);
        entry.subject(&Subject { namespace: Some("a\"\n\u{1b}[31m".into()), ..Subject::default() });
        entry.findings(&[], &Policy::built_in());
        entry.text("error", "no");
        entry.write().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1);
        let document = crate::spec::Document::parse(text.trim_end()).unwrap();
        assert_eq!(document.root().get("verdict").and_then(crate::spec::Value::as_str).as_deref(), Some("refused"));
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_full_queue_of_the_log_daemon_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let _daemon_that_never_reads = UnixDatagram::bind(&path).unwrap();
        let result = (0..10_000).try_for_each(|_| syslog(&path, "{}"));
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
