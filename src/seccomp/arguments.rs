//! A call's six arguments as people write them.

use std::fmt;

/// Arguments behind a call's name: `(40,1)`, up to the last one that is not 0; nothing where all are.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a>(pub &'a [u64; 6]);

impl fmt::Display for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.0.iter().rposition(|arg| *arg != 0) else { return Ok(()) };
        for (position, arg) in self.0[..=last].iter().enumerate() {
            write!(f, "{}{}", if position == 0 { '(' } else { ',' }, Argument(*arg))?;
        }
        f.write_str(")")
    }
}

/// One argument: small numbers as people count, others as bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument(pub(super) u64);

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 4096 { write!(f, "{}", self.0) } else { write!(f, "{:#x}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_written_up_to_the_last_that_says_something() {
        for (args, want) in [
            ([0; 6], ""),
            ([40, 1, 0, 0, 0, 0], "(40,1)"),
            ([0, 0x5412, 0, 0, 0, 0], "(0,0x5412)"),
            ([4095, 0, 0, 0, 0, u64::MAX], "(4095,0,0,0,0,0xffffffffffffffff)"),
        ] {
            assert_eq!(Arguments(&args).to_string(), want);
        }
    }
}
