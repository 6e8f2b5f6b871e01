//! Processes of batten's own beside a recording, which go on when batten is killed: this program by a hidden subcommand.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// `batten record NAME`, with `batten` as its way to hear of it; it says nothing to anybody else. In a process group of
/// its own, so that ^C is not for it.
pub(super) fn command(name: &str, batten: OwnedFd) -> Command {
    // Under its name, unless that is another program's by now, or nobody's: batten may be replaced while it runs.
    let own = std::env::current_exe().ok().filter(|path| path.exists());
    let own = own.unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    let mut command = Command::new(own);
    command.args(["record", name]).stdin(batten).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

/// Has the program of `command` end with the thread that starts it.
#[allow(unsafe_code, reason = "between fork and execve")]
pub(super) fn end_with_this_one(command: &mut Command) {
    let set = || rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // SAFETY: it makes one system call.
    unsafe { command.pre_exec(move || set().map_err(io::Error::from)) };
}
