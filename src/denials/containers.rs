//! From a process to its container, while the process lives or was seen to live.
//!
//! The kernel's records name a process only. Its control groups lead to the container: those that a runtime's state names,
//! an id of 64 hexadecimal digits that engines put into their paths, or the id of a start that was logged. A process that is
//! gone by the time its record is read is known only if something was heard of it before: its fork ([`Forks`]), or a hook that
//! logged it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connector::Forks;
use super::decision::Decision;
use super::moment::Moment;
use crate::attest::cgroup::Hierarchies;
use crate::attest::containers::{self, Container};
use crate::attest::process::Process;
use crate::fleet::{Labels, Text, labels_in_storage, running_by_engine};
use crate::runtime::state;
use crate::settings::Subject;
use crate::spec::Document;

/// Containers that are remembered when they are gone.
const MOST: usize = 10_000;

/// How often the runtimes' states are read anew for a process that is in none of their groups.
const EVERY: Duration = Duration::from_millis(500);

/// A container, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Its id with the runtime; none for a process of the host's, or of a container that is gone.
    pub id: Option<String>,
    /// The engine.
    pub engine: Option<String>,
    /// The name people gave it.
    pub name: Option<String>,
    /// The image.
    pub image: Option<String>,
    /// Which container it is to the policy; from the log of decisions.
    pub subject: Option<Subject>,
    /// Whether its process was found, in a container or not.
    pub is_found: bool,
}

/// What leads from a process to its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// Its control groups: the text of `/proc/PID/cgroup`.
    Groups(Arc<str>),
    /// A hook that logged its number.
    Container(String),
    /// It is gone, and nothing was heard of it.
    Lost,
}

/// The containers of the machine.
pub struct Containers {
    roots: Vec<PathBuf>,
    /// Where to look for the engines' state: `/` but for tests.
    root: PathBuf,
    trees: Hierarchies,
    own: String,
    running: Vec<Running>,
    labels: HashMap<String, Labels>,
    read_at: Option<Instant>,
    forks: Option<Arc<Forks>>,
    decisions: HashMap<String, Decision>,
    first_processes: HashMap<i32, (Option<Moment>, String)>,
}

struct Running {
    container: Container,
    folders: Vec<PathBuf>,
}

impl Containers {
    /// Those below `roots`, the runtimes' state folders, and what the engines below `root` know of them.
    pub fn new(roots: Vec<PathBuf>, root: PathBuf) -> Self {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let trees = Hierarchies::mounted();
        Self {
            roots,
            root,
            trees,
            own,
            running: Vec::new(),
            labels: HashMap::new(),
            read_at: None,
            forks: None,
            decisions: HashMap::new(),
            first_processes: HashMap::new(),
        }
    }

    /// Asks `forks` for processes that are gone.
    #[must_use]
    pub fn with_forks(self, forks: Option<Arc<Forks>>) -> Self {
        Self { forks, ..self }
    }

    /// Where `pid` was at `at`.
    pub fn trace(&self, pid: Option<i32>, at: Option<Moment>) -> Trace {
        let Some(pid) = pid else { return Trace::Lost };
        let noted = self.forks.as_ref().and_then(|forks| forks.groups(pid));
        if let Some(groups) = noted.or_else(|| groups_now(pid, at).map(Arc::from)) {
            return Trace::Groups(groups);
        }
        let first = self.first_processes.get(&pid).filter(|(since, _)| *since <= at);
        first.map_or(Trace::Lost, |(_, id)| Trace::Container(id.clone()))
    }

    /// Whose process that was.
    pub fn of(&mut self, trace: &Trace) -> Who {
        match trace {
            Trace::Groups(groups) => {
                let found = self.find(groups);
                self.who(found, true)
            }
            Trace::Container(id) => self.who(Some(id.clone()), true),
            Trace::Lost => Who::default(),
        }
    }

    /// Whether nothing that was there at `since` could say more of `who` than is known. States are not read for each record
    /// anew, so that a container may have started since they were.
    pub fn knows(&self, who: &Who, since: Instant) -> bool {
        let is_in = |running: &Running| who.id.as_ref() == Some(&running.container.id);
        !who.is_found || self.running.iter().any(is_in) || self.read_at.is_some_and(|at| at >= since)
    }

