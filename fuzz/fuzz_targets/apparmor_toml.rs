//! Any text is a profile or an error, in batten's TOML as in bane's; what a profile renders to reads back as the same rules.
#![no_main]

use std::path::Path;

use batten::apparmor::bane::from_bane;
use batten::apparmor::language::PolicyFile;
use batten::apparmor::{Dialect, Profile, Version};
use libfuzzer_sys::fuzz_target;

fn check(profile: &Profile) {
    for version in [Version::V3_0, Version::V4_0] {
        let dialect = Dialect::of(version);
        let text = profile.render(dialect);
        let file = PolicyFile::parse(text.as_bytes()).expect("closed quotes");
        assert_eq!(file.profiles.len(), 1, "{text}");
        assert_eq!(file.profiles[0].profile.name, profile.name, "{text}");
        assert!(file.profiles[0].unknown.is_empty(), "{text}");
        let mut meant = profile.lowered(dialect);
        for rule in &mut meant {
            if let batten::apparmor::Rule::File(file) = rule {
                file.comment = None;
            }
        }
        meant.dedup();
        let mut read = file.profiles[0].profile.rules.clone();
        read.dedup();
        assert_eq!(read, meant, "{text}");
    }
}

fuzz_target!(|text: &str| {
    let path = Path::new("profile.toml");
    if let Ok(profile) = Profile::from_toml(path, text) {
        check(&profile);
    }
    if let Ok((profile, _)) = from_bane(path, text) {
        check(&profile);
    }
});
