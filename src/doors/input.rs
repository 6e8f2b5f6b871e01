//! Where the documents of a dry run come from.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, refuse};
use crate::fleet::Judged;
use crate::host::Host;
use crate::policy::{Policy, PolicyError};
use crate::rules::DocumentKind;
use crate::spec::{CONFIG, MAX_BYTES};

/// Which documents to judge, and by what policy.
#[derive(Debug, Args)]
pub struct Documents {
    /// Bundle folders or config.json files; `-` reads one document from standard input
    #[arg(required = true, value_name = "BUNDLE|FILE|-")]
    paths: Vec<PathBuf>,

    /// The documents are process files, as `runc exec --process` takes them
    #[arg(long)]
    process: bool,

    #[command(flatten)]
    policy: PolicyFiles,
}

/// The policy to judge by.
#[derive(Debug, Args)]
pub struct PolicyFiles {
    /// Judge by this policy file instead of the machine's; give it several times to lay files over each other
    #[arg(long = "policy", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl PolicyFiles {
    /// Reads the policy.
    ///
    /// # Errors
    /// [`PolicyError`] when it cannot be used; a file that was named must be there.
    pub fn load(&self) -> Result<Policy, PolicyError> {
        if self.files.is_empty() { Policy::load() } else { Policy::load_files(&self.files) }
    }
}

impl Documents {
    /// The policy to judge by.
    ///
    /// # Errors
    /// [`PolicyError`] when it cannot be used.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        self.policy.load()
    }

    /// What kind of documents these are.
    pub const fn kind(&self) -> DocumentKind {
        if self.process { DocumentKind::Process } else { DocumentKind::Spec }
    }

    /// The documents, by name, in the order given.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(PathBuf::as_path)
    }

    /// Reads and judges all of them.
    pub fn judge(&self, policy: &Policy, host: &Host) -> Vec<Judged> {
        self.paths().map(|path| self.judge_one(path, policy, host)).collect()
    }

    fn judge_one(&self, path: &Path, policy: &Policy, host: &Host) -> Judged {
        let name = name(path);
        match read(path) {
            Ok(text) => Judged::of(name, text, self.kind(), policy, host),
            Err((message, hint)) => Judged::unreadable(name, message, hint),
        }
    }
}

/// The document's path: a folder stands for the config.json in it.
pub fn file_of(path: &Path) -> PathBuf {
    if path != Path::new("-") && path.is_dir() { path.join(CONFIG) } else { path.to_owned() }
}

/// Refuses a command line that names standard input twice: the second would find it empty.
///
/// # Errors
/// The exit code, when the reason has been said.
pub(super) fn one_standard_input<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<(), Exit> {
    if paths.into_iter().filter(|path| *path == Path::new("-")).count() < 2 {
        return Ok(());
    }
    let hint = "give one of them as a file; in bash, <(COMMAND) is one";
    Err(refuse(Exit::Usage, &"- stands twice, and standard input can be read only once", hint))
}

fn name(path: &Path) -> String {
    file_of(path).display().to_string()
}

/// A dry run changes nothing, so it reads any regular file, whoever owns it; a start is pickier
/// ([`crate::spec::TrustedFile`]).
fn read(path: &Path) -> Result<Vec<u8>, (String, String)> {
    if path == Path::new("-") {
        return bounded(std::io::stdin().lock(), "standard input");
    }
    read_file(&file_of(path))
}

/// Reads one file, whoever owns it.
///
/// # Errors
/// What went wrong, and a hint.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, (String, String)> {
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => "run as a user who may read it",
            _ => "name a bundle folder, a config.json file, or - for standard input",
        };
        (format!("cannot read {}: {error}", path.display()), hint.to_owned())
    };
    let seen = std::fs::metadata(path).map_err(failed)?;
    // What `<(COMMAND)` stands for in bash. Another pipe may be somebody's trap in a folder: nobody ever writes to it.
    if seen.file_type().is_fifo() && path.starts_with("/dev/fd") {
        return bounded(std::fs::File::open(path).map_err(failed)?, &path.display().to_string());
    }
    if !seen.is_file() {
        return Err((
            format!("{} is not a regular file", path.display()),
            "name a bundle folder or its config.json".to_owned(),
        ));
    }
    whole(std::fs::File::open(path).map_err(failed)?, seen.len()).map_err(failed)
}

/// Up to one byte past the largest document. Nearly always in one call: a file that has grown or shrunk since its `size`
/// was seen is read to its end.
fn whole(file: std::fs::File, size: u64) -> std::io::Result<Vec<u8>> {
    let size = usize::try_from(size).unwrap_or(MAX_BYTES).min(MAX_BYTES);
    let mut text = Vec::with_capacity(size + 1);
    let filled = rustix::io::read(&file, rustix::buffer::spare_capacity(&mut text))?;
    if filled != size {
        file.take((MAX_BYTES + 1 - filled) as u64).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// Reads `source` up to one byte past the largest document; `name` is for the message.
///
/// # Errors
/// What went wrong, and a hint.
pub(super) fn bounded(source: impl Read, name: &str) -> Result<Vec<u8>, (String, String)> {
    let mut text = Vec::new();
    match source.take(MAX_BYTES as u64 + 1).read_to_end(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err((format!("cannot read {name}: {error}"), "check the path and its permissions".to_owned())),
    }
}