    /// Takes note of a decision; who it was about.
    pub fn decided(&mut self, decision: &Decision) -> Who {
        if decision.id.is_empty() {
            return Who::default();
        }
        if let Some(pid) = decision.pid {
            self.first_processes.insert(pid, (decision.at, decision.id.clone()));
        }
        // An exec says no more of the container than its start did.
        if decision.command != "exec" || !self.decisions.contains_key(&decision.id) {
            self.decisions.insert(decision.id.clone(), decision.clone());
        }
        self.who(Some(decision.id.clone()), true)
    }

    /// The config.json that a container was started from: by the runtime's state, or by the log of its start.
    pub fn config(&self, id: &str) -> Option<Document> {
        let running = self.running.iter().find(|running| running.container.id == id);
        let by_state = running.and_then(|running| running.container.config().ok());
        by_state.or_else(|| {
            let file = self.decisions.get(id)?.bundle.as_ref()?;
            state::config_in(Path::new(file).parent()?).ok()
        })
    }

    fn who(&mut self, id: Option<String>, is_found: bool) -> Who {
        let Some(id) = id else { return Who { is_found, ..Who::default() } };
        if !self.labels.contains_key(&id) {
            self.read();
        }
        let labels = self.labels.get(&id).cloned().unwrap_or_default();
        let who = Who {
            engine: labels.engine.map(str::to_owned),
            name: labels.name,
            image: labels.image,
            subject: None,
            is_found,
            id: Some(id),
        };
        let decision = who.id.as_ref().and_then(|id| self.decisions.get(id));
        match decision {
            Some(decision) => who.with_subject(decision.subject.clone()),
            None => who,
        }
    }

    /// The container whose groups these are; none for a process of the host's.
    fn find(&mut self, groups: &str) -> Option<String> {
        if let Some(id) = self.of_groups(groups) {
            return Some(id);
        }
        // Started since the states were read, or none.
        self.read();
        self.of_groups(groups).or_else(|| id_in(groups)).or_else(|| self.decided_in(groups))
    }

    /// A container that was logged at its start, whose id is a part of the path.
    fn decided_in(&self, groups: &str) -> Option<String> {
        let mut parts = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).flat_map(|path| path.split('/'));
        parts.find(|part| self.decisions.contains_key(*part)).map(str::to_owned)
    }

    fn of_groups(&self, text: &str) -> Option<String> {
        let folders: Vec<PathBuf> =
            self.trees.groups_of(text, &self.own).into_iter().map(|group| group.folder).collect();
        let is_in =
            |running: &&Running| running.folders.iter().any(|own| folders.iter().any(|its| its.starts_with(own)));
        self.running.iter().find(is_in).map(|running| running.container.id.clone())
    }

    /// Reads what runtimes and engines keep.
    fn read(&mut self) {
        if self.read_at.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.read_at = Some(Instant::now());
        let found = containers::all(&self.roots, &self.trees).into_iter().flatten();
        let found: Vec<Running> = found
            .map(|container| {
                let mut folders = self.trees.private(&container.groups, &self.own);
                let first = std::fs::read_to_string(format!("/proc/{}/cgroup", container.pid)).unwrap_or_default();
                if container.first_process().is_some() {
                    folders.extend(self.trees.groups_of(&first, &self.own));
                }
                Running { container, folders: folders.into_iter().map(|group| group.folder).collect() }
            })
            .collect();
        // Those that are gone stay: their last records may still come.
        self.running.retain(|old| !found.iter().any(|new| new.container.id == old.container.id));
        if self.running.len() >= MOST {
            self.running.clear();
        }
        self.running.extend(found);
        for item in running_by_engine(&self.root) {
            let Some(id) = item.labels.id.clone() else { continue };
            let annotated = match &item.text {
                Text::Live(path) | Text::File(path) => {
                    std::fs::read(path).ok().and_then(|text| Document::parse(text).ok())
                }
                _ => None,
            };
            let labels =
                annotated.map_or_else(|| item.labels.clone(), |document| item.labels.clone().or_annotated(&document));
            self.labels.insert(id, labels);
        }
        for running in &self.running {
            let id = &running.container.id;
            if !self.labels.contains_key(id) {
                let stored = running.container.bundle.as_deref().and_then(labels_in_storage).unwrap_or_default();
                let labels = match running.container.config() {
                    Ok(document) => stored.or_annotated(&document),
                    Err(_) => stored,
                };
                self.labels.insert(id.clone(), labels);
            }
        }
    }
}

