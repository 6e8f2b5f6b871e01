//! Seccomp profiles through the commands and the library, without a container.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(unreachable_pub, reason = "one test binary")]

mod asked;
#[path = "../judgement/batten.rs"]
mod batten;
mod by_hand;
mod docs;
mod groups;
mod library;
mod lint;
mod readings;
mod resolve;
