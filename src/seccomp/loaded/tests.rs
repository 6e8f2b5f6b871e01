use proptest::prelude::*;

use super::super::bpf::{Comparison, Instruction};
use super::super::compiled::{CompileError, Compiled};
use super::super::profile::{Condition, Rule};
use super::halves::{Half, Halves};
use super::*;
use crate::capability::CapSet;
use crate::seccomp::{Abis, Action, KernelVersion, Op, Target, builtin};

fn rule(names: &[&'static str], action: Action, args: &[Condition]) -> Rule {
    let names = names.iter().map(|name| Cow::Borrowed(*name)).collect();
    Rule { names, action, errno_ret: None, args: args.to_vec() }
}

fn profile(default_action: Action, architectures: &[Arch], syscalls: Vec<Rule>) -> Profile {
    Profile {
        default_action,
        default_errno_ret: None,
        architectures: architectures.to_vec(),
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls,
    }
}

/// What the kernel would hold of a profile.
fn loaded(profiles: &[&Profile]) -> Loaded {
    try_loaded(profiles).unwrap()
}

/// The same of any profile at all; nothing of the few that keep libseccomp busy for ever.
fn try_loaded(profiles: &[&Profile]) -> Option<Loaded> {
    let compiled = |profile: &&Profile| match Compiled::new(profile, Arch::X86_64) {
        Ok(compiled) => Some(compiled.into_program()),
        Err(CompileError::Hangs { .. } | CompileError::Endless { .. }) => None,
        Err(error) => panic!("{error}: {profile:?}"),
    };
    Some(Loaded { programs: profiles.iter().map(compiled).collect::<Option<_>>()?, native: Arch::X86_64 })
}

fn shown(difference: &Difference) -> Vec<String> {
    assert_eq!(difference.undecided, Vec::<String>::new());
    difference.looser.iter().map(|call| format!("{call} on {}: {}", call.arch.name(), call.kernel)).collect()
}

const fn condition(index: u32, op: Op, value: u64) -> Condition {
    Condition { index, value, value_two: 0, op }
}

#[test]
fn what_libseccomp_makes_of_the_built_in_profile_is_not_looser_than_it() {
    for (caps, abis) in [(CapSet::DOCKER, Abis::Native), (CapSet::ALL, Abis::Compat), (CapSet::EMPTY, Abis::Compat)] {
        let kernel = KernelVersion { major: 6, minor: 1 };
        let policy = builtin(&Target { arch: Arch::X86_64, kernel, caps, abis });
        assert_eq!(loaded(&[&policy]).compare(&policy), Difference::default(), "{caps} {abis:?}");
    }
}

#[test]
fn a_call_more_is_named_and_a_second_filter_makes_up_for_it() {
    let policy = profile(Action::Errno, &[], vec![rule(&["read", "write"], Action::Allow, &[])]);
    let more = profile(Action::Errno, &[], vec![rule(&["read", "mount"], Action::Allow, &[])]);
    assert_eq!(shown(&loaded(&[&more]).compare(&policy)), ["mount on SCMP_ARCH_X86_64: allowed"]);
    assert!(shown(&loaded(&[&more, &policy]).compare(&policy)).is_empty());
    assert!(shown(&loaded(&[&policy, &more]).compare(&policy)).is_empty());
}

#[test]
fn a_single_value_of_one_argument_is_found() {
    let policy = profile(Action::Errno, &[], vec![rule(&["socket"], Action::Allow, &[condition(0, Op::Ne, 40)])]);
    for value in [40, 0x1_0000_0028, u64::MAX] {
        let values =
            [condition(0, Op::Ne, 40), condition(0, Op::Eq, value)].map(|one| rule(&["socket"], Action::Allow, &[one]));
        let one = [rule(&["personality"], Action::Allow, &[condition(3, Op::Eq, value)])];
        let looser = profile(Action::Errno, &[], [&values[..], &one[..]].concat());
        let found = shown(&loaded(&[&looser]).compare(&policy));
        let mut expected = vec![format!("personality(0, 0, 0, {value}) on SCMP_ARCH_X86_64: allowed")];
        if value == 40 {
            expected.push("socket(40) on SCMP_ARCH_X86_64: allowed".to_owned());
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn another_interface_is_looked_at_and_no_filter_is_looser_everywhere() {
    let policy = profile(Action::Errno, &[], vec![]);
    let compat = profile(Action::Errno, &[Arch::X86], vec![rule(&["umount"], Action::Allow, &[])]);
    let found = shown(&loaded(&[&compat]).compare(&policy));
    assert!(found.contains(&"umount on SCMP_ARCH_X86: allowed".to_owned()), "{found:?}");
    // Refused calls of an interface that the policy kills are looser, too.
    assert!(found.iter().all(|one| one.contains("SCMP_ARCH_X86:")), "{found:?}");
    let none = Loaded { programs: vec![], native: Arch::X86_64 };
    let archs: Vec<Arch> = none.compare(&policy).looser.iter().map(|call| call.arch).collect();
    for arch in [Arch::X86_64, Arch::X86, Arch::X32] {
        assert!(archs.iter().filter(|known| **known == arch).count() > 300, "{arch:?}");
    }
}

#[test]
fn runc_s_enosys_for_numbers_that_it_does_not_know_is_not_looser() {
    let policy = profile(Action::KillProcess, &[], vec![rule(&["read"], Action::Allow, &[])]);
    let load = Instruction { code: 0x20, jump_true: 0, jump_false: 0, operand: 0 };
    let mut program = vec![load];
    program.push(Instruction { code: 0x25, jump_true: 0, jump_false: 1, operand: 0 });
    program.push(Instruction { code: 0x06, jump_true: 0, jump_false: 0, operand: 0x5_0026 });
    program.push(Instruction { code: 0x06, jump_true: 0, jump_false: 0, operand: 0x7fff_0000 });
    let stub = Loaded { programs: vec![Program::new(program)], native: Arch::X86_64 };
    let found: Vec<_> = stub.compare(&policy).looser.iter().map(|call| (call.arch, call.number)).collect();
    // Number 0 is read, which the policy allows on its own interface only.
    assert_eq!(found, [(Arch::X86, 0)]);
}

#[test]
fn values_that_are_computed_are_not_taken_for_harmless() {
    // Allows mount where its first argument and one make eight.
    let code = |code, operand, jump_true, jump_false| Instruction { code, jump_true, jump_false, operand };
    let program = vec![
        code(0x20, 0, 0, 0),
        code(0x15, 165, 0, 4),
        code(0x20, 16, 0, 0),
        code(0x04, 1, 0, 0),
        code(0x15, 8, 0, 1),
        code(0x06, 0x7fff_0000, 0, 0),
        code(0x06, 0x5_0001, 0, 0),
    ];
    let loaded = Loaded { programs: vec![Program::new(program)], native: Arch::X86_64 };
    let difference = loaded.compare(&profile(Action::Errno, &[], vec![]));
    assert_eq!(difference.undecided, ["mount on SCMP_ARCH_X86_64"]);
}

#[test]
fn a_program_with_too_many_ways_is_not_decided() {
    let mut program = Vec::new();
    for bit in 0..40u32 {
        program.push(Instruction { code: 0x20, jump_true: 0, jump_false: 0, operand: 8 });
        program.push(Instruction { code: 0x45, jump_true: 0, jump_false: 0, operand: 1 << (bit % 32) });
    }
    program.push(Instruction { code: 0x06, jump_true: 0, jump_false: 0, operand: 0x5_0001 });
    let loaded = Loaded { programs: vec![Program::new(program)], native: Arch::X86_64 };
    let call = Call { arch: Arch::X86_64, number: 0, big_endian: false };
    assert!(!Paths::new(&loaded.programs, call).each(|_, _| {}));
}

#[test]
fn a_part_of_a_half_in_an_order_is_followed_exactly() {
    // What is left in the register when libseccomp's program goes on to the next rule: a masked argument, compared in order.
    let all = 0..16u32;
    for (mask, right) in (0..16).flat_map(|mask| (0..17).map(move |right| (mask, right))) {
        for (comparison, wanted) in
            [Comparison::Greater, Comparison::GreaterOrEqual].map(|one| [(one, true), (one, false)]).concat()
        {
            let parts =
                Halves::new(Width::Full).narrowed(Half { index: 0, high: false, mask }, comparison, right, wanted);
            let regions: Vec<_> = parts.iter().map(|part| part.regions().unwrap()).collect();
            for value in all.clone() {
                let point = [condition(0, Op::Eq, value.into())];
                let holds =
                    |regions: &Vec<Region>| regions.iter().any(|region| !region.and(&point, Width::Full).is_empty());
                let expected = usize::from(comparison.holds(value & mask, right) == wanted);
                assert_eq!(
                    regions.iter().filter(|part| holds(part)).count(),
                    expected,
                    "{value} & {mask} {comparison:?} {right} {wanted}"
                );
            }
        }
    }
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..4, prop::sample::select(vec![u64::from(u32::MAX), 1 << 32, (1 << 32) + 1, u64::MAX, 1 << 63])]
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let ops = vec![Op::Ne, Op::Lt, Op::Le, Op::Eq, Op::Ge, Op::Gt, Op::MaskedEq];
    (0u32..2, value(), value(), prop::sample::select(ops)).prop_map(|(index, value, value_two, op)| Condition {
        index,
        value,
        value_two,
        op,
    })
}

fn any_profile() -> impl Strategy<Value = Profile> {
    let conditions = prop::collection::vec(any_condition(), 0..3);
    let rules = prop::collection::vec(conditions.prop_map(|args| rule(&["socket"], Action::Allow, &args)), 0..3);
    rules.prop_map(|rules| profile(Action::Errno, &[], [vec![rule(&["read"], Action::Allow, &[])], rules].concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The paths' answers are the program's own, for every value near a boundary.
    #[test]
    fn paths_and_runs_agree(a in any_profile(), b in any_profile(), first in value(), second in value()) {
        let Some(both) = try_loaded(&[&a, &b]) else { return Ok(()) };
        let call = Call { arch: Arch::X86_64, number: 41, big_endian: false };
        let args = [first, second, 0, 0, 0, 0];
        let point = [condition(0, Op::Eq, first), condition(1, Op::Eq, second)];
        let mut answers = Vec::new();
        let whole = Paths::new(&both.programs, call).each(|value, arguments| {
            if arguments.regions().unwrap().iter().any(|region| !region.and(&point, Width::Full).is_empty()) {
                answers.push(verdict_of(value));
            }
        });
        prop_assert!(whole);
        prop_assert_eq!(answers, vec![both.verdict(Arch::X86_64, 41, args)]);
    }

    /// Where batten finds nothing looser, no value near a boundary is; where it does, the call it shows is.
    #[test]
    fn a_comparison_finds_what_trying_finds(a in any_profile(), b in any_profile(), first in value(), second in value()) {
        let Some(kernel) = try_loaded(&[&a]) else { return Ok(()) };
        let mut difference = Difference::default();
        let policy = Filter::new(&b, Arch::X86_64);
        let socket = Syscall::from_name("socket").unwrap();
        let decision = policy.known_decision_on(socket, Arch::X86_64);
        kernel.compare_call(Arch::X86_64, 41, Some("socket"), &decision, policy.default_on(Arch::X86_64), &mut difference);
        prop_assert!(difference.undecided.is_empty());
        let says = |args: [u64; 6]| (kernel.verdict(Arch::X86_64, 41, args), policy.verdict(Arch::X86_64, socket, &args).verdict);
        if let Some(call) = difference.looser.first() {
            let (kernel, policy) = says(call.args);
            prop_assert!(kernel.is_looser_than(policy), "{call:?}");
        } else {
            let (kernel, policy) = says([first, second, 0, 0, 0, 0]);
            prop_assert!(!kernel.is_looser_than(policy), "{kernel} {policy}");
        }
    }
}
