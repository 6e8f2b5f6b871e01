//! What is denied is closed, and nothing that is denied opens anything.

use batten::capability::{CapSet, Capability};
use batten::seccomp::compiled::{CompileError, Compiled};
use batten::seccomp::{
    Abis, Arch, Filter, GROUPS, GroupProfile, KernelVersion, Multiplexer, Profile, Syscall, Target, Verdict, Word,
    check_readings, deny, is_subset, open_only,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestCaseError;

use crate::asked::fresh;

fn word() -> impl Strategy<Value = Word> {
    let groups: Vec<Word> = GROUPS.iter().map(Word::Group).collect();
    // A deny of `socketcall` or `ipc` is an error: libseccomp opens them for each call behind them.
    let calls: Vec<Word> = Syscall::all().map(Word::Call).filter(|word| !word.is_multiplexer()).collect();
    prop_oneof![3 => select(groups), 2 => select(calls)]
}

fn words() -> impl Strategy<Value = Vec<Word>> {
    proptest::collection::vec(word(), 0..6)
}

fn target() -> impl Strategy<Value = Target> {
    let caps: Vec<Capability> = CapSet::ALL.iter().collect();
    let archs = vec![Arch::X86_64, Arch::Aarch64, Arch::S390x, Arch::Ppc64le];
    (select(archs), subsequence(caps, 0..=41), any::<bool>(), select(vec![(4, 4), (6, 18)])).prop_map(
        |(arch, caps, compat, (major, minor))| Target {
            arch,
            kernel: KernelVersion { major, minor },
            caps: caps.into_iter().collect(),
            abis: if compat { Abis::Compat } else { Abis::Native },
        },
    )
}

/// Docker's, groups, one that lets everything through, one that kills.
fn base(target: &Target, kind: u8, words: &[Word]) -> Profile {
    let docker = || GroupProfile::parse(include_str!("../../testdata/seccomp/docker-default.toml")).unwrap();
    let rest = |default: &str| GroupProfile::parse(&format!("default = '{default}'\nallow = ['@default']")).unwrap();
    match kind {
        0 => docker().resolve(target),
        1 => rest("allow").resolve(target),
        2 => rest("kill-process").resolve(target),
        _ => open_only(&[words, &[Word::Default]].concat(), target),
    }
}

/// Whether no call of it is made, on any interface, whatever its first argument is.
fn is_closed(profile: &Profile, call: Syscall, target: &Target) -> bool {
    let filter = Filter::new(profile, target.arch);
    filter.archs().iter().all(|arch| {
        let own = [0, 1, 2, 10, 0x1000_0000].iter().map(|first| (call, [*first, 0, 0, 0, 0, 0]));
        let behind = Multiplexer::of(call.name()).filter(|_| Multiplexer::used_on(*arch));
        let behind = behind.and_then(|(multiplexer, number)| Some((multiplexer.syscall()?, [number, 0, 0, 0, 0, 0])));
        let made = |(call, args): (Syscall, [u64; 6])| {
            call.number(*arch).is_some() && filter.verdict(*arch, call, &args).verdict.lets_through()
        };
        !own.chain(behind).any(made)
    })
}

fn left_of(base: &Profile, denied: &[Word], target: &Target) -> Result<Profile, TestCaseError> {
    let left = deny(base, denied, target);
    prop_assert_eq!(is_subset(&left, base, target.arch), Ok(()), "{:?} denied", denied);
    for word in denied {
        if let Word::Call(call) = word {
            prop_assert!(is_closed(&left, *call, target), "{:?}", word);
        }
        if let Word::Group(group) = word
            && group.is_closed()
        {
            prop_assert!(group.all_calls().all(|call| is_closed(&left, call, target)), "{:?}", word);
        }
    }
    Ok(left)
}

#[test]
fn denied_families_leave_a_filter_behind_socketcall_where_the_default_kills() {
    let caps = [Capability::from_name("CAP_NET_ADMIN").unwrap()].into_iter().collect();
    let kernel = KernelVersion { major: 4, minor: 4 };
    let target = Target { arch: Arch::Ppc64le, kernel, caps, abis: Abis::Native };
    let base = base(&target, 2, &[]);
    let left = left_of(&base, &[Word::read("@network-families").unwrap()], &target).unwrap();
    let compiled = Compiled::new(&left, target.arch).expect("libseccomp takes it");
    let asked = |name: &str, args: [u64; 6]| {
        let number = Syscall::from_name(name).unwrap().number(target.arch).unwrap();
        compiled.verdict(target.arch, number, args).unwrap().0
    };
    assert_eq!(asked("socket", [1, 0, 0, 0, 0, 0]), Verdict::ALLOW, "UNIX sockets stay");
    assert_eq!(asked("socket", [9, 0, 0, 0, 0, 0]), Verdict::KILL_PROCESS, "one verdict more could not be said");
    assert_eq!(asked("socketcall", [1, 0, 0, 0, 0, 0]), Verdict::ALLOW);
    assert_eq!(asked("connect", [0; 6]), Verdict::ALLOW);
    assert_eq!(asked("bind", [0; 6]), Verdict::ALLOW);
}

proptest! {
    #![proptest_config(fresh(300))]

    #[test]
    fn what_is_denied_is_closed_and_nothing_opens(
        target in target(), kind in 0..4_u8, allowed in words(), denied in words()
    ) {
        let base = base(&target, kind, &allowed);
        let left = left_of(&base, &denied, &target)?;
        let compiled = Compiled::new(&left, target.arch);
        prop_assert!(!matches!(compiled, Err(CompileError::Rule { .. })), "{:?}", compiled.err());
        let again = deny(&left, &denied, &target);
        // Where rules contend behind a multiplexer, a profile is not known to be within itself.
        if is_subset(&left, &left, target.arch).is_ok() {
            prop_assert_eq!(is_subset(&left, &again, target.arch), Ok(()), "denied again");
        }
    }

    #[test]
    fn more_words_open_more(target in target(), few in words(), more in words()) {
        let some = open_only(&few, &target);
        let all = open_only(&[few.clone(), more].concat(), &target);
        prop_assert_eq!(is_subset(&some, &all, target.arch), Ok(()));
    }

    #[test]
    fn a_profile_in_groups_is_refused_with_a_hint_or_loads_as_it_was_written(
        allow in proptest::collection::vec("@?(default|file-io|mount|read|socket|nonsense)", 0..4),
        deny in proptest::collection::vec("@?(default|network|mount|read|connect)", 0..4),
        default in "|allow|EPERM|kill|no", arg in 0..8_u32, op in "==|<|!=|=", action in "allow|EPERM|log|x",
    ) {
        let text = format!(
            "default = '{default}'\nallow = {allow:?}\ndeny = {deny:?}\n[[rule]]\ncalls = ['socket', 'ioctl']\n\
             when = [{{ arg = {arg}, op = '{op}', value = 3 }}]\naction = '{action}'\n"
        );
        check_readings(text.as_bytes());
        check_readings(text.replacen("default = ''\n", "", 1).as_bytes());
    }
}
