//! The words of policies and profiles: a group, a call, or everything that the built-in profile opens.

use std::fmt;

use super::{GROUPS, Group};
use crate::seccomp::syscalls::Syscall;

/// What a word in `allow` or `deny` stands for.
#[derive(Clone, Copy)]
pub enum Word {
    /// `@default`: every group that the container's capabilities open.
    Default,
    /// `@NAME`: one group, whatever the container's capabilities are.
    Group(&'static Group),
    /// One call, whatever its arguments are.
    Call(Syscall),
}

impl Word {
    /// What `text` stands for; none for a group or call that nobody knows.
    pub fn read(text: &str) -> Option<Self> {
        match text.strip_prefix('@') {
            Some("default") => Some(Self::Default),
            Some(name) => Group::named(name).map(Self::Group),
            None => Syscall::from_name(text).map(Self::Call),
        }
    }

    /// What to write instead of a denied multiplexer.
    pub(crate) const BEHIND: &'static str =
        "deny the calls behind it (\"@network\", \"connect\"): each is closed there as well";

    /// Whether it names a call that stands for many, `socketcall` or `ipc`. libseccomp opens it for each call behind it, so
    /// that closing it alone would close nothing.
    pub fn is_multiplexer(self) -> bool {
        matches!(self, Self::Call(call) if matches!(call.name(), "socketcall" | "ipc"))
    }

    /// Whether it stands for `call`, outright or under conditions.
    pub fn covers(self, call: Syscall) -> bool {
        match self {
            Self::Default => Group::of(call).any(|group| !group.is_closed()),
            Self::Group(group) => group.all_calls().any(|own| own == call),
            Self::Call(own) => own == call,
        }
    }

    /// What to write instead of a word that is not known.
    pub fn hint(text: &str) -> String {
        if text.starts_with('@') {
            let names = GROUPS.iter().map(|group| format!("@{}", group.name));
            return format!("the groups are @default, {}", names.collect::<Vec<_>>().join(", "));
        }
        match Group::named(text) {
            Some(group) => format!("a group is written with an @: \"@{}\"", group.name),
            None => {
                "spell a call as in syscalls(2), and a group with an @ (batten seccomp groups lists them)".to_owned()
            }
        }
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Default, Self::Default) => true,
            (Self::Group(one), Self::Group(two)) => one.name == two.name,
            (Self::Call(one), Self::Call(two)) => one == two,
            _ => false,
        }
    }
}

impl Eq for Word {}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("@default"),
            Self::Group(group) => write!(f, "@{}", group.name),
            Self::Call(call) => f.write_str(call.name()),
        }
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}
