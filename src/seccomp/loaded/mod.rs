//! Filters as the kernel holds them, against a profile: which calls they let further than it does.
//!
//! The programs are run over every system call of every interface that the machine answers. What depends on arguments is
//! followed down every path: a path is a set of arguments, and what the profile says of that set is known exactly. So a
//! call that is let through for one value of one argument only is found, without trying values.

mod halves;
mod paths;

use std::borrow::Cow;
use std::fmt;

use super::arch::Arch;
use super::bpf::{BpfError, Data, Program};
use super::domain::{Region, Width};
use super::filter::{Decision, Filter};
use super::profile::Profile;
use super::subset::looser_on;
use super::syscalls::{Syscall, X32_BIT};
use super::verdict::Verdict;
use paths::{Call, Paths};

/// The error with which runtimes answer numbers that the profile's author did not know of (runc's `patchbpf`): whatever the
/// profile says of them, the call does nothing, and looks like one that the kernel does not have.
const ENOSYS: u32 = 38;

/// How many numbers above the largest known one are tried: calls that are newer than batten.
const BEYOND: u32 = 64;

/// The filters of one thread, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    programs: Vec<Program>,
    native: Arch,
}

/// A call that the kernel lets further than the profile does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooserCall {
    /// Through which interface it is made.
    pub arch: Arch,
    /// Its number there.
    pub number: u32,
    /// Its name; none for numbers that no known call has.
    pub name: Option<&'static str>,
    /// Arguments with which it is let further.
    pub args: [u64; 6],
    /// What the kernel says.
    pub kernel: Verdict,
    /// What the profile says.
    pub policy: Verdict,
}

/// What comparing filters with a profile gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Calls that are let further, each once, in the order of interfaces and names.
    pub looser: Vec<LooserCall>,
    /// Calls whose filters or rules are too intricate to compare: `mount on SCMP_ARCH_X86_64`.
    pub undecided: Vec<String>,
}

impl fmt::Display for LooserCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "system call {}", self.number & !X32_BIT)?,
        }
        let used = self.args.iter().rposition(|arg| *arg != 0).map_or(0, |last| last + 1);
        if used > 0 {
            let shown: Vec<String> = self.args[..used].iter().map(ToString::to_string).collect();
            write!(f, "({})", shown.join(", "))?;
        }
        Ok(())
    }
}

impl Loaded {
    /// The programs of a thread on a machine of `native`, as the kernel gives them: eight bytes an instruction, the newest
    /// filter first.
    ///
    /// # Errors
    /// [`BpfError::Torn`].
    pub fn parse<'b>(programs: impl Iterator<Item = &'b [u8]>, native: Arch) -> Result<Self, BpfError> {
        let programs = programs.map(|bytes| Program::parse(bytes, native.is_big_endian())).collect::<Result<_, _>>()?;
        Ok(Self { programs, native })
    }

    /// How many instructions each has.
    pub fn lengths(&self) -> impl Iterator<Item = usize> {
        self.programs.iter().map(Program::len)
    }

    /// What the kernel makes of a call: every filter is asked, and the strictest answer counts (`seccomp_run_filters`). A
    /// program that cannot be run restricts nothing here.
    pub fn verdict(&self, arch: Arch, number: u32, args: [u64; 6]) -> Verdict {
        let big_endian = self.native.is_big_endian();
        let data = Data { number, arch: arch.audit(), instruction_pointer: 0, args, big_endian };
        let answers = self.programs.iter().filter_map(|program| program.run(&data).ok());
        strictest(answers.map(|(value, _)| value))
    }

    /// Where they are looser than `policy`.
    pub fn compare(&self, policy: &Profile) -> Difference {
        let filter = Filter::new(policy, self.native);
        let mut difference = Difference::default();
        for arch in std::iter::once(self.native).chain(self.native.compat().iter().copied()) {
            self.compare_on(arch, &filter, &mut difference);
        }
        difference
    }

    fn compare_on(&self, arch: Arch, policy: &Filter<'_>, difference: &mut Difference) {
        let default = policy.default_on(arch);
        let mut known = Vec::with_capacity(Syscall::COUNT);
        for call in Syscall::all() {
            let Some(number) = call.number(arch) else { continue };
            known.push(number);
            let decision = policy.known_decision_on(call, arch);
            self.compare_call(arch, number, Some(call.name()), &decision, default, difference);
        }
        let bit = if arch == Arch::X32 { X32_BIT } else { 0 };
        // Some architectures have a few calls far above the others.
        let last = known.iter().map(|number| number & !bit).filter(|number| *number < 10_000).max().unwrap_or_default();
        let nothing = Decision::default();
        for number in (0..=last + BEYOND).map(|number| number | bit).filter(|number| !known.contains(number)) {
            self.compare_call(arch, number, None, &nothing, default, difference);
        }
    }

    fn compare_call(
        &self,
        arch: Arch,
        number: u32,
        name: Option<&'static str>,
        policy: &Decision<'_>,
        default: Verdict,
        difference: &mut Difference,
    ) {
        let strictest = policy.strictest(default);
        let call = Call { arch, number, big_endian: self.native.is_big_endian() };
        let mut found: Option<LooserCall> = None;
        // Paths that no call may really take: a value that was computed is not followed.
        let mut doubtful = false;
        let whole = Paths::new(&self.programs, call).each(|value, arguments| {
            let verdict = verdict_of(value);
            if found.is_some() || !verdict.is_looser_than(strictest) || is_refusal_of_unknown(verdict) {
                return;
            }
            let seen = &mut |region: &Region, _: Verdict, wanted: Verdict| {
                let args = region.sample();
                let kernel = self.verdict(arch, number, args);
                if kernel.is_looser_than(wanted) && !is_refusal_of_unknown(kernel) {
                    found = Some(LooserCall { arch, number, name, args, kernel, policy: wanted });
                } else {
                    doubtful = true;
                }
                false
            };
            doubtful |= arguments
                .regions()
                .is_none_or(|regions| !looser_on(&regions, verdict, policy, default, Width::of(arch), seen));
        });
        match found {
            Some(call) => difference.looser.push(call),
            None if whole && !doubtful => {}
            None => {
                let name = name.map_or_else(|| format!("system call {number}").into(), Cow::Borrowed);
                difference.undecided.push(format!("{name} on {}", arch.name()));
            }
        }
    }
}

fn is_refusal_of_unknown(verdict: Verdict) -> bool {
    verdict.number() == Some(ENOSYS) && !verdict.is_looser_than(Verdict::EPERM)
}

/// The kernel compares the actions as signed numbers and takes the least; values that it does not know kill.
fn strictest(values: impl Iterator<Item = u32>) -> Verdict {
    values.min_by_key(|value| rank(*value)).map_or(Verdict::ALLOW, verdict_of)
}

/// What the kernel orders filters' answers by.
const fn rank(value: u32) -> i32 {
    (value & 0xffff_0000).cast_signed()
}

fn verdict_of(value: u32) -> Verdict {
    Verdict::from_kernel(value).unwrap_or(Verdict::KILL_THREAD)
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests;
