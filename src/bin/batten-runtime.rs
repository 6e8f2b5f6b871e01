//! `batten-runtime`: the OCI runtime that an engine is pointed at.

use std::process::ExitCode;

fn main() -> ExitCode {
    batten::doors::shim::main().into()
}
