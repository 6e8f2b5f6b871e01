//! The recorder that is part of the kernel: BPF programs at the entrance and the exit of system calls and behind
//! `cap_capable`.
//!
//! Their instructions are put together here, so that neither a compiler nor an object file is needed where batten runs. Each
//! program and map goes when batten's descriptor of it is closed, also by kill -9: none is pinned, and a container is never
//! stopped by them.

mod assembler;
mod btf;
mod maps;
mod offsets;
mod programs;
mod scope;
mod system;

use std::io;
use std::os::fd::OwnedFd;

use super::subject::Subject;
use super::tally::Tally;
use crate::attest::process::{NamespaceKind, Process};
use btf::Btf;
use maps::Maps;
use offsets::{Machine, Offsets};
use programs::Check;
use scope::Scope;
use system::{Hook, UNSUPPORTED, attach};

/// `PROC_PID_INIT_INO` (`include/linux/proc_ns.h`): the namespace of process numbers that the kernel itself counts in.
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// Why there is no BPF recorder.
#[derive(Debug, thiserror::Error)]
pub enum BpfError {
    /// Another machine's registers lie elsewhere.
    #[error("BPF recording is made for x86-64 and arm64, and this machine is neither")]
    Machine,
    /// The kernel does not describe itself.
    #[error("cannot read {}: {error}", btf::PLACE)]
    Types {
        /// Why.
        error: io::Error,
    },
    /// It describes itself in another way.
    #[error("{} does not say where {what} is", btf::PLACE)]
    Layout {
        /// What is missing.
        what: &'static str,
    },
    /// batten counts processes in another way than the kernel.
    #[error("batten is in a namespace of process numbers of its own, and BPF sees those of the host")]
    Numbers,
    /// A map.
    #[error("cannot use a BPF map: {error}")]
    Map {
        /// Why.
        error: io::Error,
    },
    /// A program.
    #[error("cannot attach the BPF program at {hook}: {error}")]
    Program {
        /// Where.
        hook: &'static str,
        /// Why.
        error: io::Error,
    },
}

impl BpfError {
    /// What to do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Machine => "use --backend notify or ptrace",
            Self::Types { .. } | Self::Layout { .. } => {
                "the kernel must be Linux 5.11 or newer with CONFIG_DEBUG_INFO_BTF; --backend ptrace needs neither"
            }
            Self::Numbers => {
                "run batten on the host itself, or in its namespace of process numbers (docker run --pid host)"
            }
            Self::Map { .. } | Self::Program { .. } => {
                "run as root on the host, with CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN; --backend ptrace needs less"
            }
        }
    }
}

/// A recorder whose programs run, and count nothing until they are told what to follow.
#[derive(Debug)]
pub(super) struct Recorder {
    maps: Maps,
    arguments: bool,
    sight: Sight,
    _links: Vec<OwnedFd>,
}

/// How well the use of capabilities is seen.
#[derive(Debug)]
enum Sight {
    /// As it is.
    Exact,
    /// With the kernel's questions to itself, for the reason that is given.
    TooMuch(String),
    /// Not at all, for the reason that is given.
    None(String),
}

/// Behind the function itself where the kernel allows that, or else at its trace point.
fn watch_capabilities(btf: &Btf, maps: &Maps, offsets: &Offsets) -> Result<(OwnedFd, Sight), String> {
    const FUNCTION: &str = "cap_capable";
    let attach = |hook, check| attach(FUNCTION.as_bytes(), &programs::capable(maps, offsets, check), hook);
    let Some(id) = btf.function(FUNCTION) else { return Err(format!("the kernel does not name {FUNCTION}")) };
    let refused = match attach(Hook::Return(id), Check::Function) {
        Ok(link) => return Ok((link, Sight::Exact)),
        Err(error) if error.raw_os_error() == Some(UNSUPPORTED) => {
            format!("this kernel puts no program behind {FUNCTION} (on arm64 Linux 6.4 is the first that does)")
        }
        Err(error) => format!("no program can be put behind {FUNCTION}: {error}"),
    };
    let Some(id) = btf.trace_point(FUNCTION) else { return Err(refused) };
    let link = attach(Hook::TracePoint(id), Check::TracePoint).map_err(|_| refused.clone())?;
    Ok((link, Sight::TooMuch(refused)))
}

fn map_error(error: io::Error) -> BpfError {
    BpfError::Map { error }
}

