//! `batten install` and `batten uninstall`: batten-runtime in an engine's configuration, and out of it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, refuse, say};
use crate::engines::hooks::Stage;
use crate::engines::{Engine, EngineError, Plan, Request, Site, Version, install, uninstall};
use crate::escape::escape;

/// Registers batten-runtime with an engine
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten install docker --default --dry-run   # the change as a diff, nothing done
  batten install docker --default
  batten install containerd --name batten --name secure
  batten install podman --default --hook poststart
  batten install crio --root ./image --default

Other settings, comments and their order stay. What was there before is kept, and `batten uninstall` gives it back. The
last command counts: what it does not name is not registered any more. docs/engines.md says how to check that it works.

Exit codes: 0 registered (or was so already), 2 a dry run that would change something, 3 a file cannot be read, edited or \
written, 4 wrong usage.")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Install {
    /// The engine
    engine: Engine,

    /// The name that containers ask for it by; give it several times for several names [default: batten]
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,

    /// Make it what containers get that name no runtime; the first name counts
    #[arg(long)]
    default: bool,

    /// Where batten-runtime is, as the engine sees it [default: beside this program, else /usr/local/bin/batten-runtime]
    #[arg(long, value_name = "PATH")]
    runtime_path: Option<PathBuf>,

    /// Take a name over that stands for another runtime
    #[arg(long)]
    replace: bool,

    /// Register a hook besides; Podman, CRI-O, containerd. It starts the `batten` beside batten-runtime
    #[arg(long = "hook", value_name = "STAGE")]
    hooks: Vec<Stage>,

    /// Register hooks only
    #[arg(long, requires = "hooks", conflicts_with_all = ["default", "names"])]
    no_runtime: bool,

    /// Docker: have builds by its own BuildKit go through it as well
    #[arg(long)]
    builds: bool,

    /// Edit this file instead of the engine's usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    machine: Machine,

    /// The engine's version, such as 2.2, where it cannot be asked
    #[arg(long, value_name = "VERSION", value_parser = version)]
    engine_version: Option<Version>,
}

/// Takes batten-runtime out of an engine's configuration
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten uninstall docker --dry-run
  batten uninstall docker

Files that nobody has touched since get back the bytes they had before; from others only batten's settings go. Containers \
that were created with batten-runtime need it until they are removed.

Exit codes: 0 nothing of it is left, 1 something was edited since and stays, 2 a dry run that would change something, \
3 a file cannot be read or written, 4 wrong usage.")]
pub struct Uninstall {
    /// The engine
    engine: Engine,

    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Args)]
struct Machine {
    /// The machine is this folder: an image that is being built
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Show what would change as a unified diff, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Install {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let site = match machine(self.machine.root.as_deref()) {
            Ok(site) => site.with_version(self.engine_version),
            Err(exit) => return exit,
        };
        let plan = match install(self.engine, &self.request(&site), &site) {
            Ok(plan) => plan,
            Err(error) => return failed(&error),
        };
        let (reload, changes) = (plan.reload, !plan.changes.is_empty());
        let backups: Vec<PathBuf> = plan.changes.iter().filter_map(|change| plan.backup(&change.path, &site)).collect();
        let exit = self.machine.carry_out(plan, &site, &format!("{} is set so already", self.engine.as_str()));
        if exit == Exit::Clean && !self.machine.dry_run {
            for backup in backups {
                say_so(&format!("the text from before is in {}", backup.display()));
            }
            if changes {
                tell_reload(reload);
            }
            self.warn_of_default(&site);
        }
        exit
    }

    fn request(&self, site: &Site) -> Request {
        let runtime = self.runtime_path.clone().unwrap_or_else(|| own_runtime(site));
        let names = if self.names.is_empty() { vec!["batten".to_owned()] } else { self.names.clone() };
        Request {
            names,
            default: self.default,
            batten: runtime.with_file_name("batten"),
            runtime: (!self.no_runtime).then_some(runtime),
            replace: self.replace,
            hooks: self.hooks.clone(),
            config: self.config.clone(),
            builds: self.builds,
        }
    }

