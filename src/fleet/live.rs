//! What is running now: the bundles in the state folders of containerd, Docker, Podman and CRI-O, and then those that only
//! the runtime's own state leads to. Only read.

mod beside;

use std::collections::{BTreeSet, HashMap};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Labels;
use super::source::{Item, Text};
use crate::spec::CONFIG;

/// Where containerd keeps the bundles of its tasks, `NAMESPACE/ID` below (runtime v2 shims, `core/runtime/v2`). The
/// second is the containerd that dockerd starts for itself (`libcontainerd/supervisor`).
const TASKS: &[&str] =
    &["run/containerd/io.containerd.runtime.v2.task", "run/docker/containerd/daemon/io.containerd.runtime.v2.task"];

/// Where containers/storage keeps its containers: what lasts, and what is gone with a boot. Podman's bundles are in the
/// first, CRI-O's in the second.
const STORAGE: &str = "var/lib/containers/storage/overlay-containers";
const STORAGE_RUN: &str = "run/containers/storage/overlay-containers";

/// What runs, as far as it may be told.
#[derive(Debug, Default)]
pub struct Running {
    /// The bundles.
    pub items: Vec<Item>,
    /// Folders with the state of ordinary users' containers: what they say is theirs to choose, so it is not followed.
    pub of_others: BTreeSet<PathBuf>,
}

/// The containers that run on the machine whose root folder is `root`; also those that runtimes keep in `states`, which are
/// paths of this machine.
pub fn running(root: &Path, states: &[PathBuf]) -> Running {
    if !root.is_dir() {
        let item = no_folder(root, "--root is the root folder of a machine, / or where it is mounted");
        return Running { items: vec![item], of_others: BTreeSet::new() };
    }
    let mut running = Running { items: running_by_engine(root), of_others: BTreeSet::new() };
    beside::add(root, states, &mut running);
    running
}

/// What was named and is not there: left out without a word it would look clean.
fn no_folder(path: &Path, hint: &str) -> Item {
    let text = Text::Missing(format!("{} is no folder", path.display()), hint.to_owned());
    Item { name: path.display().to_string(), labels: Labels::default(), text }
}

/// Those of them that the engines' own folders show.
pub fn running_by_engine(root: &Path) -> Vec<Item> {
    let mut found = Vec::new();
    for tasks in TASKS {
        for (namespace, folder) in folders(&root.join(tasks), &mut found) {
            for (id, bundle) in folders(&folder, &mut found) {
                found.push(task(root, &namespace, id, &bundle));
            }
        }
    }
    containers_storage(root, &mut found);
    found
}

fn task(root: &Path, namespace: &str, id: String, bundle: &Path) -> Item {
    // dockerd's namespace in containerd.
    let is_docker = namespace == "moby";
    let (name, image) = if is_docker { docker_names(root, &id) } else { (None, None) };
    let engine = Some(if is_docker { "docker" } else { "containerd" });
    live(bundle.join(CONFIG), Labels { engine, id: Some(id), name, image })
}

fn live(path: PathBuf, labels: Labels) -> Item {
    Item { name: path.display().to_string(), labels, text: Text::Live(path) }
}

fn docker_names(root: &Path, id: &str) -> (Option<String>, Option<String>) {
    let path = root.join("var/lib/docker/containers").join(id).join("config.v2.json");
    let Some(own) = read_json(&path) else { return (None, None) };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (text(&own["Name"]).map(|name| name.trim_start_matches('/').to_owned()), text(&own["Config"]["Image"]))
}

/// A container of Podman keeps its bundle when it has stopped, so only one whose process lives counts.
fn containers_storage(root: &Path, found: &mut Vec<Item>) {
    let names = storage_names(&root.join(STORAGE));
    let mut ids: Vec<String> = Vec::new();
    for storage in [STORAGE, STORAGE_RUN] {
        ids.extend(folders(&root.join(storage), found).into_iter().map(|(id, _)| id));
    }
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let in_run = root.join(STORAGE_RUN).join(&id).join("userdata");
        let bundles = [in_run.clone(), root.join(STORAGE).join(&id).join("userdata")];
        let Some(bundle) = bundles.iter().find(|folder| folder.join(CONFIG).exists()) else { continue };
        if !lives(root, &in_run.join("pidfile")) {
            continue;
        }
        let (name, image) = names.get(&id).cloned().unwrap_or_default();
        found.push(live(bundle.join(CONFIG), Labels { engine: Some("podman"), id: Some(id), name, image }));
    }
}

