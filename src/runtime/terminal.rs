//! The terminal of a container in the foreground: the runtime sends the master side over a socket, and batten stands
//! between it and the caller's own terminal.

use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread::JoinHandle;

use nix::unistd::mkdtemp;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// Where the runtime sends the terminal to: a socket in a folder that only this user can open.
#[derive(Debug)]
pub struct ConsoleSocket {
    listener: UnixListener,
    folder: PathBuf,
}

impl ConsoleSocket {
    /// Listens.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn listen() -> io::Result<Self> {
        let folder = mkdtemp(&std::env::temp_dir().join("batten-XXXXXX"))?;
        let listener = UnixListener::bind(folder.join("console"));
        // From here on the folder goes when this does.
        listener.map(|listener| Self { listener, folder })
    }

    /// For `--console-socket`.
    pub fn path(&self) -> PathBuf {
        self.folder.join("console")
    }

    /// Takes the terminal that the runtime has sent.
    ///
    /// # Errors
    /// What the kernel says; `InvalidData` when something else than a descriptor came.
    pub fn receive(&self) -> io::Result<Console> {
        let (stream, _) = self.listener.accept()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut name = [0; 4096];
        recvmsg(&stream, &mut [IoSliceMut::new(&mut name)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let sent = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        sent.map(|master| Console { master }).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }
}

impl Drop for ConsoleSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The master side.
#[derive(Debug)]
pub struct Console {
    master: OwnedFd,
}

impl Console {
    /// Copies in both directions, the caller's terminal in raw mode meanwhile.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn attach(&self) -> io::Result<Attached> {
        self.resize();
        let raw = RawMode::enter()?;
        let (mut from_container, mut to_container) =
            (std::fs::File::from(self.master.try_clone()?), std::fs::File::from(self.master.try_clone()?));
        let output = std::thread::spawn(move || {
            // The end of a terminal is an error (EIO), not an end of file.
            let _ = io::copy(&mut from_container, &mut io::stdout());
            let _ = io::stdout().flush();
        });
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut to_container);
            // What is typed at the end of input.
            let _ = to_container.write_all(b"\x04");
        });
        Ok(Attached { output: Some(output), _raw: raw })
    }

    /// Gives the container's terminal the size of the caller's.
    pub fn resize(&self) {
        if let Ok(size) = tcgetwinsize(io::stdin()) {
            let _ = tcsetwinsize(&self.master, size);
        }
    }
}

/// A terminal that is being copied.
#[derive(Debug)]
pub struct Attached {
    output: Option<JoinHandle<()>>,
    _raw: Option<RawMode>,
}

impl Attached {
    /// Waits for the last output of a container that has ended.
    pub fn finish(mut self) {
        if let Some(output) = self.output.take() {
            let _ = output.join();
        }
    }
}

/// The caller's terminal passes every key on; put back at the end.
#[derive(Debug)]
struct RawMode(Termios);

impl RawMode {
    fn enter() -> io::Result<Option<Self>> {
        if !isatty(io::stdin()) {
            return Ok(None);
        }
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Some(Self(before)))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
