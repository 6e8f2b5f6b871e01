//! Through which of a machine's interfaces a call was made.

use super::scalar::{Kept, kept_argument};
use crate::seccomp::{Arch, Syscall, X32_BIT};

/// The interfaces of one machine, and for each call a bit for each interface that has it.
pub(super) struct Interfaces {
    pub(super) archs: [Arch; 3],
    pub(super) known: Vec<u8>,
    pub(super) kept: Vec<Option<Kept>>,
}

impl Interfaces {
    /// Those of the machine `native`, with the arguments that are kept where `arguments` says so.
    pub(super) fn new(native: Arch, arguments: bool) -> Self {
        let compat = |index: usize| *native.compat().get(index).unwrap_or(&native);
        let archs = [native, compat(0), compat(1)];
        let bits = |call: Syscall| {
            (0u8..3)
                .filter(|slot| call.number(archs[usize::from(*slot)]).is_some())
                .fold(0, |bits, slot| bits | 1 << slot)
        };
        let kept = |call: Syscall| arguments.then(|| kept_argument(native, call)).flatten();
        Self { archs, known: Syscall::all().map(bits).collect(), kept: Syscall::all().map(kept).collect() }
    }

    pub(super) fn has(&self, slot: u8, call: Syscall) -> bool {
        self.known[call.index()] & 1 << slot != 0
    }

    /// The interface of a thread that calls `call`, when it was thought to use `slot`: a call that only another one has
    /// gives that other one away.
    pub(super) fn settle(&self, slot: u8, call: Syscall) -> u8 {
        if self.has(slot, call) { slot } else { (0..3).find(|other| self.has(*other, call)).unwrap_or(slot) }
    }

    /// The interface where `call` has the number that `-n` printed.
    pub(super) fn by_number(&self, slot: u8, call: Syscall, number: u32) -> u8 {
        let fits = |slot: u8| {
            let known = call.number(self.archs[usize::from(slot)]);
            known == Some(number) || known == Some(number | X32_BIT)
        };
        if fits(slot) { slot } else { (0..3).find(|other| fits(*other)).unwrap_or(slot) }
    }

    /// strace's names: `src/linux/*/personality` and `personality_names`.
    pub(super) fn by_mode(&self, mode: &[u8]) -> Option<u8> {
        let wanted = match mode {
            b"64 bit" | b"LP64" | b"AArch64" => return Some(0),
            b"x32" => Arch::X32,
            _ => return (self.archs[1] != self.archs[0] && mode != b"x32").then_some(1),
        };
        (0u8..3).find(|slot| self.archs[usize::from(*slot)] == wanted)
    }
}
