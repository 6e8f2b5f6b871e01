//! Whatever is read is judged, by the built-in policy and by one that switches every control on; what may start is stable
//! under judgement and holds no capability above the ceiling.
#![no_main]

use batten::capability::{CapSet, Capability};
use batten::enforce::enforce;
use batten::host::Host;
use batten::policy::Policy;
use batten::rules::{DocumentKind, RULES};
use batten::spec::{Document, Value};
use libfuzzer_sys::fuzz_target;

/// Every control fixes what it can.
fn strict() -> Policy {
    let on = RULES.iter().filter_map(|rule| Some(format!("{} = \"fix\"\n", rule.section?.violation)));
    let text = "memory.most = 4096\ncpu.most = 1\npids.most = 9\n".to_owned() + &on.collect::<String>();
    Policy::parse("strict.toml".as_ref(), &text).expect("every rule has a violation")
}

fuzz_target!(|bytes: &[u8]| {
    let host = Host::detect();
    for policy in [Policy::built_in(), strict()] {
        let Ok(document) = Document::parse_spec(bytes) else { return };
        judge(document, &policy, &host);
    }
});

fn judge(document: Document, policy: &Policy, host: &Host) {
    let subject = policy.subject_of(&document);
    let Ok(outcome) = enforce(document, DocumentKind::Spec, &subject, policy, host) else { return };
    if !outcome.may_start() {
        return;
    }
    let document = Document::parse_spec(outcome.text.as_str()).expect("what may start can be read");
    let sets = document.root().get("process").map(|process| process.get("capabilities").expect("all is written out"));
    let known = |set| sets.and_then(|sets| sets.get(set)).into_iter().flat_map(Value::items);
    for name in ["bounding", "effective", "inheritable", "permitted", "ambient"].into_iter().flat_map(known) {
        let known = name.as_str().and_then(|name| Capability::from_name(&name));
        assert!(known.is_some_and(|capability| CapSet::DOCKER.contains(capability)), "{name:?}");
    }
    let again = enforce(document, DocumentKind::Spec, &subject, policy, host).expect("it was judged before");
    assert_eq!(again.text, outcome.text);
}
