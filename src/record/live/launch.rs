//! Starting the container that is recorded, in the two steps that the runtime-spec has: between `create` and `start` the
//! recorder takes its place.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::companion::end_with_this_one;
use super::guard::delete_command;
use super::watch::{End, Watch};

/// A container that the runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The runtime itself could not be run.
    #[error("cannot run {}: {error}", runtime.display())]
    Runtime {
        /// The runtime.
        runtime: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The runtime refused; it has said why.
    #[error("{} {step} failed ({status}); what it said stands above", runtime.display())]
    Step {
        /// The runtime.
        runtime: PathBuf,
        /// The command.
        step: Step,
        /// How it ended.
        status: ExitStatus,
    },
    /// The runtime does not come back.
    #[error("{} {step} has not ended within {} s", runtime.display(), patience.as_secs_f32())]
    Slow {
        /// The runtime.
        runtime: PathBuf,
        /// The command.
        step: Step,
        /// How long was waited.
        patience: Duration,
    },
    /// Somebody asked batten to end.
    #[error("interrupted before the container's program ran ({step})")]
    Interrupted {
        /// The command.
        step: Step,
    },
    /// The runtime did not say which process is the container's.
    #[error("{} wrote no process number to {}", runtime.display(), file.display())]
    NoPid {
        /// The runtime.
        runtime: PathBuf,
        /// The file.
        file: PathBuf,
    },
    /// The process is gone.
    #[error("the container's first process cannot be held: {error}")]
    Gone {
        /// Why.
        error: io::Error,
    },
}

impl LaunchError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Runtime { .. } => "give the runtime's path: --runtime-path /usr/sbin/runc",
            Self::Slow { .. } => {
                "allow more with --start-within SECONDS; with --backend bpf or ptrace the runtime needs no answers of batten's"
            }
            Self::Interrupted { .. } => "no container is left; run it again",
            Self::Step { .. } => "see that the bundle starts without batten: RUNTIME run --bundle BUNDLE ID",
            Self::NoPid { .. } | Self::Gone { .. } => {
                "the container ended before it was started; run it without batten first"
            }
        }
    }
}

/// A command of the runtime's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `create`
    Create,
    /// `start`
    Start,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Create { "create" } else { "start" })
    }
}

/// How to call the runtime.
#[derive(Debug, Clone)]
pub(super) struct Runtime {
    pub(super) path: PathBuf,
    pub(super) root: Option<PathBuf>,
    /// How long it may take for one step.
    pub(super) patience: Duration,
}

/// A container that was created here; it is deleted with this value.
#[derive(Debug)]
pub(super) struct Launched {
    runtime: Runtime,
    id: String,
    pub(super) pid: i32,
    handle: OwnedFd,
}

impl Runtime {
    /// What the runtime and the container print goes to standard error: standard output is the profile's.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(root) = &self.root {
            command.arg("--root").arg(root);
        }
        command.args(words);
        command.stdout(standard_error());
        command
    }

    /// Runs one step; says whether somebody asked batten to end meanwhile. A runtime that takes too long is ended, and one that
    /// is asked to end before the container runs. It ends with batten.
    fn step(&self, command: &mut Command, step: Step, watch: &Watch) -> Result<bool, LaunchError> {
        let failed = |error| LaunchError::Runtime { runtime: self.path.clone(), error };
        let until = Instant::now().checked_add(self.patience);
        end_with_this_one(command);
        let mut child = command.spawn().map_err(failed)?;
        let handle = hold(i32::try_from(child.id()).unwrap_or(0))?;
        let mut end = watch.wait(&handle, None, until);
        let interrupted = end == Ok(End::Interrupt);
        if interrupted && step == Step::Start {
            end = watch.wait(&handle, None, until);
        }
        if end != Ok(End::Exit) {
            let _ = child.kill();
        }
        let status = child.wait().map_err(failed)?;
        match end {
            Ok(End::Exit) if status.success() => Ok(interrupted),
            Ok(End::Exit) => Err(LaunchError::Step { runtime: self.path.clone(), step, status }),
            Ok(End::Time) => Err(LaunchError::Slow { runtime: self.path.clone(), step, patience: self.patience }),
            Ok(End::Interrupt | End::Recorder) | Err(_) => Err(LaunchError::Interrupted { step }),
        }
    }

    /// Creates the container. Its first process becomes a child of this one, which learns how it ended.
    pub(super) fn create(
        self,
        bundle: &Path,
        id: &str,
        pid_file: &Path,
        watch: &Watch,
    ) -> Result<Launched, LaunchError> {
        // Where that fails the exit code stays unknown.
        let _ = nix::sys::prctl::set_child_subreaper(true);
        let helpers = children();
        let mut create = self.command(&["create"]);
        create.arg("--bundle").arg(bundle).arg("--pid-file").arg(pid_file).arg(id);
        let created = self.step(&mut create, Step::Create, watch).and_then(|_| {
            let text = std::fs::read_to_string(pid_file).unwrap_or_default();
            let pid = text.trim().parse().ok().filter(|pid| *pid > 0);
            let pid = pid.ok_or_else(|| LaunchError::NoPid { runtime: self.path.clone(), file: pid_file.to_owned() });
            pid.and_then(|pid| hold(pid).map(|handle| (pid, handle)))
        });
        match created {
            Ok((pid, handle)) => Ok(Launched { runtime: self, id: id.to_owned(), pid, handle }),
            Err(error) => {
                self.delete(id);
                end_children_but(&helpers);
                Err(error)
            }
        }
    }

    fn delete(&self, id: &str) {
        let mut delete = delete_command(&self.path, self.root.as_deref(), id);
        let _ = delete.stdout(standard_error()).status();
    }
}

fn standard_error() -> Stdio {
    io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from)
}

/// What a runtime leaves behind that was ended half way is a child of this process by then.
fn end_children_but(helpers: &[i32]) {
    for pid in children().into_iter().filter(|pid| !helpers.contains(pid)) {
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
}

fn children() -> Vec<i32> {
    let list = format!("/proc/self/task/{}/children", std::process::id());
    let text = std::fs::read_to_string(list).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// A descriptor of the process, which becomes readable when it ends.
pub(super) fn hold(pid: i32) -> Result<OwnedFd, LaunchError> {
    let raw = rustix::process::Pid::from_raw(pid);
    let raw = raw.ok_or(LaunchError::Gone { error: io::Error::from(io::ErrorKind::InvalidInput) })?;
    pidfd_open(raw, PidfdFlags::empty()).map_err(|error| LaunchError::Gone { error: error.into() })
}

impl Launched {
    /// Lets the container's program start; says whether somebody asked batten to end meanwhile.
    pub(super) fn start(&self, watch: &Watch) -> Result<bool, LaunchError> {
        self.runtime.step(self.runtime.command(&["start", &self.id]).stdin(Stdio::null()), Step::Start, watch)
    }

    /// Becomes readable when the container has ended.
    pub(super) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// Sends the first process a signal.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// How its first process ended: the exit code, or 128 and the signal; none where it still runs or that is not known.
    pub(super) fn exit_code(&self) -> Option<u8> {
        exit_code(waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG)).ok()?)
    }
}

pub(super) fn exit_code(status: WaitStatus) -> Option<u8> {
    match status {
        WaitStatus::Exited(_, code) => u8::try_from(code & 0xff).ok(),
        WaitStatus::Signaled(_, signal, _) => u8::try_from(128 + signal as i32).ok(),
        _ => None,
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.runtime.delete(&self.id);
        let _ = waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG));
    }
}
