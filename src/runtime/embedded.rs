//! Containers without a runtime on the machine: youki's libcontainer, in this process.
//!
//! libcontainer reads config.json by itself, from a bundle it is given. What it is given is a folder that only batten's
//! user can open, with the judged text in it and nothing else; the root filesystem stays where it is. Its other ways
//! (0.7, read in its source) are met here:
//!
//! - With `noNewPrivileges: false` it loads the seccomp filter after it has dropped CAP_SYS_ADMIN, which the kernel
//!   refuses; without the member, before. Both mean the same, so `false` is left out.
//! - It keeps the capabilities of a process that lists none, and takes `KILL` for `CAP_KILL`: the judgement always writes
//!   all five sets, with exact names.
//! - User namespaces need its systemd cgroup manager, which batten does not carry: refused with a word on what to do.
//! - Its exec does not load the seccomp filter: batten does not use it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use libcontainer::container::builder::ContainerBuilder;
use libcontainer::container::{Container as Inner, ContainerStatus};
use libcontainer::error::LibcontainerError;
use libcontainer::syscall::syscall::SyscallType;
use nix::errno::Errno;
use nix::unistd::Pid;

use super::signals::Remembered;
use super::sigpipe;
use super::terminal::{Console, ConsoleSocket};
use crate::spec::{CONFIG, Document, Edit, EditError, Pointer, ReadError, apply, quote};

/// The embedded runtime, by the folder in which it keeps its containers.
#[derive(Debug, Clone)]
pub struct Embedded {
    root: PathBuf,
}

/// What a container needs besides its config.json.
#[derive(Debug, Default)]
pub struct Launch<'l> {
    /// Where to write the pid of its first process.
    pub pid_file: Option<&'l Path>,
    /// Where to send its terminal.
    pub console_socket: Option<&'l Path>,
}

/// A container of the embedded runtime.
#[derive(Debug)]
pub struct Container {
    inner: Inner,
    bundle: PathBuf,
}

/// A container that the embedded runtime could not create, start or delete.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The judged text cannot be read back; a defect of batten.
    #[error("the judged config.json cannot be read back: {0}")]
    Read(#[from] ReadError),
    /// The judged text cannot be made libcontainer's; a defect of batten.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A folder or file of the embedded runtime's own.
    #[error("cannot {action} {}: {error}", path.display())]
    Files {
        /// What was tried.
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The id is taken.
    #[error("there is a container {id:?} already")]
    Exists {
        /// The id.
        id: String,
    },
    /// There is no such container.
    #[error("there is no container {id:?} below {}", root.display())]
    Missing {
        /// The id.
        id: String,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// The container still runs.
    #[error("the container {id:?} is running")]
    Running {
        /// The id.
        id: String,
    },
    /// What libcontainer cannot do here.
    #[error("the embedded runtime runs no user namespaces")]
    UserNamespace,
    /// libcontainer said no.
    #[error("cannot {action} the container: {reason}")]
    Runtime {
        /// What was tried.
        action: &'static str,
        /// Its words, with those of what caused it.
        reason: String,
    },
    /// A terminal that nobody would hold.
    #[error("the container wants a terminal, and nobody is there to hold it")]
    NobodyAtTerminal,
    /// The container's terminal.
    #[error("cannot set the container's terminal up: {0}")]
    Terminal(io::Error),
    /// The container's first process cannot be waited for.
    #[error("cannot wait for the container: {0}")]
    Wait(io::Error),
}

impl EmbeddedError {
    /// What the caller can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) | Self::Edit(_) => "this is a defect of batten: please report it with the config.json",
            Self::Files { .. } => "name a folder that you may write with --root",
            Self::Exists { .. } => "choose another id, or `batten delete` the container",
            Self::Missing { .. } => "check the id and --root",
            Self::Running { .. } => "add --force to kill it first",
            Self::UserNamespace => "use --runtime runc or --runtime crun for rootless containers",
            Self::Runtime { .. } => "check the bundle against the runtime-spec, or try --runtime runc",
            Self::NobodyAtTerminal | Self::Terminal(_) => "set process.terminal to false, or pass --console-socket",
            Self::Wait(_) => "this is a defect of batten: please report it",
        }
    }
}

