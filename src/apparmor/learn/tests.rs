//! A log in, a profile out under which the same log is silent.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::apparmor::{Dialect, Version};
use crate::denials::hear;

const EMPTY: &str = "name = \"web\"\n";

const LOG: &str = r#"
[ 1.0] audit: type=1400 audit(1.0:1): apparmor="STATUS" operation="profile_replace" profile="unconfined" name="web" pid=1 comm="apparmor_parser"
type=AVC msg=audit(1.1:2): apparmor="ALLOWED" operation="exec" class="file" profile="web" name="/bin/sh" pid=5 comm="runc:[2:INIT]" requested_mask="x" denied_mask="x" fsuid=0 ouid=0 target="web//null-/bin/sh"
type=AVC msg=audit(1.1:3): apparmor="ALLOWED" operation="open" class="file" profile="web//null-/bin/sh" name="/bin/sh" pid=5 comm="sh" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
type=AVC msg=audit(1.1:3): apparmor="ALLOWED" operation="file_mmap" class="file" profile="web//null-/bin/sh" name="/bin/sh" pid=5 comm="sh" requested_mask="rm" denied_mask="rm" fsuid=0 ouid=0
type=AVC msg=audit(1.1:4): apparmor="ALLOWED" operation="open" class="file" profile="web" name="/proc/5/status" pid=5 comm="sh" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
type=AVC msg=audit(1.1:5): apparmor="ALLOWED" operation="open" class="file" profile="web" name="/proc/6/status" pid=6 comm="sh" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
type=AVC msg=audit(1.1:6): apparmor="ALLOWED" operation="mknod" class="file" profile="web" name=2F746D702F6120622A pid=6 comm="sh" requested_mask="c" denied_mask="c" fsuid=0 ouid=0
type=AVC msg=audit(1.1:7): apparmor="ALLOWED" operation="capable" class="cap" profile="web" pid=6 comm="sh" capability=21 capname="sys_admin"
type=AVC msg=audit(1.1:7): apparmor="ALLOWED" operation="capable" class="cap" profile="web" pid=6 comm="sh" capability=0 capname="chown"
type=AVC msg=audit(1.1:8): apparmor="ALLOWED" operation="create" class="net" profile="web" pid=6 comm="sh" family="inet" sock_type="stream" protocol=6 requested="create" denied="create"
type=AVC msg=audit(1.1:9): apparmor="ALLOWED" operation="signal" class="signal" profile="web" pid=6 comm="sh" requested_mask="send" denied_mask="send" signal=term peer="web//null-/bin/sh"
type=AVC msg=audit(1.1:9): apparmor="DENIED" operation="signal" class="signal" profile="web" pid=6 comm="runc" requested_mask="receive" denied_mask="receive" signal=kill peer="runc"
type=AVC msg=audit(1.1:9): apparmor="ALLOWED" operation="ptrace" class="ptrace" profile="web" pid=6 comm="ps" requested_mask="read" denied_mask="read" peer="web"
type=AVC msg=audit(1.1:10): apparmor="ALLOWED" operation="mount" class="mount" info="failed mntpnt match" error=-13 profile="web" name="/mnt/" pid=6 comm="mount" fstype="tmpfs" srcname="tmpfs" flags="rw, nosuid"
type=AVC msg=audit(1.1:11): apparmor="ALLOWED" operation="umount" class="mount" profile="web" name="/mnt/" pid=6 comm="umount"
type=AVC msg=audit(1.1:12): apparmor="ALLOWED" operation="userns_create" class="namespace" profile="web" pid=6 comm="unshare" requested="userns_create" denied="userns_create"
type=AVC msg=audit(1.1:13): apparmor="ALLOWED" operation="change_profile" class="file" profile="web" name="worker" pid=6 comm="x" target="worker"
type=AVC msg=audit(1.1:14): apparmor="ALLOWED" operation="open" class="file" profile="other" name="/secret" pid=7 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
"#;

fn learn(toml: &str, log: &str) -> (Lesson, String) {
    let profile = Profile::from_toml(Path::new("web.toml"), toml).unwrap();
    let heard = hear(log.as_bytes(), &profile.name).unwrap();
    let lesson = profile.learn(&heard.events);
    let edited = edit(toml, &lesson).unwrap();
    (lesson, edited)
}

#[test]
fn every_kind_of_access_becomes_its_rule() {
    let (lesson, edited) = learn(EMPTY, LOG);
    let profile =
        Profile::from_toml(Path::new("web.toml"), &edited).unwrap_or_else(|error| panic!("{error}\n{edited}"));
    let text = profile.render(Dialect::of(Version::V4_0));
    for line in [
        "capability chown,",
        "capability sys_admin,",
        "network inet stream,",
        "\"/bin/sh\" rmix,",
        "\"@{PROC}/@{pid}/status\" r,",
        r#""/tmp/a b\052" w,"#,
        "signal (send) set=(term) peer=\"@{profile_name}\",",
        "signal (receive) set=(kill) peer=\"runc\",",
        "ptrace (read) peer=\"@{profile_name}\",",
        "mount fstype=(\"tmpfs\") options=(rw, nosuid) \"tmpfs\" -> \"/mnt/\",",
        "umount \"/mnt/\",",
        "userns,",
        "change_profile -> \"worker\",",
    ] {
        assert!(text.contains(&format!("  {line}\n")), "{line}\n{text}\n{edited}");
    }
    assert!(!text.contains("secret"), "another profile's lines teach nothing");
    let status = lesson.proposals.iter().find(|proposal| proposal.from.is_some()).unwrap();
    assert_eq!((status.times, status.from.as_deref()), (2, Some("/proc/5/status")));
    assert_eq!(lesson.left, []);
}

