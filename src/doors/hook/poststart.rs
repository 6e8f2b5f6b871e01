//! The poststart stage: the container runs, and the kernel is asked what it enforces on it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use nix::unistd::alarm;

use super::Source;
use super::state::{State, read_state};
use crate::attest::cgroup::Hierarchies;
use crate::attest::process::Process;
use crate::attest::{self, Attested, Stage, Target, Verdict, containers};
use crate::doors::start::StartError;
use crate::doors::{Exit, refuse};
use crate::host::Host;
use crate::policy::Policy;
use crate::spec::{Document, TrustedFile};

/// How long ending a container may take; the hook's own bound is not far behind.
const KILL: Duration = Duration::from_secs(4);

#[derive(Debug, Args)]
pub(super) struct Poststart {
    #[command(flatten)]
    source: Source,
    /// End the container, every process of it, when something is looser than the policy permits or cannot be proven
    #[arg(long)]
    kill: bool,
    /// Read the loaded filters themselves, as `batten attest --deep` does
    #[arg(long)]
    deep: bool,
    /// Wait for the container's program first: what the hook leaves behind where the runtime called it too early
    #[arg(long, hide = true)]
    follow: bool,
}

impl Poststart {
    pub(super) fn run(&self) -> Exit {
        let mut state = match read_state() {
            Ok(state) => state,
            Err(error) => return refuse(error.exit(), &error, error.hint()),
        };
        if self.follow {
            alarm::cancel();
            if !wait(&mut state) {
                return Exit::Clean;
            }
        }
        let trees = Hierarchies::mounted();
        let proven = self.source.decide("poststart", &state.id, |policy, host, entry| {
            state.log_pid(entry);
            prove(&state, policy, host, &trees, self.deep)?;
            if state.is_running { Ok(()) } else { self.leave_a_follower(&state) }
        });
        match proven {
            Ok(()) => Exit::Clean,
            Err(error) => {
                let exit = refuse(error.exit(), &error, error.hint());
                if self.kill { Self::end(&state, &trees, exit) } else { exit }
            }
        }
    }

    /// The rest of the proof comes when the container's program runs, and the runtime waits for this hook: so another
    /// process waits for that, with no hold on anything that the runtime waits for.
    fn leave_a_follower(&self, state: &State) -> Result<(), StartError> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["hook", "poststart", "--follow"]);
        for (option, is_set) in [("--kill", self.kill), ("--deep", self.deep)] {
            command.args(is_set.then_some(option));
        }
        if let Some(file) = &self.source.policy {
            command.arg("--policy").arg(std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).current_dir("/");
        let left = command.spawn().and_then(|mut child| match child.stdin.take() {
            Some(mut input) => input.write_all(state.to_json().as_bytes()),
            None => Ok(()),
        });
        left.map_err(|error| StartError::Unproven {
            id: state.id.clone(),
            reasons: format!("nobody can be left to look at it when it runs: {error}"),
            hint: "look at /proc: it must be mounted where the runtime runs its hooks".into(),
        })
    }

    fn end(state: &State, trees: &Hierarchies, exit: Exit) -> Exit {
        let Some(pid) = state.pid else { return exit };
        if attest::end(pid, &groups(pid, trees), trees, Instant::now() + KILL) {
            eprintln!("the container was ended");
            return exit;
        }
        let error = format!("the container {:?} could not be ended in {} seconds", state.id, KILL.as_secs());
        refuse(exit, &error, "end it by hand: its processes are in the same control group")
    }
}

/// Waits for the container's program; false when the container has ended instead.
fn wait(state: &mut State) -> bool {
    state.is_running = true;
    match state.pid.map(Process::open) {
        Some(Ok(Some(first))) => {
            attest::wait_for_start(&first);
            first.is_there()
        }
        Some(Ok(None)) => false,
        _ => true,
    }
}

fn prove(known: &State, policy: &Policy, host: &Host, trees: &Hierarchies, deep: bool) -> Result<(), StartError> {
    let pid = known.pid.ok_or(StartError::NoProcess)?;
    let unproven =
        |reasons: String, hint: &str| StartError::Unproven { id: known.id.clone(), reasons, hint: hint.into() };
    let first = Process::open(pid).map_err(|error| unproven(error.to_string(), error.hint()))?;
    // One that has ended already does nothing that could be too much.
    let Some(first) = first else { return Ok(()) };
    let mut file = TrustedFile::in_bundle(&known.bundle)?;
    let text = file.take_text();
    let read = |error| StartError::Read { path: file.path().to_owned(), error };
    let config = Some(Document::parse_spec(text).map_err(read)?);
    let (id, bundle) = (Some(known.id.clone()), Some(known.bundle.clone()));
    let stage = if known.is_running { Stage::Running } else { Stage::Created };
    let target = Target { id, first, groups: groups(pid, trees), bundle, config, stage, deep, notes: Vec::new() };
    let attested = attest::attest(target, policy, host, trees);
    match attested.verdict() {
        Verdict::Clean => Ok(()),
        Verdict::Looser => Err(StartError::Looser { id: known.id.clone(), reasons: reasons(&attested, policy) }),
        Verdict::Unreadable => {
            let (problems, hints): (Vec<_>, Vec<_>) = attested.problems.into_iter().unzip();
            Err(unproven(problems.join("; "), hints.first().map_or("run as root on the host", String::as_str)))
        }
    }
}

fn groups(pid: i32, trees: &Hierarchies) -> Vec<attest::cgroup::Group> {
    let known = containers::all(&containers::roots(&[]), trees).into_iter().flatten();
    known.filter(|container| container.pid == pid).flat_map(|container| container.groups).collect()
}

fn reasons(attested: &Attested, policy: &Policy) -> String {
    let all = attested.looser().map(|(seen, finding)| {
        let (name, cited) = (&seen.snapshot.status.name, policy.cite(finding.origin));
        let pid = finding.tid.unwrap_or(seen.pid);
        format!("{pid} ({name}) {} {}: {} [{cited}]", finding.field, finding.value, finding.message)
    });
    all.collect::<Vec<_>>().join("; ")
}
