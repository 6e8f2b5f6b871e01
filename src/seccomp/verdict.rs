//! What happens to one call, and which of two verdicts is the stricter.

use std::fmt;

use super::action::Action;

/// EPERM: what runc, crun and youki answer where a profile says `ERRNO` and no number.
pub const EPERM: u32 = 1;

/// An action with the number that it carries.
///
/// The order is total, a greater verdict is stricter: `KILL_PROCESS`, `KILL_THREAD`, `TRAP`, `ERRNO`, `TRACE`, `LOG`,
/// `NOTIFY`, `ALLOW`. It is the kernel's own (`seccomp(2)`) but for `NOTIFY`, which the kernel puts above `TRACE`:
/// a listener can let the call through unseen, and its socket is the bundle's to name, so to a policy it is worth little
/// more than `ALLOW`. Of two error numbers (or messages to a tracer) the greater counts as the stricter: nothing runs
/// either way, and so ENOSYS (38), after which programs try an older call, wins over EPERM (1), after which they give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Verdict {
    rank: u8,
    data: u16,
}

const RANKS: [Action; 8] = [
    Action::Allow,
    Action::Notify,
    Action::Log,
    Action::Trace,
    Action::Errno,
    Action::Trap,
    Action::KillThread,
    Action::KillProcess,
];

impl Verdict {
    /// The call is made.
    pub const ALLOW: Self = Self { rank: 0, data: 0 };
    /// The thread dies: also what libseccomp does to a call from an architecture that the filter does not list
    /// (`SCMP_FLTATR_ACT_BADARCH`).
    pub const KILL_THREAD: Self = Self { rank: 6, data: 0 };
    /// The process dies.
    pub const KILL_PROCESS: Self = Self { rank: 7, data: 0 };
    /// The call fails with EPERM.
    pub const EPERM: Self = Self { rank: 4, data: 1 };

    /// The verdict of `action` with the number that the profile gives, if it does. Only `ERRNO` and `TRACE` carry one,
    /// and libseccomp keeps its lower 16 bits.
    pub fn new(action: Action, number: Option<u32>) -> Self {
        let (rank, carries) = match action {
            Action::Allow => (0, false),
            Action::Notify => (1, false),
            Action::Log => (2, false),
            Action::Trace => (3, true),
            Action::Errno => (4, true),
            Action::Trap => (5, false),
            Action::Kill | Action::KillThread => (6, false),
            Action::KillProcess => (7, false),
        };
        let data = if carries { (number.unwrap_or(EPERM) & 0xffff) as u16 } else { 0 };
        Self { rank, data }
    }

    /// The action.
    pub const fn action(self) -> Action {
        RANKS[self.rank as usize]
    }

    /// The error number, or the message for the tracer.
    pub fn number(self) -> Option<u32> {
        matches!(self.action(), Action::Errno | Action::Trace).then_some(self.data.into())
    }

    /// Whether it lets a call further than `other` does. The number does not count: a call that fails does nothing, with
    /// whichever error.
    pub const fn is_looser_than(self, other: Self) -> bool {
        self.rank < other.rank
    }

    /// Whether the call is made without anybody being asked.
    pub fn lets_through(self) -> bool {
        matches!(self.action(), Action::Allow | Action::Log)
    }

    /// What the filter returns to the kernel (`SECCOMP_RET_*`, `include/uapi/linux/seccomp.h`).
    pub fn to_kernel(self) -> u32 {
        let action = match self.action() {
            Action::KillProcess => 0x8000_0000,
            Action::Kill | Action::KillThread => 0,
            Action::Trap => 0x0003_0000,
            Action::Errno => 0x0005_0000,
            Action::Notify => 0x7fc0_0000,
            Action::Trace => 0x7ff0_0000,
            Action::Log => 0x7ffc_0000,
            Action::Allow => 0x7fff_0000,
        };
        action | u32::from(self.data)
    }

    /// The verdict behind a filter's return value.
    pub fn from_kernel(value: u32) -> Option<Self> {
        let action = match value & 0xffff_0000 {
            0x8000_0000 => Action::KillProcess,
            0 => Action::KillThread,
            0x0003_0000 => Action::Trap,
            0x0005_0000 => Action::Errno,
            0x7fc0_0000 => Action::Notify,
            0x7ff0_0000 => Action::Trace,
            0x7ffc_0000 => Action::Log,
            0x7fff_0000 => Action::Allow,
            _ => return None,
        };
        Some(Self::new(action, Some(value & 0xffff)))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.action(), self.number()) {
            (Action::Allow, _) => f.write_str("allowed"),
            (Action::Notify, _) => f.write_str("left to the listener"),
            (Action::Log, _) => f.write_str("allowed and logged"),
            (Action::Trace, number) => write!(f, "left to a tracer (message {})", number.unwrap_or_default()),
            (Action::Errno, Some(0)) => f.write_str("skipped, reporting success"),
            (Action::Errno, number) => {
                let number = number.unwrap_or_default();
                let name = i32::try_from(number).map(nix::errno::Errno::from_raw);
                match name {
                    Ok(name) if name != nix::errno::Errno::UnknownErrno => write!(f, "refused with {name:?}"),
                    _ => write!(f, "refused with error {number}"),
                }
            }
            (Action::Trap, _) => f.write_str("refused with SIGSYS"),
            (Action::Kill | Action::KillThread, _) => f.write_str("killed (the thread)"),
            (Action::KillProcess, _) => f.write_str("killed (the process)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_documented_one() {
        let verdicts: Vec<Verdict> = [
            Action::KillProcess,
            Action::KillThread,
            Action::Trap,
            Action::Errno,
            Action::Trace,
            Action::Log,
            Action::Notify,
            Action::Allow,
        ]
        .into_iter()
        .map(|action| Verdict::new(action, Some(7)))
        .collect();
        assert!(verdicts.windows(2).all(|pair| pair[0] > pair[1]));
        assert!(Verdict::new(Action::Errno, Some(38)) > Verdict::new(Action::Errno, None));
        assert!(Verdict::new(Action::Errno, Some(0)) > Verdict::new(Action::Trace, Some(0xffff)));
    }

    #[test]
    fn kill_is_kill_thread_and_a_missing_number_is_eperm() {
        assert_eq!(Verdict::new(Action::Kill, Some(3)), Verdict::KILL_THREAD);
        assert_eq!(Verdict::new(Action::Errno, None), Verdict::EPERM);
        assert_eq!(Verdict::new(Action::Errno, Some(0x1_0001)), Verdict::EPERM);
        assert_eq!(Verdict::EPERM.to_string(), "refused with EPERM");
    }

    #[test]
    fn the_kernels_values_come_back() {
        for action in RANKS {
            let verdict = Verdict::new(action, Some(5));
            assert_eq!(Verdict::from_kernel(verdict.to_kernel()), Some(verdict));
        }
        assert_eq!(Verdict::from_kernel(0x1234_0000), None);
    }
}
