//! One process as the kernel describes it in /proc: who it is, what it may, what confines it.
//!
//! The folder of a process is opened once and everything is read through it. A descriptor of `/proc/PID` belongs to the
//! process, not to the number: when that one is gone reads fail with ESRCH, even if another has its number by then
//! (`fs/proc/base.c`).

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fstatat};

use super::status::{Credentials, Status, StatusError};

/// What the kernel did not say of a process that is there.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A file in its folder cannot be read.
    #[error("cannot read /proc/{pid}/{file}: {}", error.desc())]
    File {
        /// The process.
        pid: i32,
        /// The file.
        file: String,
        /// Why.
        error: Errno,
    },
    /// A file in its folder says something else than every kernel before.
    #[error("/proc/{pid}/{file}: {error}")]
    Status {
        /// The process.
        pid: i32,
        /// The file.
        file: String,
        /// Why.
        #[source]
        error: StatusError,
    },
}

impl ProcessError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "run as root on the host: another user's processes show little of themselves",
            Self::Status { .. } => "batten reads what Linux 4.10 and later write; report this line",
        }
    }
}

/// A kind of namespace, by its name in `/proc/PID/ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamespaceKind(pub &'static str);

/// All kinds, as `lsns` orders them.
pub const NAMESPACES: [NamespaceKind; 8] = [
    NamespaceKind("user"),
    NamespaceKind("mnt"),
    NamespaceKind("pid"),
    NamespaceKind("net"),
    NamespaceKind("ipc"),
    NamespaceKind("uts"),
    NamespaceKind("cgroup"),
    NamespaceKind("time"),
];

/// One namespace: processes in the same one have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace {
    device: u64,
    /// The number in `mnt:[4026531841]`.
    pub inode: u64,
}

/// The namespaces of a process, in the order of [`NAMESPACES`]; none where the kernel has no such kind.
pub type Namespaces = [Option<Namespace>; NAMESPACES.len()];

/// A process, held so that no other can be mistaken for it.
pub struct Process {
    pid: i32,
    folder: OwnedFd,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

/// A thread that differs from the first one of its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its number.
    pub tid: i32,
    /// What it may.
    pub credentials: Credentials,
}

/// What all was read of a process at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its first thread.
    pub status: Status,
    /// Threads with other credentials than the first: capabilities, no_new_privs and filters belong to a thread.
    pub threads: Vec<Thread>,
    /// What `/proc/PID/attr/…/current` says; none where the kernel has no AppArmor.
    pub label: Option<String>,
    /// Its namespaces.
    pub namespaces: Namespaces,
    /// The file it runs.
    pub program: String,
}

