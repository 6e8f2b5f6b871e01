//! What holds for every text that calls itself a profile.

use batten::seccomp::check_readings;
use proptest::prelude::*;

use crate::asked::fresh;
use proptest::sample::select;

/// A member or nothing: `"key": value,`.
fn maybe(key: &'static str, value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    proptest::option::of(value)
        .prop_map(move |value| value.map_or(String::new(), |value| format!("\"{key}\":{value},")))
        .boxed()
}

fn word(words: &'static [&'static str]) -> BoxedStrategy<String> {
    select(words).prop_map(str::to_owned).boxed()
}

fn list(item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![
        1 => Just("null".to_owned()),
        9 => proptest::collection::vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(",")))
    ]
    .boxed()
}

fn object(members: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    members.prop_map(|members| format!("{{{}}}", members.concat().trim_end_matches(','))).boxed()
}

const ACTIONS: &[&str] = &[
    "\"SCMP_ACT_ALLOW\"",
    "\"SCMP_ACT_ERRNO\"",
    "\"SCMP_ACT_KILL\"",
    "\"SCMP_ACT_LOG\"",
    "\"\"",
    "null",
    "\"deny\"",
    "1",
];
const CALLS: &[&str] = &["\"read\"", "\"clone3\"", "\"no_such_call\"", "\"\"", "null", "\"\\u00e9\""];
const NUMBERS: &[&str] = &["0", "1", "38", "4294967295", "4294967296", "18446744073709551615", "-1", "1e2", "null"];
const ERRORS: &[&str] = &["\"EPERM\"", "\"ENOSYS\"", "\"38\"", "\"\"", "\"EINTR\"", "null", "5"];
const ARCHES: &[&str] =
    &["\"SCMP_ARCH_X86_64\"", "\"SCMP_ARCH_X86\"", "\"SCMP_ARCH_AARCH64\"", "\"\"", "null", "\"x\""];

fn conditions() -> BoxedStrategy<String> {
    object(vec![
        maybe("caps", list(word(&["\"CAP_SYS_ADMIN\"", "\"CAP_CHOWN\"", "\"cap_chown\"", "null"]))),
        maybe("arches", list(word(&["\"amd64\"", "\"arm64\"", "\"\"", "\"x86\""]))),
        maybe("minKernel", word(&["\"4.8\"", "\"6.20\"", "\"\"", "\"0.0\"", "null", "5"])),
    ])
}

fn rule() -> BoxedStrategy<String> {
    let arg = object(vec![
        maybe("index", word(NUMBERS)),
        maybe("value", word(NUMBERS)),
        maybe("valueTwo", word(NUMBERS)),
        maybe("op", word(&["\"SCMP_CMP_EQ\"", "\"SCMP_CMP_MASKED_EQ\"", "\"==\"", "null"])),
    ]);
    let rule = object(vec![
        maybe("names", list(word(CALLS))),
        maybe("name", word(&["\"write\"", "\"\"", "null"])),
        maybe("action", word(ACTIONS)),
        maybe("errnoRet", word(NUMBERS)),
        maybe("errno", word(ERRORS)),
        maybe("args", list(prop_oneof![9 => arg, 1 => Just("null".to_owned())].boxed())),
        maybe("includes", conditions()),
        maybe("excludes", conditions()),
        maybe("comment", word(&["\"why\"", "\"\""])),
    ]);
    prop_oneof![30 => rule, 1 => Just("null".to_owned())].boxed()
}

fn profile() -> BoxedStrategy<String> {
    let map = object(vec![maybe("architecture", word(ARCHES)), maybe("subArchitectures", list(word(ARCHES)))]);
    object(vec![
        maybe("defaultAction", word(ACTIONS)),
        maybe("defaultErrnoRet", word(NUMBERS)),
        maybe("defaultErrno", word(ERRORS)),
        maybe("architectures", prop_oneof![Just("[]".to_owned()), list(word(ARCHES))].boxed()),
        maybe("archMap", prop_oneof![Just("[]".to_owned()), list(map)].boxed()),
        maybe("flags", list(word(&["\"SECCOMP_FILTER_FLAG_LOG\"", "\"\"", "null"]))),
        maybe("listenerPath", word(&["\"/run/a\"", "\"\"", "null"])),
        maybe("syscalls", list(rule())),
    ])
}

proptest! {
    #![proptest_config(fresh(2000))]

    #[test]
    fn a_resolved_profile_resolves_to_itself_and_loads_as_it_was_written(text in profile()) {
        check_readings(text.as_bytes());
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC*|[\\[\\]{}\",:a-z0-9_ ]*") {
        check_readings(text.as_bytes());
    }
}
