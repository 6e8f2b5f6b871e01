//! `batten-runtime`: the OCI runtime that an engine is pointed at.

use std::process::ExitCode;

/// musl's own allocator asks the kernel for nearly every piece, which was a tenth of what the shim added.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    batten::doors::shim::main().into()
}
