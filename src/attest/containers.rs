//! Running containers, from what runtimes keep of them.
//!
//! runc writes `ROOT/ID/state.json`, crun `ROOT/ID/status`, youki `ROOT/ID/state.json`. Engines give their runtimes a
//! root of their own, one folder per namespace or none.

use std::fs;
use std::path::{Path, PathBuf};

use super::cgroup::{Group, Hierarchies};
use super::process::Process;
use crate::runtime::state::{self, StateError};
use crate::spec::{Document, FileError, Pointer, Problem, ReadError, TrustedFile, Value};

/// Where the state of containers is, a folder per container: runc, crun and youki by themselves, under Podman, CRI-O and
/// BuildKit; containerd (a folder per namespace); Docker (per runtime's name, then `moby`); rootless ones. `*` stands for
/// any folder.
const ROOTS: [&str; 9] = [
    "/run/runc",
    "/run/crun",
    "/run/youki",
    "/run/containerd/runc/*",
    "/run/docker/runtime-*/*",
    "/run/user/*/runc",
    "/run/user/*/crun",
    "/run/user/*/youki",
    "/run/batten",
];

/// A container that a runtime's state describes.
#[derive(Debug)]
pub struct Container {
    /// Its name to the runtime.
    pub id: String,
    /// The runtime's root.
    pub root: PathBuf,
    /// Its first process.
    pub pid: i32,
    /// When that one started, in clock ticks since boot; none where the state does not say.
    start_time: Option<u64>,
    /// Its bundle.
    pub bundle: Option<PathBuf>,
    /// The groups that the runtime put it in.
    pub groups: Vec<Group>,
}

/// The state of a container that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// No runtime knows it.
    #[error("no container {id:?} is found below {}", shown(looked))]
    Unknown {
        /// What was asked for.
        id: String,
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// Several begin with it.
    #[error("{id:?} stands for several containers: {}", known.join(", "))]
    Ambiguous {
        /// What was asked for.
        id: String,
        /// All that begin with it.
        known: Vec<String>,
    },
    /// Its first process has ended.
    #[error("the container {id:?} is not running")]
    NotRunning {
        /// Its id.
        id: String,
    },
    /// Its state could not be read or trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its state is no strict JSON.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: ReadError,
    },
    /// Its state names no process.
    #[error("{} does not name the container's process", path.display())]
    NoProcess {
        /// The file.
        path: PathBuf,
    },
}

impl ContainerError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "check the id (docker ps, podman ps, ctr c ls), or name the runtime's --root",
            Self::Ambiguous { .. } => "write more of the id",
            Self::NotRunning { .. } => "start it; there is nothing that the kernel could enforce",
            Self::File(error) => error.hint(),
            Self::Read { error, .. } => error.hint(),
            Self::NoProcess { .. } => "batten knows the state of runc, crun and youki; report this runtime's to batten",
        }
    }
}

fn shown(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "any runtime's root: there is none".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The roots to look in: those that are named, or else all that engines use and that are there.
pub fn roots(named: &[PathBuf]) -> Vec<PathBuf> {
    if !named.is_empty() {
        return named.to_owned();
    }
    roots_below(Path::new("/"))
}

/// All that engines use, and that are there, on the machine whose root folder is `root`.
pub fn roots_below(root: &Path) -> Vec<PathBuf> {
    ROOTS.iter().flat_map(|pattern| expand(root, pattern)).collect()
}

/// The folders that `pattern` stands for below `root`.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = match part.split_once('*') {
            None => found.into_iter().map(|path| path.join(part)).filter(|path| path.is_dir()).collect(),
            Some((prefix, _)) => found.iter().flat_map(|path| folders(path, prefix)).collect(),
        };
    }
    found
}

/// The folders in `path` whose names begin with `prefix`, in order.
fn folders(path: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    paths.sort_unstable();
    paths
}

/// Every container in `roots`, running or not, and what could not be read.
pub fn all(roots: &[PathBuf], trees: &Hierarchies) -> Vec<Result<Container, ContainerError>> {
    let folders = roots.iter().flat_map(|root| folders(root, ""));
    folders.filter_map(|folder| Container::read(&folder, trees).transpose()).collect()
}

/// The container that `id`, or the beginning of only one id, stands for.
///
/// # Errors
/// [`ContainerError`] when there is not just one, or its state cannot be used.
pub fn find(id: &str, roots: &[PathBuf], trees: &Hierarchies) -> Result<Container, ContainerError> {
    let unknown = || ContainerError::Unknown { id: id.to_owned(), looked: roots.to_owned() };
    let all: Vec<PathBuf> = roots.iter().flat_map(|root| folders(root, id)).filter(|path| has_state(path)).collect();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let exact: Vec<PathBuf> = all.iter().filter(|path| name(path) == id).cloned().collect();
    let chosen = if exact.is_empty() { all } else { exact };
    match chosen.as_slice() {
        _ if id.is_empty() => Err(unknown()),
        [] => Err(unknown()),
        [one] => Container::read(one, trees)?.ok_or_else(unknown),
        several => Err(ContainerError::Ambiguous { id: id.to_owned(), known: several.iter().map(name).collect() }),
    }
}

fn has_state(folder: &Path) -> bool {
    folder.join("state.json").exists() || folder.join("status").exists()
}

