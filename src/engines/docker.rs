//! Docker: `runtimes` and `default-runtime` in daemon.json.
//!
//! dockerd keeps the name `runc` for itself (`daemon/runtime_unix.go`, `setupRuntimes`), and its built-in BuildKit runs `runc`
//! from PATH, or what `DOCKER_BUILDKIT_RUNC_COMMAND` names where it knows that variable (`builder-next/executor_linux.go`).

use std::path::{Path, PathBuf};

use super::coverage::{Coverage, Handler, Way, runc_on_path, users_with};
use super::layers::Layers;
use super::{Content, Engine, EngineError, Format, Registration, Request, Setting, Site, Wanted};

const CONFIG: &str = "docker/daemon.json";

/// The variable for builds.
const BUILDS: &str = "DOCKER_BUILDKIT_RUNC_COMMAND";

/// The names that dockerd has by itself; all of them start `runc` from PATH.
const STOCK: [&str; 2] = ["runc", "io.containerd.runc.v2"];

/// What starts dockerd, and with which options.
const UNITS: [&str; 4] = [
    "/usr/lib/systemd/system/docker.service",
    "/lib/systemd/system/docker.service",
    "/etc/systemd/system/docker.service",
    "/etc/default/docker",
];

pub(super) fn registration(request: &Request, site: &Site) -> Result<Registration, EngineError> {
    if let Some(stage) = request.hooks.first() {
        return Err(EngineError::NoHook { engine: "Docker", stage: stage.word() });
    }
    let path = request.config.clone().unwrap_or_else(|| site.config(CONFIG));
    let mut layers = Layers::default();
    layers.lay(site, &path, Format::Json, |_| {})?;
    let mut settings = Vec::new();
    let runtime = request.runtime.as_deref().unwrap_or(Path::new(super::RUNTIME)).display().to_string();
    for name in &request.names {
        if STOCK.contains(&name.as_str()) {
            return Err(EngineError::Reserved { name: name.clone() });
        }
        // A shim, or arguments for another program: dockerd refuses the one and would hand over the other.
        if let Some(other) = layers.names(&["runtimes", name]).into_iter().find(|key| key != "path") {
            let setting = format!("runtimes.{name}");
            return Err(EngineError::Taken { path, setting, found: format!("a runtime with {other}") });
        }
        settings.push(Setting::exclusive(["runtimes", name, "path"], runtime.clone(), request.replace));
    }
    refuse_flag(site, "--add-runtime")?;
    if request.default {
        refuse_flag(site, "--default-runtime")?;
        let name = request.names.first().map_or("batten", String::as_str);
        settings.push(Setting::new(["default-runtime"], name));
    }
    let mut files = vec![Wanted { path, content: Content::Settings { format: Format::Json, settings } }];
    let mut reload = Engine::Docker.restart(site);
    if request.builds {
        files.push(builds(site, &runtime)?);
        reload = Some(if site.is_user() {
            "systemctl --user daemon-reload && systemctl --user restart docker"
        } else {
            "systemctl daemon-reload && systemctl restart docker"
        });
    }
    Ok(Registration { files, notes: Vec::new(), reload })
}

/// The unit's drop-in that has builds go through batten-runtime.
fn builds(site: &Site, runtime: &str) -> Result<Wanted, EngineError> {
    if let Some(path) = site.program("dockerd").filter(|dockerd| !site.contains(dockerd, BUILDS)) {
        return Err(EngineError::BuildsFixed { path });
    }
    let text = format!("{}[Service]\nEnvironment={BUILDS}={runtime}\n", super::install::HEADER);
    Ok(Wanted { path: builds_unit(site), content: Content::Whole(text) })
}

fn builds_unit(site: &Site) -> PathBuf {
    let folder = if site.is_user() { "systemd/user" } else { "systemd/system" };
    site.config(&format!("{folder}/docker.service.d/batten-builds.conf"))
}

fn units(site: &Site) -> Vec<PathBuf> {
    let drop_ins = site.list(Path::new("/etc/systemd/system/docker.service.d"), ".conf");
    UNITS.iter().map(PathBuf::from).chain(drop_ins).collect()
}

/// dockerd does not start when a setting is on its command line and in its file.
fn refuse_flag(site: &Site, flag: &'static str) -> Result<(), EngineError> {
    match said_in_unit(site, flag) {
        Some(path) => Err(EngineError::Flag { path, flag }),
        None => Ok(()),
    }
}

