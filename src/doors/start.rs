//! What the doors in front of a container share: judge, log the decision, or refuse with all reasons.

use std::path::{Path, PathBuf};

use super::Exit;
use crate::apparmor::loader::{self, LoadError};
use crate::apparmor::{Dialect, Kernel, POLICY_FOLDER, builtin};
use crate::capability::{CapSet, Capability};
use crate::enforce::{EnforceError, Outcome, enforce};
use crate::host::Host;
use crate::policy::{Policy, PolicyError};
use crate::rules::DocumentKind;
use crate::runtime::argv::ArgvError;
use crate::runtime::config::{ConfigError, ShimConfig};
use crate::runtime::decision::{Decision, Entry};
#[cfg(feature = "embedded")]
use crate::runtime::embedded::EmbeddedError;
use crate::runtime::exec::ExecError;
use crate::runtime::external::HandoverError;
use crate::runtime::find::FindError;
use crate::runtime::handoff::HandoffError;
use crate::runtime::state::StateError;
use crate::settings::Subject;
use crate::spec::{Document, FileError, Pointer, ReadError, TrustedFile, Value};

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum StartError {
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
    #[error("cannot read standard input: {error}")]
    Input { error: std::io::Error },
    #[error("the state on standard input names no bundle")]
    NoBundle,
    #[error("the state on standard input names no process")]
    NoProcess,
    #[error("the container {id:?} may do more than the policy permits: {reasons}")]
    Looser { id: String, reasons: String },
    #[error("what the kernel enforces on the container {id:?} is not proven: {reasons}")]
    Unproven { id: String, reasons: String, hint: String },
    #[error(
        "{} was out of policy: {reasons}; it is corrected now, but the runtime had read it before, so this start is refused",
        path.display()
    )]
    Corrected { path: PathBuf, reasons: String },
    #[error("{} is out of policy: {reasons}; the runtime has read it, so this start is refused", path.display())]
    OutOfPolicy { path: PathBuf, reasons: String },
    #[error(transparent)]
    Profile(#[from] LoadError),
    #[error("the decision cannot be logged: {error}")]
    Unlogged { error: std::io::Error },
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    #[error(transparent)]
    Handover(#[from] HandoverError),
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
}

impl StartError {
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
            Self::Input { .. } => "the engine writes the document to the hook's standard input",
            Self::NoBundle => "a runtime writes the container's state there, with the absolute path of its bundle",
            Self::NoProcess => "a runtime writes the container's state there, with the pid of its first process",
            Self::Looser { .. } => {
                "start it through batten-runtime; `batten attest --container ID` shows the whole of it"
            }
            Self::Unproven { hint, .. } => hint,
            Self::Corrected { .. } => {
                "start it again; with batten-runtime in front of the runtime the first start is right already"
            }
            Self::OutOfPolicy { .. } => "batten apply puts the bundle right",
            Self::Unlogged { .. } => "log-required is set in /etc/batten/runtime.toml: put the log right, or unset it",
            Self::Profile(error) => error.hint(),
            Self::Handoff(error) => error.hint(),
            Self::Handover(error) => error.hint(),
            #[cfg(feature = "embedded")]
            Self::Embedded(error) => error.hint(),
        }
    }

    /// The exit code that says the same.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Denied { .. } | Self::LsmProfile { .. } | Self::Looser { .. } => Exit::Denied,
            Self::Corrected { .. } | Self::OutOfPolicy { .. } => Exit::WouldFix,
            Self::Config(_) | Self::Policy(_) | Self::Find(_) | Self::Argv(_) => Exit::Usage,
            _ => Exit::Unreadable,
        }
    }
}

