//! Any bytes are a file of profiles or an error; a mode set in its flags is the mode that is read.
#![no_main]

use batten::apparmor::language::PolicyFile;
use batten::apparmor::lint::lint;
use batten::apparmor::Mode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(file) = PolicyFile::parse(text.as_bytes()) else { return };
    for (position, written) in file.profiles.iter().enumerate() {
        let _ = lint(written, true);
        let changed = written.in_mode(text, Mode::Complain);
        let read = PolicyFile::parse(changed.as_bytes()).expect("still closed");
        assert_eq!(read.profiles.len(), file.profiles.len(), "{changed}");
        assert_eq!(read.profiles[position].profile.mode, Mode::Complain, "{changed}");
    }
});
