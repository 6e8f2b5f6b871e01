//! What the kernel says of AppArmor, and its own doors for compiled profiles.
//!
//! Everything lies below securityfs (`Documentation/admin-guide/LSM/apparmor.rst`, `security/apparmor/apparmorfs.c`).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The kernel of a host.
#[derive(Debug, Clone)]
pub struct Kernel {
    root: PathBuf,
}

/// What a loaded profile does, as the kernel words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LoadedMode {
    /// Refuses what no rule allows.
    Enforce,
    /// Logs it and lets it pass.
    Complain,
    /// Refuses it and kills the process.
    Kill,
    /// A name only: everything is allowed.
    Unconfined,
    /// Asks a program in userspace (Ubuntu).
    Prompt,
    /// A mode that batten does not know.
    Unknown,
}

impl LoadedMode {
    /// The mode that the kernel calls `word` (`aa_profile_mode_names`).
    pub fn from_word(word: &str) -> Self {
        match word {
            "enforce" => Self::Enforce,
            "complain" => Self::Complain,
            "kill" => Self::Kill,
            "unconfined" => Self::Unconfined,
            "prompt" | "user" => Self::Prompt,
            _ => Self::Unknown,
        }
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Complain => "complain",
            Self::Kill => "kill",
            Self::Unconfined => "unconfined",
            Self::Prompt => "prompt",
            Self::Unknown => "unknown",
        }
    }

    /// Whether what no rule allows is refused.
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Enforce | Self::Kill)
    }
}

/// A profile in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its name, which may hold spaces, slashes and brackets.
    pub name: String,
    /// Its mode.
    pub mode: LoadedMode,
}

/// What a process runs under: the names of one profile, or of several at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// No profile.
    pub fn unconfined() -> Self {
        Self("unconfined".to_owned())
    }

    /// The label in the text of `/proc/PID/attr/current`: `NAME (MODE)`, or `unconfined`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim_end_matches(['\n', '\0']);
        let name = split_mode(text).map_or(text, |(name, _)| name);
        Self(if name.is_empty() { "unconfined" } else { name }.to_owned())
    }

    /// The profiles' names. A stack is written `a//&b`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split("//&")
    }

    /// Whether there is no profile in it. A profile in unconfined mode is one.
    pub fn is_unconfined(&self) -> bool {
        self.0 == "unconfined"
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kernel could not be asked or told.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The kernel runs without AppArmor.
    #[error("this kernel runs without AppArmor")]
    Disabled,
    /// The list of profiles cannot be read.
    #[error("cannot read the kernel's list of AppArmor profiles, {}: {error}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A line of the list is not `NAME (MODE)`.
    #[error("{}:{line}: {text:?} is no profile and its mode", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// The file by which profiles come and go cannot be opened.
    #[error("cannot open the kernel's {}: {error}", path.display())]
    Door {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// No profile of that name is in the kernel.
    #[error("no profile called {name:?} is loaded")]
    NotLoaded {
        /// The name.
        name: String,
    },
    /// The kernel took no compiled profile, or did not let one go.
    #[error("the kernel refused to {action} {what}: {error}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// With which profile.
        what: String,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl KernelError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Disabled => "boot with apparmor=1 and apparmor in lsm=…, on a kernel that has it",
            Self::List { error, .. } | Self::Door { error, .. } if error.kind() == io::ErrorKind::NotFound => {
                "mount securityfs: mount -t securityfs securityfs /sys/kernel/security"
            }
            Self::List { .. } => "run as root on the host; in containers and user namespaces the list is closed",
            Self::Line { .. } => "batten reads the format of Linux 3.x to 6.x; report this line",
            Self::NotLoaded { .. } => "batten apparmor list shows what is, batten apparmor load loads a file",
            Self::Door { .. } => "run as root on the host: it takes CAP_MAC_ADMIN in the initial user namespace",
            Self::Refused { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                "run as root on the host: it takes CAP_MAC_ADMIN in the initial user namespace"
            }
            Self::Refused { .. } => "dmesg says what the kernel did not like; compile the profile again on this host",
        }
    }
}

impl Kernel {
    /// This machine's.
    pub fn host() -> Self {
        Self::below("/")
    }

