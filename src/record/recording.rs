//! What was seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::capability::CapSet;
use crate::seccomp::{Arch, Syscall};

/// A system call as one interface makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The interface: the machine's own, or one of its 32-bit ones.
    pub arch: Arch,
    /// The call.
    pub syscall: Syscall,
}

/// What a workload was seen to do, in one run or in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The machine's own architecture.
    pub arch: Arch,
    /// The runs, oldest first, by the name of what was read or run.
    pub runs: Vec<String>,
    /// The calls.
    pub calls: BTreeMap<Call, Seen>,
    /// Numbers that no known call has, and how often they were made. No profile can name them.
    pub unknown: BTreeMap<(Arch, u32), u64>,
    /// Calls that the recorder cannot see, made or not.
    pub unseen: BTreeSet<Syscall>,
    /// The capabilities that were used, where the recorder could see that.
    pub capabilities: Option<CapSet>,
}

/// One call's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How often it was made.
    pub count: u64,
    /// How often it failed, with whatever error.
    pub failed: u64,
    /// How often it failed with EPERM, as seccomp and missing capabilities answer.
    pub not_permitted: u64,
    /// How often it failed with ENOSYS, as a kernel without it answers (and some seccomp profiles).
    pub not_implemented: u64,
    /// In how many runs it was seen.
    pub seen_in: u32,
    /// The first run that it was seen in.
    pub first_run: u32,
    /// Where it was seen first.
    pub first: First,
    /// What its kept argument was, where arguments were kept and this call has one worth keeping.
    pub values: Option<Values>,
}

impl Seen {
    /// Whether every time that its end was seen, it was refused.
    pub const fn only_refused(&self) -> bool {
        self.not_permitted + self.not_implemented >= self.count && self.count > 0
    }
}

/// Where something was seen first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct First {
    /// The file, or the recorder.
    pub source: String,
    /// The line in the file, from 1; 0 where there are no lines.
    pub line: u64,
    /// The line itself, shortened.
    pub text: String,
}

/// The values that one argument of one call took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// These, each with the first run that it was seen in. The low 32 bits: the kernel looks at no more of them.
    Few(BTreeMap<u32, u32>),
    /// Too many, or one that could not be read.
    Any(String),
}

impl Values {
    /// More values than these are no condition that anyone would read.
    pub const MOST: usize = 40;

    /// Adds a value that run `run` was seen to pass.
    pub fn insert(&mut self, value: u32, run: u32) {
        if let Self::Few(values) = self {
            let first = values.entry(value).or_insert(run);
            *first = run.min(*first);
            if values.len() > Self::MOST {
                *self = Self::Any(format!("more than {} different values", Self::MOST));
            }
        }
    }

    /// Gives up on values, unless that was done already.
    pub fn give_up(&mut self, why: impl FnOnce() -> String) {
        if let Self::Few(_) = self {
            *self = Self::Any(why());
        }
    }
}

impl Recording {
    /// A recording of no run.
    pub const fn empty(arch: Arch) -> Self {
        Self {
            arch,
            runs: Vec::new(),
            calls: BTreeMap::new(),
            unknown: BTreeMap::new(),
            unseen: BTreeSet::new(),
            capabilities: None,
        }
    }

    /// The interfaces that calls were made through: the machine's own always, since the runtime uses it.
    pub fn architectures(&self) -> Vec<Arch> {
        let mut archs = vec![self.arch];
        for arch in self.calls.keys().map(|call| call.arch).chain(self.unknown.keys().map(|(arch, _)| *arch)) {
            if !archs.contains(&arch) {
                archs.push(arch);
            }
        }
        archs
    }

    /// The calls, each once, whatever interface made it.
    pub fn syscalls(&self) -> BTreeSet<Syscall> {
        self.calls.keys().map(|call| call.syscall).collect()
    }
}

/// A saved recording that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Not JSON, or not a recording's.
    #[error("{name} is no recording: {source}")]
    Parse {
        /// The file.
        name: String,
        /// What serde says.
        source: serde_json::Error,
    },
    /// It names what this batten does not know.
    #[error("{name} names the unknown {what} {value:?}")]
    Unknown {
        /// The file.
        name: String,
        /// `architecture`, `system call` or `capability`.
        what: &'static str,
        /// The name.
        value: String,
    },
    /// A number that cannot be.
    #[error("{name} says that {call} was first seen in run {run} of {runs}")]
    Run {
        /// The file.
        name: String,
        /// The call.
        call: String,
        /// The run.
        run: u32,
        /// How many there are.
        runs: usize,
    },
    /// Another machine's.
    #[error("{name} was recorded on {found}, the others on {expected}")]
    Machine {
        /// The file.
        name: String,
        /// Its architecture.
        found: &'static str,
        /// The others'.
        expected: &'static str,
    },
}

impl RecordingError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Parse { .. } | Self::Run { .. } => {
                "give a file that `batten record … --save FILE` wrote, or strace's text"
            }
            Self::Unknown { .. } => "use the batten that wrote it, or a newer one",
            Self::Machine { .. } => "merge the recordings of one architecture at a time: a profile is for one",
        }
    }
}
