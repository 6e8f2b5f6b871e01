//! containerd: handlers of its CRI plugin, which Kubernetes asks for by RuntimeClass.
//!
//! The plugin's section has another name in each version of the file (`docs/cri/config.md` of containerd): `cri` in version
//! 1, `io.containerd.grpc.v1.cri` in 2, `io.containerd.cri.v1.runtime` from 3 on. A file that `imports` brings in replaces whole
//! plugin sections before containerd 2.1; and its folder conf.d is read only where the main file's own `imports` names it
//! (`cmd/containerd/server/config/config.go`, `LoadConfigWithPlugins`). So a drop-in is used only where both are known to
//! hold, else the main file is edited.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::coverage::{Coverage, Handler, Way, runc_on_path};
use super::layers::Layers;
use super::{
    Content, Engine, EngineError, Format, Registration, Request, Setting, Site, Value, Version, Wanted, hooks,
};

const MAIN: &str = "containerd/config.toml";
const DROP_IN: &str = "/etc/containerd/conf.d/batten.toml";
/// What the CRI plugin begins every container with, where hooks are registered.
const BASE_SPEC: &str = "/etc/containerd/batten-base-spec.json";
const SHIM: &str = "io.containerd.runc.v2";

/// What every version's section is called here.
const CRI: &str = "cri";

/// From where on files that are imported are merged key by key.
const MERGES: Version = (2, 1);

pub(super) fn registration(request: &Request, site: &Site) -> Result<Registration, EngineError> {
    if request.hooks.contains(&hooks::Stage::Precreate) {
        return Err(EngineError::NoHook { engine: "containerd", stage: hooks::Stage::Precreate.word() });
    }
    if request.builds {
        return Err(EngineError::NoBuilds { engine: "containerd" });
    }
    let main = request.config.clone().unwrap_or_else(|| site.config(MAIN));
    let version = site.version_of(Engine::Containerd);
    let (layers, own) = read(site, &main, version)?;
    let is_blank = own.names(&[]).is_empty();
    let is_new = version.is_some_and(|version| version >= (2, 0));
    let schema = match own.get(&["version"]) {
        Some(Value::Number(number)) => *number,
        _ if is_blank && is_new => 3,
        // Both families of containerd read it.
        _ if is_blank => 2,
        _ => 1,
    };
    let imports_drop_in = imports(&own, &main).iter().any(|pattern| pattern.matches(DROP_IN));
    let drops_in = request.config.is_none() && imports_drop_in && version.is_some_and(|version| version >= MERGES);
    let (path, schema) = if drops_in { (PathBuf::from(DROP_IN), schema.max(3)) } else { (main, schema) };
    let mut settings = Vec::new();
    if drops_in || is_blank {
        settings.push(Setting::new(["version"], schema));
    }
    let plugin = section(schema);
    if request.default {
        let name = request.names.first().map_or("batten", String::as_str);
        settings.push(Setting::new(["plugins", plugin, "containerd", "default_runtime_name"], name));
    }
    let mut model = model(&layers);
    let mut files = Vec::new();
    if !request.hooks.is_empty() {
        if let Some((_, found)) = model.iter().find(|(keys, _)| *keys == ["base_runtime_spec"]) {
            let (setting, found) = ("base_runtime_spec".to_owned(), found.to_string());
            return Err(EngineError::Taken { path, setting, found });
        }
        model.push((vec!["base_runtime_spec".to_owned()], BASE_SPEC.into()));
        files.push(Wanted { path: BASE_SPEC.into(), content: Content::Whole(base_spec(request, site)) });
    }
    if request.runtime.is_none() {
        settings.extend(handler(plugin, default(&layers), &model, request));
    }
    for name in request.names.iter().filter(|_| request.runtime.is_some()) {
        refuse_taken(&layers, name, request)?;
        settings.extend(handler(plugin, name, &model, request));
    }
    let mut notes = Vec::new();
    if disables_cri(&layers) {
        notes.push(format!("{} disables the CRI plugin: what is set here counts when it is enabled", path.display()));
    }
    if !drops_in && layers.files.len() > 1 && version.is_none_or(|version| version < MERGES) {
        notes.push(
            "the file imports others: before containerd 2.1 one of them that names the CRI plugin replaces all of it; \
             check with: containerd config dump"
                .to_owned(),
        );
    }
    files.push(Wanted { path, content: Content::Settings { format: Format::Toml, settings } });
    Ok(Registration { files, notes, reload: Engine::Containerd.restart(site) })
}

