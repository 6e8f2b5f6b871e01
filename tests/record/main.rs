//! Profiles from recordings of real programs, on real runtimes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "fixtures")]

mod against;
mod lab;
mod live;
mod needs;
mod profiles;
mod runs;
mod traces;
