//! `batten apparmor list` and `status`: what the kernel has.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::apparmor::{Dialect, Kernel, KernelError, Loaded, LoadedMode, POLICY_FOLDER, Parser};
use crate::doors::format::Format;
use crate::doors::{Exit, refuse, say};
use crate::escape::escape;

/// Lists the profiles in the kernel
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten apparmor list
  batten apparmor list --mode complain
  batten apparmor list --format json | jq -r '.[].name'

One line per profile: its mode, a tab, its name.

Exit codes: 0 listed, 3 the kernel's list cannot be read, 4 wrong usage.")]
pub(super) struct List {
    /// Only those in this mode: enforce, complain, kill, unconfined, prompt
    #[arg(long, value_parser = mode)]
    mode: Option<LoadedMode>,

    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn mode(word: &str) -> Result<LoadedMode, String> {
    match LoadedMode::from_word(word) {
        LoadedMode::Unknown => Err("a mode is enforce, complain, kill, unconfined or prompt".to_owned()),
        mode => Ok(mode),
    }
}

impl List {
    pub(super) fn run(&self) -> Exit {
        let mut profiles = match Kernel::host().profiles() {
            Ok(profiles) => profiles,
            Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
        };
        profiles.retain(|loaded| self.mode.is_none_or(|mode| mode == loaded.mode));
        profiles.sort_by(|one, other| one.name.cmp(&other.name));
        let text = match self.format {
            Format::Text => {
                let line = |loaded: &Loaded| format!("{}\t{}\n", loaded.mode.as_str(), escape(&loaded.name));
                profiles.iter().map(line).collect::<Vec<_>>().concat()
            }
            Format::Json => {
                let list: Vec<_> = profiles
                    .iter()
                    .map(|loaded| json!({ "name": loaded.name, "mode": loaded.mode.as_str() }))
                    .collect();
                format!("{:#}\n", serde_json::Value::Array(list))
            }
        };
        say(&text).unwrap_or(Exit::Clean)
    }
}

/// Says whether AppArmor is on, what there is to load profiles with, and how one profile is enforced
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten apparmor status
  batten apparmor status docker-default

With a name, the mode of that profile is all that is printed.

Exit codes: 0 AppArmor is on (the profile refuses what no rule allows), 1 it is off (the profile is not loaded, or
refuses nothing), 3 the kernel's list cannot be read, 4 wrong usage.")]
pub(super) struct Status {
    /// A profile's name
    name: Option<String>,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Status {
    pub(super) fn run(&self) -> Exit {
        let kernel = Kernel::host();
        match &self.name {
            Some(name) => self.one(name, &kernel),
            None => self.all(&kernel),
        }
    }

    fn one(&self, name: &str, kernel: &Kernel) -> Exit {
        match kernel.mode_of(name) {
            Ok(Some(mode)) => {
                let text = match self.format {
                    Format::Text => format!("{}\n", mode.as_str()),
                    Format::Json => format!("{}\n", json!({ "name": name, "mode": mode.as_str() })),
                };
                say(&text).unwrap_or(if mode.refuses() { Exit::Clean } else { Exit::Denied })
            }
            Ok(None) => {
                let error = KernelError::NotLoaded { name: name.to_owned() };
                refuse(Exit::Denied, &error, error.hint())
            }
            Err(error) => refuse(exit_of(&error), &error, error.hint()),
        }
    }

    fn all(&self, kernel: &Kernel) -> Exit {
        let profiles = match kernel.profiles() {
            Ok(profiles) => profiles,
            Err(error) => return refuse(exit_of(&error), &error, error.hint()),
        };
        let parser = Parser::find().and_then(|parser| parser.version()).ok().map(|version| version.to_string());
        let abi = Dialect::of_host(Path::new(POLICY_FOLDER)).abi.map(|abi| abi.to_string());
        let label = kernel.own_label().to_string();
        let counts = counts(&profiles);
        let text = match self.format {
            Format::Json => {
                let modes: serde_json::Map<_, _> =
                    counts.iter().map(|(mode, count)| (mode.as_str().to_owned(), json!(count))).collect();
                format!(
                    "{:#}\n",
                    json!({ "enabled": true, "parser": parser, "abi": abi, "label": label, "profiles": modes })
                )
            }
            Format::Text => {
                let missing = || "none".to_owned();
                let line = |(mode, count): &(LoadedMode, usize)| format!("  {:<10} {count}\n", mode.as_str());
                let counts = counts.iter().map(line).collect::<Vec<_>>().concat();
                format!(
                    "AppArmor is on\nparser: {}\nnewest ABI: {}\nthis process: {}\nprofiles: {}\n{counts}",
                    parser.unwrap_or_else(missing),
                    abi.unwrap_or_else(missing),
                    escape(&label),
                    profiles.len()
                )
            }
        };
        say(&text).unwrap_or(Exit::Clean)
    }
}

const fn exit_of(error: &KernelError) -> Exit {
    if matches!(error, KernelError::Disabled) { Exit::Denied } else { Exit::Unreadable }
}

fn counts(profiles: &[Loaded]) -> Vec<(LoadedMode, usize)> {
    let mut modes: Vec<LoadedMode> = profiles.iter().map(|loaded| loaded.mode).collect();
    modes.sort_unstable();
    modes.dedup();
    modes.into_iter().map(|mode| (mode, profiles.iter().filter(|loaded| loaded.mode == mode).count())).collect()
}
