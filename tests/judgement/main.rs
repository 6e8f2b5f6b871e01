//! What batten reads, judges and writes back, without starting a container.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

mod attest;
mod batten;
mod docs;
mod doctor;
mod documents;
mod doors;
mod exhaustion;
mod faults;
mod files;
mod fleet;
mod golden;
mod hooks;
mod levels;
mod mutants;
mod policy_tests;
mod profiles;
mod properties;
mod pss;
mod reference;
mod registration;
mod running;
mod schema;
mod validity;
