//! Where engines are looked for: this machine, or a folder that will be one.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{Engine, EngineError};

/// Where programs are looked for, as systemd gives it to services.
pub(super) const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A version, as far as it decides something.
pub type Version = (u32, u32);

/// A machine. All paths that go in or come out are as the engines on it see them.
#[derive(Debug, Clone, Default)]
pub struct Site {
    root: PathBuf,
    /// The folders of a user whose engines run without root: configuration, state.
    user: Option<(PathBuf, PathBuf)>,
    /// The engine's version, where somebody said it.
    version: Option<Version>,
    /// Texts to take for what is on the disk.
    texts: HashMap<PathBuf, Option<String>>,
}

impl Site {
    /// The machine whose files lie below `root`, for its engines that run as root.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), ..Self::default() }
    }

    /// This machine: its own engines for root, a user's own for everyone else.
    pub fn host() -> Self {
        let site = Self::below("/");
        if nix::unistd::geteuid().is_root() {
            return site;
        }
        let home = std::env::var_os("HOME").map_or_else(|| "/".into(), PathBuf::from);
        let folder = |variable, below| std::env::var_os(variable).map_or_else(|| home.join(below), PathBuf::from);
        Self { user: Some((folder("XDG_CONFIG_HOME", ".config"), folder("XDG_STATE_HOME", ".local/state"))), ..site }
    }

    /// The same with the engine's version known.
    #[must_use]
    pub fn with_version(self, version: Option<Version>) -> Self {
        Self { version, ..self }
    }

    /// The same with other texts in some files; `None` for a file that is not there.
    #[must_use]
    pub fn with_texts(self, texts: HashMap<PathBuf, Option<String>>) -> Self {
        Self { texts, ..self }
    }

    /// Whether it is the machine that batten runs on.
    pub fn is_host(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Whether the engines are a user's own.
    pub const fn is_user(&self) -> bool {
        self.user.is_some()
    }

    /// A file of the engines' configuration: below /etc, or in the user's folder.
    pub fn config(&self, path: &str) -> PathBuf {
        self.user.as_ref().map_or_else(|| Path::new("/etc").join(path), |(config, _)| config.join(path))
    }

    /// Where batten keeps what it registered.
    pub fn records(&self) -> PathBuf {
        let state = self.user.as_ref().map_or(Path::new("/var/lib"), |(_, state)| state);
        state.join("batten/engines")
    }

    /// The path on this machine.
    pub fn real(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file; `None` where there is none.
    ///
    /// # Errors
    /// [`EngineError`] when it is there and cannot be read.
    pub fn read(&self, path: &Path) -> Result<Option<String>, EngineError> {
        if let Some(text) = self.texts.get(path) {
            return Ok(text.clone());
        }
        match std::fs::read(self.real(path)) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| EngineError::NotUtf8 { path: path.to_owned() }),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(EngineError::system("read", path)(error)),
        }
    }

    /// The files in a folder whose names end so, in the order of their names; none where there is no folder.
    pub fn list(&self, folder: &Path, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.real(folder)).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(ending) && !entry.path().is_dir())
            .map(|entry| folder.join(entry.file_name()))
            .filter(|path| self.texts.get(path) != Some(&None))
            .collect();
        files.sort_unstable();
        files
    }

    /// The folders in a folder.
    pub fn list_folders(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.real(folder)).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> =
            entries.filter(|entry| entry.path().is_dir()).map(|entry| folder.join(entry.file_name())).collect();
        folders.sort_unstable();
        folders
    }

    /// A program by its name, or by its path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            let path = PathBuf::from(name);
            return self.exists(&path).then_some(path);
        }
        PATH.iter().map(|folder| Path::new(folder).join(name)).find(|path| self.exists(path))
    }

    /// Whether something is at `path`; a link counts by itself, since it may lead somewhere else on its own machine.
    pub fn exists(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(self.real(path)).is_ok()
    }

    /// The engine's version: as it was said, or as the engine of this machine says.
    pub fn version_of(&self, engine: Engine) -> Option<Version> {
        if self.version.is_some() || !self.is_host() {
            return self.version;
        }
        parse_version(&self.version_text(engine)?)
    }

    /// What the engine of this machine says of its version.
    pub fn version_text(&self, engine: Engine) -> Option<String> {
        let program = self.is_host().then(|| self.program(engine.program())).flatten()?;
        let output = std::process::Command::new(program).arg("--version").stdin(std::process::Stdio::null()).output();
        let text = String::from_utf8_lossy(&output.ok()?.stdout).lines().next().unwrap_or_default().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Whether the program at `path` is batten-runtime, under any name: what it calls its mark stands in it.
    pub fn is_batten(&self, path: &Path) -> bool {
        self.contains(path, crate::runtime::find::MARK)
    }

    /// Whether a file holds `text`.
    pub fn contains(&self, path: &Path, text: &str) -> bool {
        let real = self.real(path);
        // A link on another machine leads to that machine's files.
        let real = match std::fs::read_link(&real) {
            Ok(target) if target.is_absolute() => self.real(&target),
            _ => real,
        };
        std::fs::read(real).is_ok_and(|bytes| memchr::memmem::find(&bytes, text.as_bytes()).is_some())
    }
}

/// The first `N.N` of a text.
pub fn parse_version(text: &str) -> Option<Version> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        let minor = rest.split('.').next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_engines_say_of_themselves() {
        for (text, version) in [
            ("containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3", (1, 6)),
            ("containerd github.com/containerd/containerd/v2 v2.2.0 a1b2c3", (2, 2)),
            ("Docker version 20.10.24+dfsg1, build 5d6db84", (20, 10)),
            ("podman version 4.3.1", (4, 3)),
        ] {
            assert_eq!(parse_version(text), Some(version), "{text}");
        }
        assert_eq!(parse_version("unknown"), None);
    }
}
