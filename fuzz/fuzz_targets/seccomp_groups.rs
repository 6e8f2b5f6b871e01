//! A profile in groups is refused with a line and a hint, or resolves for every container to a filter that can be written.
#![no_main]

use batten::capability::CapSet;
use batten::seccomp::lint::{Purpose, lint_groups};
use batten::seccomp::{Abis, Arch, GroupProfile, KernelVersion, Profile, Target};
use batten::spec::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let profile = match GroupProfile::from_bytes(text.to_vec()) {
        Ok(profile) => profile,
        Err(error) => return assert!(!error.problem.is_empty() && !error.hint.is_empty()),
    };
    let kernel = KernelVersion { major: 6, minor: 1 };
    for (arch, caps) in [(Arch::X86_64, CapSet::EMPTY), (Arch::S390x, CapSet::ALL)] {
        let target = Target { arch, kernel, caps, abis: Abis::Compat };
        let resolved = profile.resolve(&target);
        let written = Document::parse(resolved.to_json()).unwrap();
        assert_eq!(Profile::read(written.root()).as_ref(), Ok(&resolved));
        let _ = lint_groups(&profile, &Purpose { target, fits_capabilities: true, engine: None });
    }
});
