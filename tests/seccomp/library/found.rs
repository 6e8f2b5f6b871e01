//! Profiles that the properties have found, each once.

use batten::seccomp::compiled::Compiled;
use batten::seccomp::{Arch, Profile, intersect, is_subset};
use batten::spec::Document;

use super::laws::{intersection, rewritten};

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