    /// The kernel whose /proc and /sys lie below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn securityfs(&self, name: &str) -> PathBuf {
        self.root.join("sys/kernel/security/apparmor").join(name)
    }

    /// Whether AppArmor is on: `Y` in the module's parameter, which runc and crun ask as well.
    pub fn is_enabled(&self) -> bool {
        let parameter = self.root.join("sys/module/apparmor/parameters/enabled");
        std::fs::read(parameter).is_ok_and(|text| text.first() == Some(&b'Y'))
    }

    /// Every loaded profile that this process may see.
    ///
    /// # Errors
    /// [`KernelError`] where AppArmor is off or its list cannot be read in full.
    pub fn profiles(&self) -> Result<Vec<Loaded>, KernelError> {
        let (path, text) = self.list()?;
        let mut profiles = Vec::new();
        for (at, line) in text.lines().enumerate() {
            profiles.push(parse_line(line).ok_or_else(|| wrong_line(&path, at, line))?);
        }
        Ok(profiles)
    }

    /// The mode of the profile called exactly `name`; `None` where none of that name is loaded.
    ///
    /// # Errors
    /// As [`Kernel::profiles`].
    pub fn mode_of(&self, name: &str) -> Result<Option<LoadedMode>, KernelError> {
        let (path, text) = self.list()?;
        for (at, line) in text.lines().enumerate() {
            let (known, mode) = split_mode(line).ok_or_else(|| wrong_line(&path, at, line))?;
            if known == name {
                return Ok(Some(LoadedMode::from_word(mode)));
            }
        }
        Ok(None)
    }

    /// An error where AppArmor is off.
    ///
    /// # Errors
    /// [`KernelError::Disabled`].
    pub fn must_be_enabled(&self) -> Result<(), KernelError> {
        if self.is_enabled() { Ok(()) } else { Err(KernelError::Disabled) }
    }

    fn list(&self) -> Result<(PathBuf, String), KernelError> {
        self.must_be_enabled()?;
        let path = self.securityfs("profiles");
        match std::fs::read(&path) {
            Ok(text) => Ok((path, String::from_utf8_lossy(&text).into_owned())),
            Err(error) => Err(KernelError::List { path, error }),
        }
    }

    /// The label of this process.
    pub fn own_label(&self) -> Label {
        // The first is AppArmor's own; the second may be another security module's.
        let read = |file: &str| std::fs::read(self.root.join("proc/self/attr").join(file)).ok();
        let text = read("apparmor/current").or_else(|| read("current")).unwrap_or_default();
        Label::parse(&String::from_utf8_lossy(&text))
    }

    /// Loads compiled profiles (`apparmor_parser --stdout`), in the place of those of the same names.
    ///
    /// # Errors
    /// [`KernelError::Refused`] when the kernel does not take them, as those compiled for another kernel.
    pub fn replace(&self, compiled: &[u8], what: &str) -> Result<(), KernelError> {
        self.tell(".replace", compiled, "load", what)
    }

    /// Takes the profile called `name` out of the kernel. Processes under it become unconfined.
    ///
    /// # Errors
    /// [`KernelError::NotLoaded`] where there is none, [`KernelError::Door`] for who may not.
    pub fn remove(&self, name: &str) -> Result<(), KernelError> {
        match self.tell(".remove", name.as_bytes(), "unload", &format!("{name:?}")) {
            Err(KernelError::Refused { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Err(KernelError::NotLoaded { name: name.to_owned() })
            }
            told => told,
        }
    }

    /// One write is one policy (`profile_replace`, `profile_remove`).
    fn tell(&self, door: &str, text: &[u8], action: &'static str, what: &str) -> Result<(), KernelError> {
        self.must_be_enabled()?;
        let failed = |error| KernelError::Refused { action, what: what.to_owned(), error };
        let path = self.securityfs(door);
        let opened = OpenOptions::new().write(true).open(&path);
        let mut file = opened.map_err(|error| KernelError::Door { path, error })?;
        match file.write(text).map_err(failed)? {
            written if written == text.len() => Ok(()),
            _ => Err(failed(io::ErrorKind::WriteZero.into())),
        }
    }
}

/// Whether bytes are a compiled profile: the header `version` in the kernel's format (`policy_unpack.c`).
pub fn is_compiled(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x04\x08\x00version\x00\x02")
}

/// Whether a name that a container may ask for stands for no confinement at all.
///
/// The kernel trims blanks around it (`apparmor_setprocattr`), takes `unconfined` of a namespace (`:NS:unconfined`), puts
/// `&NAME` on top of what there is (`aa_change_profile`), and a stack confines by each of its names.
pub fn is_unconfined(name: &str) -> bool {
    name.split("//&").all(|part| {
        let is_blank = |c: char| c.is_ascii_whitespace() || c == '\x0b';
        let part = part.trim_end_matches(is_blank).trim_start_matches(|c| is_blank(c) || c == '&');
        let name = part.strip_prefix(':').and_then(|rest| rest.split_once(':')).map_or(part, |(_, name)| name);
        name.trim_start_matches("//") == "unconfined"
    })
}

