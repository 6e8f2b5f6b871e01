use super::*;
use crate::seccomp::Action;

fn rule(names: &[&'static str], action: Action, args: &[Condition]) -> Rule {
    let names = names.iter().map(|name| Cow::Borrowed(*name)).collect();
    Rule { names, action, errno_ret: None, args: args.to_vec() }
}

fn profile(default_action: Action, syscalls: Vec<Rule>) -> Profile {
    let architectures = Vec::new();
    let (flags, listener_path, listener_metadata) = (None, None, None);
    Profile {
        default_action,
        default_errno_ret: None,
        architectures,
        flags,
        listener_path,
        listener_metadata,
        syscalls,
    }
}

const fn is(index: u32, value: u64) -> Condition {
    Condition { index, value, value_two: 0, op: Op::Eq }
}

fn ask(profile: &Profile, arch: Arch, name: &str, args: [u64; 6]) -> Answer {
    Filter::new(profile, Arch::X86_64).verdict(arch, Syscall::from_name(name).unwrap(), &args)
}

#[test]
fn conditions_on_one_argument_are_alternatives_on_several_they_must_all_hold() {
    let either = profile(Action::Errno, vec![rule(&["socket"], Action::Allow, &[is(0, 1), is(0, 2), is(1, 9)])]);
    for (args, expected) in [
        ([1, 0, 0, 0, 0, 0], Verdict::ALLOW),
        ([2, 0, 0, 0, 0, 0], Verdict::ALLOW),
        ([3, 9, 0, 0, 0, 0], Verdict::ALLOW),
        ([3, 0, 0, 0, 0, 0], Verdict::EPERM),
    ] {
        assert_eq!(ask(&either, Arch::X86_64, "socket", args).verdict, expected, "{args:?}");
    }
    let both = profile(Action::Errno, vec![rule(&["socket"], Action::Allow, &[is(0, 1), is(1, 9)])]);
    assert_eq!(ask(&both, Arch::X86_64, "socket", [1, 0, 0, 0, 0, 0]).verdict, Verdict::EPERM);
    assert_eq!(ask(&both, Arch::X86_64, "socket", [1, 9, 0, 0, 0, 0]).verdict, Verdict::ALLOW);
}

#[test]
fn a_rule_without_conditions_takes_the_call_and_the_first_such_rule_counts() {
    let profile = profile(
        Action::Errno,
        vec![
            rule(&["socket"], Action::KillProcess, &[is(0, 1)]),
            rule(&["socket"], Action::Allow, &[]),
            rule(&["socket"], Action::Log, &[]),
        ],
    );
    let answer = ask(&profile, Arch::X86_64, "socket", [1, 0, 0, 0, 0, 0]);
    assert_eq!((answer.verdict, answer.reason), (Verdict::ALLOW, Reason::Rule(1)));
}

#[test]
fn the_machines_own_architecture_is_always_listed_and_others_are_killed() {
    let profile = profile(Action::Allow, vec![]);
    assert_eq!(ask(&profile, Arch::X86_64, "read", [0; 6]).verdict, Verdict::ALLOW);
    let foreign = ask(&profile, Arch::X86, "read", [0; 6]);
    assert_eq!((foreign.verdict, foreign.reason), (Verdict::KILL_THREAD, Reason::ForeignArchitecture));
}

#[test]
fn socketcall_answers_for_the_calls_behind_it_but_cannot_see_their_first_argument() {
    let mut profile = profile(Action::Errno, vec![rule(&["socket"], Action::Allow, &[is(0, 2)])]);
    profile.architectures = vec![Arch::X86];
    let sub = |number| [number, 40, 0, 0, 0, 0];
    assert_eq!(ask(&profile, Arch::X86, "socketcall", sub(1)).verdict, Verdict::ALLOW);
    assert_eq!(ask(&profile, Arch::X86, "socketcall", sub(2)).verdict, Verdict::EPERM);
    assert_eq!(ask(&profile, Arch::X86, "socket", sub(40)).verdict, Verdict::EPERM);
}

#[test]
fn thirty_two_bit_architectures_compare_thirty_two_bits() {
    let mask = Condition { index: 0, value: 1 << 40, value_two: 1 << 40, op: Op::MaskedEq };
    let mut profile = profile(Action::Errno, vec![rule(&["dup"], Action::Allow, &[mask])]);
    profile.architectures = vec![Arch::X86];
    assert_eq!(ask(&profile, Arch::X86_64, "dup", [0; 6]).verdict, Verdict::EPERM);
    assert_eq!(ask(&profile, Arch::X86, "dup", [0; 6]).verdict, Verdict::ALLOW);
}
