//! Files that a recording leaves behind, each whole or not there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes `text` to `path`, in place of the file that was there: where a link leads, and into what is no file (`/dev/stderr`, a
/// pipe), since root can rename over a device. A kill half way leaves the old file, or none.
///
/// # Errors
/// [`WriteError`] when the folder cannot be written to.
pub fn write_new(path: &Path, text: &[u8]) -> Result<(), WriteError> {
    let written = Target::of(path).and_then(|target| match target {
        Target::Into => OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(text)),
        Target::InPlaceOf(file) => replace(&file, text),
    });
    written.map_err(|source| WriteError { path: path.to_owned(), source })
}

/// Whether [`write_new`] has a chance. Nothing is opened: a pipe's reader would be told of it.
///
/// # Errors
/// [`WriteError`] when it has none.
pub fn check_new(path: &Path) -> Result<(), WriteError> {
    let (write, enter) = (AccessFlags::W_OK, AccessFlags::X_OK);
    let checked = Target::of(path).and_then(|target| match target {
        Target::Into if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Target::Into => Ok(access(path, write)?),
        Target::InPlaceOf(file) => {
            let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            if !folder.metadata()?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Ok(access(folder, write | enter)?)
        }
    });
    checked.map_err(|source| WriteError { path: path.to_owned(), source })
}

/// What is written.
enum Target {
    /// What is there.
    Into,
    /// A file of its own, which takes the place of what is there.
    InPlaceOf(PathBuf),
}

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let there = match fs::metadata(path) {
            Ok(there) => there,
            Err(error) if path.file_name().is_none() => return Err(error),
            Err(_) => return Ok(Self::InPlaceOf(path.to_owned())),
        };
        // What /dev/stdout leads to may be a file, and then what is printed goes on behind it.
        let descriptors = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc/self/fd"];
        if !there.is_file() || descriptors.iter().any(|own| path.starts_with(own)) {
            return Ok(Self::Into);
        }
        fs::canonicalize(path).map(Self::InPlaceOf)
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".batten-{}", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().inspect_err(|error| {
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(&temporary);
        }
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_written_into_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&place("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let pipe = place("pipe");
        let reader = std::thread::spawn(move || fs::read_to_string(pipe).unwrap());
        write_new(&place("pipe"), b"piped").unwrap();
        assert_eq!(reader.join().unwrap(), "piped");
        fs::write(place("file"), "a longer text").unwrap();
        std::os::unix::fs::symlink("file", place("link")).unwrap();
        write_new(&place("link"), b"new").unwrap();
        assert!(place("link").is_symlink());
        assert_eq!(fs::read_to_string(place("file")).unwrap(), "new");
        let memory = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        write_new(memory.path(), b"a longer text").unwrap();
        write_new(memory.path(), b"new").unwrap();
        assert_eq!(fs::read_to_string(memory.path()).unwrap(), "new", "a file below /dev is a file");
        let full = write_new(Path::new("/dev/full"), b"x").unwrap_err();
        assert_eq!(full.source.kind(), io::ErrorKind::StorageFull);
        assert!(write_new(folder.path(), b"x").is_err());
    }

    #[test]
    fn what_cannot_be_written_is_known_before_and_nothing_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&place("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(place("file"), "there").unwrap();
        for path in [place("pipe"), place("file"), place("new"), "/dev/stderr".into(), "in-this-folder".into()] {
            assert!(check_new(&path).is_ok(), "{}", path.display());
        }
        for path in [place("absent/new"), place("file/new"), folder.path().to_owned(), "".into()] {
            assert!(check_new(&path).is_err(), "{}", path.display());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(fs::read_to_string(place("file")).unwrap(), "there");
    }
}
