//! Any text is a file of profiles or an error; a mode set in one of them is read back, and nothing else changes.
#![no_main]

use batten::apparmor::language::PolicyFile;
use batten::apparmor::lint::lint;
use batten::apparmor::Mode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(file) = PolicyFile::parse(text.as_bytes()) else { return };
    for written in &file.profiles {
        let _ = lint(written, true);
        for mode in [Mode::Enforce, Mode::Complain, Mode::Kill] {
            let Some(changed) = written.in_mode(text, mode) else { continue };
            let read = PolicyFile::parse(changed.as_bytes()).expect("still closed");
            assert_eq!(read.profiles.len(), file.profiles.len(), "{changed}");
            for (now, before) in read.profiles.iter().zip(&file.profiles) {
                assert_eq!(now.profile.name, before.profile.name, "{changed}");
                assert_eq!(now.profile.rules, before.profile.rules, "{changed}");
                let wanted = if before == written { mode } else { before.profile.mode };
                assert!(now.profile.mode == wanted || now.profile.mode == before.profile.mode, "{changed}");
            }
            assert!(read.profiles.iter().any(|one| one.line == written.line && one.profile.mode == mode), "{changed}");
        }
    }
});
