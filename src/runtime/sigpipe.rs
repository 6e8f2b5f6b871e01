//! What a write to a pipe does that nobody reads any more.
#![allow(unsafe_code, reason = "sigaction")]

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// From here on such a write is an error: the other road of a refusal must still be tried.
pub fn ignore() {
    set(SigHandler::SigIgn);
}

/// Rust ignores the signal before its `main`, and what is ignored stays ignored across an exec, down to the container's
/// program. Engines start their runtimes with the default.
pub(super) fn restore() {
    set(SigHandler::SigDfl);
}

fn set(handler: SigHandler) {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: neither action runs code of this process.
    let _ = unsafe { sigaction(Signal::SIGPIPE, &action) };
}
