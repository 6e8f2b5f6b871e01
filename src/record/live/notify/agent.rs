//! Who answers the container: a process of its own, which goes on when batten is killed, since without answers every call of
//! the container would fail.
//!
//! Standard input is the socket that runtimes bring listeners to, standard output a socket to batten. A byte from there asks
//! for the recording; its end says that batten is gone. The agent ends with the last process that a filter is loaded in.

use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::held::{self, Held};
use super::system::{self, Notification};
use crate::record::live::counter::Counter;
use crate::record::live::subject::{File, program_of};
use crate::record::output;
use crate::seccomp::{Arch, Syscall};

/// A filter in the container, and the process that it was loaded for.
#[derive(Debug)]
struct Listener {
    descriptor: OwnedFd,
    first: u32,
    /// What that one ran when it called execve; until it runs something else it is the runtime's.
    runtime: Option<File>,
    started: bool,
}

/// Answers until nobody is left to answer.
pub(super) fn serve(arguments: bool, run: &str, source: &str) -> std::io::Result<()> {
    let runtimes = UnixListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut batten = Some(UnixStream::from(std::io::stdout().as_fd().try_clone_to_owned()?));
    let mut counter = Some(Counter::new(arguments));
    let mut listeners: Vec<Listener> = Vec::new();
    let above = std::os::unix::process::parent_id();
    let mut held = Some(Held::default());
    while batten.is_some() || !listeners.is_empty() {
        let ready = wait(&runtimes, batten.as_ref(), &listeners, held.is_some())?;
        for (listener, ready) in listeners.iter_mut().zip(&ready.listeners) {
            if ready.contains(PollFlags::IN) {
                listener.answer(counter.as_mut());
            }
        }
        let mut over = ready.listeners.iter().map(|ready| ready.intersects(PollFlags::HUP | PollFlags::ERR));
        listeners.retain(|_| !over.next().unwrap_or(false));
        if ready.runtimes
            && let Ok((mut stream, _)) = runtimes.accept()
        {
            let brought = Listener::receive(&mut stream);
            // The same one as was taken from its process is not to be waited for twice.
            listeners
                .extend(brought.filter(|one| one.first == 0 || listeners.iter().all(|known| known.first != one.first)));
        } else if let Some(held) = &mut held {
            listeners.extend(held.stuck(above).into_iter().map(|(descriptor, first)| Listener::new(descriptor, first)));
        }
        if !listeners.is_empty() {
            held = None;
        }
        if ready.batten
            && let Some(mut stream) = batten.take()
        {
            let asked = stream.read(&mut [0]).is_ok_and(|bytes| bytes > 0);
            if let (true, Some(counter)) = (asked, counter.take()) {
                let recording = counter.finish().recording(run, source);
                // Where batten is gone meanwhile nobody reads it.
                let _ = stream.write_all(output::save(&recording).as_bytes());
            }
            // Nothing is counted any more: what follows is answered alone.
            counter = None;
            std::mem::drop(stream);
            close_standard_output();
        }
    }
    Ok(())
}

/// The clone of it is not the only descriptor of the socket, and batten waits for its end.
fn close_standard_output() {
    if let Ok(nothing) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(nothing);
    }
}

struct Ready {
    runtimes: bool,
    batten: bool,
    listeners: Vec<PollFlags>,
}

/// Waits for any of them; not for ever where a runtime may be `stuck`.
fn wait(
    runtimes: &UnixListener,
    batten: Option<&UnixStream>,
    listeners: &[Listener],
    stuck: bool,
) -> std::io::Result<Ready> {
    let pause = Timespec { tv_sec: 0, tv_nsec: held::PAUSE.subsec_nanos().into() };
    let mut waited: Vec<PollFd<'_>> = vec![PollFd::new(runtimes, PollFlags::IN)];
    waited.extend(listeners.iter().map(|one| PollFd::new(&one.descriptor, PollFlags::IN)));
    waited.extend(batten.map(|stream| PollFd::new(stream, PollFlags::IN)));
    match poll(&mut waited, stuck.then_some(&pause)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let flags: Vec<PollFlags> = waited.iter().map(PollFd::revents).collect();
    Ok(Ready {
        runtimes: flags[0].contains(PollFlags::IN),
        batten: batten.is_some() && flags.last().is_some_and(|flags| !flags.is_empty()),
        listeners: flags[1..=listeners.len()].to_vec(),
    })
}

impl Listener {
    /// Takes what a runtime brings: a descriptor, and its container's state (runtime-spec, config-linux.md, `listenerPath`).
    fn receive(stream: &mut UnixStream) -> Option<Self> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut text = vec![0; 1 << 16];
        let read = recvmsg(&*stream, &mut [IoSliceMut::new(&mut text)], &mut control, RecvFlags::CMSG_CLOEXEC).ok()?;
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        })?;
        let state: Option<serde_json::Value> = serde_json::from_slice(&text[..read.bytes]).ok();
        let first = state.and_then(|state| state.get("pid")?.as_u64()).and_then(|pid| u32::try_from(pid).ok());
        Some(Self::new(descriptor, first.unwrap_or(0)))
    }

    fn new(descriptor: OwnedFd, first: u32) -> Self {
        system::wake_in_place(descriptor.as_fd());
        Self { descriptor, first, runtime: None, started: false }
    }

    fn answer(&mut self, counter: Option<&mut Counter>) {
        let Ok(Some(call)) = system::receive(self.descriptor.as_fd()) else { return };
        self.started = self.started || self.starts(&call);
        // One that a signal has taken back is not made, or is reported once more when the signal has been handled.
        let made = system::let_go(self.descriptor.as_fd(), call.id);
        if let (true, true, Some(counter)) = (made, self.started, counter) {
            counter.made(call.audit, call.number, &call.arguments);
        }
    }

    /// Whether this is the program's first call: its process has called execve as the runtime, and is another program now.
    /// Hooks of the runtime are processes of their own.
    fn starts(&mut self, call: &Notification) -> bool {
        if call.thread != self.first && process_of(call.thread) != Some(self.first) {
            return false;
        }
        let program = program_of(self.first);
        if let Some(runtime) = self.runtime {
            return program.is_some_and(|program| program != runtime);
        }
        let number = |name| Syscall::from_name(name).and_then(|syscall| syscall.number(Arch::NATIVE));
        if [number("execve"), number("execveat")].contains(&Some(call.number)) {
            self.runtime = program;
        }
        false
    }
}

fn process_of(thread: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}
