//! Which control groups processes were in, noted while they lived: most of what is refused is refused to a process that is
//! gone when its record is read.
//!
//! The kernel's proc connector tells of every fork and execve (`Documentation/driver-api/connector.rst`,
//! `include/uapi/linux/cn_proc.h`); root only, first pid namespace only. A child is where its parent was until it becomes
//! another program. Whatever cannot be had is done without: a process that lives is found in /proc all the same.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::netlink::{CONNECTOR, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with, sockopt,
};

/// `CN_IDX_PROC` and `CN_VAL_PROC`.
const PROC: u32 = 1;
/// `PROC_CN_MCAST_LISTEN`.
const LISTEN: u32 = 1;
const FORK: u32 = 1;
const EXEC: u32 = 2;

/// `struct nlmsghdr` and `struct cn_msg`, before the event; the event's own head before its data.
const HEADS: usize = 16 + 20;
const EVENT_HEAD: usize = 16;

/// Processes that are remembered; when there are more, all are forgotten.
const MOST: usize = 100_000;

/// Room for what comes while batten is busy, in bytes.
const BUFFER: usize = 8 << 20;

/// The groups of processes, living or gone, by their numbers.
pub struct Forks {
    socket: OwnedFd,
    seen: Mutex<HashMap<i32, Arc<str>>>,
}

/// What the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Forked { parent: i32, child: i32 },
    Executed(i32),
}

impl Forks {
    /// Listens, and goes on doing so on a thread of its own.
    ///
    /// # Errors
    /// The kernel's: no root, no such kernel, another network or pid namespace.
    pub fn listen() -> Result<Arc<Self>, Errno> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(CONNECTOR))?;
        // Less room is no reason to do without.
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER);
        bind(&socket, &SocketAddrNetlink::new(0, PROC))?;
        send(&socket, &subscription(), SendFlags::empty())?;
        let forks = Arc::new(Self { socket, seen: Mutex::default() });
        let own = Arc::clone(&forks);
        std::thread::spawn(move || own.go_on());
        Ok(forks)
    }

    /// The groups that `pid` was in, as its /proc/PID/cgroup said. Whatever the kernel has told by now counts.
    pub fn groups(&self, pid: i32) -> Option<Arc<str>> {
        self.take_in();
        self.seen.lock().ok()?.get(&pid).cloned()
    }

    fn go_on(&self) {
        loop {
            let mut one = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut one, None) {
                Ok(_) | Err(Errno::INTR) => self.take_in(),
                Err(_) => return,
            }
        }
    }

    /// Reads what there is. The lock is held throughout: what is read first is noted first.
    fn take_in(&self) {
        let Ok(mut seen) = self.seen.lock() else { return };
        let mut message = [0; 4096];
        loop {
            match recv(&self.socket, &mut message, RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    if let Some(told) = Told::read(&message[..length]) {
                        note(&mut seen, told);
                    }
                }
                // Some were lost: what is known may be wrong.
                Err(Errno::NOBUFS) => seen.clear(),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

fn note(seen: &mut HashMap<i32, Arc<str>>, told: Told) {
    let read = |pid: i32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok().filter(|text| !text.is_empty());
        text.map(Arc::from)
    };
    if seen.len() >= MOST {
        seen.clear();
    }
    match told {
        Told::Forked { parent, child } => match seen.get(&parent).cloned().or_else(|| read(child)) {
            Some(groups) => {
                seen.insert(child, groups);
            }
            // The number was another's before.
            None => {
                seen.remove(&child);
            }
        },
        Told::Executed(pid) => {
            if let Some(groups) = read(pid) {
                seen.insert(pid, groups);
            }
        }
    }
}

fn subscription() -> Vec<u8> {
    const DONE: u16 = 3;
    let mut message = Vec::with_capacity(HEADS + 4);
    message.extend_from_slice(&40u32.to_ne_bytes());
    message.extend_from_slice(&DONE.to_ne_bytes());
    message.extend_from_slice(&[0; 10]);
    for word in [PROC, PROC, 0, 0] {
        message.extend_from_slice(&word.to_ne_bytes());
    }
    message.extend_from_slice(&4u16.to_ne_bytes());
    message.extend_from_slice(&[0; 2]);
    message.extend_from_slice(&LISTEN.to_ne_bytes());
    message
}

impl Told {
    /// Reads a message. Threads are no processes: theirs are left out.
    fn read(message: &[u8]) -> Option<Self> {
        let event = message.get(HEADS..)?;
        let word = |at: usize| Some(u32::from_ne_bytes(event.get(at..at + 4)?.try_into().ok()?));
        let pid = |index: usize| i32::try_from(word(EVENT_HEAD + 4 * index)?).ok();
        match word(0)? {
            FORK => {
                let (parent, child, thread) = (pid(1)?, pid(3)?, pid(2)?);
                (child == thread).then_some(Self::Forked { parent, child })
            }
            EXEC => pid(1).map(Self::Executed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(what: u32, data: &[u32]) -> Vec<u8> {
        let mut message = vec![0; HEADS];
        message.extend_from_slice(&what.to_ne_bytes());
        message.extend_from_slice(&[0; 12]);
        for word in data {
            message.extend_from_slice(&word.to_ne_bytes());
        }
        message
    }

    #[test]
    fn forks_and_executions_of_processes_are_told() {
        assert_eq!(Told::read(&message(FORK, &[5, 5, 7, 7])), Some(Told::Forked { parent: 5, child: 7 }));
        assert_eq!(Told::read(&message(FORK, &[5, 5, 7, 5])), None, "a thread");
        assert_eq!(Told::read(&message(EXEC, &[7, 7])), Some(Told::Executed(7)));
        assert_eq!(Told::read(&message(0x8000_0000, &[7, 7])), None);
        assert_eq!(Told::read(&[0; 10]), None);
        assert_eq!(Told::read(&message(FORK, &[5])), None);
        assert_eq!(subscription().len(), HEADS + 4);
    }

    #[test]
    fn a_child_is_where_its_parent_was_and_a_number_that_comes_again_is_another_s() {
        let mut seen = HashMap::new();
        // No process has these numbers.
        let (parent, child) = (0x7fff_fff0, 0x7fff_fff1);
        seen.insert(parent, Arc::from("0::/web\n"));
        note(&mut seen, Told::Forked { parent, child });
        assert_eq!(seen.get(&child).map(AsRef::as_ref), Some("0::/web\n"));
        note(&mut seen, Told::Executed(child));
        assert!(seen.contains_key(&child), "gone before it could be looked at");
        note(&mut seen, Told::Forked { parent: 0x7fff_fff2, child });
        assert!(!seen.contains_key(&child));
    }
}
