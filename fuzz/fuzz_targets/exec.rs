//! What an exec asks for by options is a process document that every runtime reads alike, whatever the container is.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use batten::runtime::argv::{Command, Dialect, Invocation};
use batten::runtime::exec::{complete, from_flags};
use batten::spec::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Vec<&[u8]>, &[u8])| {
    let (container, words, process) = input;
    let Ok(container) = Document::parse_spec(container) else { return };
    if let Ok(process) = Document::parse_process(process) {
        let text = complete(&process, &container).expect("a process is an object");
        Document::parse_process(text).expect("what is completed can be read");
    }
    let mut line = vec![OsString::from("exec")];
    // The kernel ends every word at a NUL.
    let until_nul = |word: &&[u8]| word.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    line.extend(words.iter().map(until_nul).map(OsString::from_vec));
    for dialect in [Dialect::Runc, Dialect::Crun, Dialect::Common] {
        let Ok(invocation) = Invocation::parse(&line, dialect) else { continue };
        let Command::Exec(exec) = &invocation.command else { continue };
        if let Ok(text) = from_flags(exec, &container, dialect) {
            Document::parse_process(text).expect("what options ask for can be read");
        }
    }
});
