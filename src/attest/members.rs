//! Who all belongs to a container: the processes of its control groups, and those that share its view of files.
//!
//! An exec'd process is in both. One that left the groups, which takes a privileged container, is still in the mount
//! namespace.

use std::collections::BTreeMap;

use super::cgroup::{Group, Hierarchies};
use super::process::{Namespace, NamespaceKind, Process, ProcessError};

/// How often the groups are read again while new processes come.
const ROUNDS: usize = 8;

const MOUNTS: NamespaceKind = NamespaceKind("mnt");

/// The groups and the members of one container.
#[derive(Debug)]
pub struct Members {
    /// The folders of its groups; none where it shares batten's own.
    pub groups: Vec<Group>,
    /// What could not be read.
    pub problems: Vec<String>,
    /// Its processes, by number.
    pub processes: Vec<Process>,
}

/// What tells a container's processes from others.
struct Marks {
    /// From the runtime's state: whoever is in them is the container's.
    known: Vec<Group>,
    /// From the first process: its session's, perhaps, so only who does not live on the host counts.
    guessed: Vec<Group>,
    /// The container's mount namespace, where it is not batten's own.
    mounts: Option<Namespace>,
    host_mounts: Option<Namespace>,
}

impl Members {
    /// The container whose first process is `first` and that a runtime put into `known` groups.
    ///
    /// # Errors
    /// [`ProcessError`] when the first process cannot be looked at.
    pub fn of(first: Process, known: &[Group], trees: &Hierarchies) -> Result<Self, ProcessError> {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let its = first.read("cgroup")?.unwrap_or_default();
        let known = trees.private(known, &own);
        let guessed = trees.groups_of(&its, &own).into_iter().filter(|group| !known.contains(group)).collect();
        let host_mounts = own_mounts();
        let mounts = first.namespace(MOUNTS).filter(|mounts| Some(*mounts) != host_mounts);
        let marks = Marks { known, guessed, mounts, host_mounts };
        let mut found = BTreeMap::from([(first.pid(), first)]);
        let mut problems = Vec::new();
        for _ in 0..ROUNDS {
            problems.clear();
            if marks.collect(&mut found, &mut problems) == 0 {
                break;
            }
        }
        let groups = marks.known.into_iter().chain(marks.guessed).collect();
        Ok(Self { groups, problems, processes: found.into_values().collect() })
    }
}

impl Marks {
    /// Adds who is there and was not; says how many.
    fn collect(&self, found: &mut BTreeMap<i32, Process>, problems: &mut Vec<String>) -> usize {
        let before = found.len();
        for (group, is_known) in self.groups() {
            match group.processes() {
                Ok(pids) => pids.into_iter().for_each(|pid| {
                    // Read again once it is held: the number may have passed on meanwhile.
                    add(found, pid, |process| {
                        (is_known || self.lives_in_a_container(process))
                            && group.processes().is_ok_and(|now| now.contains(&pid))
                    });
                }),
                Err(error) => problems.push(format!("cannot read {}: {error}", group.folder.display())),
            }
        }
        if self.mounts.is_some() {
            every_pid().for_each(|pid| add(found, pid, |process| process.namespace(MOUNTS) == self.mounts));
        }
        found.len() - before
    }

    fn groups(&self) -> impl Iterator<Item = (&Group, bool)> {
        self.known.iter().map(|group| (group, true)).chain(self.guessed.iter().map(|group| (group, false)))
    }

    fn lives_in_a_container(&self, process: &Process) -> bool {
        self.mounts.is_none() || process.namespace(MOUNTS) != self.host_mounts
    }
}

fn add(found: &mut BTreeMap<i32, Process>, pid: i32, belongs: impl Fn(&Process) -> bool) {
    if found.get(&pid).is_some_and(Process::is_there) {
        return;
    }
    if let Ok(Some(process)) = Process::open(pid)
        && belongs(&process)
        && process.is_there()
    {
        found.insert(pid, process);
    }
}

fn every_pid() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn own_mounts() -> Option<Namespace> {
    Process::open(i32::try_from(std::process::id()).ok()?).ok()??.namespace(MOUNTS)
}
