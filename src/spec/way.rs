//! The way to a file or folder: everything that leads there, and whether someone else could make it lead elsewhere.
//!
//! The runtime behind looks a path up once more after batten has judged what is there. That the file and its folder are
//! safe is worth nothing where somebody can rename the folder above, or turn a link on the way.

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;

use super::acl::has_access_list;
use super::bundle::{Doubt, errno, is_trusted_owner};

/// As many links as the kernel follows (`MAXSYMLINKS`).
const MOST_LINKS: u32 = 40;

/// A folder or link on the way that stands in it.
#[derive(Debug, thiserror::Error)]
#[error("{} {cause}", at.display())]
pub struct Astray {
    /// Which.
    pub at: PathBuf,
    /// Why.
    pub cause: Cause,
}

/// Why a way is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// Someone else could change it.
    #[error(transparent)]
    Doubt(#[from] Doubt),
    /// The kernel said no.
    #[error("cannot be looked at: {}", .0.desc())]
    System(Errno),
}

/// Walks to `path` as the kernel would, through links as well, and trusts every folder on the way and what is at its
/// end: they belong to root or the user batten runs as, and only their owner can put something else in them. In a
/// sticky folder (`/tmp`) others can only add.
///
/// # Errors
/// [`Astray`], the first that is not so.
pub fn trust_way(path: &Path) -> Result<(), Astray> {
    let mut at = PathBuf::from(if path.is_absolute() { "/" } else { "." });
    look_at(&at)?;
    let mut ahead: Vec<OsString> = steps(path);
    let mut links = 0;
    while let Some(step) = ahead.pop() {
        let next = at.join(step);
        if !look_at(&next)?.is_symlink() {
            at = next;
            continue;
        }
        links += 1;
        let target = std::fs::read_link(&next).map_err(|error| system(&next, errno(&error)))?;
        if links > MOST_LINKS {
            return Err(system(&next, Errno::ELOOP));
        }
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        ahead.extend(steps(&target));
    }
    Ok(())
}

/// The names on the way, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let named = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(named).map(|part| part.as_os_str().to_owned()).collect()
}

fn look_at(path: &Path) -> Result<Metadata, Astray> {
    let seen = std::fs::symlink_metadata(path).map_err(|error| system(path, errno(&error)))?;
    let doubt = |doubt: Doubt| Err(Astray { at: path.to_owned(), cause: doubt.into() });
    if !is_trusted_owner(seen.uid()) {
        return doubt(Doubt::Owner(seen.uid()));
    }
    let mode = seen.permissions().mode() & 0o7777;
    if seen.is_dir() && mode & 0o1000 == 0 && mode & others(seen.uid(), seen.gid()) != 0 {
        return doubt(Doubt::Writable(mode));
    }
    // Where there is a list, the group's bits are the most that it gives anyone.
    if seen.uid() == 0 && mode & 0o1020 == 0o020 && !seen.is_symlink() && has_access_list(path) {
        return doubt(Doubt::AccessList);
    }
    Ok(seen)
}

/// Which bits of a mode give others the right to write: root's own group is root; what is a user's is his to share with
/// his own group.
pub(super) const fn others(uid: u32, gid: u32) -> u32 {
    if uid == 0 && gid != 0 { 0o022 } else { 0o002 }
}

fn system(at: &Path, error: Errno) -> Astray {
    Astray { at: at.to_owned(), cause: Cause::System(error) }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, set_permissions};
    use std::os::unix::fs::symlink;

    use super::super::acl::tests::grant;
    use super::*;

    fn folder(path: PathBuf, mode: u32) -> PathBuf {
        create_dir(&path).unwrap();
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn stopped_at(path: &Path) -> PathBuf {
        trust_way(path).unwrap_err().at
    }

    #[test]
    fn a_way_through_folders_of_one_s_own_is_taken() {
        let top = tempfile::tempdir().unwrap();
        let inner = folder(folder(top.path().join("a"), 0o755).join("b"), 0o700);
        trust_way(&inner).unwrap();
        trust_way(&inner.join("../b/.")).unwrap();
        trust_way(Path::new(".")).unwrap();
    }

    #[test]
    fn a_folder_above_that_others_may_write_to_stops_it() {
        let top = tempfile::tempdir().unwrap();
        let open = folder(top.path().join("open"), 0o777);
        assert_eq!(stopped_at(&folder(open.join("b"), 0o700)), open);
        set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        trust_way(&open.join("b")).unwrap();
    }

    #[test]
    fn an_access_list_that_lets_others_write_stops_it() {
        let top = tempfile::tempdir().unwrap();
        let (read, write) = (folder(top.path().join("read"), 0o755), folder(top.path().join("write"), 0o755));
        if !nix::unistd::geteuid().is_root() || !grant(&read, 5) {
            eprintln!(
                "SKIPPED an_access_list_that_lets_others_write_stops_it: no root, or no lists on this file system"
            );
            return;
        }
        trust_way(&read).unwrap();
        assert!(grant(&write, 7));
        assert!(matches!(trust_way(&write), Err(Astray { cause: Cause::Doubt(Doubt::AccessList), .. })));
    }

    #[test]
    fn a_link_is_looked_at_where_it_stands_and_where_it_leads() {
        let top = tempfile::tempdir().unwrap();
        let (own, open) = (folder(top.path().join("own"), 0o700), folder(top.path().join("open"), 0o777));
        let (bundle, far) = (folder(own.join("b"), 0o700), folder(open.join("b"), 0o700));
        symlink(&bundle, open.join("to-own")).unwrap();
        assert_eq!(stopped_at(&open.join("to-own")), open, "whoever writes there can turn it");
        symlink("../open/b", own.join("to-open")).unwrap();
        assert_eq!(stopped_at(&own.join("to-open")), own.join("../open"));
        assert_eq!(stopped_at(&far), open);
        symlink(&bundle, own.join("to-own")).unwrap();
        trust_way(&own.join("to-own")).unwrap();
    }

    #[test]
    fn a_stranger_s_link_in_a_sticky_folder_stops_it() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let top = tempfile::tempdir().unwrap();
        let (sticky, bundle) = (folder(top.path().join("tmp"), 0o1777), folder(top.path().join("b"), 0o700));
        let link = sticky.join("link");
        symlink(&bundle, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(12_345), None).unwrap();
        assert!(matches!(
            trust_way(&link),
            Err(Astray { at, cause: Cause::Doubt(Doubt::Owner(12_345)) }) if at == link
        ));
    }

    #[test]
    fn a_ring_of_links_ends() {
        let top = tempfile::tempdir().unwrap();
        symlink("b", top.path().join("a")).unwrap();
        symlink("a", top.path().join("b")).unwrap();
        assert!(matches!(trust_way(&top.path().join("a")), Err(Astray { cause: Cause::System(Errno::ELOOP), .. })));
    }
}
