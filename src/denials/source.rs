//! Where logs are, and how to wait for what comes next.

use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::heard::Heard;
use super::moment::Moment;
use super::reader::{Reader, read_all};
use super::tail::{self, Tail};

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
            Self::File(path) => tail::open(path).and_then(|file| read_all(BufReader::new(file), take)),
            Self::Kmsg => kmsg(nix::libc::O_NONBLOCK, take),
            Self::Journal(since) => journal(*since, false, take),
        };
        read.map_err(|source| self.error(source))
    }

    /// The file that it is, to be looked at again and again; none for what has to be waited for.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn tail(&self) -> Option<Result<Tail, SourceError>> {
        match self {
            Self::File(path) if path.is_file() => Some(Tail::open(path)),
            _ => None,
        }
    }

    /// Reads all there is and whatever comes, until the log ends, as standard input and pipes do.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn follow(&self, take: impl FnMut(Heard)) -> Result<(), SourceError> {
        if let Some(tail) = self.tail() {
            return follow(tail?, take);
        }
        match self {
            Self::Stdin | Self::File(_) => self.read(take),
            Self::Kmsg => kmsg(0, take).map_err(|source| self.error(source)),
            Self::Journal(since) => journal(*since, true, take).map_err(|source| self.error(source)),
        }
    }

    fn error(&self, source: io::Error) -> SourceError {
        SourceError { name: self.name(), source }
    }
}

fn follow(mut tail: Tail, mut take: impl FnMut(Heard)) -> Result<(), SourceError> {
    loop {
        tail.read(&mut take)?;
        std::thread::sleep(PAUSE);
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
