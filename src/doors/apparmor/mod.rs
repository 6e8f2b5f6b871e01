//! `batten apparmor`: profiles written, loaded, followed.

mod generate;
mod learn;
mod lint;
mod list;
mod load;
mod modes;
mod unit;

use clap::{Args, Subcommand};

use super::Exit;
use generate::Generate;
use learn::Learn;
use lint::Lint;
use list::{List, Status};
use load::{Load, Unload};
use modes::SetMode;
use unit::Unit;

/// Writes, loads, follows and mends AppArmor profiles
#[derive(Debug, Args)]
pub struct AppArmorCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Generate(Generate),
    Load(Load),
    Unload(Unload),
    Status(Status),
    List(List),
    /// Has a loaded profile refuse what no rule allows
    #[command(after_help = "Example:\n  batten apparmor enforce web\n  batten apparmor enforce ./web.toml\n\n\
        The mode holds until the profile is loaded again; its file says what it is then.\n\n\
        Exit codes: 0 set, 1 refused by the parser or the kernel, 3 the file is unreadable, 4 no such profile or wrong usage.")]
    Enforce(SetMode),
    /// Has a loaded profile only log what no rule allows
    #[command(after_help = "Example:\n  batten apparmor complain web\n\n\
        `deny` rules still hold. The mode holds until the profile is loaded again.\n\n\
        Exit codes: 0 set, 1 refused by the parser or the kernel, 3 the file is unreadable, 4 no such profile or wrong usage.")]
    Complain(SetMode),
    Learn(Learn),
    Lint(Lint),
    Unit(Unit),
}

impl AppArmorCommand {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        use crate::apparmor::Mode;
        match &self.action {
            Action::Generate(door) => door.run(),
            Action::Load(door) => door.run(),
            Action::Unload(door) => door.run(),
            Action::Status(door) => door.run(),
            Action::List(door) => door.run(),
            Action::Enforce(door) => door.run(Mode::Enforce),
            Action::Complain(door) => door.run(Mode::Complain),
            Action::Learn(door) => door.run(),
            Action::Lint(door) => door.run(),
            Action::Unit(door) => door.run(),
        }
    }
}

/// The language to write for: of the installed parser, or of this host's files where none is installed.
fn host_dialect() -> crate::apparmor::Dialect {
    use crate::apparmor::{Dialect, POLICY_FOLDER, Parser, Version};
    let host = Dialect::of_host(std::path::Path::new(POLICY_FOLDER));
    match Parser::find().and_then(|parser| parser.dialect()) {
        Ok(dialect) => dialect,
        Err(_) if host.abi.is_some() => host,
        // Nothing of AppArmor is here: write what every parser of today takes.
        Err(_) => Dialect::of(Version::V3_0),
    }
}

/// Says something on standard error that is no error.
fn note(kind: &str, text: &str) {
    eprintln!("{kind}: {}", crate::escape::escape(text));
}
