//! A policy is read or refused with a message that has its hint; never a panic.
#![no_main]

use std::path::Path;

use batten::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Policy::parse(Path::new("policy.toml"), text) {
        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    }
});
