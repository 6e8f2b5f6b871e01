//! Live recordings: a container's calls as the kernel sees them, with nothing in the image.
//!
//! # Terms
//!
//! A *backend* is how calls are seen. The *subject* is the container. A recording of a container that is started for it
//! begins with the first instruction of the container's program, after the runtime's execve; one of a running container
//! begins when batten looks. It ends with the container, with ^C, or when its time is over.

mod bpf;
mod bundle;
mod companion;
mod counter;
mod guard;
mod launch;
mod notify;
mod observer;
mod ptrace;
mod subject;
mod tally;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use rustix::process::Signal;

use super::recording::Recording;
use crate::attest::ContainerError;
use crate::attest::cgroup::Hierarchies;
use crate::attest::containers;
use crate::attest::process::ProcessError;
use crate::runtime::config::{ConfigError, ShimConfig};
use crate::runtime::find::{FindError, RealRuntime};

pub use bpf::BpfError;
pub use bundle::BundleError;
pub use guard::{GUARD, Left, guard};
pub use launch::{LaunchError, Step};
pub use notify::{AGENT, NotifyError, RUNTIMES_OWN_CALLS, serve};
pub use observer::Backend;
pub use ptrace::PtraceError;
pub use tally::{Count, Tally};
pub use watch::End;

use bundle::{Bundle, Scratch};
use guard::{Guard, PID_FILE};
use launch::{Launched, Runtime, hold};
use observer::Observer;
use subject::Subject;
use watch::Watch;

/// How long a container has between SIGTERM and SIGKILL when its recording is over: as long as `docker stop` gives.
const GRACE: Duration = Duration::from_secs(10);

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// There is no recorder.
    #[error("no backend works here")]
    NoBackend,
    /// The BPF backend.
    #[error(transparent)]
    Bpf(#[from] BpfError),
    /// The notify backend.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// The ptrace backend.
    #[error(transparent)]
    Ptrace(#[from] PtraceError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The runtime's configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The runtime.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The running container.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// Its first process.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The guard.
    #[error("cannot start the process that clears up when batten is killed: {0}")]
    Guard(std::io::Error),
    /// Signals.
    #[error("cannot wait for signals: {}", .0.desc())]
    Signals(Errno),
}

impl LiveError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoBackend => "trace with strace, and give its output to `batten record strace`",
            Self::Bpf(error) => error.hint(),
            Self::Notify(error) => error.hint(),
            Self::Ptrace(error) => error.hint(),
            Self::Bundle(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Find(FindError::NotInstalled { .. } | FindError::System { .. } | FindError::NotExecutable { .. }) => {
                "install it, or name the runtime's program: --runtime-path /usr/sbin/runc"
            }
            Self::Find(error) => error.hint(),
            Self::Launch(error) => error.hint(),
            Self::Container(ContainerError::NotRunning { .. }) => {
                "start it, or record it from its first instruction on: batten record run -- BUNDLE"
            }
            Self::Container(error) => error.hint(),
            Self::Process(error) => error.hint(),
            Self::Guard(_) | Self::Signals(_) => "run it again",
        }
    }
}

/// What was asked for, whichever way the container comes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// The backend; none for the best that works.
    pub backend: Option<Backend>,
    /// Whether to keep arguments.
    pub arguments: bool,
    /// How long to record at most.
    pub duration: Option<Duration>,
}

/// A container to start.
#[derive(Debug)]
pub struct Start {
    /// Its bundle.
    pub bundle: PathBuf,
    /// The runtime's name (`runc`, `crun`) or path; none for the one that is configured or found.
    pub runtime: Option<PathBuf>,
    /// Where the runtime keeps its containers; none for its own choice.
    pub root: Option<PathBuf>,
    /// Whether to leave out the filter that the bundle brings, so that what it refuses is seen as well.
    pub without_filter: bool,
    /// How long the runtime may take to create the container, and again to start it: hooks of the bundle take their time, too.
    pub patience: Duration,
}

/// A recording, and what a person should know about it.
#[derive(Debug)]
pub struct Recorded {
    /// What was seen.
    pub recording: Recording,
    /// What could not be seen, and what was done otherwise than one might think.
    pub notes: Vec<String>,
    /// Why it is over.
    pub end: End,
    /// The container's exit code, or 128 and the signal that ended it; none where it goes on.
    pub exit_code: Option<u8>,
}

impl Recorded {
    /// Whether the exit code is that of a signal which batten sent to end the recording.
    pub fn was_ended_with(&self, code: u8) -> bool {
        let signals = [Signal::TERM, Signal::KILL].map(|signal| 128 + signal.as_raw());
        matches!(self.end, End::Interrupt | End::Time) && signals.contains(&i32::from(code))
    }
}

