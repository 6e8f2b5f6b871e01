//! `batten attest`: proof from the kernel, for one container, one process or all of them. Never writes.

use std::path::PathBuf;

use clap::Args;

use super::format::Format;
use super::input::PolicyFiles;
use super::{Exit, conclude, refuse};
use crate::attest::cgroup::Hierarchies;
use crate::attest::{self, Attested, Container, ContainerError, Target, Verdict, containers};
use crate::host::Host;
use crate::report::attestation;

/// Says what the kernel enforces on running containers, compared with what the policy permits at most
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  batten attest --all\n  batten attest --container 3f2a9c --deep --format json\n  batten attest \"$(pidof nginx)\"\n\n\
    Every process of the container is looked at, also those that were executed into it.\n\n\
    Exit codes: 0 all within the policy, 1 something is looser, 3 something cannot be read or is not there, 4 bad policy or usage."
)]
pub struct Attest {
    #[command(flatten)]
    which: Which,

    /// Where the runtime keeps its containers (its own --root); without it all places that engines use are looked in
    #[arg(long = "root", value_name = "DIR")]
    roots: Vec<PathBuf>,

    /// Read the loaded filters themselves, and name every system call that they let further than the policy's profile.
    /// Stops each process for a moment; a call that it waits in may come back with EINTR
    #[arg(long)]
    deep: bool,

    #[command(flatten)]
    policy: PolicyFiles,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Processes; each stands for the whole container that it is in
    #[arg(value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pids: Vec<i32>,

    /// A container, by its id with the runtime or the beginning of it
    #[arg(long, value_name = "ID")]
    container: Option<String>,

    /// Every running container of every runtime
    #[arg(long)]
    all: bool,
}

impl Attest {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let policy = match self.policy.load() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()),
        };
        let trees = Hierarchies::mounted();
        let roots = containers::roots(&self.roots);
        let (targets, missing) = match self.targets(&roots, &trees) {
            Ok(found) => found,
            Err(exit) => return exit,
        };
        let host = Host::detect();
        let look = |target| attest::attest(Target { deep: self.deep, ..target }, &policy, &host, &trees);
        let all: Vec<Attested> = targets.into_iter().map(look).collect();
        let printed = match self.format {
            Format::Text => attestation::text(&all, &policy),
            Format::Json => format!("{:#}\n", attestation::json(&all, &policy)),
        };
        conclude(&printed, exit_of(&all).max(missing))
    }

    /// What to look at, and the exit code for what could not be found among it.
    fn targets(&self, roots: &[PathBuf], trees: &Hierarchies) -> Result<(Vec<Target>, Exit), Exit> {
        if let Some(id) = &self.which.container {
            let found = containers::find(id, roots, trees).and_then(|container| {
                let gone = ContainerError::NotRunning { id: container.id.clone() };
                Target::of_container(container).ok_or(gone)
            });
            return match found {
                Ok(target) => Ok((vec![target], Exit::Clean)),
                Err(error) => Err(refuse(Exit::Unreadable, &error, error.hint())),
            };
        }
        let mut missing = Exit::Clean;
        let mut known = Vec::new();
        for found in containers::all(roots, trees) {
            match found {
                Ok(container) => known.push(container),
                // One state that cannot be read says nothing of a process that was named.
                Err(error) if self.which.all => missing = missing.max(refuse(Exit::Unreadable, &error, error.hint())),
                Err(_) => {}
            }
        }
        if self.which.all {
            let looked = roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ");
            eprintln!(
                "looked in {}",
                if looked.is_empty() { "no folder: no runtime keeps containers here" } else { &looked }
            );
            return Ok((known.into_iter().filter_map(Target::of_container).collect(), missing));
        }
        let mut targets = Vec::new();
        for pid in &self.which.pids {
            match Target::of_pid(*pid, still_known(roots, trees)) {
                Ok(Some(target)) => targets.push(target),
                Ok(None) => {
                    let error = format!("there is no process {pid}");
                    missing = refuse(Exit::Unreadable, &error, "check the number; ps -e shows all");
                }
                Err(error) => missing = refuse(Exit::Unreadable, &error, error.hint()),
            }
        }
        Ok((targets, missing))
    }
}

fn still_known(roots: &[PathBuf], trees: &Hierarchies) -> Vec<Container> {
    containers::all(roots, trees).into_iter().flatten().collect()
}

/// What all containers together come to.
pub fn exit_of(all: &[Attested]) -> Exit {
    match all.iter().map(Attested::verdict).max() {
        Some(Verdict::Unreadable) => Exit::Unreadable,
        Some(Verdict::Looser) => Exit::Denied,
        Some(Verdict::Clean) | None => Exit::Clean,
    }
}