/// The groups of `pid`, unless a process has that number now that came after `at`.
fn groups_now(pid: i32, at: Option<Moment>) -> Option<String> {
    let process = Process::open(pid).ok()??;
    let groups = process.read("cgroup").ok()?.filter(|text| !text.is_empty())?;
    let is_later = at.zip(started(&process)).is_some_and(|(at, started)| started > at);
    (!is_later).then_some(groups)
}

/// When a process started, to the second and rather too early than too late.
fn started(process: &Process) -> Option<Moment> {
    // USER_HZ, which is 100 on every architecture that Linux has left.
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()?;
    let seconds = boot + process.start_time()? / TICKS;
    Some(Moment(seconds.saturating_sub(1) * 1000))
}

/// The id that an engine put into the path of a group: 64 hexadecimal digits, perhaps between a prefix (`docker-`,
/// `cri-containerd-`, `libpod-`, `crio-`) and `.scope`. Not the one of a helper (`libpod-conmon-ID`).
fn id_in(groups: &str) -> Option<String> {
    let of_part = |part: &str| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let (prefix, id) = part.rsplit_once(['-', ':']).unwrap_or(("", part));
        let is_id = id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_id && !prefix.ends_with("conmon")).then(|| id.to_owned())
    };
    let mut paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.find_map(|path| path.split('/').find_map(of_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_ids_are_found_in_their_paths() {
        let id = "0123456789abcdef".repeat(4);
        for (path, is_one) in [
            (format!("/docker/{id}"), true),
            (format!("/system.slice/docker-{id}.scope"), true),
            (format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"), true),
            (format!("/machine.slice/libpod-{id}.scope/container"), true),
            (format!("/k8s.io/{id}"), true),
            (format!("/kubepods-pod1.slice:cri-containerd:{id}"), true),
            (format!("/machine.slice/libpod-conmon-{id}.scope"), false),
            (format!("/user.slice/{}", &id[1..]), false),
        ] {
            let found = id_in(&format!("4:memory:/\n0::{path}\n"));
            assert_eq!(found, is_one.then(|| id.clone()), "{path}");
        }
    }

    #[test]
    fn what_a_hook_logged_is_believed_until_the_number_is_another_s() {
        let mut containers = Containers::new(Vec::new(), "/nonexistent".into());
        let decision = |pid: i32, at: u64, id: &str| Decision {
            at: Some(Moment(at)),
            command: "poststart".to_owned(),
            id: id.to_owned(),
            pid: Some(pid),
            bundle: None,
            subject: Subject { image: Some("nginx".to_owned()), ..Subject::default() },
            matters: Vec::new(),
        };
        // No process has this number.
        let pid = 0x7fff_fff0;
        containers.decided(&decision(pid, 1000, "web"));
        let of_pid = |containers: &mut Containers, at| {
            let trace = containers.trace(Some(pid), Some(Moment(at)));
            containers.of(&trace)
        };
        let who = of_pid(&mut containers, 2000);
        assert_eq!((who.id.as_deref(), who.image.as_deref()), (Some("web"), Some("nginx")));
        assert_eq!(of_pid(&mut containers, 500), Who::default(), "before it started");
        containers.decided(&decision(pid, 3000, "other"));
        assert_eq!(of_pid(&mut containers, 4000).id.as_deref(), Some("other"));
        assert_eq!(containers.trace(None, None), Trace::Lost);
    }

    #[test]
    fn a_container_that_may_have_started_since_the_states_were_read_is_not_called_the_host_s_yet() {
        let mut containers = Containers::new(Vec::new(), "/nonexistent".into());
        let (before, trace) = (Instant::now(), Trace::Groups("0::/nowhere\n".into()));
        let who = containers.of(&trace);
        assert!(containers.knows(&who, before));
        let after = Instant::now();
        let who = containers.of(&trace);
        assert!(!containers.knows(&who, after), "the states were not read again");
        std::thread::sleep(EVERY);
        let who = containers.of(&trace);
        assert!(containers.knows(&who, after));
        assert!(containers.knows(&Who::default(), Instant::now()), "a process that is gone tells nobody more");
    }
}
