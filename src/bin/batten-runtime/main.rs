//! `batten-runtime`: the OCI runtime that an engine is pointed at.
#![cfg_attr(not(test), no_main)]

mod arena;
mod entry;

#[global_allocator]
static ALLOCATOR: arena::Arena = arena::Arena::new();
