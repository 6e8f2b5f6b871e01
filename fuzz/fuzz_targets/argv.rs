//! A command line that is read is handed on with the same meaning, and a judged subcommand is never passed on.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use batten::runtime::argv::{Dialect, check_reemission};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    for dialect in [Dialect::Runc, Dialect::Crun, Dialect::Common] {
        check_reemission(&words, dialect);
    }
});
