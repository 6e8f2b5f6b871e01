//! What stands in a file of profiles is understood, and its mode is set. `tests/apparmor/rendered.rs` has the properties.

use super::*;
use crate::apparmor::builtin;
use crate::apparmor::words::*;
use crate::apparmor::{Dialect, Label};
use crate::capability::CapSet;

fn only(text: &str) -> Written {
    let file = PolicyFile::parse(text.as_bytes()).unwrap();
    assert_eq!(file.profiles.len(), 1, "{text}");
    file.profiles.into_iter().next().unwrap()
}

#[test]
fn a_hand_written_profile_is_understood() {
    let text = "abi <abi/3.0>,\n#include <tunables/global>\n@{DATA} = /srv /mnt/x\n# a comment\n\n\
        profile web /usr/sbin/nginx flags=(attach_disconnected, complain) {\n  include <abstractions/base>\n\
          capability chown setuid, # both\n  deny network raw,\n  network inet tcp,\n  unix type=stream,\n\
          /etc/nginx/{a,b}/** r,\n  owner /tmp/** rwk,\n  rw \"/a b\",\n  /usr/bin/x rPx -> y,\n  audit deny /z mrwklx,\n  file,\n\
          signal (send, receive) set=(term kill) peer=web,\n  ptrace read peer=@{profile_name},\n\
          mount fstype=tmpfs options=(ro,nosuid) tmpfs -> /mnt/,\n  userns,\n  dbus send bus=system,\n\
          profile child { /c r, }\n  ^hat { /h r, }\n  include if exists <local/web>\n}\n\
        /usr/bin/other { /o r, }\n";
    let file = PolicyFile::parse(text.as_bytes()).unwrap();
    let names: Vec<_> = file.profiles.iter().map(|one| one.profile.name.as_str()).collect();
    assert_eq!(names, ["web", "web//child", "web//hat", "/usr/bin/other"]);
    assert_eq!(file.tunables, ["tunables/global"]);
    let web = &file.profiles[0];
    assert_eq!(web.profile.mode, Mode::Complain);
    assert!(web.profile.local && web.profile.attach_disconnected && !web.profile.mediate_deleted);
    assert_eq!(web.attachment.as_ref().map(ToString::to_string).as_deref(), Some("/usr/sbin/nginx"));
    assert_eq!(
        web.unknown.iter().map(|(line, words)| (*line, words.as_str())).collect::<Vec<_>>(),
        [(22, "dbus send bus = system")]
    );
    let rendered = web.profile.render(Dialect::of(Version::V4_0));
    for line in [
        "capability setuid,",
        "deny network raw,",
        "network inet tcp,",
        "network unix stream,",
        "\"/etc/nginx/{a,b}/**\" r,",
        "owner \"/tmp/**\" rwk,",
        "\"/a b\" rw,",
        "\"/usr/bin/x\" rPx -> \"y\",",
        "audit deny \"/z\" rwmklx,",
        "file,",
        "signal (send, receive) set=(term, kill) peer=\"web\",",
        "ptrace (read) peer=\"@{profile_name}\",",
        "mount fstype=(\"tmpfs\") options=(ro, nosuid) \"tmpfs\" -> \"/mnt/\",",
    ] {
        assert!(rendered.contains(&format!("  {line}\n")), "{line}\n{rendered}");
    }
}

#[test]
fn the_profile_for_containers_is_read_back_as_it_was_meant() {
    for (dialect, set) in [(Version::V3_0, CapSet::DOCKER), (Version::V4_0, CapSet::ALL)] {
        let dialect = Dialect::of(dialect);
        let profile = builtin::profile(set, dialect, &Label::unconfined());
        let written = only(&profile.render(dialect));
        assert_eq!(written.profile.rules, profile.lowered(dialect));
        assert_eq!(written.profile.name, profile.name);
        assert_eq!(written.unknown, []);
    }
}

#[test]
fn a_mode_is_set_in_the_flags_and_nowhere_else() {
    for (text, mode, expected) in [
        ("profile a {\n  /complain r,\n}\n", Mode::Complain, "profile a flags=(complain) {\n  /complain r,\n}\n"),
        ("profile a flags=(complain) { }", Mode::Enforce, "profile a  { }"),
        (
            "profile a flags=(attach_disconnected, complain){ }",
            Mode::Enforce,
            "profile a flags=(attach_disconnected){ }",
        ),
        ("profile \"flags=(x\" /p flags=(unconfined) { }", Mode::Kill, "profile \"flags=(x\" /p flags=(kill) { }"),
        ("profile a{ }", Mode::Complain, "profile a flags=(complain) { }"),
        ("profile flags flags=(kill) { }", Mode::Complain, "profile flags flags=(complain) { }"),
        ("profile flags { }", Mode::Kill, "profile flags flags=(kill) { }"),
        ("profile a (audit complain) { }", Mode::Kill, "profile a (audit, kill) { }"),
        ("/a flags = (\"complain\",\n audit) { }", Mode::Enforce, "/a flags = (audit) { }"),
        ("profile a flags=(default_allow) { }", Mode::Complain, "profile a flags=(complain) { }"),
        (
            "profile a flags=(attach_disconnected.path=/x complain) { }",
            Mode::Kill,
            "profile a flags=(attach_disconnected.path=/x, kill) { }",
        ),
        (
            "profile a xattrs=(user.b=\"c d\" user.e) flags=(complain) { }",
            Mode::Kill,
            "profile a xattrs=(user.b=\"c d\" user.e) flags=(kill) { }",
        ),
    ] {
        let written = only(text);
        let changed = written.in_mode(text, mode).unwrap();
        assert_eq!(changed, expected);
        assert_eq!(only(&changed).profile.mode, mode);
        assert_eq!(written.unknown, []);
    }
}

/// Found by fuzzing: `flags=(…` ran on over rules into another head, was written anew, and hid it.
#[test]
fn the_mode_of_a_head_that_the_parser_refuses_is_not_set() {
    for head in [
        "profile a flags=(complain, \"/b\" r, (x) ",
        "profile a flags=()",
        "profile a flags=complain",
        "profile a flags=(a<b>)",
        "profile a flags=(\"complain\"\"audit\")",
        "profile a flags=(complain) flags=(audit)",
        "profile a flags=(complain) xattrs=(a=b)",
        "profile a flags=(b\\\nc)",
        "profile a flags=(b= c)",
        "profile a b c",
    ] {
        let text = format!("{head} {{ }}\nprofile z {{ }}");
        let file = PolicyFile::parse(text.as_bytes()).unwrap();
        assert_eq!(file.profiles.len(), 2, "{text}");
        assert_eq!(file.profiles[0].in_mode(&text, Mode::Complain), None, "{text}");
        assert_eq!(file.profiles[0].unknown.len(), 1, "{text}: lint says that something was not looked at");
    }
}
