//! The container that is recorded.

use std::os::linux::fs::MetadataExt;

use crate::attest::cgroup::{Group, Hierarchies};
use crate::attest::members::Members;
use crate::attest::process::{NamespaceKind, Process, ProcessError};
use crate::attest::{Container, own_namespaces};

/// A container with a first process.
#[derive(Debug)]
pub(super) struct Subject {
    /// Its first process.
    pub(super) first: Process,
    groups: Vec<Group>,
    trees: Hierarchies,
}

impl Subject {
    /// A container that a runtime knows; none when it is not running.
    pub(super) fn of_container(container: &Container, trees: Hierarchies) -> Option<Self> {
        let first = container.first_process()?;
        Some(Self { first, groups: container.groups.clone(), trees })
    }

    /// The container whose first process has the number `pid`; none when that is gone.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub(super) fn of_first_process(pid: i32) -> Result<Option<Self>, ProcessError> {
        let first = Process::open(pid)?;
        Ok(first.map(|first| Self { first, groups: Vec::new(), trees: Hierarchies::mounted() }))
    }

    /// Its processes, as far as they can be found.
    pub(super) fn members(&self) -> Vec<Process> {
        let Ok(Some(first)) = Process::open(self.first.pid()) else { return Vec::new() };
        Members::of(first, &self.groups, &self.trees).map(|found| found.processes).unwrap_or_default()
    }

    /// Whether its files are mounted for itself, so that whoever sees them so is the container's.
    pub(super) fn has_own_mounts(&self) -> bool {
        let own = own_namespaces()[1];
        own.is_some() && self.first.namespace(NamespaceKind("mnt")).is_some_and(|mounts| Some(mounts) != own)
    }
}

/// A file, by its device and its number there.
pub(super) type File = (u64, u64);

/// The file that a process runs; none where it is gone or may not be asked.
pub(super) fn program_of(process: u32) -> Option<File> {
    let file = std::fs::metadata(format!("/proc/{process}/exe")).ok()?;
    Some((file.st_dev(), file.st_ino()))
}