const fn section(version: i64) -> &'static str {
    match version {
        ..=1 => "cri",
        2 => "io.containerd.grpc.v1.cri",
        3.. => "io.containerd.cri.v1.runtime",
    }
}

/// The settings of the default handler, which the new one takes over: the cgroup driver above all.
fn model(layers: &Layers) -> Vec<(Vec<String>, Value)> {
    let mut model = layers.below(&["plugins", CRI, "containerd", "runtimes", default(layers)]);
    let other = |(keys, value): &(Vec<String>, Value)| *keys == ["runtime_type"] && value.as_text() != Some(SHIM);
    if model.iter().any(other) {
        // Another shim's settings mean nothing to this one.
        model.clear();
    }
    model.retain(|(keys, _)| {
        *keys != ["options", "BinaryName"] && *keys != ["runtime_type"] && *keys != ["runtime_path"]
    });
    model
}

fn default(layers: &Layers) -> &str {
    layers.text(&["plugins", CRI, "containerd", "default_runtime_name"]).unwrap_or("runc")
}

/// The spec that containerd's CRI begins every container with, and the hooks: what this containerd would take by itself, or
/// else what 1.6 takes (`ctr oci spec`, without a control group).
fn base_spec(request: &Request, site: &Site) -> String {
    let own =
        site.is_host().then(|| Command::new("ctr").args(["oci", "spec"]).stdin(Stdio::null()).output().ok()).flatten();
    let own = own.and_then(|output| serde_json::from_slice(&output.stdout).ok());
    let mut spec: serde_json::Value =
        own.or_else(|| serde_json::from_str(include_str!("base-spec.json")).ok()).unwrap_or_default();
    if let Some(linux) = spec.get_mut("linux").and_then(serde_json::Value::as_object_mut) {
        linux.remove("cgroupsPath");
    }
    spec["hooks"] = hooks::section(&request.hooks, &request.batten);
    format!("{spec:#}\n")
}

fn handler(plugin: &str, name: &str, model: &[(Vec<String>, Value)], request: &Request) -> Vec<Setting> {
    let above = ["plugins", plugin, "containerd", "runtimes", name];
    let at = |keys: &[String]| above.iter().map(|key| (*key).to_owned()).chain(keys.iter().cloned()).collect();
    let mut settings =
        vec![Setting { path: at(&["runtime_type".to_owned()]), value: SHIM.into(), exclusive: !request.replace }];
    settings.extend(model.iter().map(|(keys, value)| Setting {
        path: at(keys),
        value: value.clone(),
        exclusive: false,
    }));
    settings.extend(request.runtime.as_ref().map(|runtime| Setting {
        path: at(&["options".to_owned(), "BinaryName".to_owned()]),
        value: runtime.display().to_string().into(),
        exclusive: !request.replace,
    }));
    settings
}

/// Another file than the one that is written may have given the name away.
fn refuse_taken(layers: &Layers, name: &str, request: &Request) -> Result<(), EngineError> {
    let keys = ["plugins", CRI, "containerd", "runtimes", name, "options", "BinaryName"];
    let wanted = request.runtime.as_ref().map(|runtime| runtime.display().to_string());
    match (layers.text(&keys), layers.file(&keys)) {
        (Some(found), Some(file)) if !request.replace && !found.is_empty() && wanted.as_deref() != Some(found) => {
            let setting = format!("the BinaryName of the handler {name}");
            Err(EngineError::Taken { path: file.to_owned(), setting, found: format!("{found:?}") })
        }
        _ => Ok(()),
    }
}

