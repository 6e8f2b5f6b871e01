//! A profile of any format is refused with a hint, or resolves to what resolves to itself and loads as written.
#![no_main]

use batten::seccomp::check_readings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| check_readings(text));
