//! AppArmor profiles as they are written, as apparmor_parser takes them, and through the commands. No kernel that has
//! AppArmor is needed; `tests/vm` has one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

#[path = "../judgement/batten.rs"]
mod batten;
mod commands;
mod hostile;
mod parser;
mod rendered;
