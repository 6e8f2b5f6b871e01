//! Podman (and Buildah): `[engine]` of containers.conf, by a drop-in.
//!
//! Without `runtime_supports_json` for the name Podman takes errors from standard error only. `hooks_dir` names
//! /usr/share/containers/oci/hooks.d alone unless it is set (containers/common, `pkg/config/default.go`), so hooks below /etc are
//! named together with it.

use std::path::{Path, PathBuf};

use super::coverage::{Coverage, Handler, Way, users_with};
use super::layers::Layers;
use super::{Content, Engine, EngineError, Format, Registration, Request, Setting, Site, Value, Wanted, hooks};

const DROP_IN: &str = "containers/containers.conf.d/batten.conf";

/// Runtimes that speak JSON, as Podman has them by itself.
const SPEAK_JSON: [&str; 6] = ["crun", "runc", "kata", "runsc", "youki", "krun"];

/// The runtimes that Podman looks for by itself, the default first.
const KNOWN: [&str; 7] = ["crun", "runc", "krun", "kata-runtime", "runsc", "youki", "crun-wasm"];

pub(super) fn registration(request: &Request, site: &Site) -> Result<Registration, EngineError> {
    if request.builds {
        return Err(EngineError::NoBuilds { engine: "Podman" });
    }
    let path = request.config.clone().unwrap_or_else(|| site.config(DROP_IN));
    let layers = read(site)?;
    let mut settings = Vec::new();
    if let Some(runtime) = &request.runtime {
        if request.default {
            let name = request.names.first().map_or("batten", String::as_str);
            settings.push(Setting::new(["engine", "runtime"], name));
        }
        let mut speak = layers
            .get(&["engine", "runtime_supports_json"])
            .map_or_else(|| SPEAK_JSON.map(str::to_owned).to_vec(), |list| list.texts().to_vec());
        speak.extend(request.names.iter().filter(|name| !speak.contains(name)).cloned().collect::<Vec<_>>());
        settings.push(Setting::new(["engine", "runtime_supports_json"], speak));
        for name in &request.names {
            let paths = vec![runtime.display().to_string()];
            let keys = ["engine", "runtimes", name];
            // Several files may give the name; the one that batten writes would win.
            if let (Some(found), Some(file), false) = (layers.get(&keys), layers.file(&keys), request.replace)
                && *found != Value::List(paths.clone())
            {
                let (setting, found) = (format!("engine.runtimes.{name}"), found.to_string());
                return Err(EngineError::Taken { path: file.to_owned(), setting, found });
            }
            settings.push(Setting::exclusive(keys, paths, request.replace));
        }
    }
    let mut files = hook_files(&request.hooks, &request.batten);
    if !files.is_empty() {
        settings.push(Setting::new(["engine", "hooks_dir"], hook_folders(layers.get(&["engine", "hooks_dir"]))));
    }
    let later: Vec<_> = layers
        .files
        .iter()
        .filter(|file| file.parent() == path.parent() && **file > path && request.default)
        .filter(|file| layers.file(&["engine", "runtime"]) == Some(file.as_path()))
        .map(|file| format!("{} comes later and sets engine.runtime: that counts", file.display()))
        .collect();
    // The hooks are there before anything leads to them.
    files.push(Wanted { path, content: Content::Settings { format: Format::Toml, settings } });
    Ok(Registration { files, notes: later, reload: None })
}

/// Files for hooks.
pub(super) fn hook_files(stages: &[hooks::Stage], batten: &Path) -> Vec<Wanted> {
    let file = |stage: &hooks::Stage| Wanted {
        path: stage.path().into(),
        content: Content::Whole(hooks::file(*stage, batten)),
    };
    stages.iter().map(file).collect()
}

/// The folders that are set, or else the packages', and the one for batten's.
pub(super) fn hook_folders(set: Option<&Value>) -> Vec<String> {
    let mut folders = set.map_or_else(|| vec![hooks::PACKAGES_FOLDER.to_owned()], |list| list.texts().to_vec());
    if !folders.iter().any(|folder| folder == hooks::FOLDER) {
        folders.push(hooks::FOLDER.to_owned());
    }
    folders
}

