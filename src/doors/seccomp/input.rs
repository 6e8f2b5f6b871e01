//! Where profiles come from.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use crate::doors::input::bounded;
use crate::doors::{Exit, refuse};
use crate::seccomp::GroupProfile;
use crate::settings::BUILT_IN_PROFILE;
use crate::spec::Document;

/// Where kubelet keeps the files that a pod's `localhostProfile` names.
const LOCALHOST: &str = "/var/lib/kubelet/seccomp";

/// Reads the profile that a person named: a file, `-` for standard input, or `localhost/NAME` for a file of kubelet's.
///
/// # Errors
/// The exit code, when the reason has been said.
pub(super) fn read(path: &Path) -> Result<Document, Exit> {
    if path == Path::new(BUILT_IN_PROFILE) {
        return Err(no_engine_reads("the built-in profile", path));
    }
    let text = bytes(path).map_err(|(message, hint)| refuse(Exit::Unreadable, &message, &hint))?;
    if GroupProfile::is_named_by(path) {
        return Err(no_engine_reads(&name(path), path));
    }
    Document::parse(text).map_err(|error| refuse(Exit::Unreadable, &format!("{}: {error}", name(path)), error.hint()))
}

fn no_engine_reads(what: &str, path: &Path) -> Exit {
    let hint = format!("batten seccomp convert {} --to oci --caps CAP,… writes what it comes to", path.display());
    refuse(Exit::Unreadable, &format!("{what} is written in groups, and no engine reads those"), &hint)
}

/// A profile's text, read.
pub(super) enum Source {
    /// OCI's object, Docker's format, container-libs'.
    Json(Document),
    /// TOML in the words of the groups.
    Groups(GroupProfile),
}

/// Reads a profile of any format: TOML where the file's name or its first letter says so.
///
/// # Errors
/// The exit code, when the reason has been said.
pub(super) fn read_any(path: &Path) -> Result<Source, Exit> {
    let text = bytes(path).map_err(|(message, hint)| refuse(Exit::Unreadable, &message, &hint))?;
    if is_toml(path, &text) {
        let read = GroupProfile::from_bytes(text).map(Source::Groups);
        return read.map_err(|error| refuse(Exit::Unreadable, &format!("{}: {error}", name(path)), error.hint));
    }
    let read = Document::parse(text);
    let document = read.map_err(|error| refuse(Exit::Unreadable, &format!("{}: {error}", name(path)), error.hint()))?;
    if document.root().get("ociVersion").is_some() {
        let hint = "its profile stands in linux.seccomp: jq .linux.seccomp config.json | batten seccomp COMMAND -";
        return Err(refuse(Exit::Unreadable, &format!("{} is a config.json, not a profile", name(path)), hint));
    }
    Ok(Source::Json(document))
}

/// JSON's object begins with a brace.
fn is_toml(path: &Path, text: &[u8]) -> bool {
    let start = text.trim_ascii_start();
    let begins =
        start.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'#') || start.starts_with(b"[[");
    GroupProfile::is_named_by(path) || (path == Path::new("-") && begins)
}

/// What a message calls the profile.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn bytes(path: &Path) -> Result<Vec<u8>, (String, String)> {
    if path == Path::new("-") {
        return bounded(std::io::stdin().lock(), "standard input");
    }
    let hint = if path.to_string_lossy().starts_with("builtin:") {
        "builtin:default is the only profile that is built in"
    } else {
        "name a file, - for standard input, localhost/NAME for a file of kubelet's, or builtin:default"
    };
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        (format!("cannot read {}: {error}", path.display()), hint.to_owned())
    };
    let place = locate(path).ok_or_else(|| failed(path, &"a localhost profile is named by a path below kubelet's"))?;
    let file = File::open(&place).map_err(|error| failed(&place, &error))?;
    if file.metadata().is_ok_and(|seen| seen.is_dir()) {
        return Err(failed(&place, &"it is a folder"));
    }
    bounded(file, &place.display().to_string())
}

/// `localhost/NAME` stands for kubelet's file unless there is such a file here. As in Kubernetes, NAME leads downwards.
fn locate(path: &Path) -> Option<PathBuf> {
    match path.strip_prefix("localhost") {
        Ok(name) if !path.exists() => {
            let descends = name.components().all(|part| matches!(part, Component::Normal(_)));
            descends.then(|| Path::new(LOCALHOST).join(name))
        }
        _ => Some(path.to_owned()),
    }
}