fn lives(root: &Path, pidfile: &Path) -> bool {
    let Ok(pid) = std::fs::read_to_string(pidfile) else { return false };
    let Ok(pid) = pid.trim().parse::<u32>() else { return false };
    let own = root.join("proc");
    let proc = if own.is_dir() { own } else { PathBuf::from("/proc") };
    proc.join(pid.to_string()).exists()
}

type Names = HashMap<String, (Option<String>, Option<String>)>;

/// What containers/storage knows of the container whose bundle is `bundle`, wherever Podman was told to keep its containers
/// (`--root`, or a user's own folder): `DRIVER-containers/ID/userdata`.
pub fn labels_in_storage(bundle: &Path) -> Option<Labels> {
    let folder = bundle.file_name().filter(|name| *name == "userdata").and(bundle.parent())?;
    let storage = folder.parent()?;
    if !storage.file_name()?.to_string_lossy().ends_with("-containers") {
        return None;
    }
    let id = folder.file_name()?.to_string_lossy().into_owned();
    let (name, image) = storage_names(storage).remove(&id)?;
    Some(Labels { engine: Some("podman"), id: Some(id), name, image })
}

/// containers.json of containers/storage, and that of containers which are removed when they end (`volatileContainers` in
/// `containers.go`): `[{id, names, metadata}]`, where metadata is JSON in a string.
fn storage_names(folder: &Path) -> Names {
    let files = ["containers.json", "volatile-containers.json"].map(|file| read_json(&folder.join(file)));
    let entries: Vec<Value> = files.into_iter().flatten().filter_map(list).flatten().collect();
    let name = |entry: &Value| {
        let metadata: Value = serde_json::from_str(entry["metadata"].as_str().unwrap_or_default()).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let image = text(&metadata["image-name"]).filter(|image| !image.is_empty());
        Some((text(&entry["id"])?, (text(&entry["names"][0]), image)))
    };
    entries.iter().filter_map(name).collect()
}

fn list(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(entries) = value { Some(entries) } else { None }
}

/// A file that may be an ordinary user's: one that could block, or has no end, is not read.
fn read_json(path: &Path) -> Option<Value> {
    const MOST: u64 = 64 << 20;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).ok()?;
    let about = file.metadata().ok()?;
    if !about.is_file() || about.len() > MOST {
        return None;
    }
    let mut text = Vec::new();
    file.take(MOST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The folders in `path`, by name. That it is not there means that the engine is not; anything else is said.
fn folders(path: &Path, found: &mut Vec<Item>) -> Vec<(String, PathBuf)> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Vec::new(),
        Err(error) => {
            let text = Text::Missing(format!("cannot read {}: {error}", path.display()), "run as root".to_owned());
            found.push(Item { name: path.display().to_string(), labels: Labels::default(), text });
            return Vec::new();
        }
    };
    let mut folders: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    folders.sort_unstable();
    folders
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    #[test]
    fn a_container_in_a_storage_of_its_own_is_named_by_that_storage() {
        let root = tempfile::tempdir().unwrap();
        let storage = root.path().join("srv/overlay-containers");
        for id in ["stays", "goes", "unknown"] {
            std::fs::create_dir_all(storage.join(id).join("userdata")).unwrap();
        }
        let entry =
            |id: &str| format!(r#"[{{"id":"{id}","names":["{id}-name"],"metadata":"{{\"image-name\":\"img\"}}"}}]"#);
        std::fs::write(storage.join("containers.json"), entry("stays")).unwrap();
        std::fs::write(storage.join("volatile-containers.json"), entry("goes")).unwrap();
        let of = |id: &str| labels_in_storage(&storage.join(id).join("userdata"));
        for id in ["stays", "goes"] {
            let labels = of(id).unwrap();
            assert_eq!((labels.engine, labels.image.as_deref()), (Some("podman"), Some("img")));
            assert_eq!(labels.name, Some(format!("{id}-name")));
        }
        assert_eq!(of("unknown"), None);
        assert_eq!(labels_in_storage(&root.path().join("bundles/web")), None, "no bundle of Podman's");
        // An ordinary user's storage may hold anything.
        std::fs::remove_file(storage.join("containers.json")).unwrap();
        nix::unistd::mkfifo(&storage.join("containers.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(of("stays"), None);
    }
}
