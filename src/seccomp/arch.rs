//! Architectures, as OCI, Go and the kernel name them.

/// A system call interface (`SCMP_ARCH_*` in OCI, `AUDIT_ARCH_*` in the kernel's `include/uapi/linux/audit.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "their names are what they are")]
pub enum Arch {
    X86_64,
    X86,
    X32,
    Aarch64,
    Arm,
    Riscv64,
    S390x,
    S390,
    Ppc64le,
    Ppc64,
    Ppc,
    Mips,
    Mips64,
    Mips64n32,
    Mipsel,
    Mipsel64,
    Mipsel64n32,
    Loongarch64,
    Parisc,
    Parisc64,
    M68k,
    Sh,
    Sheb,
}

const NAMES: [(Arch, &str); 23] = [
    (Arch::X86_64, "SCMP_ARCH_X86_64"),
    (Arch::X86, "SCMP_ARCH_X86"),
    (Arch::X32, "SCMP_ARCH_X32"),
    (Arch::Aarch64, "SCMP_ARCH_AARCH64"),
    (Arch::Arm, "SCMP_ARCH_ARM"),
    (Arch::Riscv64, "SCMP_ARCH_RISCV64"),
    (Arch::S390x, "SCMP_ARCH_S390X"),
    (Arch::S390, "SCMP_ARCH_S390"),
    (Arch::Ppc64le, "SCMP_ARCH_PPC64LE"),
    (Arch::Ppc64, "SCMP_ARCH_PPC64"),
    (Arch::Ppc, "SCMP_ARCH_PPC"),
    (Arch::Mips, "SCMP_ARCH_MIPS"),
    (Arch::Mips64, "SCMP_ARCH_MIPS64"),
    (Arch::Mips64n32, "SCMP_ARCH_MIPS64N32"),
    (Arch::Mipsel, "SCMP_ARCH_MIPSEL"),
    (Arch::Mipsel64, "SCMP_ARCH_MIPSEL64"),
    (Arch::Mipsel64n32, "SCMP_ARCH_MIPSEL64N32"),
    (Arch::Loongarch64, "SCMP_ARCH_LOONGARCH64"),
    (Arch::Parisc, "SCMP_ARCH_PARISC"),
    (Arch::Parisc64, "SCMP_ARCH_PARISC64"),
    (Arch::M68k, "SCMP_ARCH_M68K"),
    (Arch::Sh, "SCMP_ARCH_SH"),
    (Arch::Sheb, "SCMP_ARCH_SHEB"),
];

impl Arch {
    /// The machine that batten was built for.
    #[cfg(target_arch = "x86_64")]
    pub const NATIVE: Self = Self::X86_64;
    /// The machine that batten was built for.
    #[cfg(target_arch = "aarch64")]
    pub const NATIVE: Self = Self::Aarch64;
    /// The machine that batten was built for.
    #[cfg(target_arch = "riscv64")]
    pub const NATIVE: Self = Self::Riscv64;
    /// The machine that batten was built for.
    #[cfg(target_arch = "s390x")]
    pub const NATIVE: Self = Self::S390x;
    /// The machine that batten was built for.
    #[cfg(all(target_arch = "powerpc64", target_endian = "little"))]
    pub const NATIVE: Self = Self::Ppc64le;
    /// The machine that batten was built for.
    #[cfg(target_arch = "loongarch64")]
    pub const NATIVE: Self = Self::Loongarch64;

    /// The architecture that OCI spells `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(arch, _)| *arch)
    }

    /// OCI's spelling.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(arch, _)| *arch == self).map_or("", |(_, name)| name)
    }

    /// The interfaces that a kernel of this machine answers besides its own.
    pub const fn compat(self) -> &'static [Self] {
        match self {
            Self::X86_64 => &[Self::X86, Self::X32],
            Self::Aarch64 => &[Self::Arm],
            Self::S390x => &[Self::S390],
            Self::Mips64 => &[Self::Mips, Self::Mips64n32],
            Self::Mipsel64 => &[Self::Mipsel, Self::Mipsel64n32],
            _ => &[],
        }
    }

    /// `AUDIT_ARCH_*` (`include/uapi/linux/audit.h`): the ELF machine, bit 31 for 64 bits, bit 30 for little endian, bit 29 for
    /// MIPS n32.
    pub const fn audit(self) -> u32 {
        const WIDE: u32 = 0x8000_0000;
        const LITTLE: u32 = 0x4000_0000;
        const N32: u32 = 0x2000_0000;
        match self {
            Self::X86_64 | Self::X32 => 62 | WIDE | LITTLE,
            Self::X86 => 3 | LITTLE,
            Self::Aarch64 => 183 | WIDE | LITTLE,
            Self::Arm => 40 | LITTLE,
            Self::Riscv64 => 243 | WIDE | LITTLE,
            Self::S390x => 22 | WIDE,
            Self::S390 => 22,
            Self::Ppc64le => 21 | WIDE | LITTLE,
            Self::Ppc64 => 21 | WIDE,
            Self::Ppc => 20,
            Self::Mips => 8,
            Self::Mips64 => 8 | WIDE,
            Self::Mips64n32 => 8 | WIDE | N32,
            Self::Mipsel => 8 | LITTLE,
            Self::Mipsel64 => 8 | WIDE | LITTLE,
            Self::Mipsel64n32 => 8 | WIDE | LITTLE | N32,
            Self::Loongarch64 => 258 | WIDE | LITTLE,
            Self::Parisc => 15,
            Self::Parisc64 => 15 | WIDE,
            Self::M68k => 4,
            Self::Sh => 42 | LITTLE,
            Self::Sheb => 42,
        }
    }

    /// The interface that the kernel calls `audit` for a call of `number`: on x86_64 the number's bit 30 makes it x32's.
    pub fn from_audit(audit: u32, number: u32) -> Option<Self> {
        let is_x32 = audit == Self::X32.audit() && number & super::X32_BIT != 0;
        if is_x32 {
            return Some(Self::X32);
        }
        NAMES.iter().map(|(arch, _)| *arch).find(|arch| arch.audit() == audit)
    }

    /// Whether the machine's words begin with their big end.
    pub const fn is_big_endian(self) -> bool {
        self.audit() & 0x4000_0000 == 0
    }
}
