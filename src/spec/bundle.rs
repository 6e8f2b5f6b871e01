//! Files that decide what a container may do: opened without being led astray, replaced whole or not at all.
//!
//! batten runs as root on files that others may be able to touch. So the folder is opened once and named by descriptor,
//! the file in it is opened without following a link, must be a regular file with one name, owned by root or by the
//! user batten runs as, and is read up to a bound. A replacement is written to a new file beside it and renamed over
//! it: a reader, a kill or a full disk finds the old text or the new one.

use std::fs::{File, Metadata, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, geteuid, unlinkat};

use super::document::MAX_BYTES;
use super::way::{Astray, others, trust_way};

/// The file that a bundle is named after.
pub const CONFIG: &str = "config.json";

/// A file that could not be opened, trusted, read or replaced.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {problem}", path.display())]
pub struct FileError {
    /// What was tried: `read`, `trust`, `write`, …
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What stood in the way.
    #[source]
    pub problem: Problem,
}

/// What stood in the way of a file operation.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The kernel said no.
    #[error("{}", .0.desc())]
    System(#[from] Errno),
    /// A link where the file itself should be.
    #[error("it is a symbolic link")]
    Symlink,
    /// Not a regular file: a folder, a pipe, a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// Someone holds the file under another name and could change it after it was judged.
    #[error("it has {0} names (hard links)")]
    HardLinks(u64),
    /// Someone other than root and the user batten runs as owns it.
    #[error("it belongs to user {0}")]
    Owner(u32),
    /// Anyone may write it.
    #[error("anyone may write it (mode {0:o})")]
    WorldWritable(u32),
    /// A group of root's file may write it.
    #[error("its group {gid} may write it (mode {mode:o})")]
    GroupWritable {
        /// The group.
        gid: u32,
        /// The mode.
        mode: u32,
    },
    /// Someone other than root and the user batten runs as could put another file in its place.
    #[error("its folder {0}")]
    Folder(Doubt),
    /// Someone other than root and the user batten runs as could lead the path to it elsewhere.
    #[error("the way to it is not safe: {0}")]
    Way(Astray),
    /// Larger than a document may be.
    #[error("it has {size} bytes; the limit is {MAX_BYTES}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
}

/// Why a file or folder on the way is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Its owner.
    #[error("belongs to user {0}")]
    Owner(u32),
    /// Its mode.
    #[error("may be written by others (mode {0:o})")]
    Writable(u32),
    /// Its access list.
    #[error("has an access list that may let others write (getfacl shows it)")]
    AccessList,
}

impl FileError {
    /// A file that could not be read.
    pub(crate) fn of(path: &Path, error: &io::Error) -> Self {
        fail("read", path, errno(error))
    }

    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self.problem {
            Problem::System(Errno::ENOENT) => "check the path: a bundle is a folder with a config.json in it",
            Problem::System(Errno::EACCES | Errno::EPERM) => "run as the user who owns the file, or as root",
            Problem::System(Errno::ENOSPC | Errno::EDQUOT) => "make room on that disk; the file there is unchanged",
            Problem::System(Errno::EROFS) => "the folder is mounted read-only; batten must replace the file in it",
            Problem::System(_) => "the file there is unchanged",
            Problem::Symlink | Problem::NotRegular | Problem::HardLinks(_) => {
                "put a plain file there; engines never write a link, and a link can be pointed elsewhere after the check"
            }
            Problem::Owner(_) => {
                "give it to root or to the user who runs the container; its owner could change it later"
            }
            Problem::WorldWritable(_) => "chmod o-w: anyone could change it after the check",
            Problem::GroupWritable { .. } => "chmod g-w: whoever is in that group could change it after the check",
            Problem::Way(_) => {
                "every folder and link on the way must belong to root or to the user who runs the container and be \
                 writable to its owner only: whoever else writes there can put another bundle in place after the check"
            }
            Problem::Folder(_) => {
                "the folder must be writable to its owner only, who is root or the user who runs the container: whoever \
                 writes there can put another file in place after the check"
            }
            Problem::TooLarge { .. } => "no engine writes a file of this size; look at what was put at this path",
        }
    }
}

/// Whether a replaced file must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Visible to every process at once. Enough before a container start: after a power cut the engine writes the
    /// bundle anew, and an empty file would refuse the start, never loosen it.
    Process,
    /// On the disk before the call returns (fsync of the file and its folder).
    Disk,
}

/// One trusted file in an opened folder.
#[derive(Debug)]
pub struct TrustedFile {
    folder: OwnedFd,
    name: PathBuf,
    path: PathBuf,
    mode: u32,
    owner: (u32, u32),
    text: Vec<u8>,
}

