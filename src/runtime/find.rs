//! Which runtime stands behind the shim: an absolute path that nobody but root can put something else at.

use std::ffi::{CString, OsStr};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;

use super::argv::Dialect;
use super::config::ShimConfig;
use crate::spec::{Astray, Cause, Doubt, trust_way};

/// What is looked for, in this order.
const NAMES: [&str; 2] = ["runc", "crun"];

/// Where it is looked for, in this order: the places of distributions' packages first, then the administrator's.
const PLACES: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/// The runtime behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealRuntime {
    /// Its absolute path, as it was configured or found; what the runtime sees as its own name.
    pub path: PathBuf,
    /// How its command line is read.
    pub dialect: Dialect,
}

/// No runtime that may be handed over to.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// None is installed.
    #[error("no runtime is found: neither runc nor crun is in {}", PLACES.join(", "))]
    None,
    /// One that was asked for by name is not installed.
    #[error("{name} is not installed: it is in none of {}", PLACES.join(", "))]
    NotInstalled {
        /// The name.
        name: String,
    },
    /// It is not there, or cannot be looked at.
    #[error("cannot use the runtime {}: {}", path.display(), error.desc())]
    System {
        /// The runtime, or a folder above it.
        path: PathBuf,
        /// Why.
        error: Errno,
    },
    /// It is no program.
    #[error("cannot use the runtime {}: it is not an executable file", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// Someone other than root could replace it.
    #[error("cannot trust the runtime {}: {} {problem}", path.display(), at.display())]
    Untrusted {
        /// The runtime.
        path: PathBuf,
        /// It, or a folder above it.
        at: PathBuf,
        /// What is wrong with it.
        problem: Doubt,
    },
    /// It is batten-runtime.
    #[error("the runtime {} is batten-runtime itself", path.display())]
    Itself {
        /// The path.
        path: PathBuf,
    },
    /// The runtime called batten-runtime again.
    #[error("the runtime that batten-runtime hands over to calls batten-runtime again")]
    Loop,
}

impl FindError {
    fn astray(path: &Path, astray: Astray) -> Self {
        match astray.cause {
            Cause::Doubt(problem) => Self::Untrusted { path: path.to_owned(), at: astray.at, problem },
            Cause::System(error) => Self::System { path: astray.at, error },
        }
    }

    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::None => "install runc or crun, or set runtime = \"/path\" in /etc/batten/runtime.toml",
            Self::NotInstalled { .. } => "install it, or give its path: --runtime /path/to/it",
            Self::System { .. } | Self::NotExecutable { .. } => {
                "name an installed runtime by its path: runtime in /etc/batten/runtime.toml, or --runtime of batten run"
            }
            Self::Untrusted { .. } => {
                "the runtime and the folders above it must belong to root and be writable to root only"
            }
            Self::Itself { .. } | Self::Loop => {
                "set runtime in /etc/batten/runtime.toml to runc or crun; a wrapper that calls batten-runtime must not \
                 stand behind it"
            }
        }
    }
}

/// Tells a batten-runtime that is started by the one before it from one that an engine started.
pub(crate) const MARK: &str = "BATTEN_RUNTIME_HANDOVER";

impl RealRuntime {
    /// The configured runtime, or the first that is found.
    ///
    /// # Errors
    /// [`FindError`] when there is none, or it may not be trusted.
    pub fn find(config: &ShimConfig) -> Result<Self, FindError> {
        if called_by_ourselves() {
            return Err(FindError::Loop);
        }
        let path = match &config.runtime {
            Some(path) => {
                check(path)?;
                path.clone()
            }
            None => first_installed()?,
        };
        let dialect = config.dialect.unwrap_or_else(|| dialect_of(&path));
        Ok(Self { path, dialect })
    }

    /// The runtime at `path`, as an administrator or user names it for one run.
    ///
    /// # Errors
    /// As [`RealRuntime::find`].
    pub fn at(path: &Path) -> Result<Self, FindError> {
        refuse_itself(path)?;
        check(path)?;
        Ok(Self { path: path.to_owned(), dialect: dialect_of(path) })
    }

    /// The runtime called `name` in a standard place.
    ///
    /// # Errors
    /// As [`RealRuntime::find`].
    pub fn named(name: &str) -> Result<Self, FindError> {
        let path = PLACES.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists());
        Self::at(&path.ok_or_else(|| FindError::NotInstalled { name: name.to_owned() })?)
    }
}

/// Whether a program that engines are told to start is one that only root can put something else at.
///
/// # Errors
/// [`FindError`] for what may not be trusted.
#[cfg(feature = "cli")]
pub fn trust_program(path: &Path) -> Result<(), FindError> {
    check(path)
}

fn first_installed() -> Result<PathBuf, FindError> {
    for name in NAMES {
        for place in PLACES {
            let path = Path::new(place).join(name);
            match check(&path) {
                Ok(()) => return Ok(path),
                Err(FindError::System { error: Errno::ENOENT, .. }) => {}
                // One that is there and not to be trusted is not passed over for another: someone put it there.
                Err(error) => return Err(error),
            }
        }
    }
    Err(FindError::None)
}

