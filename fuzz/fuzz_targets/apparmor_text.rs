//! Any text is a file of profiles or an error; a mode set in one of them leaves as many profiles.
#![no_main]

use batten::apparmor::language::PolicyFile;
use batten::apparmor::lint::lint;
use batten::apparmor::Mode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(file) = PolicyFile::parse(text.as_bytes()) else { return };
    for written in &file.profiles {
        let _ = lint(written, true);
        let changed = written.in_mode(text, Mode::Complain);
        let read = PolicyFile::parse(changed.as_bytes()).expect("still closed");
        assert_eq!(read.profiles.len(), file.profiles.len(), "{changed}");
    }
});
