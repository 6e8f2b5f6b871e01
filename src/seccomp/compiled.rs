//! The program that a runtime hands to the kernel, written by libseccomp itself.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};

use super::action::{Action, Op};
use super::arch::Arch;
use super::bpf::{BpfError, Data, Program};
use super::filter::Filter;
use super::profile::{Condition, Profile, Rule};
use super::syscalls::Syscall;
use super::verdict::Verdict;

/// How long the library may take with rules that are not known to keep it in a loop for ever
/// ([`Filter::may_never_compile`]). Docker's profile takes it 20 ms.
const PATIENCE: Duration = Duration::from_secs(10);

/// A profile that libseccomp does not take, so that no container with it starts.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The machine's libseccomp does not know the architecture.
    #[error("libseccomp {version} does not know {arch}")]
    Arch {
        /// The architecture.
        arch: &'static str,
        /// The library's release.
        version: String,
    },
    /// The library refused a rule.
    #[error("libseccomp refuses the rule for {call}: {source}")]
    Rule {
        /// The call.
        call: String,
        /// Why.
        source: libseccomp::error::SeccompError,
    },
    /// It may never come to an end with the rules for a call, as is known of their shape.
    #[error("libseccomp may never come to an end with the rules for {call}: a runtime would hang")]
    Hangs {
        /// The call.
        call: &'static str,
    },
    /// It did not come to an end, for rules of whatever shape.
    #[error("libseccomp {version} is still busy with the rules for one call after {} s: a runtime would hang", PATIENCE.as_secs())]
    Endless {
        /// The library's release.
        version: String,
    },
    /// The library failed.
    #[error("libseccomp: {0}")]
    Library(#[from] libseccomp::error::SeccompError),
    /// The library writes its program to a file only, and there was none to be had.
    #[error("a file in memory: {0}")]
    Memory(#[from] std::io::Error),
    /// Its program makes no sense.
    #[error("libseccomp's program: {0}")]
    Program(#[from] BpfError),
}

/// A profile, compiled as runc compiles it.
#[derive(Debug)]
pub struct Compiled {
    program: Program,
    big_endian: bool,
    /// Names that this libseccomp does not know: the runtime skips them.
    pub unknown: Vec<String>,
}

/// The release of the libseccomp that batten runs with.
pub fn libseccomp_version() -> String {
    libseccomp::ScmpVersion::current().map_or_else(|_| "?".to_owned(), |version| version.to_string())
}

impl Compiled {
    /// Compiles `profile` for a machine of `native`, in the steps of runc's `InitSeccomp`.
    ///
    /// # Errors
    /// [`CompileError`].
    pub fn new(profile: &Profile, native: Arch) -> Result<Self, CompileError> {
        let filter = Filter::new(profile, native);
        for arch in filter.archs() {
            if let Some(call) = Syscall::all().find(|call| filter.may_never_compile(*arch, *call)) {
                return Err(CompileError::Hangs { call: call.name() });
            }
        }
        let (profile, (done, compiled)) = (profile.clone(), mpsc::channel());
        // Nobody can stop the library: a thread that it keeps is left behind.
        thread::spawn(move || done.send(Self::compile(&profile, native)));
        let endless = |_| Err(CompileError::Endless { version: libseccomp_version() });
        compiled.recv_timeout(PATIENCE).unwrap_or_else(endless)
    }

    fn compile(profile: &Profile, native: Arch) -> Result<Self, CompileError> {
        let default = action(Verdict::new(profile.default_action, profile.default_errno_ret));
        let mut context = ScmpFilterContext::new(default)?;
        let native_name = scmp(native)?;
        if native_name != ScmpArch::native() {
            context.remove_arch(ScmpArch::native())?;
            context.add_arch(native_name)?;
        }
        for arch in &profile.architectures {
            let arch = scmp(*arch)?;
            if !context.is_arch_present(arch)? {
                context.add_arch(arch)?;
            }
        }
        let rules = profile.syscalls.iter().map(|rule| rule.names.len()).sum::<usize>();
        // The search tree is another order of the same comparisons. libseccomp writes it in the byte order of the machine that
        // it runs on, so for another one it stays away.
        if rules > 32 && native.is_big_endian() == Arch::NATIVE.is_big_endian() {
            context.set_ctl_optimize(2)?;
        }
        let mut unknown = Vec::new();
        for rule in &profile.syscalls {
            add(&mut context, rule, default, &mut unknown)?;
        }
        let big_endian = native.is_big_endian();
        let program = Program::parse(&export(&context)?, big_endian)?;
        Ok(Self { program, big_endian, unknown })
    }

    /// The program.
    pub(super) const fn program(&self) -> &Program {
        &self.program
    }

    /// The program itself.
    pub fn into_program(self) -> Program {
        self.program
    }

    /// How many instructions the program has.
    pub fn instructions(&self) -> usize {
        self.program.len()
    }

    /// What the program says of a number on `arch`, and in how many instructions.
    ///
    /// # Errors
    /// [`CompileError::Program`].
    pub fn verdict(&self, arch: Arch, number: u32, args: [u64; 6]) -> Result<(Verdict, usize), CompileError> {
        let data = Data { number, arch: arch.audit(), instruction_pointer: 0, args, big_endian: self.big_endian };
        let (value, steps) = self.program.run(&data)?;
        Ok((Verdict::from_kernel(value).unwrap_or(Verdict::KILL_THREAD), steps))
    }
}

fn export(context: &ScmpFilterContext) -> Result<Vec<u8>, CompileError> {
    use std::io::{Read, Seek};
    let memory = nix::sys::memfd::memfd_create(c"batten-seccomp", nix::sys::memfd::MFdFlags::MFD_CLOEXEC);
    let mut file = std::fs::File::from(memory.map_err(std::io::Error::from)?);
    context.export_bpf(&mut file)?;
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn add(
    context: &mut ScmpFilterContext,
    rule: &Rule,
    default: ScmpAction,
    unknown: &mut Vec<String>,
) -> Result<(), CompileError> {
    let action = action(Verdict::new(rule.action, rule.errno_ret));
    for name in &rule.names {
        let Ok(call) = ScmpSyscall::from_name(name) else {
            unknown.push(name.clone().into_owned());
            continue;
        };
        if action == default {
            continue;
        }
        let failed = |source| CompileError::Rule { call: name.clone().into_owned(), source };
        let mut seen = 0u8;
        let repeated = rule.args.iter().any(|condition| {
            let bit = 1u8 << condition.index.min(7);
            let again = seen & bit != 0;
            seen |= bit;
            again
        });
        if rule.args.is_empty() {
            context.add_rule(action, call).map_err(failed)?;
        } else if repeated {
            for condition in &rule.args {
                context.add_rule_conditional(action, call, &[compare(condition)]).map_err(failed)?;
            }
        } else {
            let conditions: Vec<_> = rule.args.iter().map(compare).collect();
            context.add_rule_conditional(action, call, &conditions).map_err(failed)?;
        }
    }
    Ok(())
}

fn compare(condition: &Condition) -> ScmpArgCompare {
    let (op, datum) = match condition.op {
        Op::Ne => (ScmpCompareOp::NotEqual, condition.value),
        Op::Lt => (ScmpCompareOp::Less, condition.value),
        Op::Le => (ScmpCompareOp::LessOrEqual, condition.value),
        Op::Eq => (ScmpCompareOp::Equal, condition.value),
        Op::Ge => (ScmpCompareOp::GreaterEqual, condition.value),
        Op::Gt => (ScmpCompareOp::Greater, condition.value),
        Op::MaskedEq => (ScmpCompareOp::MaskedEqual(condition.value), condition.value_two),
    };
    ScmpArgCompare::new(condition.index, op, datum)
}

fn action(verdict: Verdict) -> ScmpAction {
    let number = verdict.number().unwrap_or_default();
    match verdict.action() {
        Action::KillProcess => ScmpAction::KillProcess,
        Action::Kill | Action::KillThread => ScmpAction::KillThread,
        Action::Trap => ScmpAction::Trap,
        Action::Errno => ScmpAction::Errno(i32::try_from(number).unwrap_or(1)),
        Action::Trace => ScmpAction::Trace(u16::try_from(number).unwrap_or(1)),
        Action::Notify => ScmpAction::Notify,
        Action::Log => ScmpAction::Log,
        Action::Allow => ScmpAction::Allow,
    }
}

fn scmp(arch: Arch) -> Result<ScmpArch, CompileError> {
    let name = match arch {
        Arch::X86_64 => Some(ScmpArch::X8664),
        Arch::X86 => Some(ScmpArch::X86),
        Arch::X32 => Some(ScmpArch::X32),
        Arch::Aarch64 => Some(ScmpArch::Aarch64),
        Arch::Arm => Some(ScmpArch::Arm),
        Arch::Riscv64 => Some(ScmpArch::Riscv64),
        Arch::S390x => Some(ScmpArch::S390X),
        Arch::S390 => Some(ScmpArch::S390),
        Arch::Ppc64le => Some(ScmpArch::Ppc64Le),
        Arch::Ppc64 => Some(ScmpArch::Ppc64),
        Arch::Ppc => Some(ScmpArch::Ppc),
        Arch::Mips => Some(ScmpArch::Mips),
        Arch::Mips64 => Some(ScmpArch::Mips64),
        Arch::Mips64n32 => Some(ScmpArch::Mips64N32),
        Arch::Mipsel => Some(ScmpArch::Mipsel),
        Arch::Mipsel64 => Some(ScmpArch::Mipsel64),
        Arch::Mipsel64n32 => Some(ScmpArch::Mipsel64N32),
        Arch::Loongarch64 => Some(ScmpArch::Loongarch64),
        Arch::Parisc => Some(ScmpArch::Parisc),
        Arch::Parisc64 => Some(ScmpArch::Parisc64),
        Arch::M68k => Some(ScmpArch::M68k),
        Arch::Sh => Some(ScmpArch::Sh),
        Arch::Sheb => Some(ScmpArch::Sheb),
    };
    let refused = || CompileError::Arch { arch: arch.name(), version: libseccomp_version() };
    name.ok_or_else(refused)
}
