//! `batten apparmor load` and `unload`: into the kernel and out of it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{host_dialect, note};
use crate::apparmor::loader::{self, CACHE};
use crate::apparmor::sources::{self, Source};
use crate::apparmor::{Dialect, Kernel, Label, Parser, builtin};
use crate::doors::{Exit, refuse};
use crate::policy::Policy;

/// Loads profiles into the kernel, in the place of those of the same names
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten apparmor load ./web.toml /etc/apparmor.d/containers/db
  batten apparmor load compiled.bin
  batten apparmor load --needed

A file is TOML (*.toml), text for apparmor_parser, or compiled (apparmor_parser -o), which goes straight to the kernel.
--needed is what the boot-time unit runs: every profile in /etc/batten/apparmor.d, batten's own for the policy's
ceilings, and then a look whether every profile that the policy names is loaded.

Exit codes: 0 loaded, 1 refused by the parser or the kernel, or a needed one is missing, 3 a file is unreadable, 4 bad policy or usage.")]
pub(super) struct Load {
    /// The files
    #[arg(required_unless_present = "needed")]
    files: Vec<PathBuf>,

    /// Also load what the machine's policy needs
    #[arg(long)]
    needed: bool,
}

impl Load {
    pub(super) fn run(&self) -> Exit {
        let dialect = host_dialect();
        let kernel = Kernel::host();
        if let Err(error) = kernel.must_be_enabled() {
            return refuse(Exit::Denied, &error, error.hint());
        }
        let mut worst = Exit::Clean;
        let own = if self.needed { sources::own_files() } else { Vec::new() };
        for file in own.iter().chain(&self.files) {
            worst = worst.max(load(file, dialect, &kernel));
        }
        if self.needed {
            worst = worst.max(needed(dialect, &kernel));
        }
        worst
    }
}

fn load(file: &Path, dialect: Dialect, kernel: &Kernel) -> Exit {
    let source = match Source::read(file) {
        Ok(source) => source,
        Err(error) => return refuse(Exit::Unreadable, &error, error.hint()),
    };
    let what = file.display().to_string();
    let before = kernel.profiles().unwrap_or_default();
    let was_there = |name: &str| before.iter().any(|loaded| loaded.name == name);
    if let Source::Compiled(bytes) = &source {
        if let Err(error) = kernel.replace(bytes, &what) {
            return refuse(Exit::Denied, &error, error.hint());
        }
        // The file does not tell whom it has; the kernel does, of those that are new.
        let new = kernel.profiles().unwrap_or_default().into_iter().filter(|loaded| !was_there(&loaded.name));
        let new: Vec<String> = new.map(|loaded| format!("{:?}", loaded.name)).collect();
        let new =
            if new.is_empty() { "replaced what was loaded".to_owned() } else { format!("loaded {}", new.join(", ")) };
        return said(&format!("{new} from {what}"));
    }
    let text = source.text(dialect).unwrap_or_default();
    if let Err(error) = Parser::find().and_then(|parser| parser.load(&text, &what)) {
        return refuse(Exit::Denied, &error, error.hint());
    }
    for name in source.names() {
        let done = if was_there(name) { "replaced" } else { "loaded" };
        said(&format!("{done} {name:?} from {what}"));
    }
    Exit::Clean
}

/// batten's own profile for every ceiling that the policy has, and whether the named ones are there.
fn needed(dialect: Dialect, kernel: &Kernel) -> Exit {
    let policy = match Policy::load() {
        Ok(policy) => policy,
        Err(error) => return refuse(Exit::Usage, &error, error.hint()),
    };
    let mut worst = Exit::Clean;
    for settings in policy.every_settings() {
        let apparmor = &settings.apparmor;
        for name in apparmor.profile.iter().chain(&apparmor.fallback).map(|profile| profile.value.as_str()) {
            worst = worst.max(if name == builtin::BUILT_IN {
                let profile = builtin::profile(settings.capabilities.ceiling.value, dialect, &Label::unconfined());
                match loader::ensure(&profile, dialect, kernel, Path::new(CACHE)) {
                    Ok(mode) => said(&format!("{:?} is loaded ({})", profile.name, mode.as_str())),
                    Err(error) => refuse(Exit::Denied, &error, error.hint()),
                }
            } else {
                is_loaded(name, kernel)
            });
        }
    }
    worst
}

fn is_loaded(name: &str, kernel: &Kernel) -> Exit {
    match kernel.mode_of(name) {
        Ok(Some(mode)) => said(&format!("{name:?} is loaded ({})", mode.as_str())),
        Ok(None) => {
            let hint = "put its file into /etc/batten/apparmor.d, or load it with AppArmor's own service";
            refuse(Exit::Denied, &format!("the policy names the profile {name:?}, which is not loaded"), hint)
        }
        Err(error) => refuse(Exit::Denied, &error, error.hint()),
    }
}

fn said(text: &str) -> Exit {
    note("note", text);
    Exit::Clean
}

/// Takes profiles out of the kernel; what runs under them becomes unconfined
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten apparmor unload web\n\n\
    Exit codes: 0 unloaded, 1 not loaded or refused by the kernel, 4 wrong usage.")]
pub(super) struct Unload {
    /// The profiles' names
    #[arg(required = true)]
    names: Vec<String>,
}

impl Unload {
    pub(super) fn run(&self) -> Exit {
        let kernel = Kernel::host();
        let mut worst = Exit::Clean;
        for name in &self.names {
            worst = worst.max(match kernel.remove(name) {
                Ok(()) => said(&format!("unloaded {name:?}")),
                Err(error) => refuse(Exit::Denied, &error, error.hint()),
            });
        }
        worst
    }
}
