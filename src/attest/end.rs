//! Ending a container: every process of it, those that come meanwhile too.

use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::cgroup::{Group, Hierarchies};
use super::members::Members;
use super::process::Process;

/// How often to look for processes that came meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// Kills all processes of the container whose first process is `pid`, and says whether none was left at `until`.
pub fn end(pid: i32, known: &[Group], trees: &Hierarchies, until: Instant) -> bool {
    // Its groups are known as long as its first process is there.
    let mut groups = known.to_owned();
    loop {
        let is_last = Instant::now() >= until;
        let Ok(Some(first)) = Process::open(pid) else { return is_empty(&groups, trees) };
        let Ok(members) = Members::of(first, &groups, trees) else { return false };
        groups.extend(members.groups.iter().filter(|group| !groups.contains(group)).cloned().collect::<Vec<_>>());
        members.groups.iter().for_each(|group| {
            group.kill();
        });
        members.processes.iter().for_each(kill);
        let left = members.processes.iter().any(|process| matches!(process.snapshot(), Ok(Some(_))));
        if !left && is_empty(&members.groups, trees) {
            return true;
        }
        if is_last {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
}

/// By descriptor, checked after it was opened: the number alone could be another process's by now.
fn kill(process: &Process) {
    let Some(pid) = Pid::from_raw(process.pid()).filter(|pid| *pid != Pid::INIT && *pid != rustix::process::getpid())
    else {
        return;
    };
    if let Ok(held) = pidfd_open(pid, PidfdFlags::empty())
        && process.is_there()
    {
        let _ = pidfd_send_signal(held, Signal::KILL);
    }
}

/// Whether nothing that could run is left in the groups.
fn is_empty(groups: &[Group], trees: &Hierarchies) -> bool {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    trees.private(groups, &own).iter().all(|group| {
        let pids = group.processes().unwrap_or_default();
        pids.into_iter().all(|pid| match Process::open(pid) {
            Ok(Some(process)) => matches!(process.snapshot(), Ok(None)),
            _ => true,
        })
    })
}