#[test]
fn what_was_learned_is_not_learned_again() {
    let (_, once) = learn(EMPTY, LOG);
    let (lesson, twice) = learn(&once, LOG);
    assert_eq!(lesson.proposals, []);
    assert_eq!(once, twice);
}

#[test]
fn what_the_profile_denies_by_name_stays_denied() {
    let toml = "name = \"web\" # mine\n\n[capabilities]\nallow = [\n    \"CAP_KILL\", # why\n]\ndeny = [\"CAP_SYS_ADMIN\"]\n\n\
                [[files]]\npaths = [\"/tmp/**\"]\naccess = [\"write\"]\ndeny = true\n";
    let (lesson, edited) = learn(toml, LOG);
    let left: Vec<_> = lesson.left.iter().map(|left| (left.what.as_str(), left.why)).collect();
    assert_eq!(left, [(r"/tmp/a b\*", propose::Why::Denied(2)), ("capability sys_admin", propose::Why::Denied(1))]);
    assert!(edited.starts_with("name = \"web\" # mine\n"), "{edited}");
    assert!(edited.contains("    \"CAP_KILL\", # why\n    \"CAP_CHOWN\",\n]\ndeny"), "{edited}");
}

#[test]
fn what_opens_the_way_to_the_host_is_flagged() {
    let log = r#"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="open" profile="web" name="/proc/sysrq-trigger" comm="x" denied_mask="w"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="connect" profile="web" name="/run/docker.sock" comm="x" denied_mask="wr"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="exec" profile="web" name="/tmp/payload" comm="x" denied_mask="x"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="mknod" profile="web" name="/tmp/payload" comm="x" denied_mask="c"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="create" profile="web" comm="x" family="packet" sock_type="raw" denied="create"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="open" profile="web" name="/etc/hosts" comm="x" denied_mask="r"
type=AVC msg=audit(1.1:2): apparmor="DENIED" operation="change_profile" profile="web" comm="x" target="unconfined"
"#;
    let (lesson, _) = learn(EMPTY, log);
    let flagged = lesson.proposals.iter().filter(|proposal| proposal.concern.is_some()).count();
    assert_eq!((lesson.proposals.len(), flagged), (5, 4), "{:#?}", lesson.proposals);
    assert_eq!(lesson.left[0].why, propose::Why::Unconfined);
}

#[test]
fn a_disconnected_path_asks_for_the_flag_and_a_gap_is_heard() {
    let log = "type=AVC msg=audit(1.1:2): apparmor=\"DENIED\" operation=\"open\" info=\"Failed name lookup - disconnected path\" error=-13 profile=\"web\" name=\"x\" denied_mask=\"r\"\n\
               audit: rate limit exceeded\n";
    let (lesson, edited) = learn("name = \"web\"\nattach_disconnected = false\n", log);
    assert!(lesson.needs_attach_disconnected);
    assert_eq!(edited, "name = \"web\"\nattach_disconnected = true\n");
    assert!(hear(log.as_bytes(), "web").unwrap().is_incomplete);
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let mut log = vec![b'x'; 3 << 20];
    log.extend_from_slice(
        b"\ntype=AVC msg=audit(1.1:2): apparmor=\"DENIED\" operation=\"capable\" profile=\"web\" capability=0\n",
    );
    assert_eq!(hear(&log[..], "web").unwrap().events.len(), 1);
}

/// A field as the kernel would write a text that a program chose.
fn untrusted(bytes: &[u8]) -> String {
    let is_plain = bytes.iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'"');
    if is_plain {
        return format!("\"{}\"", String::from_utf8_lossy(bytes));
    }
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"))
}

proptest! {
    #[test]
    fn whatever_a_program_calls_its_files_learn_writes_toml_that_allows_just_them(
        names in prop::collection::vec(prop::collection::vec(1_u8..=255, 1..30), 1..6), letters in "[rwkmlx]{1,3}",
    ) {
        let mut log = String::new();
        for name in &names {
            let path = [b"/data/", name.as_slice()].concat();
            let name = untrusted(&path);
            writeln!(log, "type=AVC msg=audit(1.1:2): apparmor=\"ALLOWED\" operation=\"open\" profile=\"web\" name={name} comm=\"x\" denied_mask=\"{letters}\"").unwrap();
        }
        let (lesson, edited) = learn(EMPTY, &log);
        prop_assert!(lesson.left.is_empty() && !lesson.proposals.is_empty());
        let profile = Profile::from_toml(Path::new("web.toml"), &edited).map_err(|error| TestCaseError::fail(format!("{error}\n{edited}")))?;
        prop_assert_eq!(&profile.name, "web");
        prop_assert!(profile.learn(&hear(log.as_bytes(), "web").unwrap().events).proposals.is_empty(), "{}", edited);
        prop_assert_eq!(profile.rules.len(), profile.files().filter(|file| file.path.to_string().starts_with("/data/")).count());
    }

    #[test]
    fn any_bytes_are_a_log(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let heard = hear(&bytes[..], "web").unwrap();
        let _ = Profile::new("web").learn(&heard.events);
    }
}
