//! The numbers behind the names that strace prints.
//!
//! The lists are what Linux's own headers say (`include/uapi`, Linux 6.1, a few newer), one `NAME 0xVALUE` per line,
//! sorted. The `ioctl` requests are those of x86, arm, riscv and s390 (`asm-generic`); mips, powerpc and others number
//! them differently, so there a request stays unread.

/// What an argument's names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// `AF_*`
    Family,
    /// `CLONE_*` and the signal in the low byte.
    Clone,
    /// `ioctl` requests.
    Ioctl,
    /// `PR_*` and `ARCH_*`.
    Prctl,
    /// `PER_*` and the flags beside it.
    Personality,
}

const FAMILIES: &str = include_str!("symbols/families.txt");
const CLONE: &str = include_str!("symbols/clone.txt");
const IOCTLS: &str = include_str!("symbols/ioctls.txt");
const PRCTL: &str = include_str!("symbols/prctl.txt");
const PERSONALITY: &str = include_str!("symbols/personality.txt");

impl Vocabulary {
    const fn text(self) -> &'static str {
        match self {
            Self::Family => FAMILIES,
            Self::Clone => CLONE,
            Self::Ioctl => IOCTLS,
            Self::Prctl => PRCTL,
            Self::Personality => PERSONALITY,
        }
    }

    /// The number that `name` stands for.
    pub(super) fn value(self, name: &str) -> Option<u32> {
        self.pairs().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The first name for `value`, to show to people.
    pub(super) fn name(self, value: u32) -> Option<&'static str> {
        self.pairs().find(|(_, known)| *known == value).map(|(name, _)| name)
    }

    fn pairs(self) -> impl Iterator<Item = (&'static str, u32)> {
        self.text().lines().filter_map(|line| {
            let (name, value) = line.split_once(" 0x")?;
            Some((name, u32::from_str_radix(value, 16).ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_list_is_a_name_and_a_number() {
        for vocabulary in
            [Vocabulary::Family, Vocabulary::Clone, Vocabulary::Ioctl, Vocabulary::Prctl, Vocabulary::Personality]
        {
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
}
