//! Hooks as Podman and CRI-O are told of them (`oci-hooks(5)`, schema 1.0.0), and as they stand in a config.json.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

/// The stages that batten has a hook for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Podman: brings the spec within the policy before the runtime reads it
    Precreate,
    /// Refuses a container out of policy, and puts its bundle right for the next start
    CreateRuntime,
    /// Proves what the kernel enforces, and ends a container that may do more
    Poststart,
}

/// Where engines look for hook files.
pub const FOLDER: &str = "/etc/containers/oci/hooks.d";

/// Where packages put theirs, and engines look by themselves.
pub const PACKAGES_FOLDER: &str = "/usr/share/containers/oci/hooks.d";

/// A hook's whole environment. Without one, older runcs gave hooks the container's own (as in CVE-2025-23266); and PATH is
/// all that apparmor_parser is found by.
const ENVIRONMENT: [&str; 1] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

/// How long an engine waits, in seconds; batten gives up by itself before.
const TIMEOUT: u32 = 15;

impl Stage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Precreate, Self::CreateRuntime, Self::Poststart];

    /// What engines and the runtime-spec call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Precreate => "precreate",
            Self::CreateRuntime => "createRuntime",
            Self::Poststart => "poststart",
        }
    }

    /// What the command line calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Precreate => "precreate",
            Self::CreateRuntime => "create-runtime",
            Self::Poststart => "poststart",
        }
    }

    /// Its file: the last in the order of names, so that no other precreate hook edits what batten has judged.
    pub fn path(self) -> String {
        format!("{FOLDER}/zz-batten-{}.json", self.word())
    }
}

/// A hook as a config.json has it. `batten` is the program's absolute path.
pub fn entry(stage: Stage, batten: &Path) -> Value {
    let mut args = vec!["batten", "hook", stage.word()];
    // crun takes no notice of a failed poststart hook, so it ends the container itself.
    args.extend((stage == Stage::Poststart).then_some("--kill"));
    json!({ "path": batten, "args": args, "env": ENVIRONMENT, "timeout": TIMEOUT })
}

/// The `hooks` of a config.json.
pub fn section(stages: &[Stage], batten: &Path) -> Value {
    stages
        .iter()
        .map(|stage| (stage.as_str().to_owned(), json!([entry(*stage, batten)])))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A hook file for Podman and CRI-O: for every container.
pub fn file(stage: Stage, batten: &Path) -> String {
    let hook = json!({
        "version": "1.0.0",
        "hook": entry(stage, batten),
        "when": { "always": true },
        "stages": [stage.as_str()],
    });
    format!("{hook:#}\n")
}
