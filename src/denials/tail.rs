//! A file that grows, as logs do, and that gives its name to the next one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::heard::Heard;
use super::reader::{MAX_LINE, Reader};
use super::source::SourceError;

/// A log, read as far as it was written when it was last looked at.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: File,
    reader: Reader,
    /// A line without its end: it is still being written.
    pending: Vec<u8>,
    piece: Vec<u8>,
}

impl Tail {
    /// From the start of the file.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        Ok(Self {
            path: path.to_owned(),
            file: open(path).map_err(|source| error(path, source))?,
            reader: Reader::default(),
            pending: Vec::new(),
            piece: vec![0; 64 << 10],
        })
    }

    /// Reads what was written since. When another file has taken the name (a log was rotated), also that one, after what
    /// was written to the old one until then.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn read(&mut self, take: impl FnMut(Heard)) -> Result<(), SourceError> {
        self.read_on(take).map_err(|source| error(&self.path, source))
    }

    fn read_on(&mut self, mut take: impl FnMut(Heard)) -> io::Result<()> {
        loop {
            self.read_rest(&mut take)?;
            let known = self.file.metadata()?;
            let seen = match std::fs::metadata(&self.path) {
                // Between the two names of a rotation.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                seen => seen?,
            };
            if (seen.ino(), seen.dev()) != (known.ino(), known.dev()) {
                // What was written between the last look and the new name is still the old file's.
                let Ok(next) = open(&self.path) else { return Ok(()) };
                self.read_rest(&mut take)?;
                self.file = next;
            } else if seen.len() < self.file.stream_position()? {
                self.file.seek(SeekFrom::Start(0))?;
            } else {
                return Ok(());
            }
            self.pending.clear();
        }
    }

    fn read_rest(&mut self, mut take: impl FnMut(Heard)) -> io::Result<()> {
        loop {
            let got = self.file.read(&mut self.piece)?;
            if got == 0 {
                return Ok(());
            }
            for part in self.piece[..got].split_inclusive(|byte| *byte == b'\n') {
                if self.pending.len() < MAX_LINE {
                    self.pending.extend_from_slice(part);
                }
                if part.ends_with(b"\n") {
                    take(self.reader.line(&self.pending));
                    self.pending.clear();
                }
            }
        }
    }
}

fn error(path: &Path, source: io::Error) -> SourceError {
    SourceError { name: path.display().to_string(), source }
}

/// Opens a log; a folder is none.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(file)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use std::io::Write;

    use super::*;

    fn record(pid: i32) -> String {
        format!("type=SECCOMP msg=audit(1.0:{pid}): pid={pid} comm=\"a\" arch=c000003e syscall=83 code=0x50000\n")
    }

    fn append(path: &Path, text: &str) {
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn pids(tail: &mut Tail) -> Vec<i32> {
        let mut pids = Vec::new();
        let mut note = |heard| match heard {
            Heard::Event(event) => pids.extend(event.pid),
            other => assert_eq!(other, Heard::Nothing),
        };
        tail.read(&mut note).unwrap();
        pids
    }

    #[test]
    fn each_look_reads_what_was_written_since_and_waits_for_the_end_of_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, record(1)).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert_eq!(pids(&mut tail), [1]);
        assert_eq!(pids(&mut tail), [0; 0]);
        let line = record(2);
        append(&path, &line[..20]);
        assert_eq!(pids(&mut tail), [0; 0]);
        append(&path, &(line[20..].to_owned() + &record(3)));
        assert_eq!(pids(&mut tail), [2, 3]);
    }

    #[test]
    fn what_was_written_just_before_a_log_is_rotated_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
        std::fs::write(&path, record(1)).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert_eq!(pids(&mut tail), [1]);
        append(&path, &record(2));
        std::fs::rename(&path, &old).unwrap();
        append(&old, &record(3));
        assert_eq!(pids(&mut tail), [2, 3], "no other file has the name yet");
        append(&old, &record(4));
        std::fs::write(&path, record(5)).unwrap();
        assert_eq!(pids(&mut tail), [4, 5]);
    }

    #[test]
    fn a_log_that_was_truncated_in_the_middle_of_a_line_is_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, record(1) + &record(2) + "type=SECC").unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert_eq!(pids(&mut tail), [1, 2]);
        std::fs::write(&path, record(3)).unwrap();
        assert_eq!(pids(&mut tail), [3]);
    }
}
