//! Specs with one thing wrong in them, thousands of them, through every door of a dry run: each comes out judged or
//! refused, in every format, and none makes batten panic.

use std::fs;
use std::path::Path;

use batten::fleet::Judged;
use batten::host::Host;
use batten::memo::Memo;
use batten::policy::Policy;
use batten::report::{Format, Style, Writer};
use batten::rules::DocumentKind;
use batten::spec::Document;
use serde_json::{Value, json};

/// Numbers that come out the same everywhere (xorshift64).
struct Seed(u64);

impl Seed {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn originals() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut paths = vec![root.join("runtime-spec/everything.json")];
    for name in ["containerd-cri", "docker-26", "docker-26-privileged", "podman-4"] {
        paths.push(root.join("specs").join(name).with_extension("json"));
    }
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The `n`-th value in document order.
fn nth<'v>(value: &'v mut Value, n: &mut usize) -> Option<&'v mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Object(members) => members.values_mut().find_map(|child| nth(child, n)),
        Value::Array(items) => items.iter_mut().find_map(|child| nth(child, n)),
        _ => None,
    }
}

fn strange(seed: &mut Seed) -> Value {
    match seed.below(14) {
        0 => json!(null),
        1 => json!(true),
        2 => json!([]),
        3 => json!({}),
        4 => json!(-1),
        5 => json!(u64::MAX),
        6 => json!(i64::MIN),
        7 => json!(1.5e300),
        8 => json!(""),
        9 => json!("/"),
        10 => json!("\u{1b}[2J\u{202e}<script>&\"'\u{fffe}"),
        11 => json!("../../../proc/self/fd/7"),
        12 => json!(["", null, [[]], {"": {}}]),
        _ => json!({"type": "user", "path": "", "names": [""], "a/b~c": {"options": ["idmap"]}}),
    }
}

/// One of: a value replaced, a byte changed, a piece cut out, a piece twice.
fn mutant(original: &str, seed: &mut Seed) -> Vec<u8> {
    if seed.below(3) > 0 {
        let mut value: Value = serde_json::from_str(original).unwrap();
        for _ in 0..=seed.below(3) {
            let mut at = seed.below(count(&value));
            if let Some(place) = nth(&mut value, &mut at) {
                *place = strange(seed);
            }
        }
        return value.to_string().into_bytes();
    }
    let mut bytes = original.as_bytes().to_vec();
    let from = seed.below(bytes.len());
    let to = (from + seed.below(40)).min(bytes.len());
    match seed.below(3) {
        0 => bytes[from] = u8::try_from(seed.below(256)).unwrap(),
        1 => drop(bytes.drain(from..to)),
        _ => {
            let piece = bytes[from..to].to_vec();
            bytes.splice(from..from, piece);
        }
    }
    bytes
}

#[test]
fn thousands_of_mutated_specs_come_out_judged_or_refused_in_every_format() {
    const MUTANTS: usize = 4_000;
    let (policy, originals) = (Policy::built_in(), originals());
    let host = Host { memo: Memo::of_process(), ..Host::detect() };
    let formats = [Format::Text, Format::Json, Format::Sarif, Format::Junit, Format::Github, Format::Html];
    let mut seed = Seed(0x2545_f491_4f6c_dd1d);
    let (mut judged, mut refused) = (0, 0);
    for number in 0..MUTANTS {
        let text = mutant(&originals[number % originals.len()], &mut seed);
        let kind = if number % 9 == 0 { DocumentKind::Process } else { DocumentKind::Spec };
        let one = Judged::with_spec(format!("{number}"), text.clone(), kind, &policy, &host);
        let format = formats[number % formats.len()];
        let writer =
            Writer { format, policy: &policy, style: Style { colour: false, explain: true }, spec_fails: true };
        let piece = writer.document(&one);
        let data = matches!(format, Format::Json | Format::Sarif);
        let steers =
            piece.contains(|c: char| c != '\n' && if data { c < ' ' } else { c.is_control() || c == '\u{202e}' });
        assert!(!steers, "{number} as {format:?} lets a control character through: {}", String::from_utf8_lossy(&text));
        match &one.result {
            Ok(outcome) => {
                judged += 1;
                let again = Judged::of(String::new(), outcome.text.clone().into_bytes(), kind, &policy, &host);
                let text_again = again.result.as_ref().map(|outcome| outcome.text.clone());
                assert_eq!(text_again.ok().as_ref(), Some(&outcome.text), "{number}: judging again changes nothing");
            }
            Err(_) => refused += 1,
        }
        let refused_for_members = Document::parse(text.clone()).is_ok_and(|document| match kind {
            DocumentKind::Spec => document.check_spec().is_err(),
            DocumentKind::Process => document.check_process().is_err(),
        });
        let shown = String::from_utf8_lossy(&text);
        assert!(!refused_for_members || !one.breaches.is_empty(), "{number}: no start, and nothing to say: {shown}");
    }
    assert!(judged > MUTANTS / 20 && refused > MUTANTS / 20, "{judged} judged, {refused} refused");
}
