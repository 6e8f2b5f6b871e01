//! What the machine can do, as a plain value: tests and dry runs judge for another host than the one they run on.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::apparmor::Kernel;
use crate::memo::Memo;
use crate::seccomp::{Arch, KernelVersion};
use crate::settings::Day;

/// Whether the runtime behind takes `SECCOMP_FILTER_FLAG_LOG`, without which a call that fails by a filter leaves no
/// record. A runtime that does not know it refuses to start the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterLog {
    /// It does.
    Taken,
    /// It does not; why, in a clause.
    NotTaken(String),
    /// Nobody asked it.
    Unknown,
}

/// The namespaces of the processes that a document names by number.
#[derive(Debug, Clone, Default)]
pub enum Namespaces {
    /// It need not be of this machine, or of this moment: nobody looks.
    #[default]
    Unknown,
    /// They are those of the processes in this folder, a `/proc`.
    Of(PathBuf),
}

impl Namespaces {
    /// Those of the processes of this machine.
    pub fn here() -> Self {
        Self::Of(PathBuf::from("/proc"))
    }

    /// Whether `/proc/PROCESS/ns/FILE` is the host's: the same as the first process's or, where that may not be looked at
    /// (as by a rootless engine), as batten's own.
    pub fn are_hosts(&self, process: &str, file: &str) -> bool {
        let Self::Of(proc) = self else { return false };
        let of = |process: &str| {
            let seen = std::fs::metadata(proc.join(process).join("ns").join(file)).ok()?;
            Some((seen.dev(), seen.ino()))
        };
        of(process).is_some_and(|its| of("1").or_else(|| of("self")) == Some(its))
    }
}

/// The host a document is judged for.
#[derive(Debug, Clone)]
pub struct Host {
    /// The architecture that its system calls are counted in.
    pub arch: Arch,
    /// The kernel it runs.
    pub kernel: KernelVersion,
    /// Whether AppArmor enforces profiles here.
    pub apparmor: bool,
    /// Where it is asked which profiles are loaded.
    pub kernel_profiles: Kernel,
    /// The day it is there, which decides whether a waiver still holds; by the clock where this is not set.
    pub today: Option<Day>,
    /// Whether the runtime behind can have refused calls logged.
    pub filter_log: FilterLog,
    /// Whose namespaces a document's processes have; known before a start and of what runs.
    pub namespaces: Namespaces,
    /// Answers from earlier starts; none for a dry run.
    pub memo: Memo,
}

impl Host {
    /// The machine batten runs on.
    pub fn detect() -> Self {
        Self {
            arch: Arch::NATIVE,
            kernel: KernelVersion::running(),
            apparmor: apparmor_enabled(Path::new("/")),
            kernel_profiles: Kernel::host(),
            today: None,
            filter_log: FilterLog::Unknown,
            namespaces: Namespaces::Unknown,
            memo: Memo::default(),
        }
    }
}

impl Host {
    /// The day it is there. Only a waiver asks: the clock costs a start more than any rule.
    pub fn today(&self) -> Day {
        self.today.unwrap_or_else(Day::today)
    }

    /// The same, which looks whose the namespaces are that a document names by processes: for what is started here now.
    #[must_use]
    pub fn looking(self) -> Self {
        Self { namespaces: Namespaces::here(), ..self }
    }

    /// The machine batten runs on, for a door in front of a container: what is worked out for this start is kept for
    /// the next one.
    pub fn detect_for_start() -> Self {
        Self { memo: Memo::of_machine(), ..Self::detect() }.looking()
    }
}

/// `Y` in the module's parameter is what runc and crun ask as well.
fn apparmor_enabled(root: &Path) -> bool {
    std::fs::read(root.join("sys/module/apparmor/parameters/enabled")).is_ok_and(|text| text.first() == Some(&b'Y'))
}
