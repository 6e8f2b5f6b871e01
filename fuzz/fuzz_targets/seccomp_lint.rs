//! Linting any profile ends, and every remark says where and what to do.
#![no_main]

use batten::capability::CapSet;
use batten::seccomp::lint::{Purpose, lint};
use batten::seccomp::{Abis, Arch, KernelVersion, Target};
use batten::spec::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(document) = Document::parse(text) else { return };
    let kernel = KernelVersion { major: 6, minor: 1 };
    let target = Target { arch: Arch::X86_64, kernel, caps: CapSet::DOCKER, abis: Abis::Compat };
    for remark in lint(&document, &Purpose { target, fits_capabilities: true, engine: None }) {
        assert!(!remark.message.is_empty() && !remark.hint.is_empty());
    }
});