impl TrustedFile {
    /// Opens `bundle` and reads the config.json in it, which a runtime will look up once more by the same path.
    ///
    /// # Errors
    /// [`FileError`] when the way there, the folder or the file cannot be opened, trusted or read.
    pub fn in_bundle(bundle: &Path) -> Result<Self, FileError> {
        let file = Self::read(bundle, Path::new(CONFIG))?;
        let group = (file.owner, file.mode & 0o020);
        if let ((0, gid @ 1..), 0o020) = group {
            let problem = Problem::GroupWritable { gid, mode: file.mode };
            return Err(FileError { action: "trust", path: file.path, problem });
        }
        match trust_way(&file.path) {
            Ok(()) => Ok(file),
            Err(astray) => Err(FileError { action: "trust", path: file.path, problem: Problem::Way(astray) }),
        }
    }

    /// Reads one file by its path. The path's folders may be links (`/var/run`), the file itself may not.
    ///
    /// # Errors
    /// [`FileError`] when the folder or the file cannot be opened, trusted or read.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let Some(name) = path.file_name() else {
            return Err(FileError { action: "read", path: path.to_owned(), problem: Problem::NotRegular });
        };
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Self::read(folder, Path::new(name))
    }

    fn read(folder_path: &Path, name: &Path) -> Result<Self, FileError> {
        let path = folder_path.join(name);
        let folder = open_folder(folder_path)?;
        trust_folder(&folder, &path)?;
        let (text, seen) = read_file(folder.as_fd(), name, &path)?;
        let owner = (seen.uid(), seen.gid());
        Ok(Self { folder, name: name.to_owned(), path, mode: seen.mode() & 0o7777, owner, text })
    }

    /// A file of batten's own that need not be there yet; [`Self::replace`] writes it.
    ///
    /// # Errors
    /// [`FileError`] when its folder cannot be opened.
    pub fn to_write(path: &Path, mode: u32) -> Result<Self, FileError> {
        let (Some(folder_path), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(FileError { action: "write", path: path.to_owned(), problem: Problem::NotRegular });
        };
        let folder = open_folder(folder_path)?;
        let owner = (geteuid().as_raw(), nix::unistd::getegid().as_raw());
        Ok(Self { folder, name: name.into(), path: path.to_owned(), mode, owner, text: Vec::new() })
    }

    /// Takes the bytes that were read, leaving none.
    pub fn take_text(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }

    /// The path it was opened by, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts `text` in the file's place: same folder, name, mode and owner.
    ///
    /// # Errors
    /// [`FileError`]; the file is then what it was, and nothing else is left behind.
    pub fn replace(&self, text: &[u8], durability: Durability) -> Result<(), FileError> {
        let temporary = self.temporary_name();
        let result = self.write_temporary(&temporary, text, durability).and_then(|()| {
            renameat(&self.folder, &temporary, &self.folder, &self.name).map_err(|error| self.failed(error))
        });
        if let Err(error) = result {
            let _ = unlinkat(&self.folder, &temporary, UnlinkatFlags::NoRemoveDir);
            return Err(error);
        }
        if durability == Durability::Disk {
            nix::unistd::fsync(&self.folder).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// A pid alone is not unique: two engines in pid namespaces of their own may start one bundle at once.
    fn temporary_name(&self) -> PathBuf {
        let mut name = std::ffi::OsString::from(".");
        name.push(&self.name);
        name.push(format!(".batten-{}-{:016x}", std::process::id(), RandomState::new().hash_one(0)));
        PathBuf::from(name)
    }

    fn write_temporary(&self, name: &Path, text: &[u8], durability: Durability) -> Result<(), FileError> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        // Never more than the old file gave; what the umask takes is given back below.
        let fd = openat(&self.folder, name, flags, Mode::from_bits_truncate(self.mode));
        let mut file = File::from(fd.map_err(|error| self.failed(error))?);
        self.hand_over(&file)?;
        file.write_all(text).map_err(|error| self.failed(errno(&error)))?;
        if durability == Durability::Disk {
            file.sync_all().map_err(|error| self.failed(errno(&error)))?;
        }
        Ok(())
    }

    /// Gives the new file the old one's owner and mode, the owner first: chown clears set-id bits.
    fn hand_over(&self, file: &File) -> Result<(), FileError> {
        let (uid, gid) = self.owner;
        let own = file.metadata().map_err(|error| self.failed(errno(&error)))?;
        let mut mode = self.mode;
        if own.uid() != uid {
            fchown(file, Some(Uid::from_raw(uid)), None).map_err(|error| self.failed(error))?;
        }
        // A user cannot give away to a group he is not in, and in a user namespace some groups have no name at all. The
        // file then stays with his own group, which gets no rights out of it.
        if own.gid() != gid && fchown(file, None, Some(Gid::from_raw(gid))).is_err() {
            mode &= !0o070;
        }
        if own.mode() & 0o7777 != mode {
            file.set_permissions(Permissions::from_mode(mode)).map_err(|error| self.failed(errno(&error)))?;
        }
        Ok(())
    }

    fn failed(&self, error: Errno) -> FileError {
        fail("replace", &self.path, error)
    }
}

/// Reads a file that decides something and is not written back, with the trust that [`TrustedFile::open`] asks for.
///
/// # Errors
/// [`FileError`] when the file cannot be opened, trusted or read.
pub fn read_trusted(path: &Path) -> Result<Vec<u8>, FileError> {
    read_file(AT_FDCWD, path, path).map(|(text, _)| text)
}