/// `NAME (MODE)`. A name can hold ` (` itself, a mode cannot: the last one counts.
fn split_mode(line: &str) -> Option<(&str, &str)> {
    let (name, mode) = line.strip_suffix(')')?.rsplit_once(" (")?;
    (!name.is_empty()).then_some((name, mode))
}

fn parse_line(line: &str) -> Option<Loaded> {
    split_mode(line).map(|(name, mode)| Loaded { name: name.to_owned(), mode: LoadedMode::from_word(mode) })
}

fn wrong_line(path: &Path, at: usize, line: &str) -> KernelError {
    KernelError::Line { path: path.to_owned(), line: at + 1, text: line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unconfined_is_unconfined_however_it_is_written() {
        for name in [
            "unconfined",
            " unconfined\n",
            ":ns:unconfined",
            ":ns://unconfined",
            "unconfined//&unconfined",
            " & &unconfined",
        ] {
            assert!(is_unconfined(name), "{name:?}");
        }
        for name in ["", "unconfined2", "web//&unconfined", "my unconfined", ":ns:web", "&web"] {
            assert!(!is_unconfined(name), "{name:?}");
        }
    }

    /// A kernel made of files.
    #[allow(clippy::disallowed_methods, reason = "the files are the test's own")]
    fn kernel(enabled: &str, profiles: Option<&str>) -> (tempfile::TempDir, Kernel) {
        let root = tempfile::tempdir().unwrap();
        let parameters = root.path().join("sys/module/apparmor/parameters");
        let securityfs = root.path().join("sys/kernel/security/apparmor");
        std::fs::create_dir_all(&parameters).unwrap();
        std::fs::create_dir_all(&securityfs).unwrap();
        std::fs::write(parameters.join("enabled"), enabled).unwrap();
        if let Some(text) = profiles {
            std::fs::write(securityfs.join("profiles"), text).unwrap();
        }
        let kernel = Kernel::below(root.path());
        (root, kernel)
    }

    #[test]
    fn a_name_may_hold_whatever_the_list_is_made_of() {
        let list = "docker-default (enforce)\nmy profile (v2) (complain)\n/usr/bin/man (kill)\n/a//null-/b (c (enforce)\n\
                    runc (unconfined)\nx (later)\n";
        let (_root, kernel) = kernel("Y\n", Some(list));
        let names: Vec<_> = kernel.profiles().unwrap().into_iter().map(|one| (one.name, one.mode)).collect();
        let expected = [
            ("docker-default", LoadedMode::Enforce),
            ("my profile (v2)", LoadedMode::Complain),
            ("/usr/bin/man", LoadedMode::Kill),
            ("/a//null-/b (c", LoadedMode::Enforce),
            ("runc", LoadedMode::Unconfined),
            ("x", LoadedMode::Unknown),
        ];
        assert_eq!(names, expected.map(|(name, mode)| (name.to_owned(), mode)));
        assert_eq!(kernel.mode_of("my profile (v2)").unwrap(), Some(LoadedMode::Complain));
        assert_eq!(kernel.mode_of("my profile").unwrap(), None);
        assert_eq!(kernel.mode_of("docker").unwrap(), None);
    }

    #[test]
    fn a_list_that_cannot_be_read_in_full_is_no_list() {
        assert!(matches!(kernel("N\n", Some("")).1.profiles(), Err(KernelError::Disabled)));
        let (_root, unmounted) = kernel("Y\n", None);
        let error = unmounted.mode_of("a").unwrap_err();
        assert!(error.hint().contains("mount securityfs"), "{error}");
        let (_root, strange) = kernel("Y\n", Some("a (enforce)\nb\n"));
        assert!(strange.mode_of("c").unwrap_err().to_string().contains("profiles:2: \"b\""));
    }

    #[test]
    fn a_label_is_a_name_a_stack_or_nothing() {
        for (text, names) in [
            ("unconfined\n", vec!["unconfined"]),
            ("", vec!["unconfined"]),
            ("docker-default (enforce)\n", vec!["docker-default"]),
            ("a b (x)//&:ns:c (mixed)\0", vec!["a b (x)", ":ns:c"]),
        ] {
            assert_eq!(Label::parse(text).names().collect::<Vec<_>>(), names, "{text:?}");
        }
        assert!(!Label::parse("runc (unconfined)").is_unconfined());
    }
}
