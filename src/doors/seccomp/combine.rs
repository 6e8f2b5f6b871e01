//! `batten seccomp intersect` and `merge`: profiles made one.

use std::path::PathBuf;

use clap::Args;

use super::named::Container;
use crate::doors::input::one_standard_input;
use crate::doors::{Exit, say};
use crate::seccomp::{Arch, Profile, intersect, merge};

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
        if let Err(exit) = one_standard_input(self.paths.iter().map(PathBuf::as_path)) {
            return exit;
        }
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
