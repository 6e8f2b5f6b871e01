//! Any bytes are read without a panic, in pieces as in one, and give a profile that reads back.
#![no_main]

use batten::record::check_reading;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_reading(bytes));
