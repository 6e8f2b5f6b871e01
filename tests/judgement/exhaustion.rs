//! Documents that are made to keep batten busy. Whoever may start a container may write them, and what is measured is
//! processor time, so that a busy machine changes nothing.

use std::fmt::Write;

use batten::enforce::{EnforceError, Outcome, enforce};
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
    assert!(matches!(judged(&annotations(100_000)), Err(EnforceError::TooManyEdits)));
}