    /// Another file may have the last word.
    fn warn_of_default(&self, site: &Site) {
        if !self.default || self.config.is_some() {
            return;
        }
        if let Ok(coverage) = self.engine.coverage(site)
            && !coverage.default_is_covered()
        {
            let name = &coverage.default;
            say_so(&format!("warning: the default is {name:?} all the same; `batten status` shows which file says so"));
        }
    }
}

impl Uninstall {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let site = match machine(self.machine.root.as_deref()) {
            Ok(site) => site,
            Err(exit) => return exit,
        };
        let plan = match uninstall(self.engine, &site) {
            Ok(plan) => plan,
            Err(error) => return failed(&error),
        };
        let (reload, leaves_some, changes) = (plan.reload, plan.leaves_some, !plan.changes.is_empty());
        let nothing = format!("`batten install` has registered nothing with {} here", self.engine.as_str());
        let exit = self.machine.carry_out(plan, &site, &nothing);
        if exit == Exit::Clean && changes {
            tell_reload(reload);
        }
        if exit == Exit::Clean && leaves_some { Exit::Denied } else { exit }
    }
}

impl Machine {
    fn carry_out(&self, plan: Plan, site: &Site, nothing: &str) -> Exit {
        for note in &plan.notes {
            say_so(&format!("note: {note}"));
        }
        if plan.changes.is_empty() && (self.dry_run || !plan.was_registered) {
            say_so(nothing);
            return Exit::Clean;
        }
        if self.dry_run {
            let diff: String = plan.changes.iter().map(crate::engines::Change::diff).collect();
            return say(&diff).unwrap_or(Exit::WouldFix);
        }
        if plan.changes.is_empty() {
            say_so(nothing);
        }
        let done: Vec<String> = plan
            .changes
            .iter()
            .map(|change| {
                format!("{} {}", if change.after.is_some() { "wrote" } else { "removed" }, change.path.display())
            })
            .collect();
        match plan.carry_out(site) {
            Ok(()) => {
                for line in done {
                    say_so(&line);
                }
                Exit::Clean
            }
            Err(error) => failed(&error),
        }
    }
}

/// This machine, or the one in a folder.
pub(super) fn machine(root: Option<&Path>) -> Result<Site, Exit> {
    let Some(root) = root else { return Ok(Site::host()) };
    match std::fs::canonicalize(root) {
        Ok(folder) if folder.is_dir() => Ok(Site::below(folder)),
        Ok(_) => Err(refuse(Exit::Usage, &format!("{} is no folder", root.display()), ROOT_HINT)),
        Err(error) => Err(refuse(Exit::Usage, &format!("cannot open {}: {error}", root.display()), ROOT_HINT)),
    }
}

const ROOT_HINT: &str = "--root names the folder that is the machine's /";

/// The batten-runtime beside this program, where that is one; in another machine's folder the usual place.
fn own_runtime(site: &Site) -> PathBuf {
    let own = std::env::current_exe().ok().map(|path| path.with_file_name("batten-runtime"));
    own.filter(|path| site.is_host() && site.exists(path))
        .unwrap_or_else(|| Path::new(crate::engines::RUNTIME).to_owned())
}

fn tell_reload(reload: Option<&str>) {
    match reload {
        Some(command) => say_so(&format!("now: {command}")),
        None => say_so("it holds from the next container on"),
    }
}

fn failed(error: &EngineError) -> Exit {
    let exit = match error {
        EngineError::Taken { .. }
        | EngineError::Reserved { .. }
        | EngineError::Name { .. }
        | EngineError::NoHook { .. }
        | EngineError::NoBuilds { .. }
        | EngineError::BuildsFixed { .. }
        | EngineError::Runtime(_)
        | EngineError::Missing { .. }
        | EngineError::NotBatten { .. }
        | EngineError::Relative { .. } => Exit::Usage,
        _ => Exit::Unreadable,
    };
    refuse(exit, error, error.hint())
}

fn say_so(text: &str) {
    eprintln!("{}", escape(text));
}

fn version(text: &str) -> Result<Version, String> {
    crate::engines::parse_version(text).ok_or_else(|| format!("{text:?} is no version; write it as 2.2"))
}
