//! Where logs are, and how to wait for what comes next.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::heard::Heard;
use super::moment::Moment;
use super::reader::{MAX_LINE, Reader, read_all};

/// How often a file is looked at for more.
const PAUSE: Duration = Duration::from_millis(200);

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file: audit.log, kern.log, a log of decisions.
    File(PathBuf),
    /// The kernel's own ring buffer.
    Kmsg,
    /// The journal of this boot, or since then.
    Journal(Option<Moment>),
}

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {name}: {source}")]
pub struct SourceError {
    /// What it is called.
    pub name: String,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl SourceError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => "run as root: the kernel's log tells much of the machine",
            _ => "name a log with --log FILE: /var/log/audit/audit.log, /var/log/kern.log, or - for what is piped in",
        }
    }
}

impl Source {
    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Kmsg => "/dev/kmsg".to_owned(),
            Self::Journal(_) => "the journal".to_owned(),
        }
    }

    /// Reads all there is by now.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn read(&self, take: impl FnMut(Heard)) -> Result<(), SourceError> {
        let read = match self {
            Self::Stdin => read_all(io::stdin().lock(), take),
            Self::File(path) => open(path).and_then(|file| read_all(BufReader::new(file), take)),
            Self::Kmsg => kmsg(nix::libc::O_NONBLOCK, take),
            Self::Journal(since) => journal(*since, false, take),
        };
        read.map_err(|source| SourceError { name: self.name(), source })
    }

    /// Reads all there is and whatever comes, until the log ends, as standard input does.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn follow(&self, take: impl FnMut(Heard)) -> Result<(), SourceError> {
        let read = match self {
            Self::Stdin => read_all(io::stdin().lock(), take),
            Self::File(path) => follow(path, take),
            Self::Kmsg => kmsg(0, take),
            Self::Journal(since) => journal(*since, true, take),
        };
        read.map_err(|source| SourceError { name: self.name(), source })
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(file)
}

/// Reads a file to its end, and again when it grows; when another takes its name (a log was rotated), that one, after what was
/// written to the old one until then. A line without its end is still being written, and waits.
fn follow(path: &Path, mut take: impl FnMut(Heard)) -> io::Result<()> {
    let mut file = open(path)?;
    let (mut reader, mut pending) = (Reader::default(), Vec::new());
    let mut piece = vec![0; 64 << 10];
    let mut successor = None;
    loop {
        let got = file.read(&mut piece)?;
        for part in piece[..got].split_inclusive(|byte| *byte == b'\n') {
            if pending.len() < MAX_LINE {
                pending.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                take(reader.line(&pending));
                pending.clear();
            }
        }
        if got > 0 {
            continue;
        }
        if let Some(next) = successor.take() {
            file = next;
            pending.clear();
            continue;
        }
        std::thread::sleep(PAUSE);
        let known = file.metadata()?;
        match std::fs::metadata(path) {
            Ok(seen) if seen.ino() != known.ino() || seen.dev() != known.dev() => successor = open(path).ok(),
            Ok(seen) if seen.len() < file.stream_position()? => {
                file.seek(SeekFrom::Start(0))?;
                pending.clear();
            }
            Ok(_) => {}
            // Between the two names of a rotation.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads the ring buffer, a record at a time.
fn kmsg(flags: i32, mut take: impl FnMut(Heard)) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg")?;
    let (mut reader, mut record) = (Reader::default(), [0; 8192]);
    loop {
        match file.read(&mut record) {
            Ok(0) => return Ok(()),
            Ok(length) => record[..length].split(|byte| *byte == b'\n').for_each(|line| take(reader.line(line))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The buffer came round: records were overwritten before they were read.
            Err(error) if error.raw_os_error() == Some(nix::libc::EPIPE) => take(Heard::Lost(0)),
            Err(error) => return Err(error),
        }
    }
}

/// What journald says of kernel messages that it did not read in time (`SD_MESSAGE_JOURNAL_MISSED`).
const MISSED: &str = "MESSAGE_ID=e9bf28e6e834481bb6f48f548ad13606";

/// The kernel's and its audit socket's messages, and the shim's decisions.
fn journal(since: Option<Moment>, is_followed: bool, mut take: impl FnMut(Heard)) -> io::Result<()> {
    let mut command = Command::new("journalctl");
    // Not --quiet: whom it does not show the system's messages, it tells so on standard error.
    command.args(["--no-pager", "--output=json"]);
    match since {
        Some(since) => command.arg(format!("--since=@{}", since.0 / 1000)),
        None => command.arg("--boot"),
    };
    if is_followed {
        command.args(["--follow", "--lines=all"]);
    }
    command.args(["_TRANSPORT=kernel", "+", "_TRANSPORT=audit", "+", "SYSLOG_IDENTIFIER=batten-runtime"]);
    command.args(["+", MISSED]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(no_journalctl)?;
    let mut is_empty = true;
    let counted = |heard| {
        is_empty &= heard == Heard::Nothing;
        take(heard);
    };
    let read = child.stdout.take().map_or(Ok(()), |out| read_all(BufReader::new(out), counted));
    let status = child.wait()?;
    read?;
    match status.success() {
        false => Err(io::Error::other(format!("journalctl ended with {status}"))),
        true if is_empty && !there_is_a_journal()? => {
            Err(io::Error::new(io::ErrorKind::NotFound, "this machine keeps none (systemd-journald)"))
        }
        true => Ok(()),
    }
}

/// Where there is none, journalctl shows nothing and calls it a success.
fn there_is_a_journal() -> io::Result<bool> {
    let shown = Command::new("journalctl").args(["--header", "--no-pager"]).stdin(Stdio::null()).output();
    Ok(!shown.map_err(no_journalctl)?.stdout.is_empty())
}

fn no_journalctl(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("journalctl cannot be run: {error}"))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_was_written_just_before_a_log_is_rotated_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
        let record = |pid: i32| {
            format!("type=SECCOMP msg=audit(1.0:{pid}): pid={pid} comm=\"a\" arch=c000003e syscall=83 code=0x50000\n")
        };
        std::fs::write(&path, record(1)).unwrap();
        let (sender, heard) = mpsc::channel();
        let source = Source::File(path.clone());
        // It ends with the tests.
        std::thread::spawn(move || source.follow(|one| drop(sender.send(one))));
        let next = || match heard.recv_timeout(Duration::from_secs(30)) {
            Ok(Heard::Event(event)) => event.pid,
            other => panic!("{other:?}"),
        };
        assert_eq!(next(), Some(1));
        // By now the end was met, and the next look is to come.
        std::thread::sleep(PAUSE / 4);
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(record(2).as_bytes()).unwrap();
        std::fs::rename(&path, &old).unwrap();
        std::fs::write(&path, record(3)).unwrap();
        assert_eq!([next(), next()], [Some(2), Some(3)]);
        // Truncated in the middle of a line.
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"type=SECC").unwrap();
        std::thread::sleep(3 * PAUSE);
        std::fs::write(&path, record(4)).unwrap();
        std::thread::sleep(3 * PAUSE);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(record(5).as_bytes()).unwrap();
        assert_eq!([next(), next()], [Some(4), Some(5)]);
    }
}