/// The file that starts dockerd with `word` in a line that is no comment.
fn said_in_unit(site: &Site, word: &str) -> Option<PathBuf> {
    let says = |text: String| text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains(word));
    units(site).into_iter().find(|path| site.read(path).ok().flatten().is_some_and(says))
}

pub(super) fn coverage(site: &Site) -> Result<Coverage, EngineError> {
    let mut layers = Layers::default();
    layers.lay(site, &site.config(CONFIG), Format::Json, |_| {})?;
    let configured = layers.names(&["runtimes"]).into_iter().map(|name| {
        let file = layers.file(&["runtimes", &name, "path"]).or(layers.files.first().map(PathBuf::as_path));
        let shim = layers.text(&["runtimes", &name, "runtimeType"]);
        let binary = layers.text(&["runtimes", &name, "options", "BinaryName"]);
        match (layers.text(&["runtimes", &name, "path"]), shim) {
            (Some(path), _) => Handler::of_program(site, &name, path, file),
            (None, Some("io.containerd.runc.v2")) => Handler::of_program(site, &name, binary.unwrap_or("runc"), file),
            (None, shim) => {
                let starts = format!("another shim, {}", shim.unwrap_or("which is not named"));
                Handler::other(&name, starts, file)
            }
        }
    });
    // A shim's own name can be asked for from Docker 23 on.
    let is_old = site.version_of(Engine::Docker).is_some_and(|version| version < (23, 0));
    let stock = if is_old { &STOCK[..1] } else { &STOCK[..] };
    let stock = stock.iter().map(|name| Handler::of_program(site, name, "runc", None));
    let handlers: Vec<Handler> = configured.chain(stock).collect();
    let default = layers.text(&["default-runtime"]).unwrap_or("runc").to_owned();
    let mut notes = Vec::new();
    for flag in ["--default-runtime", "--add-runtime", "--config-file"] {
        let said = said_in_unit(site, flag);
        notes.extend(said.map(|path| format!("{} starts dockerd with {flag}, which is not read here", path.display())));
    }
    let version = site.version_text(Engine::Docker);
    let ways = ways(site);
    Ok(Coverage { engine: Engine::Docker, version, files: layers.files, handlers, default, ways, notes })
}

fn ways(site: &Site) -> Vec<Way> {
    let mut builds = runc_on_path(site);
    "docker build, through dockerd's own BuildKit, which runs runc from PATH".clone_into(&mut builds.what);
    if let Some(unit) = told_builds(site) {
        builds.is_open = false;
        builds.what = format!("docker build: {BUILDS} in {} names batten-runtime", unit.display());
    } else if site.program("dockerd").is_some_and(|dockerd| site.contains(&dockerd, BUILDS)) {
        builds.closed_by = format!("batten install docker --builds; or {}", builds.closed_by);
    }
    let own = users_with(site, CONFIG);
    let shown = own.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    vec![
        builds,
        Way {
            what: if own.is_empty() {
                "rootless Docker of users, with a daemon.json of their own".to_owned()
            } else {
                format!("rootless Docker of users, with a daemon.json of their own: {shown}")
            },
            is_open: !own.is_empty(),
            is_roots: false,
            closed_by: "batten install docker --default, run as that user; he can undo it, within his own rights"
                .to_owned(),
        },
        Way {
            what: "shims by their name (--runtime io.containerd.NAME.v2, from Docker 23 on), where they are installed"
                .to_owned(),
            is_open: true,
            is_roots: true,
            closed_by: "nothing here: who may talk to dockerd is root; take shims away that nobody needs".to_owned(),
        },
    ]
}

/// The file that tells dockerd to build with batten-runtime.
fn told_builds(site: &Site) -> Option<PathBuf> {
    if !site.program("dockerd").is_none_or(|dockerd| site.contains(&dockerd, BUILDS)) {
        return None;
    }
    let mut files = units(site);
    files.push(builds_unit(site));
    files.into_iter().find(|path| {
        let text = site.read(path).ok().flatten().unwrap_or_default();
        let value = text.lines().rev().filter(|line| !line.trim_start().starts_with('#')).find_map(|line| {
            line.split_once(BUILDS)?.1.strip_prefix('=').map(|rest| rest.trim_matches(['"', '\'', ' ']).to_owned())
        });
        value.is_some_and(|value| site.program(&value).is_some_and(|program| site.is_batten(&program)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_that_are_read_are_those_of_systemd_and_debian() {
        assert!(units(&Site::below("/nonexistent")).len() == UNITS.len());
    }
}
