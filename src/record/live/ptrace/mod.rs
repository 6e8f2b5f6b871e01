//! The recorder of last resort: every thread of the container stops at every call, as under strace.
//!
//! The tracees belong to one thread. When that ends, or batten is killed, the kernel lets them go and on (`exit_ptrace`):
//! they are not to be killed with it (`PTRACE_O_EXITKILL`).

mod system;
mod tracer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::errno::Errno;

use super::counter::Counter;
use super::subject::Subject;
use super::tally::Tally;
use crate::attest::process::Process;
use tracer::Tracer;

/// How often to look for processes that were executed into the container.
const LOOK: Duration = Duration::from_millis(100);

/// Why a container cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PtraceError {
    /// The kernel says no.
    #[error("cannot trace process {pid}: {}", error.desc())]
    Seize {
        /// The process.
        pid: i32,
        /// Why.
        error: Errno,
    },
    /// No thread for it.
    #[error("cannot make a thread to trace with: {0}")]
    Thread(std::io::Error),
    /// The tracing thread is gone.
    #[error("the tracing thread has ended early")]
    Ended,
}

impl PtraceError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Seize { .. } => {
                "run as root on the host with CAP_SYS_PTRACE; end a tracer (strace, gdb) that it has; kernel.yama.ptrace_scope must be below 3"
            }
            Self::Thread(_) | Self::Ended => "report this to batten",
        }
    }
}

/// What the threads of a recording share.
#[derive(Debug, Default)]
struct Shared {
    /// Whether the container's program has started.
    started: AtomicBool,
    /// Whether the result is wanted.
    over: AtomicBool,
    /// The tracing thread.
    tracer: AtomicI32,
}

/// The one that traces, which gives the exit code of the first process, and the one that finds.
type Threads = (JoinHandle<(Counter, Option<u8>)>, JoinHandle<()>);

/// A recorder that traces once it is told what.
#[derive(Debug)]
pub(super) struct Recorder {
    arguments: bool,
    shared: Arc<Shared>,
    threads: Option<Threads>,
}

impl Recorder {
    pub(super) fn new(arguments: bool) -> Self {
        Self { arguments, shared: Arc::default(), threads: None }
    }

    /// Counts from the next execve of the first process on.
    pub(super) fn follow_from_exec(&mut self, subject: &Arc<Subject>) -> Result<(), PtraceError> {
        self.follow(subject, |tracer, subject| {
            let seize = |error| PtraceError::Seize { pid: subject.first.pid(), error };
            tracer.take_before_exec(&subject.first).map_err(seize)
        })
    }

    /// Counts what every process of the container does from now on.
    pub(super) fn follow_now(&mut self, subject: &Arc<Subject>) -> Result<(), PtraceError> {
        self.shared.started.store(true, Ordering::SeqCst);
        self.follow(subject, |tracer, subject| {
            for process in subject.members() {
                let seize = |error| PtraceError::Seize { pid: process.pid(), error };
                tracer.take_now(&process).map_err(seize)?;
            }
            Ok(())
        })
    }

    fn follow(
        &mut self,
        subject: &Arc<Subject>,
        take: impl FnOnce(&mut Tracer, &Subject) -> Result<(), PtraceError> + Send + 'static,
    ) -> Result<(), PtraceError> {
        let _ = system::prepare_to_wake();
        let (ready, taken) = mpsc::channel();
        let (finds, found) = mpsc::channel();
        let (counter, shared) = (Counter::new(self.arguments), Arc::clone(&self.shared));
        let followed = Arc::clone(subject);
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let tracer = named("tracer").spawn(move || {
            shared.tracer.store(nix::unistd::gettid().as_raw(), Ordering::SeqCst);
            let mut tracer = Tracer::new(followed.first.pid(), counter, shared);
            let result = take(&mut tracer, &followed);
            let failed = result.is_err();
            let _ = ready.send(result);
            if failed { (Counter::new(false), None) } else { tracer.run(&found) }
        });
        let tracer = tracer.map_err(PtraceError::Thread)?;
        taken.recv().map_err(|_| PtraceError::Ended)??;
        let (shared, searched) = (Arc::clone(&self.shared), Arc::clone(subject));
        let finder = named("finder").spawn(move || find(&shared, &searched, &finds));
        self.threads = Some((tracer, finder.map_err(PtraceError::Thread)?));
        Ok(())
    }

    /// What was counted, what could not be seen, and how the first process ended.
    pub(super) fn finish(self) -> Result<(Tally, Vec<String>, Option<u8>), PtraceError> {
        self.shared.over.store(true, Ordering::SeqCst);
        let Some((tracer, finder)) = self.threads else { return Err(PtraceError::Ended) };
        while !tracer.is_finished() {
            // It may have looked just before, so it is told again.
            system::wake(self.shared.tracer.load(Ordering::SeqCst));
            std::thread::sleep(Duration::from_millis(1));
        }
        let (counter, exit_code) = tracer.join().map_err(|_| PtraceError::Ended)?;
        let _ = finder.join();
        let unseen = vec![
            "capabilities are not seen by ptrace".to_owned(),
            "what was executed into the container is recorded from when it was found, up to 0.1 s late".to_owned(),
        ];
        Ok((counter.finish(), unseen, exit_code))
    }
}

/// Hands on who is executed into the container: nobody's child there, so no tracee brings it.
fn find(shared: &Shared, subject: &Subject, finds: &Sender<Process>) {
    let mut seen = std::collections::HashSet::new();
    while !shared.over.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
        if !shared.started.load(Ordering::SeqCst) {
            continue;
        }
        for process in subject.members() {
            if seen.insert((process.pid(), process.start_time())) && finds.send(process).is_err() {
                return;
            }
        }
        system::wake(shared.tracer.load(Ordering::SeqCst));
    }
}
