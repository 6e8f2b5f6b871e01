//! What an engine does with containers as it is configured now.

use std::path::{Path, PathBuf};

use super::{Engine, EngineError, Site};

/// How one engine stands.
#[derive(Debug)]
pub struct Coverage {
    /// The engine.
    pub engine: Engine,
    /// What it says of its version.
    pub version: Option<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// What a container can ask for.
    pub handlers: Vec<Handler>,
    /// What one gets that asks for nothing.
    pub default: String,
    /// The ways around.
    pub ways: Vec<Way>,
    /// What a reader must know besides.
    pub notes: Vec<String>,
}

/// A name that containers can ask for.
#[derive(Debug)]
pub struct Handler {
    /// The name.
    pub name: String,
    /// What it starts.
    pub starts: String,
    /// Whether that is batten-runtime.
    pub is_covered: bool,
    /// Whether it starts nothing, since its program is not on the machine.
    pub is_absent: bool,
    /// Where that was said; none for what the engine brings along.
    pub file: Option<PathBuf>,
}

/// A way to start a container without batten-runtime.
#[derive(Debug)]
pub struct Way {
    /// What somebody would do, and who can.
    pub what: String,
    /// Whether it can be done.
    pub is_open: bool,
    /// Whether only root can, or who may do as root does through the engine's socket.
    pub is_roots: bool,
    /// What closes it.
    pub closed_by: String,
}

impl Coverage {
    /// Whether a container that asks for nothing goes through batten-runtime.
    pub fn default_is_covered(&self) -> bool {
        self.handlers.iter().any(|handler| handler.name == self.default && handler.is_covered)
    }

    /// Whether every container does, whatever name it asks for.
    pub fn all_are_covered(&self) -> bool {
        self.default_is_covered() && self.handlers.iter().all(|handler| handler.is_covered || handler.is_absent)
    }

    /// Whether nothing known leads around, but for root.
    pub fn is_closed(&self) -> bool {
        self.all_are_covered() && self.ways.iter().all(|way| !way.is_open || way.is_roots)
    }
}

impl Handler {
    /// A handler that starts the program at `path`.
    pub fn of_program(site: &Site, name: &str, path: &str, file: Option<&Path>) -> Self {
        let program = site.program(path);
        let is_covered = program.as_ref().is_some_and(|program| site.is_batten(program));
        let starts = match &program {
            Some(program) if path.contains('/') => program.display().to_string(),
            Some(program) => format!("{path} on PATH ({})", program.display()),
            None => format!("{path}, which is not there"),
        };
        let (is_absent, file) = (program.is_none(), file.map(Path::to_owned));
        Self { name: name.to_owned(), starts, is_covered, is_absent, file }
    }

    /// A handler that starts no runtime of batten's kind.
    pub(super) fn other(name: &str, starts: String, file: Option<&Path>) -> Self {
        Self { name: name.to_owned(), starts, is_covered: false, is_absent: false, file: file.map(Path::to_owned) }
    }
}

/// Whether an engine is on the machine: its program, or a configuration of it.
pub(super) fn found(engine: Engine, site: &Site) -> bool {
    let config = match engine {
        Engine::Containerd => "containerd/config.toml",
        Engine::Docker => "docker/daemon.json",
        Engine::Podman => "containers/containers.conf",
        Engine::Crio => "crio/crio.conf",
        Engine::Buildkit => "buildkit/buildkitd.toml",
    };
    site.program(engine.program()).is_some() || site.exists(&site.config(config))
}

/// Reads how an engine stands, if it is there.
///
/// # Errors
/// [`EngineError`] when its configuration cannot be read.
pub(super) fn of(engine: Engine, site: &Site) -> Result<Option<Coverage>, EngineError> {
    if found(engine, site) { engine.coverage(site).map(Some) } else { Ok(None) }
}

/// Whether whoever looks `runc` up on PATH gets batten-runtime: the engines' own names, builds, ctr.
pub(super) fn runc_on_path(site: &Site) -> Way {
    let program = site.program("runc");
    let is_open = program.as_ref().is_some_and(|program| !site.is_batten(program));
    let shown = program.as_ref().map_or_else(|| "none is there".to_owned(), |path| path.display().to_string());
    Way {
        what: format!("what looks for runc on PATH ({shown})"),
        is_open,
        is_roots: false,
        closed_by: "batten-runtime first on PATH: ln -s /usr/local/bin/batten-runtime /usr/local/sbin/runc".to_owned(),
    }
}

/// Users of the machine with a file of their own below their configuration folder.
pub(super) fn users_with(site: &Site, file: &str) -> Vec<PathBuf> {
    let mut homes = site.list_folders(Path::new("/home"));
    homes.push(PathBuf::from("/root"));
    homes.into_iter().map(|home| home.join(".config").join(file)).filter(|path| site.exists(path)).collect()
}
