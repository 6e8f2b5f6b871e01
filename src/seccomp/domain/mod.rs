//! Sets of argument values, exactly: what conditions mean, what two of them have in common, what one leaves over.
//!
//! Every comparison that OCI knows describes an interval, or the values that agree with a datum under a mask. Both kinds
//! meet in an [`Atom`], and atoms are closed under intersection. A [`Region`] holds one for each of a call's six arguments.

mod atom;
mod region;

use super::action::Op;
use super::arch::Arch;
use super::profile::Condition;
pub(super) use atom::Atom;
#[cfg(feature = "cli")]
pub(super) use atom::low_blocks;
pub(super) use region::Region;

/// How much of an argument the filter looks at. libseccomp compares 32 bits on 32-bit architectures and on x32 and n32,
/// and cuts the profile's numbers to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// All 64 bits.
    Full,
    /// The lower 32.
    Half,
}

impl Width {
    /// How much libseccomp compares on `arch` (`.size` in its `arch-*.c`).
    pub(super) const fn of(arch: Arch) -> Self {
        match arch {
            Arch::X86_64
            | Arch::Aarch64
            | Arch::Riscv64
            | Arch::S390x
            | Arch::Ppc64le
            | Arch::Ppc64
            | Arch::Mips64
            | Arch::Mipsel64
            | Arch::Loongarch64
            | Arch::Parisc64 => Self::Full,
            Arch::X86
            | Arch::X32
            | Arch::Arm
            | Arch::S390
            | Arch::Ppc
            | Arch::Mips
            | Arch::Mips64n32
            | Arch::Mipsel
            | Arch::Mipsel64n32
            | Arch::Parisc
            | Arch::M68k
            | Arch::Sh
            | Arch::Sheb => Self::Half,
        }
    }

    const fn max(self) -> u64 {
        match self {
            Self::Full => u64::MAX,
            Self::Half => u32::MAX as u64,
        }
    }

    /// What is left of a number.
    pub(super) const fn cut(self, value: u64) -> u64 {
        value & self.max()
    }
}

/// The condition that holds just when `condition` does not, if one comparison says it.
pub(super) fn opposite(condition: &Condition) -> Option<Condition> {
    let op = match condition.op {
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Lt => Op::Ge,
        Op::Ge => Op::Lt,
        Op::Le => Op::Gt,
        Op::Gt => Op::Le,
        Op::MaskedEq => return None,
    };
    Some(Condition { op, ..*condition })
}

/// Whether a condition excludes nothing: then libseccomp leaves it out.
pub(super) fn is_always(condition: &Condition, width: Width) -> bool {
    condition.op == Op::MaskedEq && width.cut(condition.value) == 0
}

/// Whether `condition` holds for `value`.
pub(super) fn holds(condition: &Condition, value: u64, width: Width) -> bool {
    let (value, given) = (width.cut(value), width.cut(condition.value));
    match condition.op {
        Op::Ne => value != given,
        Op::Lt => value < given,
        Op::Le => value <= given,
        Op::Eq => value == given,
        Op::Ge => value >= given,
        Op::Gt => value > given,
        Op::MaskedEq => value & given == condition.value_two & given,
    }
}

#[cfg(test)]
mod tests;