/// Puts one decision together and logs it, whatever becomes of it.
///
/// # Errors
/// What `judge` says; [`StartError::Unlogged`] where the log is required and cannot be written.
pub fn logged<T>(
    config: &ShimConfig,
    mut entry: Entry<'_>,
    judge: impl FnOnce(&mut Entry<'_>) -> Result<T, StartError>,
) -> Result<T, StartError> {
    let result = judge(&mut entry);
    if let Err(error) = &result {
        if !matches!(error, StartError::Denied { .. }) {
            entry.decision(Decision::Refused);
        }
        entry.text("error", &error.to_string());
    }
    let logged = entry.write();
    let result = result?;
    match logged {
        Err(error) if config.log_required => Err(StartError::Unlogged { error }),
        _ => Ok(result),
    }
}

/// A bundle's config.json, judged.
#[derive(Debug)]
pub struct JudgedFile {
    /// The file as it was opened, to be replaced.
    pub file: TrustedFile,
    /// What may start.
    pub outcome: Outcome,
}

/// Judges a config.json.
///
/// # Errors
/// [`StartError`] when it cannot be read or judged, or is denied.
pub fn judge_file(
    mut file: TrustedFile,
    policy: &Policy,
    host: &Host,
    entry: &mut Entry<'_>,
) -> Result<JudgedFile, StartError> {
    entry.text("bundle", &file.path().to_string_lossy());
    let document = Document::parse_spec(file.take_text())
        .map_err(|error| StartError::Read { path: file.path().to_owned(), error })?;
    let subject = policy.subject_of(&document);
    let outcome = decide(document, DocumentKind::Spec, &subject, policy, host, file.path(), entry)?;
    Ok(JudgedFile { file, outcome })
}

/// The judgement, and what the decision log says of it.
///
/// # Errors
/// [`StartError`] when it cannot be judged, or is denied.
pub fn decide(
    document: Document,
    kind: DocumentKind,
    subject: &Subject,
    policy: &Policy,
    host: &Host,
    name: &Path,
    entry: &mut Entry<'_>,
) -> Result<Outcome, StartError> {
    entry.subject(subject);
    let outcome = enforce(document, kind, subject, policy, host)
        .map_err(|error| StartError::Enforce { document: name.display().to_string(), error })?;
    entry.decision(Decision::of(&outcome.findings));
    entry.findings(&outcome.findings, policy);
    if let Some(denied) = denial(&outcome, policy, name) {
        return Err(denied);
    }
    if host.apparmor {
        load_own_profile(&outcome, kind)?;
    }
    Ok(outcome)
}

/// Brings batten's own AppArmor profile into the kernel where the outcome names it: the runtime will not.
fn load_own_profile(outcome: &Outcome, kind: DocumentKind) -> Result<(), StartError> {
    // Spares the others the second reading.
    if !outcome.text.contains(builtin::NAME_PREFIX) {
        return Ok(());
    }
    let at = |tail: &'static str| match kind {
        DocumentKind::Spec => Pointer::new("/process").join(&Pointer::new(tail)),
        DocumentKind::Process => Pointer::new(tail),
    };
    let Ok(document) = Document::parse(outcome.text.as_str()) else { return Ok(()) };
    let name = document.at(&at("/apparmorProfile")).and_then(Value::as_str).unwrap_or_default();
    if !name.starts_with(builtin::NAME_PREFIX) {
        return Ok(());
    }
    let bounding = document.at(&at("/capabilities/bounding"));
    let names = bounding.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    let held: CapSet = names.filter_map(|name| Capability::from_name(&name)).collect();
    let kernel = Kernel::host();
    let dialect = Dialect::of_host(Path::new(POLICY_FOLDER));
    let profile = builtin::profile(held, dialect, &kernel.own_label());
    // A name of another make, which the policy lets pass, is for the runtime to find or to miss.
    if profile.name == *name {
        loader::ensure(&profile, dialect, &kernel, Path::new(loader::CACHE))?;
    }
    Ok(())
}

/// An engine keeps the message, and whoever writes the document must not choose how long it gets.
const MOST_REASONS: usize = 32;

/// What the policy says no to, all of it: whoever fixes one thing should not meet the next one afterwards.
fn denial(outcome: &Outcome, policy: &Policy, name: &Path) -> Option<StartError> {
    let hint = outcome.denied().next()?.hint.clone().into_owned();
    let mut reasons: Vec<_> = outcome
        .denied()
        .take(MOST_REASONS)
        .map(|finding| {
            format!("{} at {} [{}, {}]", finding.message, finding.pointer, finding.rule, policy.cite(finding.origin))
        })
        .collect();
    let more = outcome.denied().count().saturating_sub(MOST_REASONS);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    Some(StartError::Denied { document: name.display().to_string(), reasons: reasons.join("; "), hint })
}
