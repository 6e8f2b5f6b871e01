//! `batten`: everything that a person types. The engines' door is `batten-runtime`.

use std::process::ExitCode;

fn main() -> ExitCode {
    batten::doors::cli::Cli::main()
}
