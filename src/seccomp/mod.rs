//! Seccomp profiles: read, resolved, combined, compared and explained. Imports only [`crate::spec`] and
//! [`crate::capability`].
//!
//! # Terms
//!
//! A *profile* is what OCI's `linux.seccomp` says: a default action, and *rules* that give other *actions* to named
//! system calls, some under *conditions* on their arguments. An *architecture* is one of the kernel's `AUDIT_ARCH_*`
//! calling conventions; the machine's own is *native*, the 32-bit ones it also runs are its *compat* ones. A *target*
//! is what a profile with conditions of its own (Docker's format) is resolved for.

mod action;
mod arch;
mod arguments;
#[cfg(feature = "cli")]
mod bounds;
#[cfg(feature = "cli")]
pub mod bpf;
mod claims;
mod combine;
#[cfg(feature = "embedded")]
pub mod compiled;
#[cfg(feature = "cli")]
pub mod constants;
#[cfg(feature = "cli")]
mod convert;
#[cfg(feature = "cli")]
mod difference;
mod docker;
mod domain;
mod errno;
mod faithful;
mod filter;
mod format;
mod groups;
mod layout;
#[cfg(feature = "cli")]
pub mod lint;
#[cfg(feature = "cli")]
pub mod loaded;
mod machine;
#[cfg(feature = "cli")]
mod notes;
mod optimise;
mod profile;
#[cfg(feature = "cli")]
mod question;
mod resolve;
mod resolved;
#[cfg(feature = "cli")]
mod said;
#[cfg(feature = "embedded")]
mod stats;
mod subset;
mod syscalls;
mod target;
mod verdict;

pub use action::{Action, Op};
pub use arch::Arch;
pub use arguments::Arguments;
#[cfg(feature = "cli")]
pub use bounds::{Bounds, Known};
#[doc(hidden)]
pub use claims::check_readings;
pub use combine::{intersect, merge};
#[cfg(feature = "cli")]
pub use convert::convert;
#[cfg(feature = "cli")]
pub use difference::{Differences, Gap};
pub use docker::{Dialect, DockerProfile, Fidelity};
pub use filter::{Answer, Filter, Reason, Ruled};
#[cfg(feature = "cli")]
pub use format::read_placed;
pub use format::{Format, read_any};
pub use groups::{GROUPS, Group, GroupProfile, Word, Written, WrittenRule, builtin, deny, open_only};
pub use machine::Machine;
pub use optimise::canonical;
pub use profile::{Condition, LOG_FLAG, Profile, ProfileError, Rule};
#[cfg(feature = "cli")]
pub use question::{Question, QuestionError};
pub use resolve::{Bounding, Facts, Kernel, ResolveError};
pub use resolved::Resolved;
#[cfg(feature = "embedded")]
pub use stats::{Calls, Stats};
pub use subset::{NotSubset, Witness, is_subset};
pub use syscalls::{Multiplexer, Syscall, X32_BIT};
pub use target::{Abis, KernelVersion, Target};
pub use verdict::{EPERM, Verdict};
