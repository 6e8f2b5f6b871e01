//! Profiles made to be nasty: conditions that repeat an argument, masks, contending rules, errors of every number,
//! multiplexed calls, interfaces that one lists and the other does not, rules that repeat the default.

use std::borrow::Cow;

use batten::seccomp::{Action, Arch, Condition, Op, Profile, Rule};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Machines whose programs libseccomp 2.5.4 writes.
pub const MACHINES: [Arch; 15] = [
    Arch::X86_64,
    Arch::Aarch64,
    Arch::Riscv64,
    Arch::S390x,
    Arch::Ppc64le,
    Arch::Ppc64,
    Arch::Mips64,
    Arch::Mipsel64,
    Arch::X86,
    Arch::Arm,
    Arch::S390,
    Arch::Ppc,
    Arch::Mips,
    Arch::Mipsel,
    Arch::Parisc,
];

/// Direct, multiplexed and missing on some machines; unknown to libseccomp 2.5.4; unknown to everybody.
const CALLS: [&str; 30] = [
    "read",
    "socket",
    "connect",
    "accept",
    "accept4",
    "send",
    "recvmmsg",
    "socketpair",
    "socketcall",
    "ipc",
    "semop",
    "semtimedop",
    "shmat",
    "msgctl",
    "clone",
    "clone3",
    "personality",
    "open",
    "openat",
    "time",
    "mmap2",
    "_llseek",
    "arch_prctl",
    "breakpoint",
    "cacheflush",
    "futex",
    "mseal",
    "cachestat",
    "brand_new",
    "ioctl",
];

const OPS: [Op; 7] = [Op::Ne, Op::Lt, Op::Le, Op::Eq, Op::Ge, Op::Gt, Op::MaskedEq];

const ACTIONS: [Action; 9] = [
    Action::Kill,
    Action::KillThread,
    Action::KillProcess,
    Action::Trap,
    Action::Errno,
    Action::Trace,
    Action::Notify,
    Action::Log,
    Action::Allow,
];

fn number() -> impl Strategy<Value = u64> {
    const EDGES: [u64; 13] = [
        0,
        0xffff_fffe,
        0xffff_ffff,
        1 << 32,
        (1 << 32) + 1,
        (1 << 32) + 40,
        (7 << 32) + 3,
        1 << 31,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
        0xffff_ffff_0000_0000,
        0x7e02_0000,
    ];
    prop_oneof![5 => 0u64..6, 3 => select(&EDGES[..]), 2 => 0u64..64, 1 => any::<u64>()]
}

/// A number that 32-bit interfaces do not cut.
fn small_number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..6, 1 => 0u64..64, 1 => select(&[0x7e02_0000, 0x1000_0000, 0x7fff_ffff][..])]
}

fn condition(number: BoxedStrategy<u64>, indices: u32) -> impl Strategy<Value = Condition> {
    (0..indices, number.clone(), number, select(&OPS[..])).prop_map(|(index, value, value_two, op)| Condition {
        index,
        value,
        value_two,
        op,
    })
}

fn errno() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![2 => Just(None), 3 => select(&[0u32, 1, 2, 38, 4094, 0x1_0026][..]).prop_map(Some)]
}

fn names() -> impl Strategy<Value = Vec<Cow<'static, str>>> {
    proptest::collection::vec(select(&CALLS[..]).prop_map(Cow::Borrowed), 1..4)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![2 => Just(Action::Allow), 2 => Just(Action::Errno), 1 => select(&ACTIONS[..])]
}

/// An action that can be a default: libseccomp refuses NOTIFY there.
fn default_action() -> impl Strategy<Value = Action> {
    action().prop_filter("no filter can ask for everything", |action| *action != Action::Notify)
}

fn rule() -> impl Strategy<Value = Rule> {
    let args = proptest::collection::vec(condition(number().boxed(), 3), 0..4);
    (names(), action(), errno(), args).prop_map(|(names, action, errno_ret, args)| Rule {
        names,
        action,
        errno_ret,
        args,
    })
}

