//! What one record of the kernel's says.

use super::moment::Moment;
use crate::apparmor::learn::Record;
use crate::seccomp::{Action, Arch, Syscall, Verdict};

/// Something that a process asked for and that was refused, or only logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, if the record says.
    pub at: Option<Moment>,
    /// The audit record's number: with the time it tells records apart that reach a log by two ways.
    pub serial: Option<u64>,
    /// The process, as the first pid namespace counts.
    pub pid: Option<i32>,
    /// Its name; the kernel keeps 15 bytes of it.
    pub comm: String,
    /// The file it runs, as its own mount namespace names it.
    pub exe: String,
    /// What it was.
    pub what: What,
    /// An access in full, as AppArmor reported it.
    pub access: Option<Box<Record>>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A system call, to a filter.
    Call {
        /// The interface; none that batten knows otherwise.
        arch: Option<Arch>,
        /// The number, as the kernel sees it.
        number: u32,
        /// What became of it.
        fate: Fate,
    },
    /// An access, to an AppArmor profile.
    Access {
        /// `open`, `mount`, `capable`, …
        operation: String,
        /// What it was about: a path, a capability, a peer. Empty where the record has none.
        object: String,
        /// The profile that refused it.
        profile: String,
    },
}

/// What became of a call or of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It failed, or did not start.
    Refused,
    /// The thread died.
    Killed,
    /// The process got SIGSYS.
    Trapped,
    /// It was made, and logged.
    Logged,
    /// A tracer or a listener was asked.
    Asked,
    /// It started, changed to fit the policy.
    Fixed,
}

impl Fate {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Killed => "killed",
            Self::Trapped => "trapped",
            Self::Logged => "logged",
            Self::Asked => "asked",
            Self::Fixed => "fixed",
        }
    }

    /// Whether something did not happen that was asked for.
    pub const fn is_denial(self) -> bool {
        matches!(self, Self::Refused | Self::Killed | Self::Trapped)
    }

    /// From `code=`: the filter's action without its data (`audit_seccomp` in the kernel's `kernel/auditsc.c`).
    pub(super) fn from_code(code: u32) -> Option<Self> {
        Some(match Verdict::from_kernel(code)?.action() {
            Action::Errno => Self::Refused,
            Action::Trap => Self::Trapped,
            Action::Kill | Action::KillThread | Action::KillProcess => Self::Killed,
            Action::Log | Action::Allow => Self::Logged,
            Action::Trace | Action::Notify => Self::Asked,
        })
    }
}

impl What {
    /// The call's name, or the operation and its object.
    pub fn name(&self) -> String {
        match self {
            Self::Call { arch, number, .. } => {
                let call = arch.and_then(|arch| Syscall::from_number(arch, *number));
                call.map_or_else(|| format!("call number {number}"), |call| call.name().to_owned())
            }
            Self::Access { operation, object, .. } if object.is_empty() => operation.clone(),
            Self::Access { operation, object, .. } => format!("{operation} {object}"),
        }
    }

    /// What became of it.
    pub const fn fate(&self) -> Fate {
        match self {
            Self::Call { fate, .. } => *fate,
            Self::Access { .. } => Fate::Refused,
        }
    }
}
