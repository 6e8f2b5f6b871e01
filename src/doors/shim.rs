//! `batten-runtime`: what an engine starts instead of runc or crun.
//!
//! Reads the command line; judges the bundle of a create, run or restore and the process of an exec; hands over to the
//! real runtime in this very process. Whatever goes wrong before that, nothing starts.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Exit;
use crate::enforce::{EnforceError, Outcome, enforce};
use crate::host::Host;
use crate::policy::{Policy, PolicyError, Subject};
use crate::rules::DocumentKind;
use crate::runtime::argv::{ArgvError, Command, Dialect, Exec, Invocation, Launch, Verb};
use crate::runtime::config::{ConfigError, ShimConfig};
use crate::runtime::decision::{Decision, Entry};
use crate::runtime::exec::{self, ExecError};
use crate::runtime::external::{HandoverError, hand_over};
use crate::runtime::find::{FindError, RealRuntime};
use crate::runtime::handoff::{HandoffError, first_free, sealed};
use crate::runtime::log::Roads;
use crate::runtime::state::{self, StateError};
use crate::spec::{Document, Durability, FileError, Pointer, ReadError, TrustedFile};

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ShimError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Argv(#[from] ArgvError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {error}", path.display())]
    Read { path: PathBuf, error: ReadError },
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("{document}: {error}")]
    Enforce { document: String, error: EnforceError },
    #[error("the policy denies {document}: {reasons}")]
    Denied { document: String, reasons: String, hint: String },
    #[error("--lsm-profile {asked:?} is not the profile of the judged config.json")]
    LsmProfile { asked: String },
    #[error("the decision cannot be logged: {error}")]
    Unlogged { error: std::io::Error },
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    #[error(transparent)]
    Handover(#[from] HandoverError),
}

impl ShimError {
    /// What can be done about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Config(error) => error.hint(),
            Self::Find(error) => error.hint(),
            Self::Argv(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Read { error, .. } => error.hint(),
            Self::State(error) => error.hint(),
            Self::Exec(error) => error.hint(),
            Self::Enforce { error, .. } => error.hint(),
            Self::Denied { hint, .. } => hint,
            Self::LsmProfile { .. } => {
                "leave it out, or name apparmor: and the profile that the policy gives the container"
            }
            Self::Unlogged { .. } => "log-required is set in /etc/batten/runtime.toml: put the log right, or unset it",
            Self::Handoff(error) => error.hint(),
            Self::Handover(error) => error.hint(),
        }
    }

    const fn exit(&self) -> Exit {
        match self {
            Self::Denied { .. } | Self::LsmProfile { .. } => Exit::Denied,
            Self::Config(_) | Self::Policy(_) | Self::Find(_) | Self::Argv(_) => Exit::Usage,
            _ => Exit::Unreadable,
        }
    }
}

/// The whole of `batten-runtime`; comes back only when nothing was started.
pub fn main() -> Exit {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&args) {
        Ok(never) => match never {},
        Err(error) => {
            Roads::of(&args).refuse(&error.to_string(), error.hint());
            error.exit()
        }
    }
}

fn run(args: &[OsString]) -> Result<Infallible, ShimError> {
    let config = ShimConfig::load()?;
    let runtime = RealRuntime::find(&config)?;
    let mut invocation = Invocation::parse(args, runtime.dialect)?;
    if let Some((command, id)) = judged(&invocation.command) {
        let mut entry = Entry::new(command, id);
        entry.text("runtime", &runtime.path.to_string_lossy());
        let shim = Shim { config: &config, runtime: &runtime };
        let result = shim.judge(&mut invocation, &mut entry);
        if let Err(error) = &result {
            if !matches!(error, ShimError::Denied { .. }) {
                entry.decision(Decision::Refused);
            }
            entry.text("error", &error.to_string());
        }
        let logged = entry.write(&config.log);
        result?;
        if config.log_required {
            logged.map_err(|error| ShimError::Unlogged { error })?;
        }
    }
    Ok(hand_over(&runtime, &invocation.words())?)
}

const fn judged(command: &Command) -> Option<(&'static str, &String)> {
    match command {
        Command::Launch(launch) => Some((launch.verb.as_str(), &launch.id)),
        Command::Exec(exec) => Some(("exec", &exec.id)),
        Command::Help(_) | Command::Version | Command::Passed(_) => None,
    }
}

struct Shim<'s> {
    config: &'s ShimConfig,
    runtime: &'s RealRuntime,
}

impl Shim<'_> {
    fn judge(&self, invocation: &mut Invocation, entry: &mut Entry) -> Result<(), ShimError> {
        let policy = match &self.config.policy {
            Some(file) => Policy::load_files(std::slice::from_ref(file))?,
            None => Policy::load()?,
        };
        let host = Host::detect();
        let container = match &invocation.command {
            Command::Exec(exec) => Some(state::config_of(invocation, self.config, &exec.id)?),
            _ => None,
        };
        match (&mut invocation.command, container) {
            (Command::Launch(launch), _) => judge_launch(launch, &policy, &host, entry),
            (Command::Exec(exec), Some(container)) => {
                judge_exec(exec, &container, self.runtime.dialect, &policy, &host, entry)
            }
            _ => Ok(()),
        }
    }
}

