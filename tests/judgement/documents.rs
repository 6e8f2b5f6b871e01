//! Documents that two runtimes could read differently are refused before anything is judged; all others survive byte
//! for byte.

use batten::spec::{Document, ReadError, Refusal};

/// The same hostile text at the top, under `process`, deep in `linux`, and as a process file.
type Reader = fn(String) -> Result<Document, ReadError>;

fn everywhere(inside: &str) -> Vec<(String, Reader)> {
    let spec: Reader = |text| Document::parse_spec(text);
    let process: Reader = |text| Document::parse_process(text);
    vec![
        (format!("{{{inside}}}"), spec),
        (format!(r#"{{"process":{{{inside}}}}}"#), spec),
        (format!(r#"{{"linux":{{"resources":{{"memory":{{{inside}}}}}}}}}"#), spec),
        (format!(r#"{{"unknown":[{{}},[{{{inside}}}]]}}"#), spec),
        (format!("{{{inside}}}"), process),
        (format!(r#"{{"user":{{{inside}}}}}"#), process),
    ]
}

fn refused_everywhere(inside: &str, expected: impl Fn(&Refusal) -> bool) {
    for (text, read) in everywhere(inside) {
        let error = read(text.clone()).expect_err(&text);
        assert!(expected(&error.refusal), "{text}: {error}");
    }
}

fn refusal(text: &str) -> ReadError {
    Document::parse_spec(text).expect_err(text)
}

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    refused_everywhere(r#""a":1,"a":1"#, |refusal| matches!(refusal, Refusal::DuplicateKey { .. }));
    refused_everywhere(r#""a":1,"\u0061":1"#, |refusal| matches!(refusal, Refusal::DuplicateKey { .. }));
}

#[test]
fn a_key_that_stands_twice_among_many_is_found() {
    let members: Vec<String> = (0..1_000).map(|n| format!("\"k{n}\":0")).collect();
    let text = format!("{{\"annotations\":{{\"k7\":\"\"}},\"x\":{{{},\"k500\":1}}}}", members.join(","));
    let error = refusal(&text);
    assert_eq!(error.pointer.as_str(), "/x/k500");
}

#[test]
fn a_key_that_go_reads_as_a_known_one_is_refused() {
    for (text, pointer) in [
        (r#"{"Process":{}}"#, "/Process"),
        (r#"{"PROCESS":{}}"#, "/PROCESS"),
        ("{\"proce\u{17f}\u{17f}\":{}}", "/proce\u{17f}\u{17f}"),
        (r#"{"proce\u017f\u017f":{}}"#, "/proce\u{17f}\u{17f}"),
        ("{\"hoo\u{212a}s\":{}}", "/hoo\u{212a}s"),
        (r#"{"process":{"nonewprivileges":true}}"#, "/process/nonewprivileges"),
        (r#"{"process":{"capabilities":{"Bounding":[]}}}"#, "/process/capabilities/Bounding"),
        (r#"{"linux":{"seccomp":{"syscalls":[{"Action":""}]}}}"#, "/linux/seccomp/syscalls/0/Action"),
        (r#"{"mounts":[{},{"Source":"/"}]}"#, "/mounts/1/Source"),
    ] {
        let error = refusal(text);
        assert!(matches!(error.refusal, Refusal::FoldedKey { .. }), "{error}");
        assert_eq!(error.pointer.as_str(), pointer);
    }
    assert!(Document::parse_process(r#"{"Capabilities":{}}"#).is_err());
}

#[test]
fn free_maps_and_unknown_members_may_spell_their_keys_as_they_like() {
    for text in [
        r#"{"annotations":{"Process":"a","process":"b"}}"#,
        r#"{"linux":{"sysctl":{"Kernel.X":"1","kernel.x":"1"}}}"#,
        r#"{"extension":{"Process":1,"process":2}}"#,
    ] {
        assert!(Document::parse_spec(text).is_ok(), "{text}");
    }
}

#[test]
fn nul_is_refused_in_keys_and_strings() {
    refused_everywhere(r#""process\u0000z":1"#, |refusal| *refusal == Refusal::Nul);
    refused_everywhere(r#""a":"b\u0000""#, |refusal| *refusal == Refusal::Nul);
    assert_eq!(refusal("{\"a\":\"\0\"}").refusal, Refusal::Nul);
}

#[test]
fn data_after_the_document_is_refused() {
    for tail in ["{}", "x", "]", "\0", ",", "// end"] {
        assert_eq!(refusal(&format!("{{}} \n{tail}")).refusal, Refusal::TrailingData, "{tail}");
    }
    assert!(Document::parse_spec(" \t\r\n{}\n\n").is_ok());
}

#[test]
fn whatever_is_not_strict_json_is_refused() {
    for inside in [
        "/* c */\"a\":1",
        "// c\n\"a\":1",
        "'a':1",
        "a:1",
        "\"a\":1,",
        "\"a\":NaN",
        "\"a\":Infinity",
        "\"a\":.5",
        "\"a\":1.",
        "\"a\":01",
        "\"a\":+1",
        "\"a\":0x1",
        "\"a\":1e",
        "\"a\":tru",
        "\"a\":\"\\x41\"",
        "\"a\":\"\\u12\"",
        "\"a\":\"\t\"",
        "\"a\":\"\n\"",
        "\"a\":[1,]",
        "\"a\":[1 2]",
        "\"a\" 1",
        "\"a\":",
        "\"a\":}",
        "\"a",
    ] {
        refused_everywhere(inside, |refusal| matches!(refusal, Refusal::Syntax { .. }));
    }
    assert!(matches!(refusal("").refusal, Refusal::Syntax { .. }));
    assert!(matches!(refusal("\u{feff}{}").refusal, Refusal::Syntax { .. }));
}

#[test]
fn known_members_of_a_wrong_type_are_refused() {
    for (text, pointer) in [
        (r#"{"process":{"noNewPrivileges":"true"}}"#, "/process/noNewPrivileges"),
        (r#"{"process":{"noNewPrivileges":1}}"#, "/process/noNewPrivileges"),
        (r#"{"process":[]}"#, "/process"),
        (r#"{"process":{"capabilities":["CAP_KILL"]}}"#, "/process/capabilities"),
        (r#"{"process":{"capabilities":{"bounding":"CAP_KILL"}}}"#, "/process/capabilities/bounding"),
        (r#"{"process":{"capabilities":{"bounding":[1]}}}"#, "/process/capabilities/bounding/0"),
        (r#"{"process":{"user":{"uid":-1}}}"#, "/process/user/uid"),
        (r#"{"process":{"user":{"uid":4294967296}}}"#, "/process/user/uid"),
        (r#"{"process":{"user":{"uid":1.0}}}"#, "/process/user/uid"),
        (r#"{"process":{"apparmorProfile":false}}"#, "/process/apparmorProfile"),
        (r#"{"linux":{"seccomp":[]}}"#, "/linux/seccomp"),
        (r#"{"annotations":{"a":1}}"#, "/annotations/a"),
        ("[]", ""),
        ("null", ""),
        ("\"\"", ""),
    ] {
        let error = refusal(text);
        assert!(matches!(error.refusal, Refusal::WrongType { .. }), "{error}");
        assert_eq!(error.pointer.as_str(), pointer);
    }
}

#[test]
fn null_is_an_absent_member_to_every_runtime() {
    assert!(Document::parse_spec(r#"{"process":null,"linux":{"seccomp":null},"mounts":null}"#).is_ok());
}

#[test]
fn lone_surrogates_and_bad_utf8_are_refused() {
    for escape in [r"\ud800", r"\udc00", r"\ud800\u0041", r"\ud800x", r"\udc00\ud800"] {
        refused_everywhere(&format!("\"a\":\"{escape}\""), |refusal| *refusal == Refusal::LoneSurrogate);
    }
    for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xed\xa0\x80\"}", b"{\"\xc0\xaf\":1}"] {
        assert_eq!(Document::parse_spec(bytes).unwrap_err().refusal, Refusal::NotUtf8);
    }
    let document = Document::parse(r#""\ud83d\ude00""#).unwrap();
    assert_eq!(document.root().as_str().unwrap(), "\u{1f600}");
}

#[test]
fn integers_beyond_64_bits_are_refused_and_large_ones_stay_exact() {
    for number in ["18446744073709551616", "-9223372036854775809", "99999999999999999999999999"] {
        refused_everywhere(&format!("\"a\":{number}"), |refusal| matches!(refusal, Refusal::HugeInteger { .. }));
    }
    let text = r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":1.10000000000000000001,"d":1E400}"#;
    assert_eq!(Document::parse_spec(text).unwrap().into_text(), text);
}

#[test]
fn nesting_is_capped_at_32() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::parse(nested(32)).is_ok());
    assert_eq!(Document::parse(nested(33)).unwrap_err().refusal, Refusal::TooDeep);
    assert_eq!(Document::parse(nested(100_000)).unwrap_err().refusal, Refusal::TooDeep);
    assert_eq!(Document::parse("{\"a\":".repeat(40)).unwrap_err().refusal, Refusal::TooDeep);
}

#[test]
fn a_refusal_names_pointer_line_and_column() {
    let error = refusal("{\n  \"process\": {\n    \"args\": [\"a\", \"b\u{e9}\", tru]\n  }\n}");
    assert_eq!(error.pointer.as_str(), "/process/args/2");
    assert_eq!((error.place.line, error.place.column), (3, 25));
    let error = refusal(r#"{"annotations":{"a/b~c":1}}"#);
    assert_eq!(error.pointer.as_str(), "/annotations/a~1b~0c");
}

#[test]
fn a_million_keys_are_read_in_reasonable_time() {
    let members: Vec<String> = (0..400_000).map(|n| format!("\"k{n}\":0")).collect();
    assert!(Document::parse(format!("{{{}}}", members.join(","))).is_ok());
}
