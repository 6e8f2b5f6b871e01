//! `/etc/batten/runtime.toml`: what the shim itself is told, all of it optional.
//!
//! ```toml
//! runtime = "/usr/sbin/runc"        # default: the first of runc, crun in a standard place
//! dialect = "runc"                  # runc, crun or common; default: by the runtime's file name
//! root = "/run/runc"                # where the runtime keeps its state, if the engine passes no --root
//! log = "/var/log/batten.jsonl"     # one JSON line per decision; or "syslog", or "none" (default)
//! log-required = false              # true: nothing starts when the decision cannot be logged
//! seccomp-log-flag = true           # whether the runtime takes SECCOMP_FILTER_FLAG_LOG; default: it is asked
//! policy = "/etc/batten/policy.toml" # default: that file and /etc/batten/policy.d/*.toml
//! ```
//!
//! A file, because CRI-O hands its runtimes an empty environment. `BATTEN_RUNTIME_CONFIG` and `BATTEN_POLICY` name other
//! files for tests and for users without root. An engine that runs as root has its environment from the administrator, and a
//! user who runs the shim as himself could as well run the runtime without it; so both are taken, except where the
//! process has more rights than its caller (set-user-ID, set-group-ID): then they are ignored. The shim is not made to
//! be installed so.

mod plain;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::unistd::{getegid, geteuid, getgid, getuid};
use serde::Deserialize;

use super::argv::Dialect;
use crate::spec::{FileError, Problem, read_trusted};

/// Where the shim's settings are looked for.
pub const RUNTIME_FILE: &str = "/etc/batten/runtime.toml";

/// The settings of the shim.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ShimConfig {
    /// The runtime behind, an absolute path.
    pub runtime: Option<PathBuf>,
    /// How its command line is read.
    pub dialect: Option<Dialect>,
    /// Its state folder, if the engine names none.
    pub root: Option<PathBuf>,
    /// Where decisions are logged.
    pub log: DecisionLog,
    /// Whether a decision that cannot be logged is a refusal.
    pub log_required: bool,
    /// Whether the runtime takes `SECCOMP_FILTER_FLAG_LOG`; it is asked where this is not set.
    pub seccomp_log_flag: Option<bool>,
    /// The policy, instead of the machine's.
    pub policy: Option<PathBuf>,
}

/// Where decisions go.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum DecisionLog {
    /// Nowhere.
    #[default]
    None,
    /// `/dev/log`, which is the journal where systemd runs.
    Syslog,
    /// A file, one JSON object per line.
    File(PathBuf),
}

impl TryFrom<String> for DecisionLog {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match &*text {
            "none" => Ok(Self::None),
            "syslog" => Ok(Self::Syslog),
            path if path.starts_with('/') => Ok(Self::File(PathBuf::from(text))),
            _ => Err("log is \"none\", \"syslog\" or the absolute path of a file"),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read or trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// The text is not UTF-8.
    #[error("{}: the file is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// The text is not TOML, or not these settings.
    #[error("{}: {}", path.display(), error.to_string().trim_end())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the TOML reader says, with line and caret.
        #[source]
        error: Box<toml::de::Error>,
    },
    /// A path that depends on where the engine stands.
    #[error("{}: {setting} = {:?} is not an absolute path", path.display(), value.display())]
    Relative {
        /// The file.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// What it was set to.
        value: PathBuf,
    },
}

impl ConfigError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::Syntax { .. } => {
                "the settings are runtime, dialect, root, log, log-required, seccomp-log-flag and policy; docs/runtime.md explains them"
            }
            Self::Relative { .. } => "write the path from / on",
        }
    }
}

impl ShimConfig {
    /// The machine's settings; the defaults where there is no file.
    ///
    /// # Errors
    /// [`ConfigError`] when a file is there, or named by `BATTEN_RUNTIME_CONFIG`, and cannot be used.
    pub fn load() -> Result<Self, ConfigError> {
        let mut config = match from_environment("BATTEN_RUNTIME_CONFIG") {
            Some(path) => Self::read(&path)?,
            None => match Self::read(Path::new(RUNTIME_FILE)) {
                Err(ConfigError::File(error)) if is_missing(&error) => Self::default(),
                read => read?,
            },
        };
        if let Some(policy) = from_environment("BATTEN_POLICY") {
            config.policy = Some(policy);
        }
        Ok(config)
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_trusted(path)?;
        let text = String::from_utf8(text).map_err(|_| ConfigError::NotUtf8 { path: path.to_owned() })?;
        Self::parse(path, &text)
    }

    /// Reads settings from text; `path` is what messages call it.
    ///
    /// # Errors
    /// [`ConfigError`] for what is not TOML, not known, or not an absolute path.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config = match plain::read(text) {
            Some(config) => config,
            None => toml::from_str(text)
                .map_err(|error| ConfigError::Syntax { path: path.to_owned(), error: Box::new(error) })?,
        };
        for (setting, value) in [("runtime", &config.runtime), ("root", &config.root), ("policy", &config.policy)] {
            if let Some(value) = value.as_ref().filter(|value| !value.is_absolute()) {
                return Err(ConfigError::Relative { path: path.to_owned(), setting, value: value.clone() });
            }
        }
        Ok(config)
    }
}

/// A path from the environment, unless the process has rights that its caller has not.
fn from_environment(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os(name).filter(|value| value != OsStr::new(""))?;
    (getuid() == geteuid() && getgid() == getegid()).then(|| PathBuf::from(path))
}

const fn is_missing(error: &FileError) -> bool {
    matches!(error.problem, Problem::System(nix::errno::Errno::ENOENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ShimConfig, ConfigError> {
        ShimConfig::parse(Path::new("runtime.toml"), text)
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(parse("").unwrap(), ShimConfig::default());
    }

    #[test]
    fn every_setting_is_read() {
        let text =
            "runtime = '/usr/bin/crun'\ndialect = 'crun'\nroot = '/r'\nlog = '/l'\nlog-required = true\npolicy = '/p'";
        let config = parse(text).unwrap();
        assert_eq!(config.runtime, Some("/usr/bin/crun".into()));
        assert_eq!(config.dialect, Some(Dialect::Crun));
        assert_eq!(config.log, DecisionLog::File("/l".into()));
        assert!(config.log_required);
    }

    #[test]
    fn unknown_settings_and_relative_paths_are_refused_with_the_line() {
        let error = parse("log = 'none'\nruntim = '/usr/bin/runc'").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(matches!(parse("runtime = 'runc'"), Err(ConfigError::Relative { setting: "runtime", .. })));
        assert!(matches!(parse("log = 'decisions.jsonl'"), Err(ConfigError::Syntax { .. })));
    }
}
