//! `batten hook`: the doors that engines and runtimes knock at by OCI hooks.
//!
//! `precreate` (Podman) edits the spec before any runtime has read it. Every later stage comes when the runtime has read
//! config.json already (runtime-spec `runtime.md`, lifecycle step 2), so it can refuse the start and put the file right
//! for the next one, but never change the container whose creation it is part of.

mod poststart;
mod precreate;
mod state;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Exit;
use super::start::{StartError, logged};
use crate::host::Host;
use crate::policy::Policy;
use crate::runtime::config::{DecisionLog, ShimConfig};
use crate::runtime::decision::Entry;
use crate::spec::MAX_BYTES;

/// How long a hook may take before it refuses, in seconds. Podman and CRI-O start to kill hooks after their own
/// `timeout`; one that hangs on its input must not hang the engine.
const SECONDS: u32 = 10;

/// Judges containers as an OCI hook
#[derive(Debug, Args)]
pub struct Hook {
    #[command(subcommand)]
    stage: Stage,
}

#[derive(Debug, Subcommand)]
enum Stage {
    /// Podman's precreate: the spec comes on standard input, the spec within the policy goes to standard output
    #[command(after_help = "Example:\n  batten hook precreate < config.json > within-policy.json\n\n\
        Podman throws a hook's standard error away: a refusal is also in the journal (journalctl -t batten-runtime).")]
    Precreate(Source),
    /// createRuntime: the container's state comes on standard input; one out of policy is refused, its config.json corrected
    #[command(
        after_help = "Example:\n  echo '{\"ociVersion\":\"1.0.2\",\"id\":\"web\",\"bundle\":\"/run/web\"}' | batten hook create-runtime"
    )]
    CreateRuntime(StateHook),
    /// The older name of createRuntime
    Prestart(StateHook),
    /// createContainer: as createRuntime, later
    CreateContainer(StateHook),
    /// poststart: proves what the kernel enforces on the container that has just started
    #[command(
        after_help = "Example:\n  echo '{\"ociVersion\":\"1.0.2\",\"id\":\"web\",\"pid\":4711,\"bundle\":\"/run/web\"}' | batten hook poststart --kill"
    )]
    Poststart(poststart::Poststart),
}

#[derive(Debug, Args)]
struct Source {
    /// Judge by this policy file instead of the machine's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct StateHook {
    #[command(flatten)]
    source: Source,
    /// Leave config.json as it is
    #[arg(long)]
    no_write: bool,
    /// Only log what would be refused
    #[arg(long)]
    audit: bool,
}

impl Hook {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        // Whoever waits for the hook sees it killed by SIGALRM, which every runtime takes for a failure.
        nix::unistd::alarm::set(SECONDS);
        match &self.stage {
            Stage::Precreate(source) => precreate::run(source),
            Stage::CreateRuntime(hook) => state::run(hook, "createRuntime"),
            Stage::Prestart(hook) => state::run(hook, "prestart"),
            Stage::CreateContainer(hook) => state::run(hook, "createContainer"),
            Stage::Poststart(hook) => hook.run(),
        }
    }
}

impl Source {
    /// Judges by the policy that is named, or the one of the shim's settings, or the machine's, and logs the decision.
    /// Engines throw a hook's words away, so without a log of their own they go to the journal.
    fn decide<T>(
        &self,
        stage: &str,
        id: &str,
        judge: impl FnOnce(&Policy, &Host, &mut Entry) -> Result<T, StartError>,
    ) -> Result<T, StartError> {
        let mut config = ShimConfig::load()?;
        if config.log == DecisionLog::None {
            config.log = DecisionLog::Syslog;
        }
        logged(&config, Entry::new(&config.log, stage, id), |entry| {
            let policy = match self.policy.as_ref().or(config.policy.as_ref()) {
                Some(file) => Policy::load_files(std::slice::from_ref(file))?,
                None => Policy::load()?,
            };
            judge(&policy, &Host::detect_for(&policy).looking(), entry)
        })
    }
}

/// What standard input holds, up to the size of a document.
fn standard_input() -> Result<Vec<u8>, StartError> {
    use std::io::Read;
    let mut text = Vec::new();
    let read = std::io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut text);
    read.map_err(|error| StartError::Input { error })?;
    Ok(text)
}
