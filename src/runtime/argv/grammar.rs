//! What runc (1.1 to 1.5) and crun (1.8 to 1.29) take on their command lines, as tables.
//!
//! Sources: runc's `main.go`, `create.go`, `run.go`, `restore.go`, `exec.go` and urfave/cli v1; crun's `crun.c`,
//! `create.c`, `run.c`, `restore.c`, `exec.c` and glibc's argp. An option that is in no table is refused: batten cannot
//! know whether it takes a value, and a wrong guess would shift every argument behind it.

use serde::Deserialize;

/// Whose grammar the command line is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Go's `flag` package: `-bundle X` is `--bundle X`, options may follow the container's id (but not for exec).
    Runc,
    /// argp: `-bX` is `-b X`, `-td` is `-t -d`, nothing follows the id.
    Crun,
    /// Only what both read alike; for every other runtime.
    #[default]
    Common,
}

/// What stands behind an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing; it is on when it is there.
    Nothing,
    /// One value, given once.
    Value,
    /// One value each time it is given.
    Values,
    /// A value as an argument of its own, never behind `=`.
    ValueApart,
    /// Nothing, or for crun a value behind `=`.
    Maybe,
}

/// One option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Opt {
    pub(super) long: &'static str,
    pub(super) short: Option<u8>,
    pub(super) takes: Takes,
    /// The only runtime that has it; `None` for both.
    pub(super) only: Option<Dialect>,
}

impl Opt {
    /// Whether a runtime of this dialect has the option; another runtime is expected to have what both have.
    pub(super) fn is_in(&self, dialect: Dialect) -> bool {
        self.only.is_none_or(|only| only == dialect)
    }
}

const fn flag(long: &'static str) -> Opt {
    Opt { long, short: None, takes: Takes::Nothing, only: None }
}

const fn value(long: &'static str) -> Opt {
    Opt { long, short: None, takes: Takes::Value, only: None }
}

const fn values(long: &'static str, short: u8) -> Opt {
    Opt { long, short: Some(short), takes: Takes::Values, only: None }
}

const fn short(option: Opt, short: u8) -> Opt {
    Opt { short: Some(short), ..option }
}

const fn only(option: Opt, dialect: Dialect) -> Opt {
    Opt { only: Some(dialect), ..option }
}

/// Before the subcommand.
pub(super) static GLOBAL: &[Opt] = &[
    value("root"),
    value("log"),
    value("log-format"),
    flag("debug"),
    flag("systemd-cgroup"),
    value("rootless"),
    // Gone in runc 1.4, which says so itself.
    only(value("criu"), Dialect::Runc),
    only(value("cgroup-manager"), Dialect::Crun),
    only(value("log-level"), Dialect::Crun),
];

/// `create` and `run`; crun's parser for create does not know `detach` and `keep` and says so itself.
pub(super) static LAUNCH: &[Opt] = &[
    short(value("bundle"), b'b'),
    only(short(value("config"), b'f'), Dialect::Crun),
    value("console-socket"),
    only(value("pidfd-socket"), Dialect::Runc),
    value("pid-file"),
    value("preserve-fds"),
    flag("no-pivot"),
    flag("no-new-keyring"),
    flag("no-subreaper"),
    short(flag("detach"), b'd'),
    flag("keep"),
];

/// `restore`.
pub(super) static RESTORE: &[Opt] = &[
    short(value("bundle"), b'b'),
    value("console-socket"),
    value("pid-file"),
    value("image-path"),
    value("work-path"),
    value("manage-cgroups-mode"),
    value("lsm-profile"),
    value("lsm-mount-context"),
    flag("tcp-established"),
    flag("ext-unix-sk"),
    flag("shell-job"),
    flag("file-locks"),
    short(flag("detach"), b'd'),
    only(flag("tcp-close"), Dialect::Crun),
    // crun declares it without an argument and then takes the next word.
    only(Opt { long: "network-lock", short: None, takes: Takes::ValueApart, only: None }, Dialect::Crun),
    only(Opt { long: "empty-ns", short: None, takes: Takes::Values, only: None }, Dialect::Runc),
    only(flag("no-subreaper"), Dialect::Runc),
    only(flag("no-pivot"), Dialect::Runc),
    only(flag("auto-dedup"), Dialect::Runc),
    only(flag("lazy-pages"), Dialect::Runc),
];

/// `exec`.
pub(super) static EXEC: &[Opt] = &[
    short(value("process"), b'p'),
    value("console-socket"),
    only(value("pidfd-socket"), Dialect::Runc),
    value("pid-file"),
    short(flag("detach"), b'd'),
    value("preserve-fds"),
    Opt { long: "cgroup", short: None, takes: Takes::Values, only: None },
    only(flag("ignore-paused"), Dialect::Runc),
    // From here on: what a process file says instead.
    value("cwd"),
    values("env", b'e'),
    Opt { long: "tty", short: Some(b't'), takes: Takes::Maybe, only: None },
    short(value("user"), b'u'),
    only(values("additional-gids", b'g'), Dialect::Runc),
    value("process-label"),
    value("apparmor"),
    flag("no-new-privs"),
    values("cap", b'c'),
];

/// Subcommands that neither start a process in a container nor change what one may do: passed on untouched.
///
/// `update` sets resources, crun's `mounts` adds mounts to a running container (batten judges neither), `spec` writes
/// a template. runc's hidden `init` is not here: runc starts it by itself and never through a wrapper.
pub(super) static PASSED: &[&str] = &[
    "checkpoint",
    "delete",
    "events",
    "features",
    "h",
    "help",
    "kill",
    "list",
    "mounts",
    "pause",
    "ps",
    "resume",
    "spec",
    "start",
    "state",
    "update",
];