impl Process {
    /// Opens the process, if it is there.
    ///
    /// # Errors
    /// [`ProcessError::File`].
    pub fn open(pid: i32) -> Result<Option<Self>, ProcessError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match openat(AT_FDCWD, &*format!("/proc/{pid}"), flags, Mode::empty()) {
            Ok(folder) => Ok(Some(Self { pid, folder })),
            Err(error) if is_gone(error) => Ok(None),
            Err(error) => Err(ProcessError::File { pid, file: String::new(), error }),
        }
    }

    /// Its number.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it is still there: then its number is still its own.
    pub fn is_there(&self) -> bool {
        matches!(self.read("stat"), Ok(Some(_)))
    }

    /// When it started, in clock ticks since boot (`proc_pid_stat(5)`, field 22): what runtimes note beside its number.
    pub fn start_time(&self) -> Option<u64> {
        let text = self.read("stat").ok()??;
        // The name, in brackets, can hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        rest.split_ascii_whitespace().nth(19)?.parse().ok()
    }

    /// A file in its folder; none when the process is gone.
    ///
    /// # Errors
    /// [`ProcessError::File`].
    pub fn read(&self, file: &str) -> Result<Option<String>, ProcessError> {
        let failed = |error| ProcessError::File { pid: self.pid, file: file.to_owned(), error };
        let opened = openat(self.folder.as_fd(), Path::new(file), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        let mut text = Vec::new();
        let read = opened.and_then(|file| {
            let read = File::from(file).read_to_end(&mut text);
            read.map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
        });
        match read {
            Ok(_) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Err(error) if is_gone(error) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// One of its namespaces.
    pub fn namespace(&self, kind: NamespaceKind) -> Option<Namespace> {
        let seen = fstatat(self.folder.as_fd(), &*format!("ns/{}", kind.0), AtFlags::empty()).ok()?;
        Some(Namespace { device: seen.st_dev, inode: seen.st_ino })
    }

    /// All of its namespaces.
    pub fn namespaces(&self) -> Namespaces {
        NAMESPACES.map(|kind| self.namespace(kind))
    }

    /// The file it runs, as the kernel names it; empty for what may not be asked.
    pub fn program(&self) -> String {
        readlinkat(self.folder.as_fd(), "exe").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Everything at once; none when the process is gone or only waits for its parent.
    ///
    /// # Errors
    /// [`ProcessError`] for what the kernel does not show.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, ProcessError> {
        let Some(status) = self.status("status")?.filter(|status| !status.is_dead()) else { return Ok(None) };
        let namespaces = self.namespaces();
        let (program, label) = (self.program(), self.label()?);
        let threads = self.threads(&status)?;
        Ok(self.is_there().then_some(Snapshot { status, threads, label, namespaces, program }))
    }

    fn status(&self, file: &str) -> Result<Option<Status>, ProcessError> {
        let failed = |error| ProcessError::Status { pid: self.pid, file: file.to_owned(), error };
        self.read(file)?.map(|text| Status::parse(&text)).transpose().map_err(failed)
    }

    fn threads(&self, first: &Status) -> Result<Vec<Thread>, ProcessError> {
        let mut others = Vec::new();
        for tid in self.tids() {
            let Some(status) = self.status(&format!("task/{tid}/status"))? else { continue };
            if tid != self.pid && !status.is_dead() && status.credentials != first.credentials {
                others.push(Thread { tid, credentials: status.credentials });
            }
        }
        Ok(others)
    }

    /// The numbers of its threads.
    pub fn tids(&self) -> Vec<i32> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let Ok(mut folder) = nix::dir::Dir::openat(self.folder.as_fd(), "task", flags, Mode::empty()) else {
            return Vec::new();
        };
        folder.iter().flatten().filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
    }

    /// AppArmor's own file first: the older one may be another security module's.
    fn label(&self) -> Result<Option<String>, ProcessError> {
        for file in ["attr/apparmor/current", "attr/current"] {
            match self.read(file) {
                Ok(Some(text)) => return Ok(Some(text.trim_end_matches(['\n', '\0']).to_owned())),
                Ok(None) => {}
                // No security module answers.
                Err(ProcessError::File { error: Errno::EINVAL | Errno::ENOTSUP, .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Not there (any more).
fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::ENOENT | Errno::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_whole() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let process = Process::open(pid).unwrap().unwrap();
        let seen = process.snapshot().unwrap().unwrap();
        assert!(process.start_time().is_some_and(|ticks| ticks > 0) && process.is_there());
        assert_eq!(seen.status.user.first(), Some(&nix::unistd::getuid().as_raw()));
        assert!(seen.program.contains("batten"), "{}", seen.program);
        assert!(seen.namespaces[1].is_some());
    }

    #[test]
    fn a_process_that_is_gone_is_no_error() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let process = Process::open(i32::try_from(child.id()).unwrap()).unwrap().unwrap();
        assert!(process.snapshot().unwrap().is_some());
        child.kill().unwrap();
        crate::attest::tests::eventually(|| process.snapshot().unwrap().is_none(), "a zombie holds nothing");
        child.wait().unwrap();
        assert!(process.snapshot().unwrap().is_none() && !process.is_there());
        assert!(Process::open(i32::MAX).unwrap().is_none());
    }
}
