//! Where the C library hands over to the shim.
//!
//! Rust's own start-up would ask for a signal stack, install two handlers for the message on a stack overflow, and ignore
//! SIGPIPE, which would have to be undone before the runtime is started: eleven system calls and three page faults of
//! every container start. What of it matters is done here.
#![cfg_attr(test, allow(dead_code, reason = "tests have a main of their own"))]
#![allow(unsafe_code, reason = "the C library's main")]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::stat::Mode;

/// # Safety
/// `words` are `count` strings, as the C library passes them.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn main(count: c_int, words: *const *const c_char) -> c_int {
    if !standard_streams_are_open() {
        return 1;
    }
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise.
    let word = |position| unsafe { CStr::from_ptr(*words.add(position)) };
    let args: Vec<OsString> =
        (1..count).map(|position| OsStr::from_bytes(word(position).to_bytes()).to_owned()).collect();
    batten::doors::shim::main(&args) as c_int
}

/// A file that is opened while one of the three is closed would take its place, and messages would be written into it.
fn standard_streams_are_open() -> bool {
    let mut streams = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: three entries are there.
    let asked = unsafe { libc::poll(streams.as_mut_ptr(), 3, 0) };
    // That it cannot be asked is no yes.
    asked >= 0
        && streams.iter().filter(|stream| stream.revents & libc::POLLNVAL != 0).all(|_| {
            // The lowest free number is the one that is missing.
            open("/dev/null", OFlag::O_RDWR, Mode::empty()).map(std::mem::forget).is_ok()
        })
}
