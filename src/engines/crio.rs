//! CRI-O: handlers in `[crio.runtime.runtimes]`, by a drop-in.
//!
//! CRI-O reads every file in its drop-in folder, whatever its name ends with, in the order of names (`pkg/config/config.go`,
//! `UpdateFromPath`), and merges tables key by key.

use std::path::{Path, PathBuf};

use super::coverage::{Coverage, Handler};
use super::layers::Layers;
use super::podman::{hook_files, hook_folders};
use super::{Content, Engine, EngineError, Format, Registration, Request, Setting, Site, Value, Wanted, hooks};

const MAIN: &str = "/etc/crio/crio.conf";
const DROP_INS: &str = "/etc/crio/crio.conf.d";
const DROP_IN: &str = "/etc/crio/crio.conf.d/99-batten.conf";
const RUNTIMES: [&str; 3] = ["crio", "runtime", "runtimes"];

pub(super) fn registration(request: &Request, site: &Site) -> Result<Registration, EngineError> {
    if request.builds {
        return Err(EngineError::NoBuilds { engine: "CRI-O" });
    }
    if let Some(stage) = request.hooks.iter().find(|stage| **stage == hooks::Stage::Precreate) {
        return Err(EngineError::NoHook { engine: "CRI-O", stage: stage.word() });
    }
    let path = request.config.clone().unwrap_or_else(|| PathBuf::from(DROP_IN));
    let layers = read(site)?;
    let mut settings = Vec::new();
    if let Some(runtime) = &request.runtime {
        if request.default {
            let name = request.names.first().map_or("batten", String::as_str);
            settings.push(Setting::new(["crio", "runtime", "default_runtime"], name));
        }
        let mut model = layers.below(&["crio", "runtime", "runtimes", default(site, &layers)]);
        let kept = |keys: &[String]| {
            !["runtime_path", "runtime_type", "inherit_default_runtime"].iter().any(|key| keys == [*key])
        };
        model.retain(|(keys, _)| kept(keys));
        for name in &request.names {
            let keys = ["crio", "runtime", "runtimes", name, "runtime_path"];
            let runtime = runtime.display().to_string();
            if let (Some(found), Some(file), false) = (layers.text(&keys), layers.file(&keys), request.replace)
                && found != runtime
            {
                let setting = format!("crio.runtime.runtimes.{name}.runtime_path");
                return Err(EngineError::Taken { path: file.to_owned(), setting, found: format!("{found:?}") });
            }
            settings.push(Setting::exclusive(keys, runtime, request.replace));
            settings.push(Setting::new(["crio", "runtime", "runtimes", name, "runtime_type"], "oci"));
            for (keys, value) in &model {
                let above = RUNTIMES.iter().copied().chain([name.as_str()]).map(str::to_owned);
                let path = above.chain(keys.iter().cloned()).collect();
                settings.push(Setting { path, value: value.clone(), exclusive: false });
            }
        }
    }
    let mut files = hook_files(&request.hooks, &request.batten);
    if !files.is_empty() {
        let set = layers.get(&["crio", "runtime", "hooks_dir"]);
        settings.push(Setting::new(["crio", "runtime", "hooks_dir"], hook_folders(set)));
    }
    files.push(Wanted { path, content: Content::Settings { format: Format::Toml, settings } });
    Ok(Registration { files, notes: Vec::new(), reload: Engine::Crio.restart(site) })
}

fn read(site: &Site) -> Result<Layers, EngineError> {
    let mut layers = Layers::default();
    layers.lay(site, Path::new(MAIN), Format::Toml, |_| {})?;
    for path in site.list(Path::new(DROP_INS), "") {
        layers.lay(site, &path, Format::Toml, |_| {})?;
    }
    Ok(layers)
}

/// CRI-O's own default is crun from 1.31 on, runc before.
fn default<'l>(site: &Site, layers: &'l Layers) -> &'l str {
    let by_itself = match site.version_of(Engine::Crio) {
        Some(version) if version < (1, 31) => "runc",
        _ => "crun",
    };
    layers.text(&["crio", "runtime", "default_runtime"]).filter(|name| !name.is_empty()).unwrap_or(by_itself)
}

pub(super) fn coverage(site: &Site) -> Result<Coverage, EngineError> {
    let layers = read(site)?;
    let default = default(site, &layers).to_owned();
    let mut names = layers.names(&RUNTIMES);
    if !names.contains(&default) {
        names.push(default.clone());
    }
    let handlers = names.iter().map(|name| {
        let get = |key| layers.text(&["crio", "runtime", "runtimes", name, key]).filter(|text| !text.is_empty());
        let file = layers.file(&["crio", "runtime", "runtimes", name, "runtime_path"]);
        let inherits = layers.get(&["crio", "runtime", "runtimes", name, "inherit_default_runtime"]);
        let of = if inherits == Some(&Value::Flag(true)) { &default } else { name };
        let path = layers.text(&["crio", "runtime", "runtimes", of, "runtime_path"]).filter(|text| !text.is_empty());
        if get("runtime_type") == Some("vm") {
            let starts = format!("a virtual machine, {}", path.unwrap_or("kata"));
            return Handler::other(name, starts, file);
        }
        Handler::of_program(site, name, path.unwrap_or(of), file)
    });
    let handlers = handlers.collect();
    let version = site.version_text(Engine::Crio);
    // No client of CRI-O's names a runtime by its path.
    let ways = Vec::new();
    Ok(Coverage { engine: Engine::Crio, version, files: layers.files, handlers, default, ways, notes: Vec::new() })
}