impl Embedded {
    /// The runtime whose containers are kept in `root`.
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn states(&self) -> PathBuf {
        self.root.join("state")
    }

    fn bundle(&self, id: &str) -> PathBuf {
        self.root.join("bundles").join(id)
    }

    /// Creates container `id` from `judged`, the text of a config.json that belongs to the folder `bundle`.
    ///
    /// # Errors
    /// [`EmbeddedError`]; nothing is left of the container then.
    pub fn create(
        &self,
        id: &str,
        judged: &str,
        bundle: &Path,
        launch: &Launch<'_>,
    ) -> Result<Container, EmbeddedError> {
        let bundle = std::path::absolute(bundle).map_err(|error| files("find", bundle, error))?;
        let text = prepare(judged, &bundle)?;
        if self.states().join(id).exists() {
            return Err(EmbeddedError::Exists { id: id.to_owned() });
        }
        let private = self.bundle(id);
        write_private(&private, &text)?;
        sigpipe::restore();
        let created = in_folder(&bundle, || self.build(id, &private, launch));
        match created {
            Ok(inner) => Ok(Container { inner, bundle: private }),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&private);
                Err(error)
            }
        }
    }

    fn build(&self, id: &str, private: &Path, launch: &Launch<'_>) -> Result<Inner, EmbeddedError> {
        let failed = |error: LibcontainerError| runtime("create", &error);
        ContainerBuilder::new(id.to_owned(), SyscallType::default())
            .with_root_path(self.states())
            .and_then(|builder| builder.with_pid_file(launch.pid_file))
            .map_err(failed)?
            .with_console_socket(launch.console_socket)
            .as_init(private)
            .with_systemd(false)
            // Only says that a terminal goes over a socket, which is so in the foreground as well.
            .with_detach(true)
            .build()
            .map_err(failed)
    }

    /// The container `id`.
    ///
    /// # Errors
    /// [`EmbeddedError`] when there is none.
    pub fn load(&self, id: &str) -> Result<Container, EmbeddedError> {
        let folder = self.states().join(id);
        if !folder.exists() {
            return Err(EmbeddedError::Missing { id: id.to_owned(), root: self.root.clone() });
        }
        let inner = Inner::load(folder).map_err(|error| runtime("load", &error))?;
        Ok(Container { inner, bundle: self.bundle(id) })
    }
}

impl Container {
    /// Runs the container's program.
    ///
    /// # Errors
    /// [`EmbeddedError`] of libcontainer.
    pub fn start(&mut self) -> Result<(), EmbeddedError> {
        self.inner.start().map_err(|error| runtime("start", &error))
    }

    /// Its first process.
    pub fn pid(&self) -> Option<Pid> {
        self.inner.pid().map(|pid| Pid::from_raw(pid.as_raw()))
    }

    /// Runs the container's program in the foreground until it ends, removes the container, and gives its exit code.
    /// `terminal` is where its terminal was sent, if it has one.
    ///
    /// # Errors
    /// [`EmbeddedError`]; the container is removed in any case.
    pub fn attend(mut self, signals: Remembered, terminal: Option<ConsoleSocket>) -> Result<u8, EmbeddedError> {
        let result = self.run_to_end(signals, terminal);
        let deleted = self.delete(true);
        let code = result?;
        deleted.map(|()| code)
    }

    fn run_to_end(&mut self, signals: Remembered, terminal: Option<ConsoleSocket>) -> Result<u8, EmbeddedError> {
        let wait = |errno: Errno| EmbeddedError::Wait(errno.into());
        let pid = self.pid().ok_or(EmbeddedError::Wait(io::ErrorKind::NotFound.into()))?;
        let console = terminal.map(|terminal| terminal.receive()).transpose().map_err(EmbeddedError::Terminal)?;
        // Before the threads that copy the terminal: they inherit what is blocked.
        let forwarder = signals.into_forwarder().map_err(wait)?;
        let attached = console.as_ref().map(Console::attach).transpose().map_err(EmbeddedError::Terminal)?;
        self.start()?;
        let resize = console.as_ref().map(|console| || console.resize());
        let code = forwarder.wait(pid, resize.as_ref().map(|resize| resize as &dyn Fn())).map_err(wait)?;
        // The master side must be closed here as well, or its end would never come.
        drop(console);
        if let Some(attached) = attached {
            attached.finish();
        }
        Ok(code)
    }

