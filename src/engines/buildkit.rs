//! BuildKit by itself: `[worker.oci] binary` of buildkitd.toml, and the runtime of its containerd worker.
//!
//! A worker has one runtime, so names and defaults mean nothing here. dockerd's built-in BuildKit reads none of this.

use super::coverage::{Coverage, Handler, Way};
use super::layers::Layers;
use super::{Content, Engine, EngineError, Format, Registration, Request, Setting, Site, Value, Wanted};

const CONFIG: &str = "buildkit/buildkitd.toml";

pub(super) fn registration(request: &Request, site: &Site) -> Result<Registration, EngineError> {
    if let Some(stage) = request.hooks.first() {
        return Err(EngineError::NoHook { engine: "BuildKit", stage: stage.word() });
    }
    if request.builds {
        return Err(EngineError::NoBuilds { engine: "BuildKit" });
    }
    let path = request.config.clone().unwrap_or_else(|| site.config(CONFIG));
    let mut layers = Layers::default();
    layers.lay(site, &path, Format::Toml, |_| {})?;
    let Some(runtime) = &request.runtime else { return Ok(Registration::default()) };
    let runtime = runtime.display().to_string();
    let mut settings = vec![Setting::exclusive(["worker", "oci", "binary"], runtime.clone(), request.replace)];
    if uses_containerd(&layers) {
        let above = ["worker", "containerd", "runtime"];
        settings.push(Setting::exclusive(
            [above[0], above[1], above[2], "name"],
            "io.containerd.runc.v2",
            request.replace,
        ));
        settings.push(Setting::exclusive(
            [above[0], above[1], above[2], "options", "BinaryName"],
            runtime,
            request.replace,
        ));
    }
    let files = vec![Wanted { path, content: Content::Settings { format: Format::Toml, settings } }];
    Ok(Registration { files, notes: Vec::new(), reload: Engine::Buildkit.restart(site) })
}

fn uses_containerd(layers: &Layers) -> bool {
    layers.get(&["worker", "containerd", "enabled"]) == Some(&Value::Flag(true))
}

pub(super) fn coverage(site: &Site) -> Result<Coverage, EngineError> {
    let mut layers = Layers::default();
    layers.lay(site, &site.config(CONFIG), Format::Toml, |_| {})?;
    let keys = ["worker", "oci", "binary"];
    // What it looks for by itself (`executor/runcexecutor/executor.go`, defaultCommandCandidates).
    let by_itself = ["buildkit-runc", "runc"].into_iter().find(|name| site.program(name).is_some()).unwrap_or("runc");
    let binary = layers.text(&keys).filter(|text| !text.is_empty()).unwrap_or(by_itself);
    let mut handlers = vec![Handler::of_program(site, "oci worker", binary, layers.file(&keys))];
    if uses_containerd(&layers) {
        let keys = ["worker", "containerd", "runtime", "options", "BinaryName"];
        let binary = layers.text(&keys).unwrap_or("runc");
        handlers.push(Handler::of_program(site, "containerd worker", binary, layers.file(&keys)));
    }
    let ways = vec![Way {
        what: "buildkitd --oci-worker-binary on its command line, which counts before its file".to_owned(),
        is_open: true,
        is_roots: true,
        closed_by: "nothing here: look at its unit".to_owned(),
    }];
    let version = site.version_text(Engine::Buildkit);
    let default = "oci worker".to_owned();
    Ok(Coverage { engine: Engine::Buildkit, version, files: layers.files, handlers, default, ways, notes: Vec::new() })
}
