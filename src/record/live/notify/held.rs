//! A listener that a runtime holds and cannot hand over.
//!
//! Between loading the filter and handing over its listener a runtime makes calls of its own. The filter leaves out those that
//! were measured, but the next release of Go may make another one, and then the runtime waits for an answer that nobody can
//! give. The agent takes the listener out of the process that waits.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// Between two looks; a runtime that holds a listener for longer is stuck.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// What the kernel calls such a descriptor (`init_listener` in `kernel/seccomp.c`).
const LISTENER: &str = "anon_inode:seccomp notify";

/// A process and the number of its descriptor.
type Place = (i32, i32);

/// What was held when one last looked.
#[derive(Debug, Default)]
pub(super) struct Held {
    before: BTreeSet<Place>,
}

impl Held {
    /// The listeners, with their processes, that filtered processes below `ancestor` hold now and held at the last look.
    /// Where taking them is not permitted there are none.
    pub(super) fn stuck(&mut self, ancestor: u32) -> Vec<(OwnedFd, u32)> {
        let now: BTreeSet<Place> = descendants(ancestor).into_iter().filter_map(held_by).collect();
        let both = now.intersection(&self.before).copied();
        let taken = both.filter_map(|(pid, number)| Some((take(pid, number)?, u32::try_from(pid).ok()?))).collect();
        self.before = now;
        taken
    }
}

/// The children of `process`, theirs, and so on.
fn descendants(process: u32) -> Vec<i32> {
    let mut found = children(i64::from(process));
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        let more = children(i64::from(*pid));
        found.extend(more);
        next += 1;
    }
    found
}

fn children(process: i64) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

/// The listener of a process that has a filter which this one has not: who only passes one on is not stuck.
fn held_by(pid: i32) -> Option<Place> {
    if filters(&pid.to_string())? <= filters("self")? {
        return None;
    }
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
    let mut listeners =
        descriptors.filter(|entry| fs::read_link(entry.path()).is_ok_and(|what| what.as_os_str() == LISTENER));
    let number = listeners.next()?.file_name().to_str()?.parse().ok()?;
    Some((pid, number))
}

/// How many filters a process has (Linux 5.9).
fn filters(process: &str) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"))?.trim().parse().ok()
}

/// Linux 5.6, and the right to trace the process.
fn take(pid: i32, number: i32) -> Option<OwnedFd> {
    let process = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    pidfd_getfd(process.as_fd(), number, PidfdGetfdFlags::empty()).ok()
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::super::system::{self, tests::Listener};
    use super::*;

    #[test]
    fn a_listener_that_its_process_cannot_hand_over_is_taken_and_answered() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let _alone = system::tests::alone();
        // Its first call after the filter is loaded is execve, which waits for an answer: nobody else has the listener.
        let waiting = std::thread::spawn(|| {
            system::tests::reporting(libc_execve(), Listener::Kept, Command::new("/bin/true")).status()
        });
        let mut held = Held::default();
        let until = Instant::now() + Duration::from_secs(60);
        let (listener, pid) = loop {
            assert!(Instant::now() < until, "no listener is found");
            std::thread::sleep(Duration::from_millis(20));
            if let Some(found) = held.stuck(std::process::id()).pop() {
                break found;
            }
        };
        let call = system::receive(listener.as_fd()).unwrap().unwrap();
        assert_eq!((call.number, call.thread), (libc_execve(), pid));
        assert!(system::let_go(listener.as_fd(), call.id));
        assert!(waiting.join().unwrap().unwrap().success());
    }

    fn libc_execve() -> u32 {
        u32::try_from(nix::libc::SYS_execve).unwrap()
    }

    #[test]
    fn who_only_holds_one_is_not_stuck() {
        assert_eq!(held_by(i32::try_from(std::process::id()).unwrap()), None);
    }
}
