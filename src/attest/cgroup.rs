//! Control groups: which one a container's processes are in, who else is in it, and how to end them all.
//!
//! Version 1 has a tree per controller, version 2 one tree; a hybrid host has both, and runtimes then use those of
//! version 1 and sometimes the other one as well. Whoever is in any of the container's groups is the container's.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How deep groups may be nested below a container's. The kernel has no limit by default.
const MAX_DEPTH: u32 = 64;

/// The mounted trees.
#[derive(Debug, Default)]
pub struct Hierarchies(Vec<Hierarchy>);

#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    /// Mount options, among them the controllers of version 1; none for version 2.
    controllers: Option<Vec<String>>,
    /// Which part of the tree is mounted.
    root: String,
    mounted: PathBuf,
}

/// One group of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Its folder.
    pub folder: PathBuf,
}

impl Hierarchies {
    /// Those of this machine.
    pub fn mounted() -> Self {
        Self::parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Reads the text of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).
    fn parse(mountinfo: &str) -> Self {
        Self(mountinfo.lines().filter_map(Hierarchy::parse).collect())
    }

    /// Whether there is any tree of version 2, and whether there is any of version 1.
    pub fn versions(&self) -> (bool, bool) {
        let unified = |one: &Hierarchy| one.controllers.is_none();
        (self.0.iter().any(unified), !self.0.iter().all(unified))
    }

    /// The groups that `process` (the text of its /proc/PID/cgroup) has for itself: not the root, none that batten is in
    /// as well (`own`, the same of batten) or below.
    pub fn groups_of(&self, process: &str, own: &str) -> Vec<Group> {
        let own: Vec<_> = own.lines().filter_map(member).collect();
        let is_shared = |controllers: &str, path: &str| {
            let mine = own.iter().find(|(known, _)| *known == controllers).map_or("/", |(_, path)| *path);
            path == "/" || mine == path || mine.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        let mut groups: Vec<Group> = process
            .lines()
            .filter_map(member)
            .filter(|(controllers, path)| !is_shared(controllers, path))
            .filter_map(|(controllers, path)| self.folder(controllers, path))
            .map(|folder| Group { folder })
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The groups at `path` in every tree that has it.
    pub fn groups_at(&self, path: &str) -> Vec<Group> {
        let below = path.trim_start_matches('/');
        let folders = self.0.iter().map(|one| one.mounted.join(below)).filter(|folder| folder.is_dir());
        folders.map(|folder| Group { folder }).collect()
    }

    /// Those of `groups` that are a container's own: neither a whole tree nor one that batten (`own`, its
    /// /proc/PID/cgroup) is in as well.
    pub fn private(&self, groups: &[Group], own: &str) -> Vec<Group> {
        let mine: Vec<_> =
            own.lines().filter_map(member).filter_map(|(names, path)| self.folder(names, path)).collect();
        let whole = |folder: &Path| self.0.iter().any(|one| one.mounted == folder);
        let shared = |folder: &Path| whole(folder) || mine.iter().any(|own| own.starts_with(folder));
        let mut private: Vec<Group> = groups.iter().filter(|group| !shared(&group.folder)).cloned().collect();
        private.sort_unstable();
        private.dedup();
        private
    }

    fn folder(&self, controllers: &str, path: &str) -> Option<PathBuf> {
        // Out of the view of batten's own cgroup namespace.
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        let fits = |one: &&Hierarchy| match &one.controllers {
            None => controllers.is_empty(),
            Some(options) => {
                !controllers.is_empty() && controllers.split(',').all(|name| options.iter().any(|own| own == name))
            }
        };
        self.0.iter().filter(fits).find_map(|one| {
            let below = if one.root == "/" { path } else { path.strip_prefix(&*one.root)? };
            Some(one.mounted.join(below.trim_start_matches('/')))
        })
    }
}

impl Hierarchy {
    fn parse(line: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        let controllers = match system.next()? {
            "cgroup2" => None,
            "cgroup" => Some(system.nth(1)?.split(',').map(str::to_owned).collect()),
            _ => return None,
        };
        let mut mount = mount.split(' ').skip(3);
        let (root, mounted) = (unescape(mount.next()?), unescape(mount.next()?));
        Some(Self { controllers, root, mounted: mounted.into() })
    }
}

/// Blanks and the like are written as three octal digits.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        out.push(code.map_or('\\', char::from));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    out + rest
}

/// `4:memory:/docker/…`, or `0::/system.slice/…` for version 2.
fn member(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(':')?;
    rest.split_once(':')
}

impl Group {
    /// Every process in it and in the groups below it; none where it is gone.
    ///
    /// # Errors
    /// The kernel's, for a group that is there and cannot be read.
    pub fn processes(&self) -> io::Result<BTreeSet<i32>> {
        let mut pids = BTreeSet::new();
        walk(&self.folder, 0, &mut pids)?;
        Ok(pids)
    }

