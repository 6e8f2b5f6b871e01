//! Proof from the kernel: what it enforces on the processes of a container, compared with what the policy permits at most.
//!
//! A config.json says what a runtime was asked for. What came of it is in /proc: the five capability sets, no_new_privs,
//! the seccomp mode and its filters, the AppArmor label, for each process of the container and each of its threads, so
//! that a shell that somebody executed into it by another way is seen too.

pub mod cgroup;
mod confinement;
pub mod containers;
mod end;
mod filters;
mod judge;
pub mod members;
pub mod process;
pub mod status;
pub mod trace;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use containers::{Container, ContainerError};
pub use end::end;
pub use judge::{Finding, Permitted, Standing, names};

use cgroup::{Group, Hierarchies};
use filters::Deep;
use members::Members;
use process::{NamespaceKind, Namespaces, Process, ProcessError, Snapshot};

use crate::host::Host;
use crate::policy::Policy;
use crate::settings::Subject;
use crate::spec::Document;

/// How long a runtime may take between joining a container and becoming its program.
const SETTLE: Duration = Duration::from_secs(3);

/// How far a container has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its program runs.
    Running,
    /// Its first process is still the runtime's own and waits for `start`. runc calls poststart hooks by then, against the
    /// runtime-spec (its `libcontainer/container_linux.go`, `start`). The capabilities are what they will be; a filter that
    /// goes with no_new_privs and the AppArmor label come with execve only.
    Created,
}

/// A container, or a process of one, that is to be looked at.
#[derive(Debug)]
pub struct Target {
    /// Its id, where a runtime knows it.
    pub id: Option<String>,
    /// The first process.
    pub first: Process,
    /// The groups that the runtime put it in.
    pub groups: Vec<Group>,
    /// Where its bundle is.
    pub bundle: Option<PathBuf>,
    /// Its config.json, which says which container it is; none where no runtime's state leads to one.
    pub config: Option<Document>,
    /// How far it has come.
    pub stage: Stage,
    /// Whether to read the loaded filters themselves.
    pub deep: bool,
    /// What a reader must know of how it was found.
    pub notes: Vec<String>,
}

/// A container that was looked at.
#[derive(Debug)]
pub struct Attested {
    /// Its id, where a runtime knows it.
    pub id: Option<String>,
    /// The first process.
    pub pid: i32,
    /// Where its bundle is.
    pub bundle: Option<PathBuf>,
    /// Which container it is to the policy.
    pub subject: Subject,
    /// Its control groups.
    pub groups: Vec<PathBuf>,
    /// Its processes.
    pub processes: Vec<Seen>,
    /// What could not be read, with hints.
    pub problems: Vec<(String, String)>,
    /// What a reader must know besides.
    pub notes: Vec<String>,
}

/// One process and what is wrong with it.
#[derive(Debug)]
pub struct Seen {
    /// Its number.
    pub pid: i32,
    /// What the kernel says of it.
    pub snapshot: Snapshot,
    /// What it may do too much.
    pub findings: Vec<Finding>,
}

/// What an attestation comes to, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The kernel enforces the policy on every process, but for what a waiver covers or the policy only reports.
    Clean,
    /// Some process may do more than the policy permits.
    Looser,
    /// Something could not be read: nothing is proven.
    Unreadable,
}

impl Verdict {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Looser => "looser",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Attested {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        if !self.problems.is_empty() {
            return Verdict::Unreadable;
        }
        let looser = self.looser().next().is_some();
        if looser { Verdict::Looser } else { Verdict::Clean }
    }

    /// Everything that is looser than the policy permits, and in which process.
    pub fn looser(&self) -> impl Iterator<Item = (&Seen, &Finding)> {
        let all = self.processes.iter().flat_map(|seen| seen.findings.iter().map(move |finding| (seen, finding)));
        all.filter(|(_, finding)| finding.standing == Standing::Looser)
    }
}

/// Looks at every process of a container.
pub fn attest(target: Target, policy: &Policy, host: &Host, trees: &Hierarchies) -> Attested {
    let subject = target.config.as_ref().map(|config| policy.subject_of(config)).unwrap_or_default();
    let permitted = Permitted::new(policy, host, &subject);
    let mut attested = Attested {
        id: target.id,
        pid: target.first.pid(),
        bundle: target.bundle,
        subject: subject.clone(),
        groups: Vec::new(),
        processes: Vec::new(),
        problems: Vec::new(),
        notes: target.notes,
    };
    let members = match Members::of(target.first, &target.groups, trees) {
        Ok(members) => members,
        Err(error) => {
            attested.problems.push((error.to_string(), error.hint().to_owned()));
            return attested;
        }
    };
    attested.groups = members.groups.iter().map(|group| group.folder.clone()).collect();
    if members.groups.is_empty() {
        attested
            .notes
            .push("it has no control group of its own: its members are found by their mount namespace".into());
    }
    let hint = "run as root on the host";
    attested.problems.extend(members.problems.into_iter().map(|problem| (problem, hint.to_owned())));
    let mut deep = None;
    if target.deep {
        match Deep::new(&permitted, target.config.as_ref()) {
            Ok(comparison) => deep = comparison,
            Err(problem) => attested.problems.push(problem),
        }
    }
    let to_come = if target.stage == Stage::Created { to_come(target.config.as_ref(), &permitted) } else { Vec::new() };
    let until = if target.stage == Stage::Created { Instant::now() } else { Instant::now() + SETTLE };
    for process in &members.processes {
        match look(process, &permitted, until) {
            Ok(Some(mut seen)) => {
                if target.stage == Stage::Created && is_runtime(&seen.snapshot.program) {
                    // The other threads of a Go program end with execve.
                    seen.findings.retain(|finding| finding.tid.is_none() && !to_come.contains(&finding.field));
                }
                if let Some(deep) = &mut deep {
                    match deep.judge(process, &seen.snapshot) {
                        Ok(findings) => seen.findings.extend(findings),
                        Err(problem) => attested.problems.push(problem),
                    }
                }
                attested.processes.push(seen);
            }
            Ok(None) => {}
            Err(problem) => attested.problems.push(problem),
        }
    }
    attested
}