/// All the settings, and those of the main file by itself.
fn read(site: &Site, main: &Path, version: Option<Version>) -> Result<(Layers, Layers), EngineError> {
    let mut layers = Layers::default();
    let mut pending = vec![main.to_owned()];
    let mut own_of_main = None;
    while let Some(path) = pending.pop() {
        if layers.files.contains(&path) {
            continue;
        }
        let mut own = Layers::default();
        own.lay(site, &path, Format::Toml, rename)?;
        let is_new = matches!(own.get(&["version"]), Some(Value::Number(3..)));
        if !version.map_or(is_new, |version| version >= MERGES) && path != main {
            for plugin in own.names(&["plugins"]) {
                layers.forget(&["plugins", &plugin]);
            }
        }
        layers.lay(site, &path, Format::Toml, rename)?;
        pending.extend(imports(&own, &path).iter().rev().flat_map(|pattern| matching(site, pattern).into_iter().rev()));
        own_of_main.get_or_insert(own);
    }
    Ok((layers, own_of_main.unwrap_or_default()))
}

/// The files that a file imports, as patterns from / on.
fn imports(own: &Layers, path: &Path) -> Vec<glob::Pattern> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let patterns = own.get(&["imports"]).map(Value::texts).unwrap_or_default().iter();
    patterns.filter_map(|pattern| glob::Pattern::new(&folder.join(pattern).to_string_lossy()).ok()).collect()
}

fn matching(site: &Site, pattern: &glob::Pattern) -> Vec<PathBuf> {
    let root = site.real(Path::new("/"));
    let found = glob::glob(&site.real(Path::new(pattern.as_str())).to_string_lossy()).into_iter().flatten().flatten();
    found.filter_map(|path| path.strip_prefix(&root).ok().map(|rest| Path::new("/").join(rest))).collect()
}

fn rename(keys: &mut [String]) {
    if keys.len() > 1 && keys[0] == "plugins" && (1..=3).any(|version| keys[1] == section(version)) {
        CRI.clone_into(&mut keys[1]);
    }
}

fn disables_cri(layers: &Layers) -> bool {
    let disabled = layers.get(&["disabled_plugins"]).map(Value::texts).unwrap_or_default();
    disabled.iter().any(|plugin| (1..=3).any(|version| plugin == section(version)))
}

pub(super) fn coverage(site: &Site) -> Result<Coverage, EngineError> {
    let main = site.config(MAIN);
    let (layers, _) = read(site, &main, site.version_of(Engine::Containerd))?;
    let runtimes = ["plugins", CRI, "containerd", "runtimes"];
    let mut names = layers.names(&runtimes);
    // It is there without any file.
    if !names.iter().any(|name| name == "runc") {
        names.push("runc".to_owned());
    }
    let handlers = names.iter().map(|name| {
        let get = |keys: &[&str]| {
            let keys: Vec<&str> = runtimes.iter().chain(&[name.as_str()]).chain(keys).copied().collect();
            (layers.text(&keys).map(str::to_owned), layers.file(&keys).map(Path::to_owned))
        };
        let (shim, file) = get(&["runtime_type"]);
        let (shim_path, _) = get(&["runtime_path"]);
        let (binary, binary_file) = get(&["options", "BinaryName"]);
        if let Some(shim) = shim_path.or(shim).filter(|shim| shim != SHIM && !shim.is_empty()) {
            return Handler::other(name, format!("another shim, {shim}"), file.as_deref());
        }
        let binary = binary.filter(|binary| !binary.is_empty());
        Handler::of_program(site, name, binary.as_deref().unwrap_or("runc"), binary_file.or(file).as_deref())
    });
    let handlers = handlers.collect();
    let default = default(&layers).to_owned();
    let ways = vec![
        runc_on_path(site),
        Way {
            what: "ctr, nerdctl and other clients of containerd's socket, which name the runtime themselves".to_owned(),
            is_open: true,
            is_roots: true,
            closed_by: "nothing here: keep the socket root's; runc on PATH covers ctr without --runc-binary".to_owned(),
        },
    ];
    let mut notes = Vec::new();
    if disables_cri(&layers) {
        notes.push("the CRI plugin is disabled: its handlers stand unused".to_owned());
    }
    let version = site.version_text(Engine::Containerd);
    Ok(Coverage { engine: Engine::Containerd, version, files: layers.files, handlers, default, ways, notes })
}
