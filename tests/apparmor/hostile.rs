//! Profiles whose names, paths and labels an attacker chose.

use batten::apparmor::{
    Access, Exec, Facility, Family, FileRule, MountKind, MountOption, MountRule, NamedSignal, Pattern, PtraceAccess,
    Qualifiers, Rule, Signal, SignalAccess, SocketKind, Transition,
};
use batten::capability::CapSet;
use proptest::prelude::*;

/// Text as an attacker would choose it.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
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
pub(crate) fn pattern() -> impl Strategy<Value = Pattern> {
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

pub(crate) fn rule() -> impl Strategy<Value = Rule> {
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
        prop::sample::subsequence(MountOption::ALL, 0..=1),
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
