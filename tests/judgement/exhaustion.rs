//! Documents that are made to keep batten busy. Whoever may start a container may write them, and what is measured is
//! processor time, so that a busy machine changes nothing.

use std::fmt::Write;

use batten::enforce::{EnforceError, Outcome, enforce};
use batten::fleet::Judged;
use batten::host::Host;
use batten::policy::Policy;
use batten::rules::DocumentKind;
use batten::spec::Document;
use nix::sys::resource::{UsageWho, getrusage};

/// Seconds of this thread. What is quadratic takes minutes for the documents below.
const MOST_SECONDS: i64 = 20;

fn seconds() -> i64 {
    let used = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    used.user_time().tv_sec() + used.system_time().tv_sec()
}

fn judged(spec: &str) -> Result<Outcome, EnforceError> {
    let began = seconds();
    let policy = Policy::built_in();
    let document = Document::parse_spec(spec).unwrap();
    let subject = policy.subject_of(&document);
    let outcome = enforce(document, DocumentKind::Spec, &subject, &policy, &Host::detect());
    let took = seconds() - began;
    assert!(took < MOST_SECONDS, "{took} s for {} bytes: {}…", spec.len(), &spec[..100]);
    outcome
}

/// What the runtime-spec has against a document, in words, and how many of the document's places that are.
fn breaches(spec: &str) -> (usize, String) {
    let began = seconds();
    let text = spec.as_bytes().to_vec();
    let judged = Judged::with_spec("-".into(), text, DocumentKind::Spec, &Policy::built_in(), &Host::detect());
    let took = seconds() - began;
    assert!(took < MOST_SECONDS, "{took} s for {} bytes: {}…", spec.len(), &spec[..100]);
    let last = judged.breaches.last().map(|breach| format!("{} {}", breach.force.as_str(), breach.message));
    (judged.breaches.len(), last.unwrap_or_default())
}

/// `count` times what `item` makes of a number, with commas.
fn many(count: u32, item: impl Fn(u32) -> String) -> String {
    (0..count).fold(String::new(), |mut list, number| {
        let _ = write!(list, "{}{}", if number > 0 { "," } else { "" }, item(number));
        list
    })
}

fn spec(rest: &str) -> String {
    format!(r#"{{"ociVersion":"1.0.2",{rest}}}"#)
}

#[test]
fn a_hundred_thousand_names_of_no_capability_make_a_short_message() {
    let names = many(100_000, |number| format!("\"CAP_{number}\""));
    let process = |names: &str| format!(r#""process":{{"cwd":"/","capabilities":{{"bounding":[{names}]}}}}"#);
    let outcome = judged(&spec(&process(&names))).unwrap();
    assert!(outcome.text.contains(r#""bounding":[]"#));
    assert!(outcome.findings.iter().all(|finding| finding.message.len() < 200), "{:?}", outcome.findings);
}

#[test]
fn a_filter_of_a_hundred_thousand_unknown_calls_is_judged() {
    let names = many(100_000, |number| format!("\"call{number}\""));
    let rule = format!(r#"{{"names":[{names}],"action":"SCMP_ACT_ERRNO"}}"#);
    let seccomp = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{rule}]}}"#);
    let outcome = judged(&spec(&format!(r#""process":{{"cwd":"/"}},"linux":{{"seccomp":{seccomp}}}"#))).unwrap();
    assert!(outcome.changed);
}

#[test]
fn a_filter_of_ten_thousand_conditions_on_one_call_is_judged() {
    let rule = |number: u32| {
        let arg = format!(r#"{{"index":{},"value":{number},"op":"SCMP_CMP_GT"}}"#, number % 6);
        format!(r#"{{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":{},"args":[{arg}]}}"#, number % 90 + 1)
    };
    let seccomp = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{}]}}"#, many(10_000, rule));
    let outcome = judged(&spec(&format!(r#""process":{{"cwd":"/"}},"linux":{{"seccomp":{seccomp}}}"#))).unwrap();
    assert!(outcome.changed);
}

#[test]
fn more_edits_than_any_engine_s_document_needs_are_refused() {
    let annotations = |count| {
        let list = many(count, |number| format!("\"run.oci.{number}\":\"\""));
        spec(&format!(r#""annotations":{{{list}}},"process":{{"cwd":"/"}}"#))
    };
    assert!(judged(&annotations(100)).unwrap().text.contains(r#""annotations":{}"#));
    assert!(matches!(judged(&annotations(100_000)), Err(EnforceError::TooManyEdits(_))));
}

/// Each is valid or not by what it holds in the end: the last of them alone breaks a MUST.
#[test]
fn a_hundred_thousand_places_out_of_the_runtime_spec_are_counted_and_a_few_hundred_listed() {
    let root = r#""root":{"path":"rootfs"},"process":{"cwd":"/","args":["sh"],"user":{"uid":0,"gid":0}}"#;
    let stranger = |number| format!("\"x{number}\":0");
    let (listed, last) = breaches(&spec(&format!(r#"{root},{},"hostname":null"#, many(100_000, stranger))));
    assert_eq!((listed, last.as_str()), (501, "invalid 99501 more places are not as the specification says"));
    let device =
        |number: u32| format!(r#"{{"type":"c","path":"/dev/x{number}","major":{},"minor":1}}"#, number % 50_000);
    let (listed, last) = breaches(&spec(&format!(r#"{root},"linux":{{"devices":[{}]}}"#, many(100_000, device))));
    assert_eq!((listed, last.as_str()), (501, "note 49500 more places are not as the specification says"));
    let mapping = |number: u32| format!(r#"{{"containerID":{},"hostID":{},"size":2}}"#, number * 2, number * 3);
    let namespaces = r#""namespaces":[{"type":"user"}]"#;
    let mappings = many(100_000, mapping);
    let linux = format!(r#""linux":{{{namespaces},"uidMappings":[{mappings}],"gidMappings":[{mappings}]}}"#);
    assert_eq!(breaches(&spec(&format!("{root},{linux}"))), (0, String::new()));
}
