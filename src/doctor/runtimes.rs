//! The runtimes on the machine: versions, what they are built with, known holes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::holes::{self, Hole};
use super::{Check, Level};
use crate::engines::Site;

const AREA: &str = "runtimes";

/// What is looked for on PATH.
const NAMES: [&str; 5] = ["runc", "crun", "youki", "runsc", "kata-runtime"];

pub(super) fn checks(site: &Site) -> Vec<Check> {
    let mut checks = Vec::new();
    for name in NAMES {
        if let Some(path) = site.program(name) {
            checks.extend(of_runtime(site, name, &path));
        }
    }
    if checks.is_empty() {
        let hint = "install runc or crun; batten run does without";
        checks.push(Check::new(AREA, "runtime", Level::Failure, format!("none of {} is here", NAMES.join(", ")), hint));
    }
    checks
}

fn of_runtime(site: &Site, name: &str, path: &Path) -> Vec<Check> {
    let shown = path.display();
    if site.is_batten(path) {
        return vec![Check::fine(AREA, name, format!("{shown} is batten-runtime"))];
    }
    let Some(text) = ask(site, path) else {
        let hint = "run batten doctor on the machine itself";
        return vec![Check::new(AREA, name, Level::Unknown, format!("{shown}: its version cannot be asked"), hint)];
    };
    let first = text.lines().next().unwrap_or_default();
    let mut checks = vec![built(name, path, first, &text)];
    if let Some(version) = holes::version(first) {
        let known: Vec<&Hole> = holes::of(name, version).collect();
        checks.extend(known.into_iter().map(|hole| judged(site, name, path, first, hole)));
    }
    checks
}

/// Which libseccomp it has, and which modules it was built for.
fn built(name: &str, path: &Path, first: &str, text: &str) -> Check {
    let found = format!("{}: {first}", path.display());
    let libseccomp = text.lines().find_map(|line| line.strip_prefix("libseccomp: "));
    if name == "crun" && !text.contains("+SECCOMP") {
        let hint = "install a crun that was built with libseccomp: this one refuses or forgets filters";
        return Check::new(AREA, name, Level::Failure, format!("{found}, built without seccomp"), hint);
    }
    match libseccomp {
        Some(version) => Check::fine(AREA, name, format!("{found}, libseccomp {version}{}", knows(version))),
        None => Check::fine(AREA, name, found),
    }
}

/// A deny of a call that libseccomp has no name for vanishes; an allow-list stays safe.
fn knows(version: &str) -> &'static str {
    match crate::engines::parse_version(version) {
        Some(version) if version < (2, 6) => ", which has no names for calls newer than about Linux 5.17",
        _ => "",
    }
}

/// A number says little where a distribution has put the fix into an older version. Its changelog says.
fn judged(site: &Site, name: &str, path: &Path, first: &str, hole: &Hole) -> Check {
    let Hole { cve, what, .. } = hole;
    let title = format!("{name} {cve}");
    let fixed = hole.fixed_in();
    if changelog_names(site, name, cve) {
        let found = format!("{what}; the package's changelog names it as fixed, though {first} is older than {fixed}");
        return Check::fine(AREA, &title, found);
    }
    if is_packaged(site, name, path) && !site.exists(&changelog(name)) {
        let found = format!(
            "{what}; fixed in {fixed}. Whether the distribution has put the fix into its older version cannot be known from here"
        );
        let hint = format!("look {cve} up in the distribution's security tracker, or update {name}");
        return Check::new(AREA, &title, Level::Unknown, found, hint);
    }
    let found = format!("{what}; fixed in {fixed}, and {} is older", path.display());
    let hint =
        format!("update {name}; a distribution that has put the fix into this version says so in its security tracker");
    Check::new(AREA, &title, Level::Warning, found, hint)
}

/// Whether it is a distribution's, by its package's list of files or a database of packages beside it.
fn is_packaged(site: &Site, name: &str, path: &Path) -> bool {
    let there = |path: &str| site.exists(Path::new(path));
    let is_theirs = !path.starts_with("/usr/local");
    there(&format!("/var/lib/dpkg/info/{name}.list"))
        || (is_theirs && ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/lib/apk/db"].into_iter().any(there))
}

fn changelog(name: &str) -> PathBuf {
    PathBuf::from(format!("/usr/share/doc/{name}/changelog.Debian.gz"))
}

fn ask(site: &Site, path: &Path) -> Option<String> {
    if !site.is_host() {
        return None;
    }
    let output = Command::new(path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (!text.trim().is_empty()).then_some(text)
}

/// Debian's and Ubuntu's packages bring their history along.
fn changelog_names(site: &Site, name: &str, cve: &str) -> bool {
    let path = site.real(&changelog(name));
    let grep = Command::new("zgrep").args(["-q", "-F", "--", cve]).arg(path).stdin(Stdio::null()).output();
    grep.is_ok_and(|output| output.status.success())
}
