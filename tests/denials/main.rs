//! `batten denials`: the formats of logs, and what a real kernel says of real containers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "fixtures")]

mod live;
mod logs;

use std::path::Path;
use std::process::{Command, Stdio};

/// One run of `batten`.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs `batten denials` with nothing but what the test gives it.
fn denials(args: &[&str], stdin: &Path) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_batten"))
        .arg("denials")
        .args(args)
        .stdin(Stdio::from(std::fs::File::open(stdin).unwrap()))
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
