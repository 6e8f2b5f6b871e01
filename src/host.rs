//! What the machine can do, as a plain value: tests and dry runs judge for another host than the one they run on.

use std::path::Path;

use crate::apparmor::Kernel;
use crate::memo::Memo;
use crate::policy::{Day, Policy};
use crate::seccomp::{Arch, KernelVersion};

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
            memo: Memo::default(),
        }
    }
}

impl Host {
    /// The day it is there. Only a waiver asks: the clock costs a start more than any rule.
    pub fn today(&self) -> Day {
        self.today.unwrap_or_else(Day::today)
    }

    /// The machine batten runs on, with what `policy` asks of the runtime that the shim's settings lead to.
    pub fn detect_for(policy: &Policy) -> Self {
        let mut host = Self::detect();
        if policy.asks_to_log_denials() {
            host.filter_log = FilterLog::of_machine(&host.memo);
        }
        host
    }

    /// The machine batten runs on, for a door in front of a container: what is worked out for this start is kept for
    /// the next one.
    pub fn detect_for_start() -> Self {
        Self { memo: Memo::of_machine(), ..Self::detect() }
    }
}

/// `Y` in the module's parameter is what runc and crun ask as well.
fn apparmor_enabled(root: &Path) -> bool {
    std::fs::read(root.join("sys/module/apparmor/parameters/enabled")).is_ok_and(|text| text.first() == Some(&b'Y'))
}
