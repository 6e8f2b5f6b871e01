//! Actions and comparison operators, as OCI spells them.

/// What happens to a system call (runtime-spec `config-linux.md`, seccomp; `SECCOMP_RET_*` in the kernel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// `SCMP_ACT_KILL`: what `SCMP_ACT_KILL_THREAD` was called before libseccomp 2.4; told apart to be written back.
    Kill,
    /// The thread dies by SIGSYS.
    KillThread,
    /// The whole process dies by SIGSYS.
    KillProcess,
    /// The thread gets SIGSYS and may handle it.
    Trap,
    /// The call returns an error and does nothing.
    Errno,
    /// A tracer decides; without one the call fails with ENOSYS.
    Trace,
    /// A listener in user space decides.
    Notify,
    /// The call is made and logged.
    Log,
    /// The call is made.
    Allow,
}

const ACTIONS: [(Action, &str); 9] = [
    (Action::Kill, "SCMP_ACT_KILL"),
    (Action::KillThread, "SCMP_ACT_KILL_THREAD"),
    (Action::KillProcess, "SCMP_ACT_KILL_PROCESS"),
    (Action::Trap, "SCMP_ACT_TRAP"),
    (Action::Errno, "SCMP_ACT_ERRNO"),
    (Action::Trace, "SCMP_ACT_TRACE"),
    (Action::Notify, "SCMP_ACT_NOTIFY"),
    (Action::Log, "SCMP_ACT_LOG"),
    (Action::Allow, "SCMP_ACT_ALLOW"),
];

impl Action {
    /// The action that OCI spells `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(_, known)| *known == name).map(|(action, _)| *action)
    }

    /// OCI's spelling.
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, name)| name)
    }
}

/// How a condition compares an argument (unsigned, 64 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Not equal to `value`.
    Ne,
    /// Less than `value`.
    Lt,
    /// At most `value`.
    Le,
    /// Equal to `value`.
    Eq,
    /// At least `value`.
    Ge,
    /// Greater than `value`.
    Gt,
    /// Equal to `value_two` under the mask `value`.
    MaskedEq,
}

const OPS: [(Op, &str); 7] = [
    (Op::Ne, "SCMP_CMP_NE"),
    (Op::Lt, "SCMP_CMP_LT"),
    (Op::Le, "SCMP_CMP_LE"),
    (Op::Eq, "SCMP_CMP_EQ"),
    (Op::Ge, "SCMP_CMP_GE"),
    (Op::Gt, "SCMP_CMP_GT"),
    (Op::MaskedEq, "SCMP_CMP_MASKED_EQ"),
];

impl Op {
    /// The operator that OCI spells `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        OPS.iter().find(|(_, known)| *known == name).map(|(op, _)| *op)
    }

    /// OCI's spelling.
    pub fn name(self) -> &'static str {
        OPS.iter().find(|(op, _)| *op == self).map_or("", |(_, name)| name)
    }
}