/// Rules for one call that each ask for another value of its first argument, and for anything else besides.
fn choices() -> impl Strategy<Value = Vec<Rule>> {
    let choice = (action(), errno(), proptest::collection::vec(condition(number().boxed(), 3), 0..3));
    (select(&CALLS[..]), proptest::collection::vec((0u64..20, choice), 1..6)).prop_map(|(call, choices)| {
        let rule = |(value, (action, errno_ret, others)): (u64, (Action, Option<u32>, Vec<Condition>))| {
            let mut args = vec![Condition { index: 0, value, value_two: 0, op: Op::Eq }];
            for (position, condition) in (1..).zip(others) {
                args.push(Condition { index: position, ..condition });
            }
            Rule { names: vec![Cow::Borrowed(call)], action, errno_ret, args }
        };
        choices.into_iter().map(rule).collect()
    })
}

fn archs(native: Arch) -> impl Strategy<Value = Vec<Arch>> {
    let all: Vec<Arch> = std::iter::once(native).chain(native.compat().iter().copied()).collect();
    let most = all.len();
    subsequence(all, 0..=most).prop_shuffle()
}

fn build(
    default_action: Action,
    default_errno_ret: Option<u32>,
    architectures: Vec<Arch>,
    syscalls: Vec<Rule>,
) -> Profile {
    Profile {
        default_action,
        default_errno_ret,
        architectures,
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls,
    }
}

/// A profile for a machine of `native`, as odd as the format allows.
pub fn odd(native: Arch) -> impl Strategy<Value = Profile> {
    let rules = (proptest::collection::vec(rule(), 0..9), prop_oneof![2 => Just(Vec::new()), 1 => choices()]);
    let rules = rules.prop_map(|(mut rules, choices)| {
        rules.extend(choices);
        rules
    });
    let whole = (default_action(), errno(), archs(native), rules);
    whole.prop_map(|(action, errno, archs, rules)| build(action, errno, archs, rules))
}

/// An allow-list as people write them: each call under one condition at most, in numbers that every interface sees whole.
pub fn plain(native: Arch) -> impl Strategy<Value = Profile> {
    let one = comparison().prop_map(|condition| vec![condition]);
    allow_list(native, prop_oneof![Just(Vec::new()), one].boxed())
}

/// The same, also under several conditions of equality.
pub fn plain_or_equal(native: Arch) -> impl Strategy<Value = Profile> {
    let one = comparison().prop_map(|condition| vec![condition]);
    let equal = |(index, value)| Condition { index, value, value_two: 0, op: Op::Eq };
    let two =
        (small_number(), small_number()).prop_map(move |(first, second)| [(0, first), (1, second)].map(equal).to_vec());
    allow_list(native, prop_oneof![3 => Just(Vec::new()), 4 => one, 1 => two].boxed())
}

/// Masks apart: where they meet a range, more rules are needed than one call may have.
fn comparison() -> impl Strategy<Value = Condition> {
    condition(small_number().boxed(), 3).prop_filter("no mask", |condition| condition.op != Op::MaskedEq)
}

fn allow_list(native: Arch, args: BoxedStrategy<Vec<Condition>>) -> impl Strategy<Value = Profile> {
    const CALLS: [&str; 12] = [
        "read",
        "clone",
        "clone3",
        "personality",
        "open",
        "openat",
        "time",
        "futex",
        "ioctl",
        "_llseek",
        "prctl",
        "kill",
    ];
    let lists = proptest::collection::vec(proptest::option::weighted(0.5, args), CALLS.len());
    (errno(), archs(native), lists).prop_map(|(errno, archs, lists)| {
        let rule = |(name, args): (&&'static str, Option<Vec<Condition>>)| {
            Some(Rule { names: vec![Cow::Borrowed(*name)], action: Action::Allow, errno_ret: None, args: args? })
        };
        build(Action::Errno, errno, archs, CALLS.iter().zip(lists).filter_map(rule).collect())
    })
}

/// A machine, two profiles for it, and whether to ask about some numbers only, as is done in most cases.
pub fn pair<S: Strategy<Value = Profile>>(
    profile: fn(Arch) -> S,
) -> impl Strategy<Value = (Arch, Profile, Profile, bool)> {
    let machine = prop_oneof![2 => Just(Arch::X86_64), 3 => select(&MACHINES[..])];
    machine.prop_flat_map(move |native| (Just(native), profile(native), profile(native), proptest::bool::weighted(0.9)))
}
