//! `batten-runtime`: the OCI runtime that an engine is pointed at.

fn main() {}
