//! Reading never panics, and what is accepted is given back byte for byte.
#![no_main]

use batten::spec::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Document::parse_spec(bytes) {
        assert_eq!(document.into_text().as_bytes(), bytes);
    }
    let _ = Document::parse_process(bytes);
});
