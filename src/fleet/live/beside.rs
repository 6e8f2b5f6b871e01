//! Containers that no engine's folder shows: those of Podman with a storage of its own, of BuildKit, of whoever calls runc or
//! crun. The runtime's state names their bundles.

use std::collections::HashSet;
use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use super::{Running, folders, labels_in_storage, live, no_folder};
use crate::attest::cgroup::Hierarchies;
use crate::attest::containers::{Container, ContainerError, roots_below};
use crate::fleet::{Item, Labels, Text};
use crate::spec::{CONFIG, FileError, Problem};

/// Adds them to what is known to run below `root`: those in the known places, and those in `states`.
pub(super) fn add(root: &Path, states: &[PathBuf], running: &mut Running) {
    let known: HashSet<PathBuf> = running.items.iter().filter_map(|item| canonicalize(&item.name).ok()).collect();
    let mut places = roots_below(root);
    for state in states {
        match canonicalize(state) {
            Ok(state) if state.is_dir() => places.extend((!places.contains(&state)).then_some(state)),
            _ => running.items.push(no_folder(state, "name the folder that the runtime was given as its --root")),
        }
    }
    for state in places {
        for (id, folder) in folders(&state, &mut running.items) {
            match Container::read(&folder, &Hierarchies::default()) {
                Ok(Some(container)) if container.first_process().is_some() => {
                    let config = config_of(&container, root);
                    if !canonicalize(&config).is_ok_and(|path| known.contains(&path)) {
                        let own = || Labels { id: Some(id), ..Labels::default() };
                        let labels = config.parent().and_then(labels_in_storage).unwrap_or_else(own);
                        running.items.push(live(config, labels));
                    }
                }
                Ok(_) => {}
                Err(error) if is_of_another(&error) => {
                    running.of_others.insert(state.clone());
                }
                Err(error) => running.items.push(unread(&folder, &error)),
            }
        }
    }
}

/// Where what the container was started from is. crun has its own copy, which stays when the bundle is gone.
fn config_of(container: &Container, root: &Path) -> PathBuf {
    let copy = container.root.join(&container.id).join(CONFIG);
    let bundle = container.bundle.as_ref().map(|path| root.join(path.strip_prefix("/").unwrap_or(path)).join(CONFIG));
    match bundle {
        Some(config) if config.exists() || !copy.exists() => config,
        _ => copy,
    }
}

fn is_of_another(error: &ContainerError) -> bool {
    let ContainerError::File(FileError { problem, .. }) = error else { return false };
    matches!(problem, Problem::Owner(_) | Problem::Folder(_) | Problem::Way(_))
}

fn unread(folder: &Path, error: &ContainerError) -> Item {
    let text = Text::Missing(error.to_string(), error.hint().to_owned());
    Item { name: folder.display().to_string(), labels: Labels::default(), text }
}