/// `crun`, `crun-wasm` and `runc.amd64` are what they say; anything else gets only what all runtimes read alike.
fn dialect_of(path: &Path) -> Dialect {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let is = |known: &[u8]| {
        name.strip_prefix(known).is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
    };
    match () {
        () if is(b"runc") => Dialect::Runc,
        () if is(b"crun") || is(b"krun") => Dialect::Crun,
        () => Dialect::Common,
    }
}

/// The file and everything on the way to it must be such that only root (or the user batten runs as) can put something
/// else there.
fn check(path: &Path) -> Result<(), FindError> {
    let file = std::fs::metadata(path).map_err(|error| system(path, &error))?;
    if !file.is_file() || file.permissions().mode() & 0o111 == 0 {
        return Err(FindError::NotExecutable { path: path.to_owned() });
    }
    trust_way(path).map_err(|astray| FindError::astray(path, astray))?;
    // What belongs to the user who runs the shim is his to share with his own group.
    let others = if file.uid() != 0 && file.uid() == geteuid().as_raw() { 0o002 } else { 0o022 };
    if file.mode() & others != 0 {
        let problem = Doubt::Writable(file.mode() & 0o7777);
        return Err(FindError::Untrusted { path: path.to_owned(), at: path.to_owned(), problem });
    }
    Ok(())
}

/// A runtime that a person names for one run. On the hot path the mark in the environment finds a loop without asking
/// /proc.
fn refuse_itself(path: &Path) -> Result<(), FindError> {
    let same = |own: Metadata, file: Metadata| (own.dev(), own.ino()) == (file.dev(), file.ino());
    let own = std::fs::metadata("/proc/self/exe").ok();
    if own.zip(std::fs::metadata(path).ok()).is_some_and(|(own, file)| same(own, file)) {
        return Err(FindError::Itself { path: path.to_owned() });
    }
    Ok(())
}

fn system(at: &Path, error: &std::io::Error) -> FindError {
    FindError::System { path: at.to_owned(), error: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw) }
}

/// Whether the mark is of this process (the runtime replaced itself by batten-runtime) or of the one above it (the
/// runtime is a script that calls batten-runtime).
fn called_by_ourselves() -> bool {
    let Some(mark) = std::env::var_os(MARK) else { return false };
    let pid = mark.to_str().and_then(|text| text.parse::<u32>().ok());
    pid.is_some_and(|pid| pid == std::process::id() || pid == std::os::unix::process::parent_id())
}

/// The environment for the runtime behind: as it is, with the mark of this process.
pub(super) fn environment() -> Vec<CString> {
    let mut list: Vec<CString> = std::env::vars_os()
        .filter(|(name, _)| name != OsStr::new(MARK))
        .filter_map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok())
        .collect();
    list.extend(CString::new(format!("{MARK}={}", std::process::id())));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_follows_the_file_s_name() {
        for (path, dialect) in [
            ("/usr/sbin/runc", Dialect::Runc),
            ("/usr/bin/runc.amd64", Dialect::Runc),
            ("/usr/bin/crun", Dialect::Crun),
            ("/usr/bin/crun-wasm", Dialect::Crun),
            ("/usr/bin/runcible", Dialect::Common),
            ("/usr/bin/youki", Dialect::Common),
            ("/usr/bin/nvidia-container-runtime", Dialect::Common),
        ] {
            assert_eq!(dialect_of(Path::new(path)), dialect, "{path}");
        }
    }

    #[test]
    fn oneself_is_refused_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("runc");
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &link).unwrap();
        assert!(matches!(RealRuntime::at(&link), Err(FindError::Itself { .. })));
    }

    #[test]
    fn a_runtime_that_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runc");
        std::fs::copy("/bin/true", &path).unwrap();
        RealRuntime::at(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(RealRuntime::at(&path), Err(FindError::Untrusted { problem: Doubt::Writable(0o777), .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(RealRuntime::at(&path), Err(FindError::NotExecutable { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(RealRuntime::at(&path), Err(FindError::Untrusted { .. })));
    }

    #[test]
    fn a_link_to_a_runtime_in_a_folder_that_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::os::unix::fs::symlink("/bin/true", open.join("runc")).unwrap();
        RealRuntime::at(&open.join("runc")).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = RealRuntime::at(&open.join("runc")).unwrap_err();
        assert!(matches!(error, FindError::Untrusted { at, .. } if at == open), "whoever writes there can turn it");
    }

    #[test]
    fn a_runtime_that_is_not_there_is_an_error_and_not_another_one() {
        let error = RealRuntime::at(Path::new("/nonexistent/runc")).unwrap_err();
        assert!(matches!(error, FindError::System { error: Errno::ENOENT, .. }));
    }
}
