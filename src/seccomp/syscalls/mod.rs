//! System calls: their names, and their numbers on every architecture.
//!
//! The numbers are the kernel's (`arch/*/entry/syscalls/*.tbl`, `scripts/syscall.tbl`), up to Linux 7.1. A runtime knows
//! only those of the libseccomp that it was built with: 2.5.4 those of Linux 5.17, 2.6.0 those of 6.13.

mod multiplexed;
#[allow(clippy::unreadable_literal, reason = "a column of numbers reads best plain")]
mod table;

use super::arch::Arch;
use super::target::KernelVersion;
use table::{CALLS, LEN};

pub use multiplexed::Multiplexer;

/// A system call by name, the same on every architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Syscall(u16);

/// Bit 30 marks x32 calls among x86_64's (`__X32_SYSCALL_BIT`, `arch/x86/include/uapi/asm/unistd.h`).
pub const X32_BIT: u32 = 0x4000_0000;

/// Slots of the name index: a power of two, four times as many as names.
const SLOTS: usize = 2048;
const EMPTY: u16 = u16::MAX;
static INDEX: [u16; SLOTS] = index();

impl Syscall {
    /// How many there are: each one's [`Syscall::index`] is smaller.
    pub const COUNT: usize = LEN;

    /// The call that the kernel's sources name `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut slot = slot(name.as_bytes());
        loop {
            let call = INDEX[slot];
            if call == EMPTY {
                return None;
            }
            if CALLS[call as usize].0 == name {
                return Some(Self(call));
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// The call that has `number` on `arch`, as the kernel sees the number: with bit 30 on x32.
    pub fn from_number(arch: Arch, number: u32) -> Option<Self> {
        Self::all().find(|call| call.number(arch) == Some(number))
    }

    /// The call at `index`, for the tables that the build writes.
    pub(super) const fn at(index: u16) -> Self {
        assert!((index as usize) < LEN);
        Self(index)
    }

    /// All calls, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..LEN).filter_map(Self::from_index)
    }

    /// The call at `index` in the order of names.
    pub fn from_index(index: usize) -> Option<Self> {
        u16::try_from(index).ok().filter(|_| index < LEN).map(Self)
    }

    /// Its position in the order of names.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        CALLS[self.index()].0
    }

    /// Its number on `arch` as the kernel sees it, if that architecture has it.
    pub fn number(self, arch: Arch) -> Option<u32> {
        let number = u32::try_from(CALLS[self.index()].1[column(arch)]).ok()?;
        Some(if arch == Arch::X32 { number | X32_BIT } else { number })
    }

    /// The first kernel that has it, for the calls that are newer than Linux 5.17 (and so unknown to libseccomp 2.5.4).
    pub fn since(self) -> Option<KernelVersion> {
        let (_, (major, minor)) = NEWER.iter().find(|(name, _)| *name == self.name())?;
        Some(KernelVersion { major: *major, minor: *minor })
    }
}

/// Calls that came after Linux 5.17.
const NEWER: [(&str, (u64, u64)); 24] = [
    ("cachestat", (6, 5)),
    ("fchmodat2", (6, 6)),
    ("file_getattr", (6, 17)),
    ("file_setattr", (6, 17)),
    ("futex_requeue", (6, 7)),
    ("futex_wait", (6, 7)),
    ("futex_wake", (6, 7)),
    ("getxattrat", (6, 13)),
    ("listmount", (6, 8)),
    ("listns", (6, 19)),
    ("listxattrat", (6, 13)),
    ("lsm_get_self_attr", (6, 8)),
    ("lsm_list_modules", (6, 8)),
    ("lsm_set_self_attr", (6, 8)),
    ("map_shadow_stack", (6, 6)),
    ("mseal", (6, 10)),
    ("open_tree_attr", (6, 15)),
    ("removexattrat", (6, 13)),
    ("riscv_hwprobe", (6, 4)),
    ("rseq_slice_yield", (7, 0)),
    ("setxattrat", (6, 13)),
    ("statmount", (6, 8)),
    ("uprobe", (6, 18)),
    ("uretprobe", (6, 11)),
];

/// FNV-1a: short, and spreads names of a few bytes well.
const fn slot(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    ((hash ^ (hash >> 15)) as usize) % SLOTS
}

const fn index() -> [u16; SLOTS] {
    let mut slots = [EMPTY; SLOTS];
    let mut call: u16 = 0;
    while (call as usize) < LEN {
        let mut at = slot(CALLS[call as usize].0.as_bytes());
        while slots[at] != EMPTY {
            at = (at + 1) % SLOTS;
        }
        slots[at] = call;
        call += 1;
    }
    slots
}

/// Big and little endian, and 64-bit POWER's two, share their numbers.
const fn column(arch: Arch) -> usize {
    match arch {
        Arch::X86_64 => 0,
        Arch::X86 => 1,
        Arch::X32 => 2,
        Arch::Aarch64 => 3,
        Arch::Arm => 4,
        Arch::Riscv64 => 5,
        Arch::S390x => 6,
        Arch::S390 => 7,
        Arch::Ppc64 | Arch::Ppc64le => 8,
        Arch::Ppc => 9,
        Arch::Mips | Arch::Mipsel => 10,
        Arch::Mips64 | Arch::Mipsel64 => 11,
        Arch::Mips64n32 | Arch::Mipsel64n32 => 12,
        Arch::Loongarch64 => 13,
        Arch::Parisc => 14,
        Arch::Parisc64 => 15,
        Arch::M68k => 16,
        Arch::Sh | Arch::Sheb => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_call_and_no_other_does() {
        for call in Syscall::all() {
            assert_eq!(Syscall::from_name(call.name()), Some(call));
        }
        for stranger in ["", "reed", "READ", "read ", "io_uring"] {
            assert_eq!(Syscall::from_name(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn names_are_sorted_and_numbers_belong_to_one_name() {
        assert!(CALLS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for column in 0..table::COLUMNS {
            let mut numbers: Vec<i32> = CALLS.iter().map(|call| call.1[column]).filter(|number| *number >= 0).collect();
            let all = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), all, "column {column}");
        }
    }

    #[test]
    fn numbers_are_the_kernels() {
        let number = |name: &str, arch| Syscall::from_name(name).unwrap().number(arch);
        assert_eq!(number("socket", Arch::X86_64), Some(41));
        assert_eq!(number("socket", Arch::X86), Some(359));
        assert_eq!(number("execve", Arch::X32), Some(0x4000_0208));
        assert_eq!(number("open", Arch::Aarch64), None);
        assert_eq!(number("clone", Arch::Mips64n32), Some(6055));
        assert_eq!(number("set_tls", Arch::Arm), Some(0xf_0005));
        assert_eq!(number("mseal", Arch::Loongarch64), Some(462));
        assert_eq!(Syscall::from_number(Arch::X86, 102).map(Syscall::name), Some("socketcall"));
    }
}