    /// Removes the container; with `force`, kills what still runs in it.
    ///
    /// # Errors
    /// [`EmbeddedError::Running`] without `force`; libcontainer's.
    pub fn delete(mut self, force: bool) -> Result<(), EmbeddedError> {
        let running = matches!(self.inner.status(), ContainerStatus::Running | ContainerStatus::Paused);
        if running && !force {
            return Err(EmbeddedError::Running { id: self.inner.id().to_owned() });
        }
        self.inner.delete(force).map_err(|error| runtime("delete", &error))?;
        std::fs::remove_dir_all(&self.bundle).map_err(|error| files("remove", &self.bundle, error))
    }
}

/// The judged text as libcontainer needs it; nothing that is judged changes.
fn prepare(judged: &str, bundle: &Path) -> Result<String, EmbeddedError> {
    let document = Document::parse_spec(judged)?;
    let mut edits = Vec::new();
    let root = Pointer::new("/root/path");
    if let Some(path) = document.at(&root).and_then(crate::spec::Value::as_str).filter(|path| !path.starts_with('/')) {
        let mut json = String::new();
        quote(&bundle.join(&*path).to_string_lossy(), &mut json);
        edits.push(Edit::set(root, json));
    }
    let no_new_privs = Pointer::new("/process/noNewPrivileges");
    if document.at(&no_new_privs).and_then(crate::spec::Value::as_bool) == Some(false) {
        edits.push(Edit::remove(no_new_privs));
    }
    let namespaces = document.at(&Pointer::new("/linux/namespaces"));
    let mut kinds = namespaces.into_iter().flat_map(crate::spec::Value::items).filter_map(|item| item.get("type"));
    if kinds.any(|kind| kind.as_str().as_deref() == Some("user")) {
        return Err(EmbeddedError::UserNamespace);
    }
    Ok(apply(&document, &edits)?)
}

fn write_private(folder: &Path, text: &str) -> Result<(), EmbeddedError> {
    // Left by a batten that was killed between its container's end and this folder's.
    let _ = std::fs::remove_dir_all(folder);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| files("create", folder, error))?;
    let path = folder.join(CONFIG);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| files("write", &path, error))
}

/// Relative sources of mounts are meant from the bundle on (runtime-spec, config.md): runc changes there, libcontainer
/// does not.
fn in_folder<T>(folder: &Path, act: impl FnOnce() -> Result<T, EmbeddedError>) -> Result<T, EmbeddedError> {
    let before = std::env::current_dir();
    std::env::set_current_dir(folder).map_err(|error| files("enter", folder, error))?;
    let result = act();
    if let Ok(before) = before {
        let _ = std::env::set_current_dir(before);
    }
    result
}

fn files(action: &'static str, path: &Path, error: io::Error) -> EmbeddedError {
    EmbeddedError::Files { action, path: path.to_owned(), error }
}

/// libcontainer's message and those below it: the outermost one alone says only that something failed.
fn runtime(action: &'static str, error: &dyn std::error::Error) -> EmbeddedError {
    let mut reason = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        let text = error.to_string();
        if !reason.ends_with(&text) {
            reason.push_str(": ");
            reason.push_str(&text);
        }
        below = error.source();
    }
    EmbeddedError::Runtime { action, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_changes_only_where_libcontainer_reads_it_its_own_way() {
        let text = r#"{"root":{"path":"rootfs"},"process":{"noNewPrivileges":false,"cwd":"/"}}"#;
        assert_eq!(prepare(text, Path::new("/b")).unwrap(), r#"{"root":{"path":"/b/rootfs"},"process":{"cwd":"/"}}"#);
        let text = r#"{"root":{"path":"/rootfs"},"process":{"noNewPrivileges":true,"x":1.0}}"#;
        assert_eq!(prepare(text, Path::new("/b")).unwrap(), text);
    }

    #[test]
    fn a_user_namespace_is_refused() {
        let text = r#"{"linux":{"namespaces":[{"type":"pid"},{"type":"user"}]}}"#;
        assert!(matches!(prepare(text, Path::new("/b")), Err(EmbeddedError::UserNamespace)));
    }
}
