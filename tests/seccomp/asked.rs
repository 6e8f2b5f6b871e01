//! Which cases the properties are asked.
#![allow(clippy::print_stdout, reason = "what a failing test shows")]

use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config, RngSeed};

/// Others in every run, `cases` of them or as many as `PROPTEST_CASES` says. A failing test prints what asks the same again.
pub fn fresh(cases: u32) -> Config {
    let set = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = set("PROPTEST_RNG_SEED").unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    let cases = set("PROPTEST_CASES").and_then(|cases| cases.try_into().ok()).unwrap_or(cases);
    println!("the same cases again: PROPTEST_RNG_SEED={seed} PROPTEST_CASES={cases} cargo test --test seccomp");
    Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() }
}
