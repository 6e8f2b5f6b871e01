//! Hands judged text to the runtime where nobody can change it any more: a sealed memory file.
//!
//! The engine's own file stays as it is, nothing is left to delete, and the text that is judged is the text that is
//! read. The runtime opens it as `/proc/self/fd/N`. N lies above everything that `--preserve-fds` and `LISTEN_FDS` pass into
//! the container, and both runtimes close the rest before the container's program runs.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// `MFD_NOEXEC_SEAL`, since Linux 6.3; hosts with `vm.memfd_noexec=2` insist on it.
const NOEXEC_SEAL: MFdFlags = MFdFlags::from_bits_retain(8);

/// Judged text that cannot be handed on.
#[derive(Debug, thiserror::Error)]
#[error("cannot hand the judged {what} to the runtime: {}", error.desc())]
pub struct HandoffError {
    what: &'static str,
    error: Errno,
}

impl HandoffError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self.error {
            Errno::EINVAL | Errno::EMFILE => "raise the limit of open files (ulimit -n) of the engine",
            _ => "batten needs memfd_create(2), which Linux has since 3.17",
        }
    }
}

/// Seals `text` and gives the path by which this process, and what it execs, reads it. `first_free` is the lowest
/// descriptor that does not go into the container.
///
/// # Errors
/// [`HandoffError`] when the kernel gives no memory file or no descriptor.
pub fn sealed(what: &'static str, text: &str, first_free: u32) -> Result<OsString, HandoffError> {
    let failed = |error| HandoffError { what, error };
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let fd = match memfd_create(c"batten-judged", flags | NOEXEC_SEAL) {
        Err(Errno::EINVAL) => memfd_create(c"batten-judged", flags),
        created => created,
    };
    let mut file = File::from(fd.map_err(failed)?);
    let io = |error: &std::io::Error| failed(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw));
    file.write_all(text.as_bytes()).map_err(|error| io(&error))?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(failed)?;
    // This one outlives the exec; only its number matters, so it is never closed here.
    let floor = i32::try_from(first_free).map_err(|_| failed(Errno::EINVAL))?;
    let number = fcntl(&file, FcntlArg::F_DUPFD(floor)).map_err(failed)?;
    Ok(OsString::from(format!("/proc/self/fd/{number}")))
}

/// The lowest descriptor that stays out of the container: behind the first three, what systemd's socket activation
/// passes on, and what the caller asks to preserve.
pub fn first_free(preserved: u16) -> u32 {
    let listening = std::env::var("LISTEN_FDS").ok().and_then(|text| text.parse::<u16>().ok()).unwrap_or(0);
    3 + u32::from(listening) + u32::from(preserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_can_be_read_and_not_changed() {
        let path = sealed("process", "{}", 40).unwrap();
        let number: u32 = path.to_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        assert!(number >= 40);
        assert_eq!(std::fs::read(&path).unwrap(), b"{}");
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        assert_eq!(file.write(b"x").unwrap_err().raw_os_error(), Some(Errno::EPERM as i32));
    }
}
