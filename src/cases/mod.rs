//! A policy's own tests: cases of a bundle and what the policy must do to it, one folder each.
//!
//! A case is a folder with `config.json` or `process.json`, `want.toml` (what is expected), `host.toml` where the machine
//! it is judged for matters, `host/sys/…` where the kernel's list of AppArmor profiles does, and `policy.toml` where a
//! file is laid over the policy for this case alone.

mod facts;
mod want;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

pub use self::facts::Facts;
pub use self::want::{Difference, Expected, Want};
use crate::fleet::Judged;
use crate::policy::{Policy, PolicyError};
use crate::rules::DocumentKind;
use crate::spec::{CONFIG, Durability, FileError, TrustedFile};

const PROCESS: &str = "process.json";
const WANT: &str = "want.toml";
const HOST: &str = "host.toml";
const POLICY: &str = "policy.toml";

/// A case, or the folder of cases, that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A folder could not be listed or a file not read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// No folder below holds a case.
    #[error("no case in {} or below", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// A file of a case is not what it should be.
    #[error("{}: {}", path.display(), error.to_string().trim_end())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the TOML reader says, with line and caret.
        #[source]
        error: Box<toml::de::Error>,
    },
    /// A word in a file of a case that has no meaning there.
    #[error("{}: {problem}", path.display())]
    Word {
        /// The file.
        path: PathBuf,
        /// What is wrong, in one clause.
        problem: String,
    },
    /// The case's own layer cannot be laid over the policy.
    #[error(transparent)]
    Policy(#[from] Box<PolicyError>),
    /// What was found could not be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

impl CaseError {
    /// What the operator can do.
    pub fn hint(&self) -> &str {
        match self {
            Self::Read { .. } => "check the path and its permissions",
            Self::None { .. } => {
                "a case is a folder with a config.json or process.json, and a want.toml that --bless writes"
            }
            Self::Syntax { .. } | Self::Word { .. } => "docs/policy-tests.md shows the files of a case",
            Self::Policy(error) => error.hint(),
            Self::Write(error) => error.hint(),
        }
    }
}

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Its folder, as it is named below the folder of cases.
    pub name: String,
    folder: PathBuf,
    kind: DocumentKind,
}

/// What a case came to.
#[derive(Debug)]
pub struct Tried {
    /// The document as it was judged.
    pub judged: Judged,
    /// How that differs from what was expected; nothing where it does not.
    pub difference: Vec<Difference>,
    /// The names of the overrides that held for it.
    pub overrides: BTreeSet<String>,
}

/// Every case in `folder` and below, in the order of names.
///
/// # Errors
/// [`CaseError`] when a folder cannot be listed, or there is no case.
pub fn find(folder: &Path) -> Result<Vec<Case>, CaseError> {
    let mut cases = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(here) = pending.pop() {
        let failed = |error| CaseError::Read { path: here.clone(), error };
        let kind = [(CONFIG, DocumentKind::Spec), (PROCESS, DocumentKind::Process)];
        if let Some((_, kind)) = kind.into_iter().find(|(file, _)| here.join(file).exists()) {
            let below = here.strip_prefix(folder).unwrap_or(&here);
            let name = if below.as_os_str().is_empty() { here.as_path() } else { below };
            cases.push(Case { name: name.display().to_string(), folder: here, kind });
            continue;
        }
        for entry in std::fs::read_dir(&here).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    if cases.is_empty() {
        return Err(CaseError::None { path: folder.to_owned() });
    }
    cases.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

impl Case {
    /// Whether a policy.toml of its own is laid over the policy for it.
    pub fn has_layer(&self) -> bool {
        self.folder.join(POLICY).symlink_metadata().is_ok()
    }

    /// Judges the case by `policy`, and its own layer over that, as a start would, and holds that against what is expected.
    ///
    /// # Errors
    /// [`CaseError`] when a file of the case cannot be read or understood. That no want.toml is there is a difference.
    pub fn run(&self, policy: &Policy) -> Result<Tried, CaseError> {
        if self.has_layer() {
            return self.judge(&policy.with_layer(&self.folder.join(POLICY)).map_err(Box::new)?);
        }
        self.judge(policy)
    }

    fn judge(&self, policy: &Policy) -> Result<Tried, CaseError> {
        let host = Facts::read(&self.folder.join(HOST))?.host(&self.folder.join("host"));
        let file = if self.kind == DocumentKind::Spec { CONFIG } else { PROCESS };
        let path = self.folder.join(file);
        let text = std::fs::read(&path).map_err(|error| CaseError::Read { path: path.clone(), error })?;
        let judged = Judged::of(path.display().to_string(), text, self.kind, policy, &host);
        let difference = match Want::read(&self.folder.join(WANT))? {
            Some(want) => want.difference(&judged),
            None => vec![Difference::NothingWanted],
        };
        let overrides = policy.overrides_for(&judged.subject).into_iter().map(str::to_owned).collect();
        Ok(Tried { judged, difference, overrides })
    }

    /// Writes what was found as what is expected.
    ///
    /// # Errors
    /// [`CaseError`] when it cannot be written; the file there is what it was.
    pub fn bless(&self, tried: &Tried) -> Result<(), CaseError> {
        let file = TrustedFile::to_write(&self.folder.join(WANT), 0o644)?;
        Ok(file.replace(Want::of(&tried.judged).to_toml().as_bytes(), Durability::Process)?)
    }
}