fn read(site: &Site) -> Result<Layers, EngineError> {
    let mut layers = Layers::default();
    let mut paths = vec![PathBuf::from("/usr/share/containers/containers.conf")];
    let mut add = |folder: PathBuf| {
        paths.push(folder.join("containers.conf"));
        paths.extend(site.list(&folder.join("containers.conf.d"), ".conf"));
    };
    add(PathBuf::from("/etc/containers"));
    if site.is_user() {
        add(site.config("containers"));
    }
    for path in paths {
        layers.lay(site, &path, Format::Toml, |_| {})?;
    }
    Ok(layers)
}

pub(super) fn coverage(site: &Site) -> Result<Coverage, EngineError> {
    let layers = read(site)?;
    let mut handlers = Vec::new();
    for name in layers.names(&["engine", "runtimes"]) {
        let keys = ["engine", "runtimes", &name];
        let paths = layers.get(&keys).map(Value::texts).unwrap_or_default();
        // The first that is there.
        let path = paths.iter().find(|path| site.program(path).is_some()).or(paths.first());
        handlers.push(Handler::of_program(site, &name, path.map_or(&name, |path| path), layers.file(&keys)));
    }
    for name in KNOWN {
        if site.program(name).is_some() && !handlers.iter().any(|handler| handler.name == name) {
            handlers.push(Handler::of_program(site, name, name, None));
        }
    }
    let by_itself = ["crun", "runc"].into_iter().find(|name| site.program(name).is_some()).unwrap_or("crun");
    let default = layers.text(&["engine", "runtime"]).unwrap_or(by_itself).to_owned();
    if !handlers.iter().any(|handler| handler.name == default) {
        handlers.push(Handler::of_program(site, &default, &default, layers.file(&["engine", "runtime"])));
    }
    let mut notes = vec!["containers keep the runtime that they were created with".to_owned()];
    notes.extend(hook_notes(site, &layers));
    let version = site.version_text(Engine::Podman);
    let ways = ways(site);
    Ok(Coverage { engine: Engine::Podman, version, files: layers.files, handlers, default, ways, notes })
}

fn hook_notes(site: &Site, layers: &Layers) -> Option<String> {
    let path = hooks::Stage::Precreate.path();
    let folders = hook_folders(None);
    let folders = layers.get(&["engine", "hooks_dir"]).map_or(&folders[..1], Value::texts);
    let is_read = folders.iter().any(|folder| folder == hooks::FOLDER);
    if !site.exists(Path::new(&path)) {
        return None;
    }
    Some(if is_read {
        format!("{path} judges what Podman itself creates, whatever the runtime; builds have no precreate stage")
    } else {
        format!("{path} is not read: hooks_dir does not name its folder")
    })
}

fn ways(site: &Site) -> Vec<Way> {
    let own =
        [users_with(site, "containers/containers.conf"), users_with(site, "containers/containers.conf.d")].concat();
    let shown: Vec<String> = own.iter().map(|path| path.display().to_string()).collect();
    let shown = if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) };
    vec![
        Way {
            what: format!("settings of users' own, for their rootless containers{shown}"),
            is_open: !own.is_empty(),
            is_roots: false,
            closed_by: "batten install podman --default, run as that user; he can undo it, within his own rights"
                .to_owned(),
        },
        Way {
            what: "podman --runtime PATH, or CONTAINERS_CONF, by whoever starts Podman".to_owned(),
            is_open: true,
            is_roots: true,
            closed_by: "nothing here: that is root, or a user within his own rights".to_owned(),
        },
        Way {
            what: "podman build --isolation chroot, which starts no runtime".to_owned(),
            is_open: true,
            is_roots: true,
            closed_by: "nothing here: that is root, or a user within his own rights".to_owned(),
        },
    ]
}
