//! Bundles that are not what they seem are refused, and nothing in them changes.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use batten::spec::{Durability, Problem, TrustedFile};

fn refused(bundle: &Path) -> Problem {
    TrustedFile::in_bundle(bundle).expect_err("the bundle is refused").problem
}

fn bundle() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    folder
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("real.json"), "{}").unwrap();
    symlink("real.json", folder.path().join("config.json")).unwrap();
    assert!(matches!(refused(folder.path()), Problem::Symlink));
}

#[test]
fn a_pipe_neither_blocks_nor_passes() {
    let folder = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(&folder.path().join("config.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(refused(folder.path()), Problem::NotRegular));
}

#[test]
fn a_folder_in_the_file_s_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config.json")).unwrap();
    assert!(matches!(refused(folder.path()), Problem::NotRegular));
}

#[test]
fn a_second_name_is_refused() {
    let folder = bundle();
    fs::hard_link(folder.path().join("config.json"), folder.path().join("other")).unwrap();
    assert!(matches!(refused(folder.path()), Problem::HardLinks(2)));
}

#[test]
fn a_file_that_anyone_may_write_is_refused() {
    let folder = bundle();
    fs::set_permissions(folder.path().join("config.json"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(refused(folder.path()), Problem::WorldWritable(0o666)));
}

#[test]
fn a_file_that_a_group_of_root_s_may_write_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED a_file_that_a_group_of_root_s_may_write_is_refused: only root can give a file to any group");
        return;
    }
    let folder = bundle();
    let file = folder.path().join("config.json");
    std::os::unix::fs::chown(&file, None, Some(12_345)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    assert!(matches!(refused(folder.path()), Problem::GroupWritable { gid: 12_345, mode: 0o664 }));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    TrustedFile::in_bundle(folder.path()).unwrap();
}

#[test]
fn a_bundle_below_a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("open/bundle");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("config.json"), "{}").unwrap();
    TrustedFile::in_bundle(&inner).unwrap();
    fs::set_permissions(folder.path().join("open"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(refused(&inner), Problem::Way(astray) if astray.at.ends_with("open")));
}

#[test]
fn another_user_s_file_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED another_user_s_file_is_refused: only root can give a file away");
        return;
    }
    let folder = bundle();
    std::os::unix::fs::chown(folder.path().join("config.json"), Some(1234), None).unwrap();
    assert!(matches!(refused(folder.path()), Problem::Owner(1234)));
}

#[test]
fn a_gigabyte_is_refused_without_being_read() {
    let folder = bundle();
    OpenOptions::new().write(true).open(folder.path().join("config.json")).unwrap().set_len(1 << 30).unwrap();
    assert!(matches!(refused(folder.path()), Problem::TooLarge { size: 0x4000_0000 }));
}

#[test]
fn a_missing_bundle_is_an_error_with_a_hint() {
    let error = TrustedFile::in_bundle(Path::new("/nowhere/at/all")).unwrap_err();
    assert_eq!(error.to_string(), "cannot open the folder /nowhere/at/all: No such file or directory");
    assert!(error.hint().contains("config.json"));
}

#[test]
fn a_replacement_keeps_mode_and_owner_and_is_a_new_file() {
    let folder = bundle();
    let path = folder.path().join("config.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    let file = TrustedFile::in_bundle(folder.path()).unwrap();
    file.replace(b"{\"a\":1}", Durability::Disk).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}");
    assert_eq!((before.mode(), before.uid(), before.gid()), (after.mode(), after.uid(), after.gid()));
    assert_ne!(before.ino(), after.ino(), "a writer who held the old file open must not reach the new one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn on_a_full_disk_the_old_file_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder.path()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED on_a_full_disk_the_old_file_stays_whole: cannot mount a tmpfs here (needs root)");
        return;
    }
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    let file = TrustedFile::in_bundle(folder.path()).unwrap();
    let error = file.replace(&vec![b' '; 1 << 20], Durability::Disk).unwrap_err();
    let (left, text) = (fs::read_dir(folder.path()).unwrap().count(), fs::read_to_string(file.path()).unwrap());
    let path = file.path().display().to_string();
    // Its folder is held open, which would keep the disk mounted; so does a child that another test forked just before, up to
    // its execve.
    drop(file);
    let unmount = || Command::new("umount").arg(folder.path()).status().unwrap().success();
    let end = Instant::now() + Duration::from_secs(60);
    while !unmount() {
        assert!(Instant::now() < end, "it stays mounted");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(error.to_string(), format!("cannot replace {path}: No space left on device"));
    assert_eq!((left, text.as_str()), (1, "{}"));
}
