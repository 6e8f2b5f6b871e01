//! strace's text, in every form that it has: `-f`, `-ff`, `-o`, `-t`, `-tt`, `-ttt`, `-r`, `-T`, `-y`, `-yy`, `-Y`, `-n`,
//! `-i`, `-k`, `-c`, `-C`, `-U`, `-X`, argument names and colours.
//!
//! strace's own source is the reference: `printleader` in `src/strace.c` for what stands before a call, `src/syscall.c`
//! for the call and its result, `src/count.c` for the tables.

mod input;
mod interfaces;
mod line;
mod notes;
mod outcome;
mod reader;
mod scalar;
mod table;
mod tally;
#[cfg(test)]
mod tests;

pub use input::{Input, InputError, Progress};
pub use notes::{Notes, Unreadable};
pub use reader::{Options, Reader};
pub use scalar::{Kept, kept_argument};