impl Recorder {
    /// Puts the programs into the kernel.
    ///
    /// # Errors
    /// [`BpfError`], when they cannot be had here.
    pub(in crate::record::live) fn open(arguments: bool) -> Result<Self, BpfError> {
        let machine = Machine::here().ok_or(BpfError::Machine)?;
        if !counts_as_the_kernel() {
            return Err(BpfError::Numbers);
        }
        let text = std::fs::read(btf::PLACE).map_err(|error| BpfError::Types { error })?;
        let btf = Btf::parse(text).ok_or(BpfError::Layout { what: "its types" })?;
        let offsets = Offsets::find(&btf, machine).map_err(|what| BpfError::Layout { what })?;
        let maps = Maps::create().map_err(map_error)?;
        let mut links = Vec::new();
        for (point, code) in [
            ("sched_process_fork", programs::fork(&maps, &offsets)),
            ("sched_process_exit", programs::exit(&maps, &offsets)),
            ("sys_exit", programs::leave(&maps, &offsets)),
            ("sys_enter", programs::enter(&maps, &offsets, arguments)),
            ("sched_process_exec", programs::exec(&maps, &offsets)),
        ] {
            let id = btf.trace_point(point).ok_or(BpfError::Layout { what: point })?;
            let link = attach(point.as_bytes(), &code, Hook::TracePoint(id));
            links.push(link.map_err(|error| BpfError::Program { hook: point, error })?);
        }
        let capabilities = watch_capabilities(&btf, &maps, &offsets);
        let sight = match capabilities {
            Ok((link, sight)) => {
                links.push(link);
                sight
            }
            Err(why) => Sight::None(why),
        };
        Ok(Self { maps, arguments, sight, _links: links })
    }

    /// Counts from the next execve of the first process on.
    ///
    /// # Errors
    /// [`BpfError::Map`].
    pub(in crate::record::live) fn follow_from_exec(&self, subject: &Subject) -> Result<(), BpfError> {
        let first = subject.first.pid().cast_unsigned();
        self.set(Scope { first, started: 0, ..scope(subject) })
    }

    /// Counts what every process of the container does from now on.
    ///
    /// # Errors
    /// [`BpfError::Map`].
    pub(in crate::record::live) fn follow_now(&self, subject: &Subject) -> Result<(), BpfError> {
        self.set(Scope { started: 1, ..scope(subject) })?;
        // Children of those that are found are the programs' to follow; who was born meanwhile is found the next time.
        let mut known = 0;
        for _ in 0..8 {
            let members = subject.members();
            for process in &members {
                let key = process.pid().cast_unsigned().to_ne_bytes();
                self.maps.members.insert(&key, &1u32.to_ne_bytes()).map_err(map_error)?;
            }
            if members.len() == known {
                break;
            }
            known = members.len();
        }
        Ok(())
    }

    /// What was counted, and what could not be seen.
    ///
    /// # Errors
    /// [`BpfError::Map`].
    pub(in crate::record::live) fn finish(self) -> Result<(Tally, Vec<String>), BpfError> {
        let tally = self.maps.read(self.arguments, !matches!(self.sight, Sight::None(_))).map_err(map_error)?;
        let mut unseen = Vec::new();
        if tally.lost > 0 {
            unseen.push(format!("{} processes, numbers or arguments found no room and were not counted", tally.lost));
        }
        match self.sight {
            Sight::Exact => {}
            Sight::TooMuch(why) => unseen.push(format!(
                "the capabilities may be more than are needed: the kernel's questions to itself are among them, since {why}"
            )),
            Sight::None(why) => unseen.push(format!("capabilities were not recorded: {why}")),
        }
        Ok((tally, unseen))
    }

    fn set(&self, scope: Scope) -> Result<(), BpfError> {
        self.maps.scope.insert(&[0; 4], &scope.bytes()).map_err(map_error)
    }
}

/// The numbers of namespaces have 32 bits.
fn scope(subject: &Subject) -> Scope {
    let number = |kind| subject.first.namespace(NamespaceKind(kind)).and_then(|found| u32::try_from(found.inode).ok());
    Scope {
        mounts: if subject.has_own_mounts() { number("mnt").unwrap_or(0) } else { 0 },
        users: number("user").unwrap_or(0),
        init: subject.first.pid().cast_unsigned(),
        ..Scope::default()
    }
}

fn counts_as_the_kernel() -> bool {
    let own = i32::try_from(std::process::id()).ok().and_then(|pid| Process::open(pid).ok()?);
    let numbers = own.and_then(|own| own.namespace(NamespaceKind("pid")));
    numbers.is_some_and(|numbers| numbers.inode == FIRST_PID_NAMESPACE)
}
