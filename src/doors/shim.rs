//! `batten-runtime`: what an engine starts instead of runc or crun.
//!
//! Reads the command line; judges the bundle of a create, run or restore and the process of an exec; hands over to the
//! real runtime in this very process. Whatever goes wrong before that, nothing starts.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Exit;
use super::start::{JudgedFile, StartError, decide, judge_file, logged};
use crate::enforce::Outcome;
use crate::host::{FilterLog, Host};
use crate::policy::Policy;
use crate::rules::DocumentKind;
use crate::runtime::argv::{Command, Dialect, Exec, Invocation, Launch, Verb};
use crate::runtime::config::ShimConfig;
use crate::runtime::decision::Entry;
use crate::runtime::exec;
use crate::runtime::external::hand_over;
use crate::runtime::find::RealRuntime;
use crate::runtime::handoff::{first_free, sealed};
use crate::runtime::log::Roads;
use crate::runtime::sigpipe;
use crate::runtime::state;
use crate::spec::{Document, Durability, FileError, Pointer, TrustedFile};

/// The whole of `batten-runtime`, with the words after its name; comes back only when nothing was started.
pub fn main(args: &[OsString]) -> Exit {
    match run(args) {
        Ok(never) => match never {},
        Err(error) => {
            sigpipe::ignore();
            Roads::of(args).refuse(&error.to_string(), error.hint());
            error.exit()
        }
    }
}

fn run(args: &[OsString]) -> Result<Infallible, StartError> {
    let config = ShimConfig::load()?;
    let (runtime, invocation) = match understand(args, &config) {
        Ok(understood) => understood,
        Err(error) => return logged(&config, Entry::new(&config.log, "unknown", ""), |_| Err(error)),
    };
    let load = || match &config.policy {
        Some(file) => Policy::load_files(std::slice::from_ref(file)),
        None => Policy::load(),
    };
    start(&config, &runtime, invocation, |invocation, entry| judge(invocation, &config, &runtime, &load()?, entry))
}

fn understand(args: &[OsString], config: &ShimConfig) -> Result<(RealRuntime, Invocation), StartError> {
    let runtime = RealRuntime::find(config)?;
    let invocation = Invocation::parse(args, runtime.dialect)?;
    Ok((runtime, invocation))
}

/// Judges what is asked for, where it is to be judged, and hands over.
///
/// # Errors
/// [`StartError`]; nothing was started.
pub fn start(
    config: &ShimConfig,
    runtime: &RealRuntime,
    mut invocation: Invocation,
    judge: impl FnOnce(&mut Invocation, &mut Entry<'_>) -> Result<(), StartError>,
) -> Result<Infallible, StartError> {
    let judged = match &invocation.command {
        Command::Launch(launch) => Some((launch.verb.as_str(), &launch.id)),
        Command::Exec(exec) => Some(("exec", &exec.id)),
        Command::Help(_) | Command::Version | Command::Passed(_) => None,
    };
    if let Some((command, id)) = judged {
        let mut entry = Entry::new(&config.log, command, id);
        entry.text("runtime", &runtime.path.to_string_lossy());
        logged(config, entry, |entry| judge(&mut invocation, entry))?;
    }
    Ok(hand_over(runtime, &invocation.words())?)
}

fn judge(
    invocation: &mut Invocation,
    config: &ShimConfig,
    runtime: &RealRuntime,
    policy: &Policy,
    entry: &mut Entry<'_>,
) -> Result<(), StartError> {
    let mut host = Host::detect_for_start();
    if policy.asks_to_log_denials() {
        host.filter_log = FilterLog::of(runtime, config, &host.memo);
    }
    let dialect = invocation.dialect();
    let container = match &invocation.command {
        Command::Exec(exec) => Some(state::config_of(invocation, config, &exec.id)?),
        _ => None,
    };
    match (&mut invocation.command, container) {
        (Command::Launch(launch), _) => judge_launch(launch, policy, &host, entry).map(drop),
        (Command::Exec(exec), Some(container)) => judge_exec(exec, &container, dialect, policy, &host, entry),
        _ => Ok(()),
    }
}

/// Brings the bundle of a create, run or restore within the policy, on disk.
///
/// # Errors
/// [`StartError`]; the file is then what it was.
pub fn judge_launch(
    launch: &mut Launch,
    policy: &Policy,
    host: &Host,
    entry: &mut Entry<'_>,
) -> Result<JudgedFile, StartError> {
    let judged = judge_file(open_config(launch)?, policy, host, entry)?;
    let outcome = &judged.outcome;
    if launch.verb == Verb::Restore {
        check_lsm_profile(launch, outcome)?;
    }
    if own_config(launch).is_some() {
        let path = sealed("config.json", &outcome.text, first_free(launch.preserve_fds()))?;
        launch.set_config(path);
    } else {
        // Anew even where nothing changed: a descriptor that someone holds open on the old file must not reach what the
        // runtime reads.
        judged.file.replace(outcome.text.as_bytes(), Durability::Process)?;
    }
    Ok(judged)
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
fn check_lsm_profile(launch: &Launch, outcome: &Outcome) -> Result<(), StartError> {
    let Some(asked) = launch.value("lsm-profile") else { return Ok(()) };
    let judged = Document::parse(outcome.text.as_str()).ok().and_then(|document| {
        let profile = document.at(&Pointer::new("/process/apparmorProfile"))?.as_str()?.into_owned();
        Some(format!("apparmor:{profile}"))
    });
    let is_selinux = asked.to_str().is_some_and(|asked| asked.starts_with("selinux:"));
    if is_selinux || judged.is_some_and(|judged| OsStr::new(&judged) == asked) {
        return Ok(());
    }
    Err(StartError::LsmProfile { asked: asked.to_string_lossy().into_owned() })
}

fn judge_exec(
    exec: &mut Exec,
    container: &Document,
    dialect: Dialect,
    policy: &Policy,
    host: &Host,
    entry: &mut Entry<'_>,
) -> Result<(), StartError> {
    let (name, text) = match exec.process() {
        Some(path) => {
            let path = PathBuf::from(path);
            let text = TrustedFile::open(&path)?.take_text();
            let process =
                Document::parse_process(text).map_err(|error| StartError::Read { path: path.clone(), error })?;
            (path, exec::complete(&process, container)?)
        }
        None => (PathBuf::from("the exec's options"), exec::from_flags(exec, container, dialect)?),
    };
    let process = Document::parse_process(text).map_err(|error| StartError::Read { path: name.clone(), error })?;
    let subject = policy.subject_of(container);
    let outcome = decide(process, DocumentKind::Process, &subject, policy, host, &name, entry)?;
    let path = sealed("process", &outcome.text, first_free(exec.preserve_fds()))?;
    exec.set_process(path);
    Ok(())
}
