//! Any filter program is compared with a profile: what is called looser is what the program really answers.
#![no_main]

use batten::capability::CapSet;
use batten::seccomp::loaded::Loaded;
use batten::seccomp::{Abis, Arch, KernelVersion, Target, builtin};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(loaded) = Loaded::parse(std::iter::once(bytes), Arch::X86_64) else { return };
    let kernel = KernelVersion { major: 6, minor: 1 };
    let policy = builtin(&Target { arch: Arch::X86_64, kernel, caps: CapSet::DOCKER, abis: Abis::Native });
    for call in loaded.compare(&policy).looser {
        assert_eq!(loaded.verdict(call.arch, call.number, call.args), call.kernel);
        assert!(call.kernel.is_looser_than(call.policy));
    }
});
