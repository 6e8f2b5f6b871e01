//! Profiles as the commands that compare them take them: a file of any format, or the built-in one.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::input::{self, Source};
use crate::capability::{CapSet, Capability};
use crate::doors::input::one_standard_input;
use crate::doors::{Exit, refuse};
use crate::seccomp::{
    Abis, Arch, GroupProfile, KernelVersion, Profile, Syscall, Target, builtin, read_any, read_placed,
};
use crate::settings::BUILT_IN_PROFILE;
use crate::spec::Document;

/// What profiles with conditions are resolved for: this machine and a container's capabilities.
#[derive(Debug, Args)]
pub(in crate::doors) struct Container {
    /// The container's bounding set; without it, Docker's default. @docker, @podman and @all stand for sets
    #[arg(long, value_name = "CAP,…", value_delimiter = ',', value_parser = capabilities)]
    caps: Vec<CapSet>,

    /// Which system call interfaces the built-in profile answers for
    #[arg(long, value_enum, default_value_t = AbisName::Native)]
    abis: AbisName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AbisName {
    /// The machine's own
    Native,
    /// Its 32-bit ones, too
    Compat,
}

fn capabilities(word: &str) -> Result<CapSet, String> {
    let named = || Capability::from_name(word).map(CapSet::of);
    let unknown = || "not the exact name of a capability, nor @docker, @podman or @all".to_owned();
    if word.is_empty() { Ok(CapSet::EMPTY) } else { set(word).or_else(named).ok_or_else(unknown) }
}

/// The set that a word with an @ stands for.
pub(super) fn set(word: &str) -> Option<CapSet> {
    match word {
        "@docker" => Some(CapSet::DOCKER),
        "@podman" => Some(CapSet::PODMAN),
        "@all" => Some(CapSet::ALL),
        _ => None,
    }
}

/// A profile, and where it says what.
pub(in crate::doors) struct Named {
    pub(in crate::doors) profile: Profile,
    origin: NamedBy,
}

enum NamedBy {
    BuiltIn,
    /// The document, and the line of each rule.
    Json(Document, Vec<usize>),
    Groups(GroupProfile),
}

impl Named {
    /// The line that says what `rule` says of `call`, if there is one to show.
    pub(in crate::doors) fn line(&self, rule: usize, call: Option<Syscall>) -> Option<usize> {
        match &self.origin {
            NamedBy::BuiltIn => None,
            NamedBy::Json(_, lines) => lines.get(rule).copied(),
            NamedBy::Groups(profile) => call.map(|call| profile.line_of(call)),
        }
    }

    /// What it comes to for another container or machine, if that can be said.
    pub(in crate::doors) fn resolve(&self, target: &Target) -> Option<Profile> {
        match &self.origin {
            NamedBy::BuiltIn => Some(builtin(target)),
            NamedBy::Groups(profile) => Some(profile.resolve(target)),
            NamedBy::Json(document, _) => read_any(document.root(), target).ok().map(|(_, profile)| profile),
        }
    }
}

impl Container {
    /// Whether capabilities were given.
    pub(super) fn has_caps(&self) -> bool {
        !self.caps.is_empty()
    }

    /// What to resolve for.
    pub(in crate::doors) fn target(&self) -> Target {
        let caps = if self.caps.is_empty() {
            CapSet::DOCKER
        } else {
            self.caps.iter().fold(CapSet::EMPTY, |all, set| all.union(*set))
        };
        let abis = match self.abis {
            AbisName::Native => Abis::Native,
            AbisName::Compat => Abis::Compat,
        };
        Target { arch: Arch::NATIVE, kernel: KernelVersion::running(), caps, abis }
    }

    /// Reads the profile called `path`.
    ///
    /// # Errors
    /// The exit code, when the reason has been said.
    pub(in crate::doors) fn read(&self, path: &Path) -> Result<Named, Exit> {
        read_for(path, &self.target())
    }

    /// Reads two profiles that are to be compared.
    ///
    /// # Errors
    /// As [`Container::read`], and where both are standard input.
    pub(super) fn read_both(&self, first: &Path, second: &Path) -> Result<(Named, Named), Exit> {
        one_standard_input([first, second])?;
        match (self.read(first), self.read(second)) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(exit), _) | (_, Err(exit)) => Err(exit),
        }
    }
}

/// Reads the profile called `path` for a container, on any machine.
///
/// # Errors
/// As [`Container::read`].
pub(super) fn read_for(path: &Path, target: &Target) -> Result<Named, Exit> {
    if path == Path::new(BUILT_IN_PROFILE) {
        return Ok(Named { profile: builtin(target), origin: NamedBy::BuiltIn });
    }
    match input::read_any(path)? {
        Source::Groups(profile) => Ok(Named { profile: profile.resolve(target), origin: NamedBy::Groups(profile) }),
        Source::Json(document) => {
            let (profile, places) = read_placed(document.root(), target)
                .map_err(|error| refuse(Exit::Unreadable, &format!("{}: {error}", input::name(path)), error.hint()))?;
            let places = places.iter().map(|place| place.line).collect();
            Ok(Named { profile, origin: NamedBy::Json(document, places) })
        }
    }
}
