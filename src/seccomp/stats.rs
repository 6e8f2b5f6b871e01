//! What a profile costs: the size of its program, and how much of it the kernel runs for a call.

use super::arch::Arch;
use super::compiled::{CompileError, Compiled};
use super::filter::Filter;
use super::profile::Profile;
use super::syscalls::Syscall;

/// A profile, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The interfaces it answers for, the machine's own first.
    pub archs: Vec<Arch>,
    /// How many rules it has.
    pub rules: usize,
    /// How many names they have together.
    pub names: usize,
    /// How many instructions the program has; the kernel takes 4096, and 32768 together with those before it.
    pub instructions: usize,
    /// For each interface, what its calls cost.
    pub calls: Vec<Calls>,
}

/// What the calls of one interface cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    /// The interface.
    pub arch: Arch,
    /// How many calls it has.
    pub known: usize,
    /// How many are let through, arguments 0.
    pub let_through: usize,
    /// How many of them the kernel answers from its bitmap (Linux 5.11, for the machine's own interface and its first
    /// 32-bit one).
    pub from_bitmap: usize,
    /// How many instructions the program runs for a call with arguments 0, at most.
    pub longest: usize,
    /// The average, in tenths of an instruction.
    pub average_tenths: usize,
}

impl Stats {
    /// Compiles `profile` as a runtime on a machine of `native` does.
    ///
    /// # Errors
    /// [`CompileError`] where libseccomp does not take it.
    pub fn of(profile: &Profile, native: Arch) -> Result<Self, CompileError> {
        let compiled = Compiled::new(profile, native)?;
        let archs = Filter::new(profile, native).archs().to_vec();
        let calls = archs.iter().map(|arch| Calls::of(&compiled, *arch)).collect::<Result<_, _>>()?;
        Ok(Self {
            archs,
            rules: profile.syscalls.len(),
            names: profile.syscalls.iter().map(|rule| rule.names.len()).sum(),
            instructions: compiled.instructions(),
            calls,
        })
    }
}

impl Calls {
    fn of(compiled: &Compiled, arch: Arch) -> Result<Self, CompileError> {
        let mut calls = Self { arch, known: 0, let_through: 0, from_bitmap: 0, longest: 0, average_tenths: 0 };
        let mut all = 0;
        for number in Syscall::all().filter_map(|call| call.number(arch)) {
            let (verdict, steps) = compiled.verdict(arch, number, [0; 6])?;
            calls.known += 1;
            calls.let_through += usize::from(verdict.lets_through());
            calls.from_bitmap += usize::from(compiled.program().is_constant_allow(number, arch.audit()));
            calls.longest = calls.longest.max(steps);
            all += steps;
        }
        calls.average_tenths = (all * 10).checked_div(calls.known).unwrap_or_default();
        Ok(calls)
    }
}