/// What the runtime still has to do, and has been asked for within the policy.
fn to_come(config: Option<&Document>, permitted: &Permitted<'_>) -> Vec<&'static str> {
    let fields = [("seccomp", "Seccomp"), ("apparmor", "AppArmor")];
    let judged = config.and_then(|config| permitted.judge_config(config).ok());
    let Some(outcome) = judged else { return Vec::new() };
    let is_wrong = |rule: &str| outcome.findings.iter().any(|finding| finding.rule.0 == rule);
    fields.into_iter().filter(|(rule, _)| !is_wrong(rule)).map(|(_, field)| field).collect()
}

/// Waits until the container's first process runs its program, or is gone.
pub fn wait_for_start(first: &Process) {
    let begun = Instant::now();
    while is_runtime(&first.program()) {
        let is_long = begun.elapsed() > Duration::from_secs(10);
        std::thread::sleep(Duration::from_millis(if is_long { 250 } else { 5 }));
    }
}

/// Reads and judges one process. A runtime on its way into the container is still less restricted than what it becomes,
/// so it is waited for, but not longer than `until`.
fn look(process: &Process, permitted: &Permitted<'_>, until: Instant) -> Result<Option<Seen>, (String, String)> {
    loop {
        // What was read before the end of the time is no reason to give up after it: this process may have been held up between.
        let is_last = Instant::now() >= until;
        let read = process.snapshot().map_err(|error| (error.to_string(), error.hint().to_owned()))?;
        let Some(snapshot) = read else { return Ok(None) };
        let findings = permitted.judge(&snapshot).map_err(|error| (error.to_string(), error.hint().to_owned()))?;
        let is_clean = findings.iter().all(|finding| finding.standing != Standing::Looser);
        if is_clean || !is_runtime(&snapshot.program) || is_last {
            return Ok(Some(Seen { pid: process.pid(), snapshot, findings }));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process still runs a runtime's own program; runc's and crun's may be a copy in memory.
pub fn is_runtime(program: &str) -> bool {
    let name = program.trim_end_matches(" (deleted)").rsplit('/').next().unwrap_or_default();
    let copy = program.starts_with("/memfd:runc_cloned:") || program.starts_with("/memfd:crun");
    // What runc of Debian 12 runs is a mount of its own, detached from any tree.
    copy || program == "/" || ["runc", "crun", "youki", "batten", "batten-runtime"].contains(&name)
}

impl Target {
    /// A container that a runtime's state describes; none when its first process has ended.
    pub fn of_container(container: Container) -> Option<Self> {
        let first = container.first_process()?;
        let (config, notes) = match container.config() {
            Ok(config) => (Some(config), Vec::new()),
            Err(error) => (None, vec![unknown_config(&error.to_string())]),
        };
        let Container { id, groups, bundle, .. } = container;
        Some(Self { id: Some(id), first, groups, bundle, config, stage: Stage::Running, deep: false, notes })
    }

    /// The container that process `pid` belongs to, by the state of `known` containers: they share the view of files.
    ///
    /// # Errors
    /// [`ProcessError`]; none when there is no such process.
    pub fn of_pid(pid: i32, known: Vec<Container>) -> Result<Option<Self>, ProcessError> {
        let Some(first) = Process::open(pid)? else { return Ok(None) };
        let mounts = first.namespace(NamespaceKind("mnt"));
        let is_own = mounts == own_namespaces()[1];
        for container in known {
            let same = container.pid == pid
                || (!is_own
                    && mounts.is_some()
                    && container.first_process().is_some_and(|other| other.namespace(NamespaceKind("mnt")) == mounts));
            if same && let Some(target) = Self::of_container(container) {
                return Ok(Some(target));
            }
        }
        let notes = vec![unknown_config("no runtime's state names this process")];
        let stage = Stage::Running;
        Ok(Some(Self { id: None, first, groups: Vec::new(), bundle: None, config: None, stage, deep: false, notes }))
    }
}

/// What is lost without a config.json.
pub fn unknown_config(why: &str) -> String {
    format!("{why}: it is judged without the policy's overrides and waivers")
}

/// The namespaces of batten itself: the host's, where it runs on the host.
pub fn own_namespaces() -> Namespaces {
    let own = i32::try_from(std::process::id()).ok().and_then(|pid| Process::open(pid).ok().flatten());
    own.map(|process| process.namespaces()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Waits for `check`, a minute at most.
    pub(crate) fn eventually(check: impl Fn() -> bool, what: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !check() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_runtime_is_known_by_its_program_whatever_it_is_called_inside() {
        for program in
            ["/usr/sbin/runc", "/usr/bin/crun (deleted)", "/memfd:runc_cloned:/proc/self/exe (deleted)", "/runc"]
        {
            assert!(is_runtime(program), "{program}");
        }
        for program in ["/bin/busybox", "/usr/bin/runc-not", "", "/memfd:x (deleted)"] {
            assert!(!is_runtime(program), "{program}");
        }
    }
}
