//! AppArmor: profiles written, loaded, followed.
//!
//! A [`Profile`] is what batten holds, whatever it was read from; [`Profile::render`] writes it for a parser's
//! [`Dialect`]. [`builtin`] is the profile that batten brings along and that follows a container's capabilities.

#[cfg(feature = "cli")]
pub mod bane;
pub mod builtin;
mod dialect;
#[cfg(feature = "cli")]
mod effective;
pub mod kernel;
#[cfg(feature = "cli")]
pub mod language;
#[cfg(feature = "cli")]
pub mod learn;
#[cfg(feature = "cli")]
pub mod lint;
pub mod loader;
mod matcher;
pub mod parser;
mod pattern;
mod profile;
mod quote;
#[cfg(feature = "cli")]
mod reader;
mod render;
#[cfg(feature = "cli")]
pub mod sources;
mod words;

pub use dialect::{Dialect, POLICY_FOLDER, Version};
pub use kernel::{Kernel, KernelError, Label, Loaded, LoadedMode};
pub use matcher::Matcher;
pub use parser::{Parser, ParserError};
pub use pattern::{Pattern, PatternError};
pub use profile::{
    Access, Exec, FileRule, IncludePath, MAX_NAME, MountRule, NameError, Profile, Qualifiers, Rule, check_name,
};
#[cfg(feature = "cli")]
pub use reader::{MAX_TEXT, TomlError, read_text};
pub use words::{
    Facility, Family, Mode, MountKind, MountOption, NamedSignal, PtraceAccess, Signal, SignalAccess, SocketKind,
    Transition,
};
