//! Profiles that the properties have found, each once.

use batten::seccomp::compiled::{CompileError, Compiled};
use batten::seccomp::{Action, Arch, Filter, NotSubset, Op, Profile, Syscall, Verdict, intersect, is_subset};
use batten::spec::Document;

use super::laws::{intersection, rewritten, union};

fn profile(text: &str) -> Profile {
    Profile::read(Document::parse(text).unwrap().root()).unwrap()
}

#[test]
fn a_mask_that_keeps_a_range_s_bounds_is_one_rule_and_not_one_for_each_bit() {
    let contending = profile(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
            {"names":["recvmmsg"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":1,"op":"SCMP_CMP_GE"}]},
            {"names":["recvmmsg"],"action":"SCMP_ACT_ERRNO","errnoRet":2,"args":[{"index":1,"value":2,"op":"SCMP_CMP_MASKED_EQ"}]}
        ]}"#,
    );
    let open = profile(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#);
    intersection(Arch::X86_64, &contending, &open, false, false).unwrap();
    let both = intersect(&contending, &open, Arch::X86_64);
    assert!(both.syscalls.len() <= 2, "{both:?}");
    assert_eq!(is_subset(&both, &contending, Arch::X86_64), Ok(()));
}

#[test]
fn of_rules_that_meet_behind_a_multiplexer_the_shorter_is_written_first() {
    let shorter_first = profile(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[
            {"names":["semop"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":0,"op":"SCMP_CMP_NE"}]},
            {"names":["ipc"],"action":"SCMP_ACT_ERRNO","errnoRet":2,"args":[
                {"index":0,"value":1,"op":"SCMP_CMP_EQ"},
                {"index":1,"value":0,"op":"SCMP_CMP_NE"}]}
        ]}"#,
    );
    rewritten(Arch::X86_64, &shorter_first, false).unwrap();
    let open = profile(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#);
    intersection(Arch::X86_64, &shorter_first, &open, false, false).unwrap();
    let mut longer_first = shorter_first;
    longer_first.syscalls.reverse();
    assert!(Compiled::new(&longer_first, Arch::X86_64).is_err(), "libseccomp takes any order, and none need be kept");
}

#[test]
fn a_rule_whose_mask_32_bits_cut_to_nothing_counts_where_it_is_cut() {
    let traced_on_x32 = profile(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X32"],"syscalls":[
            {"names":["clone"],"action":"SCMP_ACT_TRACE","args":[{"index":0,"value":4294967296,"op":"SCMP_CMP_MASKED_EQ"}]},
            {"names":["clone"],"action":"SCMP_ACT_ERRNO"}
        ]}"#,
    );
    let closed = profile(r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#);
    union(Arch::X86_64, &traced_on_x32, &closed, false, false).unwrap();
    let mut killed_on_x32 = traced_on_x32;
    killed_on_x32.syscalls[0].action = Action::KillThread;
    let open = profile(r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X32"]}"#);
    intersection(Arch::X86_64, &killed_on_x32, &open, false, false).unwrap();
}

#[test]
fn rules_that_libseccomp_never_comes_to_an_end_with_are_told_before_and_said_otherwise_when_combined() {
    let endless = profile(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
            {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[
                {"index":0,"value":0,"op":"SCMP_CMP_LE"},{"index":1,"value":3,"op":"SCMP_CMP_LE"}]},
            {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[
                {"index":0,"value":0,"op":"SCMP_CMP_LE"},{"index":1,"value":4294967296,"op":"SCMP_CMP_LE"}]}
        ]}"#,
    );
    let told = Compiled::new(&endless, Arch::X86_64).unwrap_err();
    assert!(matches!(told, CompileError::Hangs { call: "socket" }), "{told}");
    let open = profile(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#);
    let both = intersect(&endless, &open, Arch::X86_64);
    assert_eq!(Compiled::new(&both, Arch::X86_64).map(|_| ()).map_err(|error| error.to_string()), Ok(()));
    assert_eq!(is_subset(&both, &endless, Arch::X86_64), Ok(()));
}

#[test]
fn rules_that_share_half_of_a_comparison_may_never_end_either() {
    let endless = profile(
        r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":[],"syscalls":[
            {"names":["recvmmsg"],"action":"SCMP_ACT_ALLOW","args":[
                {"index":0,"value":2,"op":"SCMP_CMP_GE"},{"index":1,"value":0,"op":"SCMP_CMP_GE"},
                {"index":2,"value":18446744073709551614,"op":"SCMP_CMP_GT"}]},
            {"names":["recvmmsg"],"action":"SCMP_ACT_ALLOW","args":[
                {"index":0,"value":28,"op":"SCMP_CMP_GT"},{"index":1,"value":0,"op":"SCMP_CMP_GE"},
                {"index":2,"value":4,"op":"SCMP_CMP_NE"}]}
        ]}"#,
    );
    let told = Compiled::new(&endless, Arch::Aarch64).unwrap_err();
    assert!(matches!(told, CompileError::Hangs { call: "recvmmsg" }), "{told}");
    let mut ends = endless;
    for (rule, value) in ends.syscalls.iter_mut().zip([0, 1]) {
        (rule.args[0].op, rule.args[0].value) = (Op::Eq, value);
    }
    assert_eq!(Compiled::new(&ends, Arch::Aarch64).map(|_| ()).map_err(|error| error.to_string()), Ok(()));
}

