//! Machines, by the names that Go, moby and libseccomp-golang give them: what a profile's `arches` and `archMap` are
//! compared with.

use super::arch::Arch;
use super::errno::Numbering;

/// A machine that containers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine(&'static Row);

#[derive(Debug, PartialEq, Eq)]
struct Row {
    goarch: &'static str,
    /// moby's `goToNative`; empty where it has no entry, and no condition but an empty one can name the machine.
    moby: &'static str,
    /// What libseccomp-golang calls the native architecture (`ScmpArch.String`).
    libseccomp: &'static str,
    arch: Arch,
    /// Whether moby's `nativeToSeccomp` finds the architecture under the name above.
    in_moby_arch_map: bool,
    /// The same for container-libs' own map.
    in_containers_arch_map: bool,
}

const fn row(
    goarch: &'static str,
    moby: &'static str,
    libseccomp: &'static str,
    arch: Arch,
    in_moby_arch_map: bool,
    in_containers_arch_map: bool,
) -> Row {
    Row { goarch, moby, libseccomp, arch, in_moby_arch_map, in_containers_arch_map }
}

/// moby/profiles `seccomp/seccomp_linux.go` and container-libs `pkg/seccomp/seccomp_linux.go`, with their omissions:
/// moby looks `loongarch64` and `mipsel` up in a map that spells them `loong64` and `mipsle`.
static MACHINES: [Row; 17] = [
    row("386", "x86", "x86", Arch::X86, true, false),
    row("amd64", "amd64", "amd64", Arch::X86_64, true, true),
    row("arm", "arm", "arm", Arch::Arm, true, false),
    row("arm64", "arm64", "arm64", Arch::Aarch64, true, true),
    row("loong64", "loongarch64", "loong64", Arch::Loongarch64, false, false),
    row("mips", "", "mips", Arch::Mips, false, false),
    row("mips64", "mips64", "mips64", Arch::Mips64, true, true),
    row("mips64le", "mipsel64", "mipsel64", Arch::Mipsel64, true, true),
    row("mips64p32", "mips64n32", "mips64n32", Arch::Mips64n32, true, true),
    row("mips64p32le", "mips3l64n32", "mipsel64n32", Arch::Mipsel64n32, true, true),
    row("mipsle", "mipsel", "mipsel", Arch::Mipsel, false, false),
    row("ppc", "ppc", "ppc", Arch::Ppc, true, false),
    row("ppc64", "ppc64", "ppc64", Arch::Ppc64, true, false),
    row("ppc64le", "ppc64le", "ppc64le", Arch::Ppc64le, true, false),
    row("riscv64", "riscv64", "riscv64", Arch::Riscv64, true, false),
    row("s390", "s390", "s390", Arch::S390, true, false),
    row("s390x", "s390x", "s390x", Arch::S390x, true, true),
];

impl Machine {
    /// The machine that Go calls `goarch`: `amd64`, `arm64`, `386`.
    pub fn from_goarch(goarch: &str) -> Option<Self> {
        MACHINES.iter().find(|row| row.goarch == goarch).map(Self)
    }

    /// The machine whose own interface is `arch`.
    pub fn from_arch(arch: Arch) -> Option<Self> {
        MACHINES.iter().find(|row| row.arch == arch).map(Self)
    }

    /// Whether some engine's `arches` can name a machine so. `x32`, which none is, stands in every engine's own profile.
    #[cfg(feature = "cli")]
    pub(super) fn is_condition(name: &str) -> bool {
        name == "x32" || MACHINES.iter().any(|row| row.moby == name || row.libseccomp == name)
    }

    /// Every machine.
    pub fn all() -> impl Iterator<Item = Self> {
        MACHINES.iter().map(Self)
    }

    /// Go's name.
    pub const fn goarch(self) -> &'static str {
        self.0.goarch
    }

    /// The name that `arches` are compared with in moby.
    pub(super) const fn moby(self) -> &'static str {
        self.0.moby
    }

    /// The name that `arches` are compared with in container-libs.
    pub(super) const fn libseccomp(self) -> &'static str {
        self.0.libseccomp
    }

    /// Its own interface.
    pub const fn arch(self) -> Arch {
        self.0.arch
    }

    /// The interface that moby looks for in `archMap`, if it looks at all.
    pub(super) fn moby_arch_map(self) -> Option<Arch> {
        self.0.in_moby_arch_map.then_some(self.0.arch)
    }

    /// The interface that container-libs looks for in `archMap`, if it looks at all.
    pub(super) fn containers_arch_map(self) -> Option<Arch> {
        self.0.in_containers_arch_map.then_some(self.0.arch)
    }

    /// How its kernel numbers errors (`arch/mips/include/uapi/asm/errno.h` differs from all others).
    pub(super) fn numbering(self) -> Numbering {
        if self.0.goarch.starts_with("mips") { Numbering::Mips } else { Numbering::Generic }
    }
}
