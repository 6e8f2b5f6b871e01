//! Where recordings come from: what `--save` wrote, strace's text, folders of it.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::strace::{read, say_notes};
use crate::doors::input::one_standard_input;
use crate::doors::{Exit, refuse};
use crate::record::strace::Options;
use crate::record::{Recording, output};
use crate::seccomp::Arch;

/// Reads all of `paths`, oldest first, as the runs of one recording. None is the recording of no run.
///
/// # Errors
/// The exit code, when the reason has been said.
pub(in crate::doors) fn recordings(paths: &[PathBuf], options: Options) -> Result<Recording, Exit> {
    one_standard_input(paths.iter().map(PathBuf::as_path))?;
    let mut merged: Option<Recording> = None;
    for path in paths {
        let read = recording(path, options)?;
        match &mut merged {
            None => merged = Some(read),
            Some(merged) => {
                merged.merge(read).map_err(|error| refuse(Exit::Unreadable, &error, error.hint()))?;
            }
        }
    }
    Ok(merged.unwrap_or_else(|| Recording::empty(Arch::NATIVE)))
}

fn recording(path: &Path, options: Options) -> Result<Recording, Exit> {
    if let Some(text) = saved(path) {
        let loaded = output::load(&path.display().to_string(), &text);
        return loaded.map_err(|error| refuse(Exit::Unreadable, &error, error.hint()));
    }
    let (recording, notes) =
        read(&[path.to_owned()], options).map_err(|error| refuse(Exit::Unreadable, &error, &error.hint()))?;
    say_notes(&notes, &recording);
    if recording.calls.is_empty() {
        let message = format!("no system call could be read in {}", path.display());
        return Err(refuse(Exit::Unreadable, &message, "give a recording that --save wrote, or strace's text"));
    }
    Ok(recording)
}

/// The text of a saved recording, which begins as JSON does; strace's never begins so.
fn saved(path: &Path) -> Option<Vec<u8>> {
    let mut file = std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|seen| seen.is_file()))?;
    let mut first = [0; 1];
    file.read_exact(&mut first).ok()?;
    let mut text = first.to_vec();
    (first == *b"{").then(|| file.read_to_end(&mut text).ok())??;
    Some(text)
}
