//! Each remark has a profile that calls for it, and one change that silences it.

use std::path::Path;

use super::*;
use crate::apparmor::language::PolicyFile;
use crate::apparmor::{Dialect, Label, Version, builtin};
use crate::capability::CapSet;

const QUIET: &str = "name = 'web'\n[[signal]]\naccess = ['receive']\npeers = ['unconfined', '{runc,crun}']\n";

fn of_toml(toml: &str) -> Vec<(usize, &'static str)> {
    let written = Written::from_toml(Path::new("web.toml"), toml).unwrap_or_else(|error| panic!("{error}"));
    lint(&written, false).into_iter().map(|remark| (remark.line, remark.code)).collect()
}

fn of_text(text: &str) -> Vec<(usize, &'static str)> {
    let file = PolicyFile::parse(text.as_bytes()).unwrap();
    file.profiles.iter().flat_map(|written| lint(written, true)).map(|remark| (remark.line, remark.code)).collect()
}

#[test]
fn a_quiet_profile_is_quiet() {
    assert_eq!(of_toml(QUIET), []);
}

#[test]
fn every_remark_stands_at_its_section() {
    for (toml, code) in [
        ("[[files]]\npaths = ['/**']\naccess = ['all']", "everything"),
        ("[[files]]\npaths = ['/srv/**']\naccess = ['read', 'write', 'execute']", "write-execute"),
        ("[[files]]\npaths = ['/bin/x']\nexec = 'unconfined'", "unconfined-exec"),
        ("[[files]]\npaths = ['/bin/x']\nexec = 'profile-or-unconfined'", "unconfined-exec"),
        ("[[files]]\npaths = ['/proc/**']\naccess = ['write']", "kernel-file"),
        ("[[files]]\npaths = ['/run/*.sock']\naccess = ['write']", "engine-socket"),
        ("[capabilities]\nallow = ['@all']", "all-capabilities"),
        ("[capabilities]\nallow = ['CAP_NET_ADMIN']", "powerful-capability"),
        ("[[mount]]\noperation = 'mount'", "mount-capability"),
        ("[[network]]", "all-network"),
        ("[[network]]\ntypes = ['raw']\ndeny = true", "netlink-denied"),
        ("[[ptrace]]\naccess = ['trace']", "traces-anyone"),
        ("[[change_profile]]\nto = '*'", "leaves-profile"),
    ] {
        let remarks = of_toml(&format!("{QUIET}{toml}\n"));
        assert!(remarks.contains(&(5, code)), "{toml}: {remarks:?}");
    }
}

#[test]
fn rules_that_undo_or_repeat_each_other_are_found() {
    let files = |second: &str| {
        of_toml(&format!("{QUIET}[[files]]\npaths = ['/etc/**']\naccess = ['read']\n[[files]]\n{second}\n"))
    };
    assert_eq!(files("paths = ['/etc/hosts']\naccess = ['read']"), [(8, "repeated-rule")]);
    assert_eq!(files("paths = ['/etc/**']\naccess = ['read']"), [(8, "repeated-rule")]);
    assert_eq!(files("paths = ['/etc/hosts']\naccess = ['write']"), []);
    assert_eq!(files("paths = ['/**']\naccess = ['all']\ndeny = true"), [(5, "void-rule")]);
}

#[test]
fn the_head_is_looked_at() {
    for (toml, code) in [
        ("name = 'a'\nmode = 'complain'", "not-enforced"),
        ("name = 'a'\nattach_disconnected = false", "disconnected"),
        ("name = 'a'", "cannot-be-stopped"),
        ("name = 'a'\ntunables = []\n[[files]]\npaths = ['@{HOME}/x']\naccess = ['read']", "missing-tunables"),
        ("name = 'a'\n[capabilities]\nallow = ['CAP_SYS_ADMIN']", "mount-capability"),
    ] {
        assert!(of_toml(toml).contains(&(1, code)), "{toml}: {:?}", of_toml(toml));
    }
    let text = "profile a /bin/a flags=(unconfined) {\n  file,\n  all,\n  dbus,\n}\n";
    for remark in [
        (1, "no-abi"),
        (1, "attaches"),
        (1, "not-enforced"),
        (2, "everything"),
        (3, "everything"),
        (4, "not-understood"),
    ] {
        assert!(of_text(text).contains(&remark), "{remark:?} of {:?}", of_text(text));
    }
}

#[test]
fn of_batten_s_own_profile_there_is_one_thing_to_say() {
    let dialect = Dialect::of(Version::V4_0);
    let text = builtin::profile(CapSet::DOCKER, dialect, &Label::unconfined()).render(dialect);
    let codes: Vec<_> = of_text(&text).into_iter().map(|(_, code)| code).collect();
    // A default for any container cannot know what one writes and executes, and block devices are the device cgroup's.
    assert_eq!(codes, ["everything", "kernel-file"]);
    let remark =
        PolicyFile::parse(text.as_bytes()).unwrap().profiles.iter().flat_map(|own| lint(own, true)).last().unwrap();
    assert_eq!(remark.message, "/dev/mem, /dev/sda may be written");
}

#[test]
fn every_code_is_explained_once() {
    let source = [include_str!("mod.rs"), include_str!("files.rs"), include_str!("others.rs")].concat();
    for (code, _) in CODES {
        assert!(source.matches(&format!("\"{code}\"")).count() >= 2, "{code} is used");
    }
}