    /// Kills all of them at once; false where the kernel (before 5.14) or the group (version 1) cannot.
    pub fn kill(&self) -> bool {
        let door = fs::OpenOptions::new().write(true).open(self.folder.join("cgroup.kill"));
        door.and_then(|mut door| io::Write::write_all(&mut door, b"1")).is_ok()
    }
}

fn walk(folder: &Path, depth: u32, pids: &mut BTreeSet<i32>) -> io::Result<()> {
    match fs::read_to_string(folder.join("cgroup.procs")) {
        Ok(text) => pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0)),
        // A threaded group; its processes are listed above.
        Err(error) if error.raw_os_error() == Some(nix::libc::EOPNOTSUPP) => {}
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    if depth == MAX_DEPTH {
        return Err(io::Error::other(format!("groups are nested deeper than {MAX_DEPTH}")));
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        walk(&entry.path(), depth + 1, pids)?;
    }
    Ok(())
}

/// Groups go while one reads.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(nix::libc::ENOENT | nix::libc::ENODEV))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    const HYBRID: &str = "\
        30 24 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n\
        31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        32 30 0:28 / /sys/fs/cgroup/a\\040b rw shared:9 - cgroup cgroup rw,name=systemd\n\
        33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
        34 30 0:30 /lxc/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

    fn folders(process: &str, own: &str) -> Vec<String> {
        let groups = Hierarchies::parse(HYBRID).groups_of(process, own);
        groups.iter().map(|group| group.folder.display().to_string()).collect()
    }

    #[test]
    fn a_process_is_found_in_every_tree_that_is_mounted() {
        let process = "4:memory:/lxc/x/c1\n3:cpu,cpuacct:/c1\n2:name=systemd:/c 1\n1:pids:/c1\n0::/c1\n";
        let own = "4:memory:/lxc/x\n3:cpu,cpuacct:/\n2:name=systemd:/\n0::/\n";
        let expected = [
            "/sys/fs/cgroup/a b/c 1",
            "/sys/fs/cgroup/cpu,cpuacct/c1",
            "/sys/fs/cgroup/memory/c1",
            "/sys/fs/cgroup/unified/c1",
        ];
        assert_eq!(folders(process, own), expected);
    }

    #[test]
    fn a_group_that_batten_is_in_as_well_is_not_a_container_s() {
        let own = "0::/user.slice/session-1.scope\n";
        for path in ["/", "/user.slice", "/user.slice/session-1.scope", "/../other"] {
            assert!(folders(&format!("0::{path}\n"), own).is_empty(), "{path}");
        }
        assert_eq!(folders("0::/user.slice/session-1.scope/c1\n", own).len(), 1);
        assert_eq!(folders("0::/user.slice/session-1\n", own).len(), 1, "a name that begins alike is another one");
    }

    #[test]
    fn nested_groups_count() {
        let folder = tempfile::tempdir().unwrap();
        let nested = folder.path().join("payload/unit.service");
        fs::create_dir_all(&nested).unwrap();
        fs::write(folder.path().join("cgroup.procs"), "1\n2\n0\n").unwrap();
        fs::write(folder.path().join("payload/cgroup.procs"), "").unwrap();
        fs::write(nested.join("cgroup.procs"), "3\n2\n").unwrap();
        let group = Group { folder: folder.path().to_owned() };
        assert_eq!(group.processes().unwrap().into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        assert!(!group.kill(), "no cgroup.kill here");
        assert!(Group { folder: "/nonexistent".into() }.processes().unwrap().is_empty());
    }
}
