//! Two profiles in OCI's format, a blank line between them: what is made of both is within both, and saying it anew changes
//! nothing.
#![no_main]

use batten::seccomp::{Arch, Profile, intersect, is_subset, merge};
use batten::spec::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((a, b)) = text.split_once("\n\n") else { return };
    let read = |text: &str| Document::parse(text).ok().and_then(|document| Profile::read(document.root()).ok());
    let (Some(a), Some(b)) = (read(a), read(b)) else { return };
    let both = intersect(&a, &b, Arch::X86_64);
    for side in [&a, &b] {
        assert_eq!(is_subset(&both, side, Arch::X86_64), Ok(()), "{}", both.to_json());
    }
    merge(&a, &b, Arch::X86_64);
});
