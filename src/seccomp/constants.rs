//! The names of arguments' values, as kernel headers define them and strace prints them, and their numbers.
//!
//! The lists are what Linux's own headers say (`include/uapi`, Linux 6.1, a few newer), one `NAME 0xVALUE` per line,
//! sorted. The `ioctl` requests are those of x86, arm, riscv and s390 (`asm-generic`); mips, powerpc and others number
//! them differently, so there a request has no name.

use super::arch::Arch;

/// What an argument's names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// `AF_*`
    Family,
    /// `SOCK_*`
    SocketType,
    /// `CLONE_*` and the signal in the low byte.
    Clone,
    /// `ioctl` requests.
    Ioctl,
    /// `PR_*` and `ARCH_*`.
    Prctl,
    /// `PER_*` and the flags beside it.
    Personality,
}

const FAMILIES: &str = include_str!("constants/families.txt");
const SOCKET_TYPES: &str = include_str!("constants/socket_types.txt");
const CLONE: &str = include_str!("constants/clone.txt");
const IOCTLS: &str = include_str!("constants/ioctls.txt");
const PRCTL: &str = include_str!("constants/prctl.txt");
const PERSONALITY: &str = include_str!("constants/personality.txt");

impl Vocabulary {
    /// The names that the argument at `index`, from 0, of `call` has on `arch`, if batten knows any.
    pub fn of(arch: Arch, call: &str, index: u32) -> Option<Self> {
        match (call, index) {
            ("socket" | "socketpair", 0) => Some(Self::Family),
            ("socket" | "socketpair", 1) if has_generic_socket_types(arch) => Some(Self::SocketType),
            ("clone", index) if index == flags_of_clone(arch) => Some(Self::Clone),
            ("unshare", 0) | ("setns", 1) => Some(Self::Clone),
            ("ioctl", 1) if has_generic_ioctls(arch) => Some(Self::Ioctl),
            ("prctl" | "arch_prctl", 0) => Some(Self::Prctl),
            ("personality", 0) => Some(Self::Personality),
            _ => None,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Family => FAMILIES,
            Self::SocketType => SOCKET_TYPES,
            Self::Clone => CLONE,
            Self::Ioctl => IOCTLS,
            Self::Prctl => PRCTL,
            Self::Personality => PERSONALITY,
        }
    }

    /// The number that `name` stands for.
    pub fn value(self, name: &str) -> Option<u32> {
        self.pairs().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The first name for `value`, to show to people.
    pub fn name(self, value: u32) -> Option<&'static str> {
        self.pairs().find(|(_, known)| *known == value).map(|(name, _)| name)
    }

    fn pairs(self) -> impl Iterator<Item = (&'static str, u32)> {
        self.text().lines().filter_map(|line| {
            let (name, value) = line.split_once(" 0x")?;
            Some((name, u32::from_str_radix(value, 16).ok()?))
        })
    }
}

/// Which argument of `clone(2)` has the flags: with `CONFIG_CLONE_BACKWARDS2` the stack comes first.
pub const fn flags_of_clone(arch: Arch) -> u32 {
    match arch {
        Arch::S390x | Arch::S390 => 1,
        _ => 0,
    }
}

const fn has_generic_ioctls(arch: Arch) -> bool {
    matches!(
        arch,
        Arch::X86_64 | Arch::X86 | Arch::X32 | Arch::Aarch64 | Arch::Arm | Arch::Riscv64 | Arch::S390x | Arch::S390
    )
}

/// `arch/mips/include/asm/socket.h` and `arch/parisc/include/asm/socket.h` have their own.
const fn has_generic_socket_types(arch: Arch) -> bool {
    !matches!(
        arch,
        Arch::Mips
            | Arch::Mips64
            | Arch::Mips64n32
            | Arch::Mipsel
            | Arch::Mipsel64
            | Arch::Mipsel64n32
            | Arch::Parisc
            | Arch::Parisc64
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_list_is_a_name_and_a_number() {
        for vocabulary in [
            Vocabulary::Family,
            Vocabulary::SocketType,
            Vocabulary::Clone,
            Vocabulary::Ioctl,
            Vocabulary::Prctl,
            Vocabulary::Personality,
        ] {
            let lines: Vec<&str> = vocabulary.text().lines().collect();
            assert_eq!(vocabulary.pairs().count(), lines.len(), "{vocabulary:?}");
            let names: Vec<&str> = vocabulary.pairs().map(|(name, _)| name).collect();
            assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{vocabulary:?} is sorted, each name once");
        }
    }

    #[test]
    fn names_stand_for_the_kernel_s_numbers() {
        assert_eq!(Vocabulary::Ioctl.value("TCGETS"), Some(0x5401));
        assert_eq!(Vocabulary::Family.value("AF_VSOCK"), Some(40));
        assert_eq!(Vocabulary::Prctl.value("PR_SET_NO_NEW_PRIVS"), Some(38));
        assert_eq!(Vocabulary::Clone.value("CLONE_NEWUSER"), Some(0x1000_0000));
        assert_eq!(Vocabulary::Family.name(2), Some("AF_INET"));
    }

    #[test]
    fn an_argument_has_the_names_that_its_machine_gives_it() {
        for (arch, call, index, want) in [
            (Arch::X86_64, "socket", 0, Some(Vocabulary::Family)),
            (Arch::X86_64, "socket", 1, Some(Vocabulary::SocketType)),
            (Arch::X86_64, "socket", 2, None),
            (Arch::Mipsel64, "socket", 1, None),
            (Arch::X86_64, "clone", 0, Some(Vocabulary::Clone)),
            (Arch::S390x, "clone", 0, None),
            (Arch::S390x, "clone", 1, Some(Vocabulary::Clone)),
            (Arch::Ppc64le, "ioctl", 1, None),
            (Arch::X86_64, "read", 0, None),
        ] {
            assert_eq!(Vocabulary::of(arch, call, index), want, "{call} {index} on {}", arch.name());
        }
    }
}
