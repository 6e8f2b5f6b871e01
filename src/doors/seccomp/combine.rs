//! `batten seccomp intersect`, `merge` and `is-subset`: two profiles made one, or compared.

use std::path::PathBuf;

use clap::Args;

use super::named::Container;
use crate::doors::{Exit, say};
use crate::seccomp::{Arch, NotSubset, Profile, intersect, is_subset, merge};

/// Prints the profile that gives every call the stricter verdict of all
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten seccomp intersect builtin:default ./mine.json > both.json\n\n\
    Exit codes: 0 printed, 3 a profile is refused, 4 wrong usage.")]
pub(super) struct Intersect {
    #[command(flatten)]
    profiles: Profiles,
}

/// Prints the profile that lets through what any of them does, as for recordings of several runs
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten seccomp merge monday.json tuesday.json > both.json\n\n\
    Exit codes: 0 printed, 3 a profile is refused, 4 wrong usage.")]
pub(super) struct Merge {
    #[command(flatten)]
    profiles: Profiles,
}

#[derive(Debug, Args)]
struct Profiles {
    /// Files of any format, - for standard input, builtin:default
    #[arg(required = true, num_args = 2.., value_name = "PROFILE")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    container: Container,
}

impl Profiles {
    fn fold(&self, combine: fn(&Profile, &Profile, Arch) -> Profile) -> Exit {
        let mut all: Option<Profile> = None;
        for path in &self.paths {
            let next = match self.container.read(path) {
                Ok(named) => named.profile,
                Err(exit) => return exit,
            };
            all = Some(match all {
                Some(all) => combine(&all, &next, Arch::NATIVE),
                None => next,
            });
        }
        say(&(all.map_or_else(String::new, |all| all.to_json()) + "\n")).unwrap_or(Exit::Clean)
    }
}

impl Intersect {
    pub(super) fn run(&self) -> Exit {
        self.profiles.fold(intersect)
    }
}

impl Merge {
    pub(super) fn run(&self) -> Exit {
        self.profiles.fold(merge)
    }
}

/// Asks whether the first profile lets through only what the second does
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten seccomp is-subset ./mine.json builtin:default || echo looser\n\n\
    Exit codes: 0 yes, 1 no (with a call that shows it), 3 a profile is refused, 4 wrong usage.")]
pub(super) struct IsSubset {
    /// The profile that should be the stricter
    left: PathBuf,
    /// The one it is held against
    right: PathBuf,
    #[command(flatten)]
    container: Container,
}

impl IsSubset {
    pub(super) fn run(&self) -> Exit {
        let (left, right) = match (self.container.read(&self.left), self.container.read(&self.right)) {
            (Ok(left), Ok(right)) => (left.profile, right.profile),
            (Err(exit), _) | (_, Err(exit)) => return exit,
        };
        match is_subset(&left, &right, Arch::NATIVE) {
            Ok(()) => say("yes\n").unwrap_or(Exit::Clean),
            Err(NotSubset::Looser(witness)) => say(&format!("no: {witness}\n")).unwrap_or(Exit::Denied),
            Err(error @ (NotSubset::Unreliable { .. } | NotSubset::TooIntricate { .. })) => {
                say(&format!("not known: {error}\n")).unwrap_or(Exit::Denied)
            }
        }
    }
}
