//! What is written is read back; what a hostile name or path says stays in its quotes.

use proptest::prelude::*;

use super::*;
use crate::apparmor::builtin;
use crate::apparmor::words::*;
use crate::apparmor::{Access, Dialect, Exec, FileRule, Label, MountRule, Qualifiers, Rule};
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

/// Text as an attacker would choose it.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\\\"".to_owned()),
        Just("\n".to_owned()),
        Just("}".to_owned()),
        Just(" } profile x flags=(unconfined) { file, ".to_owned()),
        Just("#include <x>\n".to_owned()),
        Just(",".to_owned()),
        Just("@{HOME}".to_owned()),
        Just("@".to_owned()),
        Just("{a,b}".to_owned()),
        Just("**".to_owned()),
        Just("[^a]".to_owned()),
        Just("\\042".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\u{7f}".to_owned()),
        Just(" ".to_owned()),
        Just("é".to_owned()),
        Just("7".to_owned()),
        any::<char>().prop_map(|c| c.to_string()),
        "[a-z/. ]{1,6}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Patterns whose plain parts an attacker chose.
fn pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof![
        hostile().prop_map(|text| Pattern::literal(format!("/{text}"))),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| Pattern::literal([b"/", &bytes[..]].concat())),
        (hostile(), hostile()).prop_filter_map("a pattern", |(one, other)| {
            let one = Pattern::literal(one).to_string();
            let other = Pattern::literal(other).to_string().replace(',', "\\,");
            Pattern::path(&format!("/{one}/{{x,{other}}}[a-z]?*/@{{HOME}}/**")).ok()
        }),
        hostile().prop_filter_map("a pattern", |text| Pattern::path(&format!("/{text}")).ok()),
    ]
}

fn qualifiers() -> impl Strategy<Value = Qualifiers> {
    (any::<bool>(), any::<bool>()).prop_map(|(audit, deny)| Qualifiers { audit, deny })
}

fn one<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn some<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    prop::sample::subsequence(all, 0..=all.len().min(4))
}

fn file_rule() -> impl Strategy<Value = Rule> {
    let words = some(&["read", "write", "append", "map", "lock", "link", "execute"][..]);
    let exec = (one(Transition::ALL), any::<bool>(), prop::option::of(hostile()));
    (qualifiers(), any::<bool>(), pattern(), words, exec, prop::option::of(hostile())).prop_map(
        |(qualifiers, owner, path, words, (transition, scrub, target), comment)| {
            let mut access = words.iter().filter_map(|word| Access::from_word(word)).fold(Access::READ, Access::union);
            if access.includes(Access::WRITE) {
                access = access.difference(Access::APPEND);
            }
            let executes = access.includes(Access::EXECUTE) && !qualifiers.deny;
            let target =
                target.map(|name| name.replace('\0', "")).filter(|name| !name.is_empty() && transition.takes_target());
            let exec = if executes {
                Exec { transition, scrub: scrub || transition == Transition::Inherit, target }
            } else {
                Exec::INHERIT
            };
            Rule::File(FileRule { qualifiers, owner, path, access, exec, comment })
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    let network = (qualifiers(), prop::option::of(one(Family::ALL)), prop::option::of(one(SocketKind::ALL))).prop_map(
        |(qualifiers, family, kind)| Rule::Network { qualifiers, family, kind: kind.filter(|kind| kind.fits(family)) },
    );
    let signal = (qualifiers(), some(SignalAccess::ALL), some(NamedSignal::ALL), prop::option::of(pattern())).prop_map(
        |(qualifiers, access, signals, peer)| Rule::Signal {
            qualifiers,
            access,
            signals: signals.into_iter().map(Signal::Named).collect(),
            peer,
        },
    );
    let ptrace = (qualifiers(), some(PtraceAccess::ALL), prop::option::of(pattern()))
        .prop_map(|(qualifiers, access, peer)| Rule::Ptrace { qualifiers, access, peer });
    let mount = (
        qualifiers(),
        prop::collection::vec(pattern(), 0..3),
        some(MountOption::ALL),
        prop::option::of(pattern()),
        prop::option::of(pattern()),
    )
        .prop_map(|(qualifiers, fstypes, options, source, target)| {
            Rule::Mount(MountRule { fstypes, options, source, target, ..MountRule::any(qualifiers, MountKind::Mount) })
        });
    let change = (qualifiers(), prop::option::of(pattern()), prop::option::of(pattern()))
        .prop_map(|(qualifiers, exec, target)| Rule::ChangeProfile { qualifiers, exec, target });
    let capability = (qualifiers(), 1_u64..1 << 41)
        .prop_map(|(qualifiers, bits)| Rule::Capability { qualifiers, set: Some(CapSet::from_bits(bits)) });
    let facility =
        (qualifiers(), one(Facility::ALL)).prop_map(|(qualifiers, facility)| Rule::Facility { qualifiers, facility });
    prop_oneof![4 => file_rule(), 1 => network, 1 => signal, 1 => ptrace, 1 => mount, 1 => change, 1 => capability, 1 => facility]
}

/// Comments are for people; what the kernel gets has none.
fn without_comments(mut rules: Vec<Rule>) -> Vec<Rule> {
    for rule in &mut rules {
        if let Rule::File(file) = rule {
            file.comment = None;
        }
    }
    let mut unique: Vec<Rule> = Vec::new();
    for rule in rules {
        if !unique.contains(&rule) {
            unique.push(rule);
        }
    }
    unique
}

proptest! {
    #[test]
    fn what_was_rendered_reads_as_the_rules_that_were_meant(
        name in hostile(), description in prop::option::of(hostile()), rules in prop::collection::vec(rule(), 0..12), is_new: bool,
    ) {
        let name = format!("n{}", name.replace('\0', ""));
        let mut profile = Profile { description, ..Profile::new(&name) };
        profile.rules = rules;
        let dialect = Dialect::of(if is_new { Version::V4_0 } else { Version::V3_0 });
        let text = profile.render(dialect);
        let file = PolicyFile::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(file.profiles.len(), 1, "{}", text);
        let written = &file.profiles[0];
        prop_assert_eq!(&written.profile.name, &name);
        prop_assert_eq!(&written.flags, &["attach_disconnected", "mediate_deleted"]);
        prop_assert!(written.unknown.is_empty(), "{:?}\n{}", written.unknown, text);
        prop_assert_eq!(without_comments(written.profile.rules.clone()), without_comments(profile.lowered(dialect)), "{}", text);
    }

    #[test]
    fn a_pattern_is_spelled_as_it_was_read(pattern in pattern()) {
        prop_assert_eq!(Pattern::label(&pattern.to_string()), Ok(pattern));
    }

    #[test]
    fn any_bytes_are_a_file_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), text in hostile()) {
        let _ = PolicyFile::parse(&bytes);
        let _ = PolicyFile::parse(text.as_bytes());
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
            "profile a flags=(attach_disconnected) { }",
        ),
        ("profile \"flags=(x\" /p flags=(unconfined) { }", Mode::Kill, "profile \"flags=(x\" /p flags=(kill) { }"),
        ("profile a{ }", Mode::Complain, "profile a flags=(complain) { }"),
    ] {
        let written = only(text);
        let changed = written.in_mode(text, mode);
        assert_eq!(changed, expected);
        assert_eq!(only(&changed).profile.mode, mode);
    }
}