#[test]
fn a_comparison_that_two_calls_make_may_be_made_with_the_argument_of_one() {
    let shared = profile(
        r#"{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_MIPSEL"],"syscalls":[
            {"names":["clone3"],"action":"SCMP_ACT_ERRNO","args":[
                {"index":2,"value":0,"op":"SCMP_CMP_NE"},{"index":2,"value":0,"op":"SCMP_CMP_NE"},
                {"index":0,"value":5,"op":"SCMP_CMP_NE"}]},
            {"names":["time"],"action":"SCMP_ACT_ALLOW","args":[
                {"index":0,"value":4294967295,"op":"SCMP_CMP_EQ"},{"index":1,"value":0,"op":"SCMP_CMP_EQ"}]},
            {"names":["time","clone3"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_LE"}]}
        ]}"#,
    );
    let (time, args) = (Syscall::from_name("time").unwrap(), [0xffff_ffff, 1, 0, 0, 0, 0]);
    let filter = Filter::new(&shared, Arch::Mipsel64);
    assert_eq!(filter.verdict(Arch::Mipsel, time, &args).verdict, Verdict::KILL_THREAD);
    assert!(filter.mistaken().contains(&(Arch::Mipsel, time)));
    let compiled = Compiled::new(&shared, Arch::Mipsel64).unwrap();
    let kernel = compiled.verdict(Arch::Mipsel, time.number(Arch::Mipsel).unwrap(), args).unwrap().0;
    assert_eq!(kernel, Verdict::EPERM, "libseccomp has learnt to load the argument: what is done about it can go");

    let unreliable = NotSubset::Unreliable { call: "time".to_owned() };
    let other = profile(
        r#"{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_MIPSEL"],"syscalls":[
            {"names":["clone3"],"action":"SCMP_ACT_ALLOW"},
            {"names":["time"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967295,"op":"SCMP_CMP_EQ"}]},
            {"names":["time"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"SCMP_CMP_LE"}]}
        ]}"#,
    );
    assert_eq!(is_subset(&shared, &other, Arch::Mipsel64), Err(unreliable));
    intersection(Arch::Mipsel64, &shared, &other, false, false).unwrap();
    union(Arch::Mipsel64, &shared, &other, false, false).unwrap();

    let mut repeated = shared.clone();
    for rule in repeated.syscalls.iter_mut().filter(|rule| rule.args.len() == 1) {
        rule.names.retain(|name| name == "time");
    }
    let alone = repeated.clone();
    assert_eq!(Filter::new(&alone, Arch::Mipsel64).mistaken(), []);
    let mut clone3 = shared.syscalls.iter().find(|rule| rule.args.len() == 1).unwrap().clone();
    clone3.names.retain(|name| name == "clone3");
    repeated.syscalls.extend(std::iter::repeat_n(clone3, 5000));
    assert!(Filter::new(&repeated, Arch::Mipsel64).mistaken().contains(&(Arch::Mipsel, time)));
}

#[test]
fn conditions_on_a_call_that_batten_does_not_know_are_not_kept_in_an_intersection() {
    let rules = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["read","brand_new"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#;
    let both = intersect(&profile(rules), &profile(rules), Arch::X86_64);
    let brand_new = |rule: &&batten::seccomp::Rule| rule.names.iter().any(|name| name == "brand_new");
    assert!(!both.syscalls.iter().filter(brand_new).any(|rule| rule.action == Action::Allow), "{}", both.to_json());
}
