//! Any text is a call or is refused with a reason and a hint, and a call that is written anew is the same call.
#![no_main]

use batten::seccomp::{Arch, Question};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for arch in [Arch::X86_64, Arch::X32, Arch::Mipsel] {
        match Question::parse(text, arch) {
            Ok(question) => assert_eq!(Question::parse(&question.to_string(), arch), Ok(question)),
            Err(error) => assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
        }
    }
});