impl Container {
    /// The container whose state is in `folder`; none where there is no state.
    ///
    /// # Errors
    /// [`ContainerError`] when its state cannot be used.
    pub fn read(folder: &Path, trees: &Hierarchies) -> Result<Option<Self>, ContainerError> {
        for file in ["state.json", "status"] {
            let path = folder.join(file);
            match TrustedFile::open(&path) {
                Ok(mut opened) => {
                    let read = |error| ContainerError::Read { path: path.clone(), error };
                    let state = Document::parse(opened.take_text()).map_err(read)?;
                    let found = Self::of(&state, folder, trees);
                    return found.map(Some).ok_or(ContainerError::NoProcess { path });
                }
                Err(FileError { problem: Problem::System(nix::errno::Errno::ENOENT), .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn of(state: &Document, folder: &Path, trees: &Hierarchies) -> Option<Self> {
        let number = |key: &str| state.root().get(key).and_then(Value::as_u64);
        let pid = number("init_process_pid").or_else(|| number("pid")).unwrap_or_default();
        let own = state.at(&Pointer::new("/cgroup_paths"));
        let listed = own.into_iter().flat_map(Value::members).filter_map(|(_, path)| path.as_str());
        let mut groups: Vec<Group> = listed.map(|path| Group { folder: PathBuf::from(&*path) }).collect();
        if let Some(path) = state.root().get("cgroup-path").and_then(Value::as_str) {
            groups.extend(trees.groups_at(&path));
        }
        Some(Self {
            id: folder.file_name()?.to_string_lossy().into_owned(),
            root: folder.parent()?.to_owned(),
            pid: i32::try_from(pid).ok()?,
            start_time: number("init_process_start").or_else(|| number("process-start-time")),
            bundle: state::bundle_of(state),
            groups,
        })
    }

    /// Its first process, if that is still running.
    pub fn first_process(&self) -> Option<Process> {
        if self.pid <= 0 {
            return None;
        }
        let process = Process::open(self.pid).ok()??;
        let same = self.start_time.is_none_or(|noted| process.start_time() == Some(noted));
        let runs = same && process.snapshot().ok()?.is_some();
        runs.then_some(process)
    }

    /// The config.json that the runtime read, or reads again for an exec.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn config(&self) -> Result<Document, StateError> {
        state::config_below(&self.root, &self.id)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    fn state(root: &Path, id: &str, file: &str, text: &str) {
        fs::create_dir_all(root.join(id)).unwrap();
        fs::write(root.join(id).join(file), text).unwrap();
    }

    #[test]
    fn the_states_of_three_runtimes_are_read() {
        let root = tempfile::tempdir().unwrap();
        let runc = r#"{"id":"r","init_process_pid":7,"init_process_start":9,"cgroup_paths":{"":"/sys/fs/cgroup/u/r","pids":
            "/sys/fs/cgroup/pids/r"},"config":{"labels":["bundle=/evil","bundle=/b"]}}"#;
        state(root.path(), "r", "state.json", runc);
        state(root.path(), "c", "status", r#"{"pid":8,"process-start-time":10,"cgroup-path":"/c","bundle":"/b"}"#);
        state(root.path(), "y", "state.json", r#"{"id":"y","pid":11,"bundle":"/b"}"#);
        fs::create_dir(root.path().join("none")).unwrap();
        let all = all(&[root.path().to_owned()], &Hierarchies::default());
        let mut all: Vec<Container> = all.into_iter().map(Result::unwrap).collect();
        let (y, r, c) = (all.pop().unwrap(), all.pop().unwrap(), all.pop().unwrap());
        assert_eq!((c.id.as_str(), c.pid, c.start_time), ("c", 8, Some(10)));
        assert_eq!((r.id.as_str(), r.pid, r.start_time, r.groups.len()), ("r", 7, Some(9), 2));
        assert_eq!((y.id.as_str(), y.pid, y.start_time), ("y", 11, None));
        assert!([&r, &c, &y].iter().all(|one| one.bundle.as_deref() == Some(Path::new("/b"))));
    }

    #[test]
    fn the_beginning_of_an_id_is_enough_where_it_is_one_s_own() {
        let root = tempfile::tempdir().unwrap();
        for id in ["abc1", "abd2", "ab"] {
            state(root.path(), id, "status", r#"{"pid":1}"#);
        }
        let find = |id| find(id, &[root.path().to_owned()], &Hierarchies::default());
        assert_eq!(find("abc").unwrap().id, "abc1");
        assert_eq!(find("ab").unwrap().id, "ab", "a whole id wins");
        assert!(matches!(find("a"), Err(ContainerError::Ambiguous { .. })));
        assert!(matches!(find("x"), Err(ContainerError::Unknown { .. })));
        assert!(matches!(find(""), Err(ContainerError::Unknown { .. })));
    }

    #[test]
    fn another_process_with_the_same_number_is_not_the_container_s() {
        let root = tempfile::tempdir().unwrap();
        let pid = std::process::id();
        state(root.path(), "mine", "status", &format!(r#"{{"pid":{pid}}}"#));
        state(root.path(), "old", "status", &format!(r#"{{"pid":{pid},"process-start-time":1}}"#));
        let find = |id| find(id, &[root.path().to_owned()], &Hierarchies::default()).unwrap();
        assert!(find("mine").first_process().is_some());
        assert!(find("old").first_process().is_none());
    }
}
