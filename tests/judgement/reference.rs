//! docs/rules.md says what the rules say of themselves.

use std::fs;
use std::path::Path;

use batten::policy::reference;
use batten::rules::RULES;

use crate::batten::batten;

#[test]
fn docs_rules_md_is_what_the_rules_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let want = reference::markdown();
    if std::env::var_os("BATTEN_BLESS").is_some() {
        fs::write(&path, &want).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == want, "BATTEN_BLESS=1 cargo test --test judgement reference writes docs/rules.md anew");
}

#[test]
fn every_rule_says_intent_fields_and_allowed_values_and_explain_shows_them() {
    for rule in RULES {
        let prose = rule.prose();
        for part in ["**Intent.** ", "**Fields.** ", "**Allowed.** "] {
            assert!(prose.contains(part), "{} does not say {part}", rule.id);
        }
        let said = batten(&["explain", rule.id.0]).stdout;
        for setting in rule.section.iter().flat_map(|section| section.settings) {
            assert!(said.contains(setting.name) && said.contains(setting.meaning), "{}: {said}", rule.id);
        }
        assert!(said.contains("Intent. ") && said.contains("waive:   [[waiver]]"), "{said}");
    }
}
