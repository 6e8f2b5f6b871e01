//! What this machine can enforce, what the policy needs of it, and what would fail: asked before a container asks.
//!
//! Each look is a [`Check`]. None starts a container or changes anything.

mod engines;
mod holes;
mod kernel;
mod policy;
mod runtimes;

use crate::engines::Site;

/// What a look came to, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Fine,
    /// It cannot be known from here.
    Unknown,
    /// Containers start, with less around them than there could be.
    Warning,
    /// Containers would not start, or batten would not stand before them.
    Failure,
}

impl Level {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One look at the machine.
#[derive(Debug, Clone)]
pub struct Check {
    /// What it belongs to: `kernel`, `runtimes`, `policy`, `shim`, `engines`.
    pub area: &'static str,
    /// What was looked at.
    pub name: String,
    /// What it came to.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Check {
    fn fine(area: &'static str, name: &str, found: impl Into<String>) -> Self {
        Self { area, name: name.to_owned(), level: Level::Fine, found: found.into(), hint: None }
    }

    fn new(area: &'static str, name: &str, level: Level, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { level, hint: Some(hint.into()), ..Self::fine(area, name, found) }
    }
}

/// Looks at everything.
pub fn examine(site: &Site) -> Vec<Check> {
    [kernel::checks(site), policy::shim(site), runtimes::checks(site), policy::checks(site), engines::checks(site)]
        .concat()
}
