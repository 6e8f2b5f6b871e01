//! The runtime behind takes this process over: same pid, same descriptors, same parent.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::unistd::execve;

use super::find::{RealRuntime, environment};
use super::sigpipe;

/// The runtime could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// A word with a NUL in it; no process can be given one.
    #[error("the argument {word:?} holds a NUL character")]
    Nul {
        /// The word.
        word: String,
    },
    /// The kernel said no.
    #[error("cannot start the runtime {}: {}", path.display(), error.desc())]
    Exec {
        /// The runtime.
        path: PathBuf,
        /// Why.
        error: Errno,
    },
}

impl HandoverError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Nul { .. } => "this is a defect of the caller",
            Self::Exec { error: Errno::ENOEXEC, .. } => {
                "the file is no program for this machine; reinstall the runtime"
            }
            Self::Exec { .. } => "check that this user may execute the runtime",
        }
    }
}

/// Replaces this process by the runtime; returns only when that fails.
///
/// # Errors
/// [`HandoverError`].
pub fn hand_over(runtime: &RealRuntime, words: &[OsString]) -> Result<Infallible, HandoverError> {
    let path = c_string(runtime.path.as_os_str())?;
    let mut argv = Vec::with_capacity(words.len() + 1);
    argv.push(path.clone());
    for word in words {
        argv.push(c_string(word)?);
    }
    let environment = environment();
    sigpipe::restore();
    execve(&path, &argv, &environment).map_err(|error| HandoverError::Exec { path: runtime.path.clone(), error })
}

fn c_string(word: &std::ffi::OsStr) -> Result<CString, HandoverError> {
    CString::new(word.as_bytes()).map_err(|_| HandoverError::Nul { word: word.to_string_lossy().into_owned() })
}
