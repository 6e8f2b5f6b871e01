//! `/proc/PID/status` (`proc_pid_status(5)`, `fs/proc/array.c`), as far as it says what a thread may.

use std::str::FromStr;

/// The five sets, by their names there.
pub const SETS: [&str; 5] = ["CapBnd", "CapEff", "CapInh", "CapPrm", "CapAmb"];

/// A status that is not what kernels write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// A line is missing.
    #[error("there is no line {0}")]
    Missing(&'static str),
    /// A line's value makes no sense.
    #[error("{field} is {value:?}")]
    Value {
        /// The line.
        field: &'static str,
        /// What stands there.
        value: String,
    },
}

/// What stands between a thread's calls and the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeccompMode {
    /// Nothing.
    Disabled,
    /// Only read, write, _exit and sigreturn.
    Strict,
    /// Filters.
    Filter,
}

impl SeccompMode {
    /// The word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Strict => "strict",
            Self::Filter => "filter",
        }
    }
}

/// What the kernel lets one thread do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// The five sets in the order of [`SETS`], bit by bit: also those of capabilities that batten does not know.
    pub capabilities: [u64; SETS.len()],
    /// Whether execve gives nothing.
    pub no_new_privs: bool,
    /// Whether calls are filtered.
    pub seccomp: SeccompMode,
    /// How many filters are stacked; before Linux 5.9 the kernel does not say.
    pub filters: Option<u32>,
}

impl Credentials {
    /// The bounding set.
    pub const fn bounding(&self) -> u64 {
        self.capabilities[0]
    }
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The name it gave itself, as the kernel escapes it.
    pub name: String,
    /// `R`, `S`, `Z`, …
    pub state: char,
    /// The thread that a tracer follows it from; 0 for none.
    pub tracer: i32,
    /// Real, effective, saved and file system user, as numbered where batten runs.
    pub user: [u32; 4],
    /// The same of its group.
    pub group: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// What it may.
    pub credentials: Credentials,
}

impl Status {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// [`StatusError`] for a line that is missing or unheard of: what is not understood is not taken for harmless.
    pub fn parse(text: &str) -> Result<Self, StatusError> {
        let state: String = value(text, "State")?;
        let mut capabilities = [0; SETS.len()];
        for (set, field) in capabilities.iter_mut().zip(SETS) {
            let line = line(text, field)?;
            let wrong = |_| StatusError::Value { field, value: line.to_owned() };
            *set = u64::from_str_radix(line, 16).map_err(wrong)?;
        }
        Ok(Self {
            name: line(text, "Name")?.to_owned(),
            state: state.chars().next().unwrap_or('?'),
            tracer: value(text, "TracerPid")?,
            user: four(text, "Uid")?,
            group: four(text, "Gid")?,
            groups: numbers(text, "Groups")?,
            credentials: Credentials {
                capabilities,
                no_new_privs: match line(text, "NoNewPrivs")? {
                    "0" => false,
                    "1" => true,
                    other => return Err(StatusError::Value { field: "NoNewPrivs", value: other.to_owned() }),
                },
                seccomp: match line(text, "Seccomp")? {
                    "0" => SeccompMode::Disabled,
                    "1" => SeccompMode::Strict,
                    "2" => SeccompMode::Filter,
                    other => return Err(StatusError::Value { field: "Seccomp", value: other.to_owned() }),
                },
                filters: match line(text, "Seccomp_filters") {
                    Ok(_) => Some(value(text, "Seccomp_filters")?),
                    Err(_) => None,
                },
            },
        })
    }

    /// Whether it will never run again: a zombie, or dead.
    pub const fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

fn line<'t>(text: &'t str, field: &'static str) -> Result<&'t str, StatusError> {
    let found = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    found.map(str::trim).ok_or(StatusError::Missing(field))
}

fn value<T: FromStr>(text: &str, field: &'static str) -> Result<T, StatusError> {
    let line = line(text, field)?;
    line.parse().map_err(|_| StatusError::Value { field, value: line.to_owned() })
}

fn numbers(text: &str, field: &'static str) -> Result<Vec<u32>, StatusError> {
    let line = line(text, field)?;
    let numbers: Result<_, _> = line.split_ascii_whitespace().map(str::parse).collect();
    numbers.map_err(|_| StatusError::Value { field, value: line.to_owned() })
}

fn four(text: &str, field: &'static str) -> Result<[u32; 4], StatusError> {
    let numbers = numbers(text, field)?;
    numbers.as_slice().try_into().map_err(|_| StatusError::Value { field, value: format!("{numbers:?}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name:\tsh\\n(x)\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nTracerPid:\t0\n\
        Uid:\t0\t1\t2\t3\nGid:\t0\t0\t0\t0\nGroups:\t4 20 \nCapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\n\
        CapEff:\t00000000a80425fb\nCapBnd:\t8000020000000000\nCapAmb:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2\n\
        Seccomp_filters:\t3\nSpeculation_Store_Bypass:\tvulnerable\n";

    #[test]
    fn every_field_is_the_kernel_s() {
        let status = Status::parse(TEXT).unwrap();
        assert_eq!((status.name.as_str(), status.state, status.user), ("sh\\n(x)", 'S', [0, 1, 2, 3]));
        assert_eq!(status.groups, [4, 20]);
        let Credentials { capabilities, no_new_privs, seccomp, filters } = status.credentials;
        assert_eq!(capabilities, [1 << 63 | 1 << 41, 0xa804_25fb, 0, 0xa804_25fb, 1], "unknown bits are kept");
        assert_eq!((no_new_privs, seccomp, filters), (true, SeccompMode::Filter, Some(3)));
        assert!(!status.is_dead());
    }

    #[test]
    fn an_older_kernel_does_not_count_filters() {
        let status = Status::parse(&TEXT.replace("Seccomp_filters:\t3\n", "")).unwrap();
        assert_eq!(status.credentials.filters, None);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (from, to) in [
            ("NoNewPrivs:\t1\n", ""),
            ("Seccomp:\t2", "Seccomp:\t3"),
            ("CapBnd:\t", "CapBnd:\tz"),
            ("Uid:\t0\t1\t2\t3", "Uid:\t0\t1\t2"),
            ("NoNewPrivs:\t1", "NoNewPrivs:\t2"),
        ] {
            assert!(Status::parse(&TEXT.replace(from, to)).is_err(), "{to}");
        }
        assert_eq!(Status::parse(""), Err(StatusError::Missing("State")));
    }
}
