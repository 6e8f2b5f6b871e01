//! A profile as batten holds it: typed rules, whatever they were read from.

use super::dialect::Version;
use super::pattern::Pattern;
use super::words::{
    Facility, Family, Mode, MountKind, MountOption, PtraceAccess, Signal, SignalAccess, SocketKind, Transition,
};
use crate::capability::CapSet;

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name. Readers check it with [`check_name`]; the renderer quotes whatever it is.
    pub name: String,
    /// What it is for, in words.
    pub description: Option<String>,
    /// What becomes of accesses that no rule allows.
    pub mode: Mode,
    /// The rules' ABI: which kinds of access are judged at all. `None` is the newest that the parser has.
    pub abi: Option<Version>,
    /// Whether files that are no longer below the container's root count as below it (`attach_disconnected`).
    pub attach_disconnected: bool,
    /// Whether deleted files that are still open are judged by their old path (`mediate_deleted`).
    pub mediate_deleted: bool,
    /// Files with variables, such as `tunables/global`.
    pub tunables: Vec<IncludePath>,
    /// Files with rules, such as `abstractions/base`.
    pub includes: Vec<IncludePath>,
    /// Whether `local/NAME` adds rules on hosts that have such a file.
    pub local: bool,
    /// The rules. Their order means nothing to the kernel.
    pub rules: Vec<Rule>,
}

impl Profile {
    /// A profile that allows nothing.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            mode: Mode::Enforce,
            abi: None,
            attach_disconnected: true,
            mediate_deleted: true,
            tunables: Vec::new(),
            includes: Vec::new(),
            local: false,
            rules: Vec::new(),
        }
    }

    /// The rules for files.
    pub fn files(&self) -> impl Iterator<Item = &FileRule> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::File(file) => Some(file),
            _ => None,
        })
    }
}

/// A file below /etc/apparmor.d that a profile takes in, such as `abstractions/base`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludePath(String);

impl IncludePath {
    /// The path, if it is one below the policy folder that needs no quotes.
    pub fn new(path: &str) -> Option<Self> {
        let plain = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+'))
        };
        (path.len() <= MAX_NAME && path.split('/').all(plain)).then(|| Self(path.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for IncludePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands before a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Qualifiers {
    /// The access is logged, allowed or not.
    pub audit: bool,
    /// The rule forbids, whatever other rules allow; without `audit` it does so unlogged.
    pub deny: bool,
}

impl Qualifiers {
    /// A plain rule.
    pub const ALLOW: Self = Self { audit: false, deny: false };
    /// A rule that forbids.
    pub const DENY: Self = Self { audit: false, deny: true };
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Capabilities; all of them when none is named.
    Capability {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// Which ones; `None` is all.
        set: Option<CapSet>,
    },
    /// Sockets.
    Network {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// Of one family; `None` is all.
        family: Option<Family>,
        /// Of one type; `None` is all.
        kind: Option<SocketKind>,
    },
    /// Unix sockets, where the ABI judges them apart from the others.
    Unix {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// Of one type; `None` is all.
        kind: Option<SocketKind>,
    },
    /// Files.
    File(FileRule),
    /// Signals.
    Signal {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// Which way; both when empty.
        access: Vec<SignalAccess>,
        /// Which ones; all when empty.
        signals: Vec<Signal>,
        /// The other side's label; any when `None`.
        peer: Option<Pattern>,
    },
    /// Tracing and reading of other processes.
    Ptrace {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// What; everything when empty.
        access: Vec<PtraceAccess>,
        /// The other side's label; any when `None`.
        peer: Option<Pattern>,
    },
    /// Mounts.
    Mount(MountRule),
    /// What the kernel judges as a whole, by parsers and ABIs from 4.0 on.
    Facility {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// What.
        facility: Facility,
    },
    /// Changes to another profile.
    ChangeProfile {
        /// Allow or deny, logged or not.
        qualifiers: Qualifiers,
        /// Only at the execution of this program.
        exec: Option<Pattern>,
        /// The profile; any when `None`.
        target: Option<Pattern>,
    },
}

/// What may be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Access(u8);

impl Access {
    /// Read the file, list the folder.
    pub const READ: Self = Self(1);
    /// Write, create, rename, delete.
    pub const WRITE: Self = Self(2);
    /// Write at the end only.
    pub const APPEND: Self = Self(4);
    /// Make a hard link of this name.
    pub const LINK: Self = Self(8);
    /// Lock.
    pub const LOCK: Self = Self(16);
    /// Map into memory as code.
    pub const MAP: Self = Self(32);
    /// Execute.
    pub const EXECUTE: Self = Self(64);
    /// Everything; writing includes appending.
    pub const ALL: Self = Self(1 | 2 | 8 | 16 | 32 | 64);

    /// The words and letters, in the order in which profiles are written.
    const WORDS: [(Self, &'static str, char); 7] = [
        (Self::READ, "read", 'r'),
        (Self::WRITE, "write", 'w'),
        (Self::APPEND, "append", 'a'),
        (Self::MAP, "map", 'm'),
        (Self::LOCK, "lock", 'k'),
        (Self::LINK, "link", 'l'),
        (Self::EXECUTE, "execute", 'x'),
    ];

    /// The access that TOML calls `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        if word == "all" {
            return Some(Self::ALL);
        }
        Self::WORDS.iter().find(|(_, known, _)| *known == word).map(|(access, ..)| *access)
    }

    /// The access that profiles write as `letter`.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::WORDS.iter().find(|(_, _, known)| *known == letter).map(|(access, ..)| *access)
    }

    /// The words of TOML.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().filter(move |(access, ..)| self.includes(*access)).map(|(_, word, _)| *word)
    }

