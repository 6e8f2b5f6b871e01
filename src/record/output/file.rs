//! Files that a recording leaves behind, each whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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
    let failed = |source| WriteError { path: path.to_owned(), source };
    let there = fs::metadata(path).ok();
    // What /dev/stdout leads to may be a file, and then what is printed goes on behind it.
    let is_descriptor =
        ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc/self/fd"].iter().any(|own| path.starts_with(own));
    if there.as_ref().is_some_and(|there| !there.is_file() || is_descriptor) {
        let write = |mut file: File| file.write_all(text);
        return OpenOptions::new().append(true).open(path).and_then(write).map_err(failed);
    }
    let target = if there.is_some() { fs::canonicalize(path).map_err(failed)? } else { path.to_owned() };
    replace(&target, text).map_err(failed)
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
}
