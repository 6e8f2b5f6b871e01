//! Who clears up when batten is killed: a process of its own, for as long as the container may be there.
//!
//! Killed before the container's program runs, batten leaves a container that waits for ever; killed later, one that goes on.
//! The guard ends the first at once, waits for the end of the other, and deletes the container and the recording's folder.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::companion;
use super::subject::{File, program_of};

/// The hidden subcommand that the guard is.
pub const GUARD: &str = "guard";

/// The file in the recording's folder that the runtime writes the first process's number to.
pub(super) const PID_FILE: &str = "pid";

/// What batten tells the guard: what the container's first process runs before its program, device and number; that the program
/// runs; that nothing is left to clear up.
const CREATED: u8 = b'c';
const STARTED: u8 = b's';
const DONE: u8 = b'd';

/// How often, and how far apart, a container is deleted: the runtime that made it is being killed at that time.
const DELETIONS: usize = 3;
const BETWEEN_DELETIONS: Duration = Duration::from_millis(300);

/// What there is to clear up.
#[derive(Debug, Clone)]
pub struct Left {
    /// The runtime.
    pub runtime: PathBuf,
    /// Where it keeps its containers; none for its own choice.
    pub root: Option<PathBuf>,
    /// The container.
    pub id: String,
    /// The recording's folder.
    pub folder: PathBuf,
    /// Who records.
    pub batten: u32,
    /// The process that answers the container's calls, without which it can do nothing.
    pub agent: Option<u32>,
}

/// batten's side of the guard, which goes when this value does: then nothing is left.
#[derive(Debug)]
pub(super) struct Guard {
    stream: UnixStream,
    process: Child,
}

impl Guard {
    pub(super) fn start(left: &Left) -> io::Result<Self> {
        let (stream, its_end) = UnixStream::pair()?;
        let mut command = companion::command(GUARD, its_end.into());
        command.arg("--folder").arg(&left.folder).arg("--batten").arg(left.batten.to_string());
        if let Some(root) = &left.root {
            command.arg("--root").arg(std::path::absolute(root)?);
        }
        if let Some(agent) = left.agent {
            command.arg("--agent").arg(agent.to_string());
        }
        let process = command.arg("--").arg(&left.runtime).arg(&left.id).spawn()?;
        Ok(Self { stream, process })
    }

    /// The container waits to be started: its first process still runs the runtime's program.
    pub(super) fn created(&mut self, first: u32) {
        let Some((device, number)) = program_of(first) else { return };
        let word = [&[CREATED], &device.to_ne_bytes()[..], &number.to_ne_bytes()[..]].concat();
        let _ = self.stream.write_all(&word);
    }

    /// The container's program runs: it goes on when batten is killed.
    pub(super) fn started(&mut self) {
        let _ = self.stream.write_all(&[STARTED]);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.stream.write_all(&[DONE]);
        let _ = self.process.wait();
    }
}

/// Waits for batten's word or its end, and clears up after it. The process is for nothing else.
///
/// # Errors
/// When batten cannot be listened to.
pub fn guard(left: &Left) -> io::Result<()> {
    let batten = process(left.batten);
    let agent = left.agent.and_then(process);
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut word = [0];
    let (mut started, mut runtime) = (false, None);
    while stream.read(&mut word)? > 0 {
        match word[0] {
            DONE => return Ok(()),
            STARTED => started = true,
            CREATED => runtime = number(&mut stream).and_then(|device| Ok((device, number(&mut stream)?))).ok(),
            _ => {}
        }
    }
    // Its end of the socket is closed before the runtime, its child, is told to end.
    wait_for(batten.as_slice());
    left.clear_up(started, runtime, agent.as_ref());
    Ok(())
}

fn number(stream: &mut UnixStream) -> io::Result<u64> {
    let mut bytes = [0; size_of::<u64>()];
    stream.read_exact(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

impl Left {
    fn clear_up(&self, started: bool, runtime: Option<File>, agent: Option<&OwnedFd>) {
        if let Some((pid, first)) = self.first_process() {
            // The program may run before the runtime has come back from starting it, and batten has said so.
            let is_another = |now| runtime.is_some_and(|runtime| runtime != now);
            let runs = started || program_of(pid).is_some_and(is_another);
            let can_go_on = runs && agent.is_some() == self.agent.is_some();
            if can_go_on {
                let mut ends = vec![&first];
                ends.extend(agent);
                wait_for(&ends);
            }
            let _ = pidfd_send_signal(&first, Signal::KILL);
        }
        for _ in 0..DELETIONS {
            self.delete();
            std::thread::sleep(BETWEEN_DELETIONS);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn first_process(&self) -> Option<(u32, OwnedFd)> {
        let text = fs::read_to_string(self.folder.join(PID_FILE)).ok()?;
        let pid = text.trim().parse().ok()?;
        Some((pid, process(pid)?))
    }

    fn delete(&self) {
        let mut delete = delete_command(&self.runtime, self.root.as_deref(), &self.id);
        let _ = delete.stdout(Stdio::null()).status();
    }
}

/// Deletes a container whatever its state. One whose process is gone is gone from some runtimes as well: nothing is said.
pub(super) fn delete_command(runtime: &Path, root: Option<&Path>, id: &str) -> Command {
    let mut command = Command::new(runtime);
    if let Some(root) = root {
        command.arg("--root").arg(root);
    }
    command.args(["delete", "--force", id]).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// A descriptor that becomes readable when the process ends; none where it has.
fn process(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(i32::try_from(pid).ok()?)?, PidfdFlags::empty()).ok()
}

/// Waits until one of them has ended.
fn wait_for<Fd: AsFd>(processes: &[Fd]) {
    let mut waited: Vec<PollFd<'_>> = processes.iter().map(|one| PollFd::new(one, PollFlags::IN)).collect();
    while !waited.is_empty() && poll(&mut waited, None) == Err(rustix::io::Errno::INTR) {}
}
