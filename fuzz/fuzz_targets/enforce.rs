//! Whatever is read is judged; what may start is stable under judgement and holds no capability above the ceiling.
#![no_main]

use batten::capability::{CapSet, Capability};
use batten::enforce::enforce;
use batten::host::Host;
use batten::policy::Policy;
use batten::rules::DocumentKind;
use batten::spec::{Document, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse_spec(bytes) else { return };
    let (policy, host) = (Policy::built_in(), Host::detect());
    let subject = policy.subject_of(&document);
    let Ok(outcome) = enforce(document, DocumentKind::Spec, &subject, &policy, &host) else { return };
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
    let again = enforce(document, DocumentKind::Spec, &subject, &policy, &host).expect("it was judged before");
    assert_eq!(again.text, outcome.text);
});