fn read_file(folder: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<(Vec<u8>, Metadata), FileError> {
    let mut file = open_file(folder, name, path)?;
    let failed = |error: io::Error| fail("read", path, errno(&error));
    let seen = file.metadata().map_err(failed)?;
    trust(&seen).map_err(|problem| FileError { action: "trust", path: path.to_owned(), problem })?;
    // The bound holds for what is read, not for what the size once was: the file may grow meanwhile. A read that
    // leaves room has met the end of a regular file.
    let mut text = vec![0; usize::try_from(seen.len()).unwrap_or(MAX_BYTES).min(MAX_BYTES) + 1];
    let mut filled = 0;
    while filled < text.len() {
        let count = file.read(&mut text[filled..]).map_err(failed)?;
        filled += count;
        if count == 0 || filled < text.len() {
            break;
        }
        if filled > MAX_BYTES {
            let problem = Problem::TooLarge { size: filled as u64 };
            return Err(FileError { action: "read", path: path.to_owned(), problem });
        }
        text.resize((filled * 2).min(MAX_BYTES + 1), 0);
    }
    text.truncate(filled);
    Ok((text, seen))
}

fn open_folder(path: &Path) -> Result<OwnedFd, FileError> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    openat(AT_FDCWD, path, flags, Mode::empty()).map_err(|error| fail("open the folder", path, error))
}

/// The file is renamed into its folder, and the runtime looks it up there once more: so the folder decides as well. In
/// a sticky one (/tmp) nobody but its owner can replace a file.
fn trust_folder(folder: &OwnedFd, path: &Path) -> Result<(), FileError> {
    let seen = fstat(folder).map_err(|error| fail("open the folder", path, error))?;
    let doubt = |doubt| Err(FileError { action: "trust", path: path.to_owned(), problem: Problem::Folder(doubt) });
    if !is_trusted_owner(seen.st_uid) {
        return doubt(Doubt::Owner(seen.st_uid));
    }
    if seen.st_mode & others(seen.st_uid, seen.st_gid) != 0 && seen.st_mode & 0o1000 == 0 {
        return doubt(Doubt::Writable(seen.st_mode & 0o7777));
    }
    Ok(())
}

/// `name` is one component, so `O_NOFOLLOW` is all of `RESOLVE_NO_SYMLINKS`; `O_NONBLOCK` keeps a pipe from holding
/// batten up.
fn open_file(folder: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<File, FileError> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    match openat(folder, name, flags, Mode::empty()) {
        Ok(fd) => Ok(File::from(fd)),
        Err(Errno::ELOOP) => Err(FileError { action: "trust", path: path.to_owned(), problem: Problem::Symlink }),
        Err(Errno::ENXIO) => Err(FileError { action: "trust", path: path.to_owned(), problem: Problem::NotRegular }),
        Err(error) => Err(fail("read", path, error)),
    }
}

/// Whether what user `uid` owns is safe from everyone but root and the user batten runs as.
///
/// In a user namespace without host root in it (rootless engines) root's files show the overflow user. Other strangers'
/// files show it as well; there the folders above, which only root can write, are what keeps them out.
pub fn is_trusted_owner(uid: u32) -> bool {
    /// The user that root shows as where it has no id.
    static UNMAPPED_ROOT: OnceLock<Option<u32>> = OnceLock::new();
    let unmapped_root = || UNMAPPED_ROOT.get_or_init(|| is_root_unmapped().then(overflow_user));
    uid == 0 || uid == geteuid().as_raw() || *unmapped_root() == Some(uid)
}

fn overflow_user() -> u32 {
    let text = std::fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap_or_default();
    text.trim_end().parse().unwrap_or(65_534)
}

/// Whether host root has no id here: the map of the initial namespace covers everything (`user_namespaces(7)`).
fn is_root_unmapped() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut ranges =
        map.lines().map(|line| line.split_ascii_whitespace().filter_map(|number| number.parse::<u64>().ok()));
    !map.is_empty() && !ranges.any(|mut range| range.nth(1) == Some(0))
}

fn trust(seen: &Metadata) -> Result<(), Problem> {
    if !seen.is_file() {
        return Err(Problem::NotRegular);
    }
    if seen.nlink() != 1 {
        return Err(Problem::HardLinks(seen.nlink()));
    }
    if !is_trusted_owner(seen.uid()) {
        return Err(Problem::Owner(seen.uid()));
    }
    if seen.mode() & 0o002 != 0 {
        return Err(Problem::WorldWritable(seen.mode() & 0o7777));
    }
    if seen.len() > MAX_BYTES as u64 {
        return Err(Problem::TooLarge { size: seen.len() });
    }
    Ok(())
}

fn fail(action: &'static str, path: &Path, error: Errno) -> FileError {
    FileError { action, path: path.to_owned(), problem: Problem::System(error) }
}

pub(super) fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