    /// The letters of profiles, without the one for executing: that depends on the transition.
    pub fn letters(self) -> impl Iterator<Item = char> {
        let known = Self::WORDS.iter().filter(move |(access, ..)| self.includes(*access));
        known.map(|(.., letter)| *letter).filter(|letter| *letter != 'x')
    }

    /// Whether all of `other` is in it. Writing includes appending.
    pub const fn includes(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether anything of `other` is in it.
    pub const fn intersects(self, other: Self) -> bool {
        other.0 & self.0 != 0
    }

    /// Whether it is nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this one only.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// A rule for files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    /// Allow or deny, logged or not.
    pub qualifiers: Qualifiers,
    /// Only files of the process's own user.
    pub owner: bool,
    /// Which files.
    pub path: Pattern,
    /// What may be done with them.
    pub access: Access,
    /// What execution does, where it is allowed.
    pub exec: Exec,
    /// Why the rule is there, for readers.
    pub comment: Option<String>,
}

/// What becomes of the profile at an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// The transition.
    pub transition: Transition,
    /// Whether the environment is scrubbed (`Px` for `px`).
    pub scrub: bool,
    /// The profile to change to, by name.
    pub target: Option<String>,
}

impl Exec {
    /// The same profile goes on.
    pub const INHERIT: Self = Self { transition: Transition::Inherit, scrub: true, target: None };
}

impl FileRule {
    /// A plain rule.
    pub const fn new(qualifiers: Qualifiers, path: Pattern, access: Access) -> Self {
        Self { qualifiers, owner: false, path, access, exec: Exec::INHERIT, comment: None }
    }

    /// `file,`: everything with every file.
    pub fn everything(qualifiers: Qualifiers) -> Self {
        Self::new(qualifiers, Pattern::everything(), Access::ALL)
    }

    /// Whether it is `file,` in other words.
    pub fn is_everything(&self) -> bool {
        !self.owner
            && self.path == Pattern::everything()
            && self.access == Access::ALL
            && (self.qualifiers.deny || self.exec == Exec::INHERIT)
    }
}

/// A rule for mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRule {
    /// Allow or deny, logged or not.
    pub qualifiers: Qualifiers,
    /// Which operation.
    pub kind: MountKind,
    /// File system types; any when empty.
    pub fstypes: Vec<Pattern>,
    /// Exactly these options; any when empty.
    pub options: Vec<MountOption>,
    /// What is mounted; for `pivot_root` where the old root goes.
    pub source: Option<Pattern>,
    /// Where; for `pivot_root` the new root.
    pub target: Option<Pattern>,
}

impl MountRule {
    /// The operation on anything.
    pub const fn any(qualifiers: Qualifiers, kind: MountKind) -> Self {
        Self { qualifiers, kind, fstypes: Vec::new(), options: Vec::new(), source: None, target: None }
    }
}

/// Longest name, in bytes: it is also the name of a file, with an ending.
pub const MAX_NAME: usize = 200;

/// A name that no profile of batten's may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {MAX_NAME} bytes")]
    TooLong,
    #[error("the name starts with {0:?}, not with a letter or digit")]
    Start(char),
    #[error("the name holds {0:?}")]
    Character(char),
    #[error("the name ends in a space or dot")]
    End,
    #[error("the name {0:?} means the absence of a profile")]
    Unconfined(String),
}

impl NameError {
    /// What to write instead.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Start('/') => {
                "a name that is a path attaches the profile to that program on the host; use letters, digits . _ - + @ or spaces"
            }
            _ => "use letters, digits and . _ - + @ or single words with spaces between, such as \"web-frontend\"",
        }
    }
}

/// Checks the name of a profile that batten writes. The kernel takes nearly anything; but `/` attaches a profile to a
/// program, `:` and `//` name namespaces and children, `&` stacks, and the name is also a file's.
///
/// # Errors
/// [`NameError`] when the name would mean something else to someone.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let Some(first) = name.chars().next() else { return Err(NameError::Empty) };
    if name.len() > MAX_NAME {
        return Err(NameError::TooLong);
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameError::Start(first));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@' | ' ');
    if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        return Err(NameError::Character(wrong));
    }
    if name.ends_with([' ', '.']) {
        return Err(NameError::End);
    }
    if name == "unconfined" {
        return Err(NameError::Unconfined(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_stays_below_the_policy_folder() {
        for path in ["abstractions/base", "tunables/global", "local/x.d/y"] {
            assert_eq!(IncludePath::new(path).map(|path| path.to_string()).as_deref(), Some(path));
        }
        for path in ["", "/etc/passwd", "../passwd", "a/../b", "a//b", "a>\n", "a b", ".hidden"] {
            assert_eq!(IncludePath::new(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_name_means_the_same_to_the_kernel_the_parser_and_the_file_system() {
        for name in ["web", "docker-nginx", "my profile", "a.b_c+d@e", "7zip"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for (name, error) in [
            ("", NameError::Empty),
            ("/usr/bin/nginx", NameError::Start('/')),
            (":ns:web", NameError::Start(':')),
            ("&web", NameError::Start('&')),
            ("a//b", NameError::Character('/')),
            ("a\"b", NameError::Character('"')),
            ("a\nb", NameError::Character('\n')),
            ("a*", NameError::Character('*')),
            ("é", NameError::Start('é')),
            ("a ", NameError::End),
            ("unconfined", NameError::Unconfined("unconfined".to_owned())),
        ] {
            assert_eq!(check_name(name), Err(error), "{name:?}");
        }
        assert_eq!(check_name(&"a".repeat(201)), Err(NameError::TooLong));
    }
}
