//! Real containers on real runtimes, started through `batten-runtime` and `batten run`: what counts is what the kernel
//! says inside.
//!
//! Needs root, runc, crun and busybox (static). What is missing is skipped with a loud line, or fails the test where
//! `BATTEN_TEST_REQUIRE=1` says that everything is there.
#![allow(clippy::disallowed_methods, reason = "fixtures are written whole, nobody reads them meanwhile")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stderr, unreachable_pub, reason = "one test binary")]

mod attestations;
mod embedded;
mod execs;
mod lab;
mod launches;
mod lines;
mod refusals;
mod rootless;
