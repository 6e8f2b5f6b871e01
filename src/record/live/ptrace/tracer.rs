//! The thread that all tracees belong to: what it does when one of them stops.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use nix::errno::Errno;

use super::Shared;
use super::system::{self, CallStop, Event, Options, Resume};
use crate::attest::is_runtime;
use crate::attest::process::Process;
use crate::record::live::counter::{Counter, Number};

/// Where a traced thread is.
#[derive(Debug, Default)]
struct Thread {
    /// Between entrance and exit of this call.
    in_call: Option<Number>,
    /// Its process; 0 where nobody has asked yet.
    process: i32,
}

/// The tracees and what they did.
#[derive(Debug)]
pub(super) struct Tracer {
    first: i32,
    threads: HashMap<i32, Thread>,
    /// Processes that are still the runtime's: they count from their next execve on.
    runtimes: HashSet<i32>,
    counter: Counter,
    shared: Arc<Shared>,
    exit_code: Option<u8>,
}

impl Tracer {
    pub(super) fn new(first: i32, counter: Counter, shared: Arc<Shared>) -> Self {
        Self { first, threads: HashMap::new(), runtimes: HashSet::new(), counter, shared, exit_code: None }
    }

    /// Takes the first process, which counts from its execve on.
    pub(super) fn take_before_exec(&mut self, process: &Process) -> Result<(), Errno> {
        self.runtimes.insert(process.pid());
        self.take(process, Options::UNTIL_EXEC)
    }

    /// Takes a process that is the container's; where it is still the runtime's, from its execve on.
    pub(super) fn take_now(&mut self, process: &Process) -> Result<(), Errno> {
        let known = process.tids().iter().any(|tid| self.threads.contains_key(tid));
        if !known && is_runtime(&process.program()) {
            return self.take_before_exec(process);
        }
        self.take(process, Options::ALL)
    }

    /// Seizes every thread; those that come meanwhile are seized by a thread that is already.
    fn take(&mut self, process: &Process, options: Options) -> Result<(), Errno> {
        let mut taken = Ok(());
        for tid in process.tids() {
            if self.threads.contains_key(&tid) {
                continue;
            }
            match system::seize(tid, options) {
                Ok(()) => {
                    self.threads.insert(tid, Thread { in_call: None, process: process.pid() });
                    // A runtime waits for its start and need not be stopped.
                    if !self.runtimes.contains(&process.pid()) {
                        let _ = system::interrupt(tid);
                    }
                }
                Err(Errno::ESRCH) => {}
                // A child of a process that was seized before comes along by itself.
                Err(_) if is_taken_or_gone(tid) => {}
                Err(error) => taken = Err(error),
            }
        }
        taken
    }

    /// Goes on until the first process has ended, or somebody wants the result.
    pub(super) fn run(mut self, found: &Receiver<Process>) -> (Counter, Option<u8>) {
        while self.exit_code.is_none() {
            let over = self.shared.over.load(Ordering::SeqCst);
            match system::wait(!over) {
                Ok(Some((tid, event))) => self.handle(tid, event, over),
                Ok(None) => break,
                Err(Errno::EINTR) => found.try_iter().for_each(|process| {
                    // One of its own it has already, and another tracer's it cannot have.
                    let _ = self.take_now(&process);
                }),
                // Nobody is left, but the one who waits for the result may not know.
                Err(_) if over => break,
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        (self.counter, self.exit_code)
    }

    fn handle(&mut self, tid: i32, event: Event, over: bool) {
        let (how, signal) = match event {
            Event::End(code) => {
                self.threads.remove(&tid);
                self.runtimes.remove(&tid);
                if tid == self.first {
                    self.exit_code = Some(code);
                }
                return;
            }
            Event::Call => {
                self.count(tid);
                (Resume::ToCall, 0)
            }
            Event::Exec => {
                if self.runtimes.remove(&tid) {
                    let _ = system::set_options(tid, Options::ALL);
                    self.shared.started.store(true, Ordering::SeqCst);
                }
                self.threads.insert(tid, Thread { in_call: None, process: tid });
                (Resume::ToCall, 0)
            }
            Event::Stop { by_signal: true } => (Resume::Stopped, 0),
            Event::Stop { by_signal: false } | Event::Child => (self.pace(tid), 0),
            Event::Signal(signal) => (self.pace(tid), signal),
        };
        // What is no longer counted need not stop again.
        let how = if over && matches!(how, Resume::ToCall) { Resume::Freely } else { how };
        // One that is killed meanwhile tells of its end next.
        let _ = system::resume(tid, how, signal);
    }

    /// A runtime's own calls are of no interest.
    fn pace(&mut self, tid: i32) -> Resume {
        let thread = self.threads.entry(tid).or_default();
        if self.runtimes.is_empty() {
            return Resume::ToCall;
        }
        if thread.process == 0 {
            thread.process = process_of(tid).unwrap_or(tid);
        }
        if self.runtimes.contains(&thread.process) { Resume::Freely } else { Resume::ToCall }
    }

    fn count(&mut self, tid: i32) {
        let thread = self.threads.entry(tid).or_default();
        match system::call(tid) {
            Ok(CallStop::Entry { audit, number, arguments }) => {
                #[allow(clippy::cast_possible_truncation, reason = "numbers have 32 bits")]
                let number = number as u32;
                thread.in_call = Some(self.counter.made(audit, number, &arguments));
            }
            Ok(CallStop::Exit { error }) => {
                if let (Some(call), Some(error)) = (thread.in_call.take(), error) {
                    self.counter.failed(call, error);
                }
            }
            Ok(CallStop::Other) | Err(_) => thread.in_call = None,
        }
    }
}

fn is_taken_or_gone(tid: i32) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{tid}/status")) else { return true };
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() == std::process::id().to_string())
}

fn process_of(tid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}
