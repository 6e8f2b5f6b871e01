//! The two roads by which a refusal reaches the person: the runtime's `--log` file and standard error.
//!
//! containerd and Docker show the last error line of the file and parse its time strictly; Podman wants the whole file
//! to be one JSON object; CRI-O reads standard error only. So a refusal is one line in the file, its text on standard
//! error, and a start that is not refused writes nothing at all: standard error is then already the container's.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::argv;
use super::clock::rfc3339;
use crate::escape::escape;
use crate::spec::quote;

/// Where a refusal is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Roads {
    file: Option<PathBuf>,
    json: bool,
}

impl Roads {
    /// Finds `--log` and `--log-format` in a command line that may be wrong further on.
    pub fn of(args: &[OsString]) -> Self {
        let (log, format) = argv::log_options(args);
        Self { file: log.as_deref().and_then(file_of), json: format.is_some_and(|format| format == "json") }
    }

    /// Writes one refusal by both roads. That the file cannot be written is said on standard error, which is all there
    /// is left.
    pub fn refuse(&self, problem: &str, hint: &str) {
        let (problem, hint) = (escape(problem), escape(hint));
        let mut spoken = format!("batten-runtime: {problem}\nhint: {hint}\n");
        if let Some(file) = &self.file {
            let line = self.line(&format!("batten: {problem}; hint: {hint}"), &rfc3339());
            if let Err(error) = append(file, &line) {
                spoken.push_str(&escape(&format!("batten-runtime: cannot write {}: {error}\n", file.display())));
            }
        }
        let _ = io::stderr().write_all(spoken.as_bytes());
    }

    /// One line, in the spelling of runc's logger.
    fn line(&self, message: &str, time: &str) -> String {
        let mut line = String::with_capacity(message.len() + 64);
        if self.json {
            line.push_str("{\"level\":\"error\",\"msg\":");
            quote(message, &mut line);
            line.push_str(",\"time\":");
            quote(time, &mut line);
            line.push('}');
        } else {
            line.push_str("time=");
            quote(time, &mut line);
            line.push_str(" level=error msg=");
            quote(message, &mut line);
        }
        line.push('\n');
        line
    }
}

/// crun also knows `file:PATH`, `journald:ID` and `syslog:ID`; the latter two have standard error here.
fn file_of(log: &OsStr) -> Option<PathBuf> {
    let bytes = log.as_bytes();
    if bytes.starts_with(b"journald:") || bytes.starts_with(b"syslog:") {
        return None;
    }
    Some(PathBuf::from(OsStr::from_bytes(bytes.strip_prefix(b"file:").unwrap_or(bytes))))
}

/// Appends in one write, without waiting for the other end of a pipe.
fn append(file: &PathBuf, line: &str) -> io::Result<()> {
    const NONBLOCK: i32 = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o644).custom_flags(NONBLOCK).open(file)?.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roads(line: &[&str]) -> Roads {
        Roads::of(&line.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_log_is_found_even_where_the_command_line_is_wrong() {
        let wanted = Roads { file: Some("/l".into()), json: true };
        assert_eq!(roads(&["--log", "/l", "--log-format=json", "create", "--frob"]), wanted);
        assert_eq!(roads(&["-log", "/l", "-log-format", "json", "--frob"]), wanted);
        assert_eq!(roads(&["--frob", "--log", "/l"]), Roads::default());
        assert_eq!(roads(&["--log", "file:/l", "list"]).file, Some("/l".into()));
        assert_eq!(roads(&["--log", "syslog:x", "list"]).file, None);
    }

    #[test]
    fn a_line_is_one_json_object_or_one_line_of_text() {
        let json = Roads { file: None, json: true };
        assert_eq!(json.line("a \"b\"\nc", "T"), "{\"level\":\"error\",\"msg\":\"a \\\"b\\\"\\nc\",\"time\":\"T\"}\n");
        let text = Roads { file: None, json: false };
        assert_eq!(text.line("a\nb", "T"), "time=\"T\" level=error msg=\"a\\nb\"\n");
    }
}