/// Starts a container, records it from its first instruction on, and deletes it. `begun` is told by what, before it runs.
///
/// # Errors
/// [`LiveError`]; no container is left then.
pub fn run(start: &Start, asked: Asked, begun: impl FnOnce(Backend)) -> Result<Recorded, LiveError> {
    let watch = Watch::new().map_err(LiveError::Signals)?;
    let mut notes = Vec::new();
    let runtime = find(start)?;
    let mut bundle = prepare(start, &mut notes)?;
    let mut scratch = Scratch::new()?;
    let name = format!("bundle {}", start.bundle.display());
    let mut observer = Observer::open(asked, name, Some((&mut bundle, &scratch)), &mut notes)?;
    let id = format!("batten-record-{}", std::process::id());
    let left = Left {
        runtime: runtime.path.clone(),
        root: start.root.clone(),
        id: id.clone(),
        folder: scratch.join(""),
        batten: std::process::id(),
        agent: observer.agent(),
    };
    scratch.guard(Guard::start(&left).map_err(LiveError::Guard)?);
    let pid_file = scratch.join(PID_FILE);
    let launched = match runtime.create(&bundle.place(&scratch)?, &id, &pid_file, &watch) {
        Ok(launched) => launched,
        Err(error) => return Err(observer.failure().unwrap_or_else(|| error.into())),
    };
    let gone = || LaunchError::Gone { error: Errno::ESRCH.into() };
    let subject = Arc::new(Subject::of_first_process(launched.pid)?.ok_or_else(gone)?);
    observer.follow_from_exec(&subject)?;
    begun(observer.backend());
    scratch.created(launched.pid.cast_unsigned());
    let end = if launched.start(&watch)? {
        End::Interrupt
    } else {
        scratch.started();
        watch.wait(launched.handle(), observer.lifeline(), deadline(asked.duration)).map_err(LiveError::Signals)?
    };
    match end {
        End::Exit => {}
        // None of its calls does anything any more.
        End::Recorder => kill(&launched, &watch)?,
        End::Interrupt | End::Time => notes.extend(stop(&launched, &watch)?),
    }
    let seen = observer.finish()?;
    let exit_code = seen.exit_code.or_else(|| launched.exit_code());
    notes.extend(seen.unseen);
    Ok(Recorded { recording: seen.recording, notes, end, exit_code })
}

/// Records a running container, which goes on when the recording is over. `begun` is told by what, once it is recorded.
///
/// # Errors
/// [`LiveError`].
pub fn attach(
    id: &str,
    roots: &[PathBuf],
    asked: Asked,
    begun: impl FnOnce(&str, Backend),
) -> Result<Recorded, LiveError> {
    let watch = Watch::new().map_err(LiveError::Signals)?;
    let trees = Hierarchies::mounted();
    let container = containers::find(id, &containers::roots(roots), &trees)?;
    let not_running = || ContainerError::NotRunning { id: container.id.clone() };
    let subject = Arc::new(Subject::of_container(&container, trees).ok_or_else(not_running)?);
    let handle = hold(subject.first.pid())?;
    let mut notes = vec!["recorded from the middle: what the container did before is not in it".to_owned()];
    if !subject.has_own_mounts() {
        notes.push("the container has the host's mounts: programs executed in it from outside are not seen".to_owned());
    }
    let mut observer = Observer::open(asked, format!("container {}", container.id), None, &mut notes)?;
    observer.follow_now(&subject)?;
    begun(&container.id, observer.backend());
    let end = watch.wait(&handle, None, deadline(asked.duration)).map_err(LiveError::Signals)?;
    let seen = observer.finish()?;
    notes.extend(seen.unseen);
    Ok(Recorded { recording: seen.recording, notes, end, exit_code: None })
}

/// The bundle as it will be started.
fn prepare(start: &Start, notes: &mut Vec<String>) -> Result<Bundle, LiveError> {
    let mut bundle = Bundle::open(&start.bundle)?;
    if bundle.wants_terminal() {
        bundle.drop_terminal();
        notes.push("the container gets no terminal while it is recorded".to_owned());
    }
    if bundle.has_filter() && start.without_filter {
        bundle.drop_filter();
        notes.push("the bundle's own filter is not loaded: --without-filter".to_owned());
    } else if bundle.has_filter() {
        notes.push(
            "the bundle's own filter is loaded: what a program does once a call is refused is what is seen; \
             --without-filter leaves it out"
                .to_owned(),
        );
    }
    Ok(bundle)
}

fn find(start: &Start) -> Result<Runtime, LiveError> {
    let found = match &start.runtime {
        None => RealRuntime::find(&ShimConfig::load()?)?,
        Some(path) if path.is_absolute() => RealRuntime::at(path)?,
        Some(name) => RealRuntime::named(&name.to_string_lossy())?,
    };
    Ok(Runtime { path: found.path, root: start.root.clone(), patience: start.patience })
}

/// Ends the container as `docker stop` does. What it does on the way is still recorded; a second ^C ends it at once. Where it
/// took SIGKILL, that is worth a note: what the program does at its end is not in the recording then.
fn stop(launched: &Launched, watch: &Watch) -> Result<Option<String>, LiveError> {
    launched.signal(Signal::TERM);
    let until = Instant::now() + GRACE;
    if watch.wait(launched.handle(), None, Some(until)).map_err(LiveError::Signals)? == End::Exit {
        return Ok(None);
    }
    kill(launched, watch)?;
    let note =
        "the container did not end by SIGTERM and was killed: what it calls when it ends by itself is not recorded";
    Ok(Some(note.to_owned()))
}

fn kill(launched: &Launched, watch: &Watch) -> Result<(), LiveError> {
    launched.signal(Signal::KILL);
    let until = Instant::now() + GRACE;
    watch.wait(launched.handle(), None, Some(until)).map_err(LiveError::Signals)?;
    Ok(())
}

fn deadline(duration: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(duration?)
}
