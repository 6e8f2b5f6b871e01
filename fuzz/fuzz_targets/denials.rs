//! Any bytes are read as a log without a panic, and what is printed of them steers no terminal.
#![no_main]

use batten::denials::check_reading;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_reading(bytes));
