//! Where the text comes from: files, folders of `-ff`, standard input, of any length.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memrchr;

use super::reader::Reader;

/// Enough for the disk to run ahead, little enough to stay in the cache.
const BUFFER: usize = 256 * 1024;
/// Of a line longer than the buffer, this much of its beginning is kept, and as much of its end as it takes to see how
/// the call ended.
const HEAD: usize = 64 * 1024;
const TAIL: usize = 4 * 1024;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// What cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file, or its folder.
    #[error("cannot read {name}: {source}")]
    Read {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The folder holds no file.
    #[error("{0} is a folder without a file in it")]
    Empty(PathBuf),
    /// A program, a picture, a disk.
    #[error("{name} is no text")]
    Binary {
        /// The file.
        name: String,
    },
    /// Compressed text.
    #[error("{name} is compressed with {program}")]
    Compressed {
        /// The file.
        name: String,
        /// What unpacks it.
        program: &'static str,
    },
}

impl InputError {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } | Self::Binary { .. } => {
                "name strace's output files, the folder of -ff's, or - for standard input".to_owned()
            }
            Self::Empty(_) => "name the folder that `strace -ff -o FOLDER/trace …` wrote to".to_owned(),
            Self::Compressed { name, program } => format!("{program} -dc {name} | batten record strace -"),
        }
    }
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes in all, where that is known.
    pub total: Option<u64>,
}

impl Input {
    /// The inputs that `path` names: standard input, a file, or each file of a folder.
    ///
    /// # Errors
    /// [`InputError`] for a folder that cannot be read or is empty.
    pub fn named(path: &Path) -> Result<Vec<Self>, InputError> {
        if path == Path::new("-") {
            return Ok(vec![Self::Stdin]);
        }
        if !path.is_dir() {
            return Ok(vec![Self::File(path.to_owned())]);
        }
        let failed = |source| InputError::Read { name: path.display().to_string(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?.path();
            if entry.is_file() {
                files.push(entry);
            }
        }
        files.sort();
        if files.is_empty() {
            Err(InputError::Empty(path.to_owned()))
        } else {
            Ok(files.into_iter().map(Self::File).collect())
        }
    }

    /// What to call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// How long it is, where that is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Stdin => nix::sys::stat::fstat(io::stdin()).ok().and_then(|seen| {
                let regular = seen.st_mode & nix::libc::S_IFMT == nix::libc::S_IFREG;
                regular.then(|| u64::try_from(seen.st_size).ok()).flatten()
            }),
            Self::File(path) => path.metadata().ok().filter(std::fs::Metadata::is_file).map(|seen| seen.len()),
        }
    }

    /// Reads it to its end. `progress` is called now and then with the bytes read since the last time.
    ///
    /// # Errors
    /// [`InputError`] when it cannot be read, or is no text.
    pub fn read(&self, reader: &mut Reader, progress: &mut dyn FnMut(u64)) -> Result<(), InputError> {
        let failed = |source| InputError::Read { name: self.name(), source };
        reader.begin(&self.name());
        match self {
            Self::Stdin => self.pump(io::stdin().lock(), reader, progress),
            Self::File(path) => self.pump(File::open(path).map_err(failed)?, reader, progress),
        }
    }

    fn pump(
        &self,
        mut source: impl Read,
        reader: &mut Reader,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), InputError> {
        let mut buffer = vec![0; BUFFER];
        let (mut held, mut first) = (0, true);
        loop {
            let got = match source.read(&mut buffer[held..]) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(InputError::Read { name: self.name(), source }),
            };
            if std::mem::take(&mut first) {
                self.refuse_other(&buffer[..got])?;
            }
            if got == 0 {
                break;
            }
            progress(got as u64);
            let filled = held + got;
            held = match memrchr(b'\n', &buffer[held..filled]) {
                Some(last) => {
                    let whole = held + last + 1;
                    reader.feed(&buffer[..whole]);
                    buffer.copy_within(whole..filled, 0);
                    filled - whole
                }
                None => filled,
            };
            if held == buffer.len() {
                buffer.copy_within(held - TAIL.., HEAD);
                held = HEAD + TAIL;
            }
        }
        if held > 0 {
            reader.feed_last(&buffer[..held]);
        }
        Ok(())
    }

    /// A trace may hold whatever its program printed, but begins with a line of strace's.
    fn refuse_other(&self, head: &[u8]) -> Result<(), InputError> {
        let program = match head {
            [0x1f, 0x8b, ..] => "gzip",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
            [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
            [b'B', b'Z', b'h', ..] => "bzip2",
            _ if head.split(|byte| *byte == b'\n').next().is_some_and(|line| line.contains(&0)) => {
                return Err(InputError::Binary { name: self.name() });
            }
            _ => return Ok(()),
        };
        Err(InputError::Compressed { name: self.name(), program })
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::Options;
    use super::*;
    use crate::seccomp::Arch;

    /// A source that gives a few bytes at a time, so that every line is met in pieces.
    struct Trickle<'t>(&'t [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let take = self.1.min(self.0.len()).min(buffer.len());
            buffer[..take].copy_from_slice(&self.0[..take]);
            self.0 = &self.0[take..];
            Ok(take)
        }
    }

    fn pump(text: &[u8], step: usize) -> (crate::record::Recording, super::super::Notes) {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: false });
        reader.begin("trace");
        Input::Stdin.pump(Trickle(text, step), &mut reader, &mut |_| ()).unwrap();
        reader.finish()
    }

    #[test]
    fn the_pieces_that_text_comes_in_make_no_difference() {
        let text = b"7  read(0, \"\", 1) = 0\n7  write(1, <unfinished ...>\n7  <... write resumed>) = 1\n7  openat(AT";
        let whole = pump(text, usize::MAX);
        for step in [1, 2, 3, 7, 30] {
            let pieces = pump(text, step);
            assert_eq!(pieces.0, whole.0, "{step}");
            assert_eq!(pieces.1.cut.count, 1, "{step}");
        }
    }

    #[test]
    fn a_line_longer_than_the_buffer_keeps_its_beginning_and_its_end() {
        let mut text = b"write(1, \"".to_vec();
        text.resize(text.len() + 3 * BUFFER, b'x');
        text.extend_from_slice(b"\", 786432) = -1 EPERM (Operation not permitted)\nread(0, \"\", 0) = 0\n");
        let (recording, notes) = pump(&text, 10_000);
        assert_eq!(recording.calls.len(), 2);
        assert!(recording.calls.values().any(|seen| seen.not_permitted == 1), "{recording:?}");
        assert_eq!(notes.lines, 2);
    }

    #[test]
    fn what_is_no_text_is_refused_and_text_with_a_program_s_bytes_in_it_is_not() {
        let read = |text: &[u8]| {
            let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: false });
            Input::Stdin.pump(Trickle(text, usize::MAX), &mut reader, &mut |_| ())
        };
        assert!(matches!(read(b"\x7fELF\x02\x01\0\0\nread(0) = 0\n"), Err(InputError::Binary { .. })));
        assert!(matches!(read(&[0; 9]), Err(InputError::Binary { .. })));
        assert!(read(b"execve(\"/bin/cat\", [], 0x7) = 0\n\x7fELF\x02\0\0\nread(0, \"\", 9) = 0\n").is_ok());
    }

    #[test]
    fn compressed_text_is_refused_with_the_way_to_unpack_it() {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: false });
        let error = Input::Stdin.pump(Trickle(&[0x1f, 0x8b, 8, 0], 9), &mut reader, &mut |_| ()).unwrap_err();
        assert!(error.hint().contains("gzip -dc"), "{}", error.hint());
    }
}