fn judge_launch(launch: &mut Launch, policy: &Policy, host: &Host, entry: &mut Entry) -> Result<(), ShimError> {
    let mut file = open_config(launch)?;
    entry.text("bundle", &file.path().to_string_lossy());
    let document = Document::parse_spec(file.take_text())
        .map_err(|error| ShimError::Read { path: file.path().to_owned(), error })?;
    let subject = policy.subject_of(&document);
    let name = file.path().display().to_string();
    let outcome = decide(document, DocumentKind::Spec, &subject, policy, host, &name, entry)?;
    if launch.verb == Verb::Restore {
        check_lsm_profile(launch, &outcome)?;
    }
    if own_config(launch).is_some() {
        let path = sealed("config.json", &outcome.text, first_free(launch.preserve_fds()))?;
        launch.set_config(path);
    } else {
        // Anew even where nothing changed: a descriptor that someone holds open on the old file must not reach what the
        // runtime reads.
        file.replace(outcome.text.as_bytes(), Durability::Process)?;
    }
    Ok(())
}

/// crun's `--config`, unless it says what is so anyway: crun then reads the bundle's.
fn own_config(launch: &Launch) -> Option<&OsStr> {
    launch.config().filter(|config| *config != OsStr::new("config.json"))
}

fn open_config(launch: &Launch) -> Result<TrustedFile, FileError> {
    match own_config(launch) {
        Some(config) => TrustedFile::open(Path::new(config)),
        None => TrustedFile::in_bundle(launch.bundle().map_or(Path::new("."), Path::new)),
    }
}

/// CRIU would restore the container under any profile that is named here.
fn check_lsm_profile(launch: &Launch, outcome: &Outcome) -> Result<(), ShimError> {
    let Some(asked) = launch.value("lsm-profile") else { return Ok(()) };
    let judged = Document::parse(outcome.text.as_str()).ok().and_then(|document| {
        let profile = document.at(&Pointer::new("/process/apparmorProfile"))?.as_str()?.into_owned();
        Some(format!("apparmor:{profile}"))
    });
    let is_selinux = asked.to_str().is_some_and(|asked| asked.starts_with("selinux:"));
    if is_selinux || judged.is_some_and(|judged| OsStr::new(&judged) == asked) {
        return Ok(());
    }
    Err(ShimError::LsmProfile { asked: asked.to_string_lossy().into_owned() })
}

fn judge_exec(
    exec: &mut Exec,
    container: &Document,
    dialect: Dialect,
    policy: &Policy,
    host: &Host,
    entry: &mut Entry,
) -> Result<(), ShimError> {
    let (name, text) = match exec.process() {
        Some(path) => {
            let mut file = TrustedFile::open(Path::new(path))?;
            let read = |error| ShimError::Read { path: PathBuf::from(path), error };
            let process = Document::parse_process(file.take_text()).map_err(read)?;
            (path.to_string_lossy().into_owned(), exec::complete(&process, container)?)
        }
        None => ("the exec's flags".to_owned(), exec::from_flags(exec, container, dialect)?),
    };
    let process =
        Document::parse_process(text).map_err(|error| ShimError::Read { path: PathBuf::from(&name), error })?;
    let subject = policy.subject_of(container);
    let outcome = decide(process, DocumentKind::Process, &subject, policy, host, &name, entry)?;
    let path = sealed("process", &outcome.text, first_free(exec.preserve_fds()))?;
    exec.set_process(path);
    Ok(())
}

/// The judgement, and what the decision log says of it.
fn decide(
    document: Document,
    kind: DocumentKind,
    subject: &Subject,
    policy: &Policy,
    host: &Host,
    name: &str,
    entry: &mut Entry,
) -> Result<Outcome, ShimError> {
    entry.subject(subject);
    let outcome = enforce(document, kind, subject, policy, host)
        .map_err(|error| ShimError::Enforce { document: name.to_owned(), error })?;
    entry.decision(Decision::of(&outcome.findings));
    entry.findings(&outcome.findings, policy);
    match denial(&outcome, policy, name) {
        Some(denied) => Err(denied),
        None => Ok(outcome),
    }
}

/// What the policy says no to, all of it: whoever fixes one thing should not meet the next one afterwards.
fn denial(outcome: &Outcome, policy: &Policy, name: &str) -> Option<ShimError> {
    let hint = outcome.denied().next()?.hint.clone().into_owned();
    let reasons: Vec<_> = outcome
        .denied()
        .map(|finding| {
            format!("{} at {} [{}, {}]", finding.message, finding.pointer, finding.rule, policy.cite(finding.origin))
        })
        .collect();
    Some(ShimError::Denied { document: name.to_owned(), reasons: reasons.join("; "), hint })
}
