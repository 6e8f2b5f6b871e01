//! `batten seccomp resolve`: what an engine would make of a profile.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input;
use super::named::set;
use crate::capability::{CapSet, Capability};
use crate::doors::{Exit, refuse, say};
use crate::escape::escape;
use crate::seccomp::{
    Arch, Bounding, Dialect, DockerProfile, Facts, Fidelity, Kernel, KernelVersion, Machine, ResolveError, Resolved,
};
use crate::spec::Document;

/// Prints the OCI linux.seccomp object that an engine makes of a profile with conditions
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten seccomp resolve default.json --caps @docker
  batten seccomp resolve seccomp.json --caps CAP_SYS_ADMIN,CAP_BPF --arch arm64 --dialect containers
  batten seccomp resolve default.json --kernel 4.4.0-210-generic | jq .architectures

Prints `null` where the engine switches seccomp off. Where it refuses the profile, so does batten.

Exit codes: 0 resolved, 3 the profile is refused, 4 wrong usage.")]
pub(super) struct Resolve {
    /// The profile; `-` reads standard input, `localhost/NAME` a file of kubelet's
    profile: PathBuf,

    /// The container's bounding set; without it, none. @docker, @podman and @all stand for sets
    #[arg(long, value_name = "CAP,…", value_delimiter = ',')]
    caps: Vec<String>,

    /// The machine, as Go names it; without it, this one
    #[arg(long, value_name = "GOARCH", value_parser = machine)]
    arch: Option<Machine>,

    /// The kernel, as `uname -r` names it; without it, this one
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,

    /// Whose reading to follow
    #[arg(long, value_enum, default_value_t = DialectName::Moby)]
    dialect: DialectName,

    /// Leave the implementation's path where it loses what the profile says; not for containerd, which loses every condition
    #[arg(long)]
    safe: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DialectName {
    /// Docker
    Moby,
    /// Podman, Buildah and CRI-O
    Containers,
    /// Kubernetes' localhost profiles on containerd: conditions are lost
    Containerd,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Moby => Self::Moby,
            DialectName::Containers => Self::Containers,
            DialectName::Containerd => Self::Containerd,
        }
    }
}

fn machine(goarch: &str) -> Result<Machine, String> {
    /// What `uname -m` prints, where Go says otherwise.
    const UNAME: [(&str, &str); 7] = [
        ("x86_64", "amd64"),
        ("i686", "386"),
        ("aarch64", "arm64"),
        ("armv7l", "arm"),
        ("mips64el", "mips64le"),
        ("mipsel", "mipsle"),
        ("loongarch64", "loong64"),
    ];
    Machine::from_goarch(goarch).ok_or_else(|| match UNAME.iter().find(|(uname, _)| *uname == goarch) {
        Some((_, known)) => format!("Go calls it {known}"),
        None => format!("Go knows {}", Machine::all().map(Machine::goarch).collect::<Vec<_>>().join(", ")),
    })
}

/// What was resolved, and what a person should know about it.
type Answer<'d> = (Option<Resolved<'d>>, Vec<String>);

impl Resolve {
    pub(super) fn run(&self) -> Exit {
        if self.safe && matches!(self.dialect, DialectName::Containerd) {
            let hint = "batten seccomp convert FILE --to kubernetes --caps CAP,… writes what the conditions come to";
            return refuse(Exit::Usage, &"--safe cannot give containerd the conditions that it does not know", hint);
        }
        let document = match input::read(&self.profile) {
            Ok(document) => document,
            Err(exit) => return exit,
        };
        let Some(machine) = self.arch.or_else(|| Machine::from_arch(Arch::NATIVE)) else {
            return refuse(Exit::Usage, &"this machine has no Go name", "name one with --arch");
        };
        let caps = self.capabilities();
        let release = self.kernel.clone().unwrap_or_else(KernelVersion::release);
        let facts = Facts { machine, kernel: Kernel::Release(&release), bounding: Bounding::Names(&caps) };
        match self.answer(&document, &facts) {
            Ok((resolved, notes)) => {
                strange(&caps).into_iter().chain(notes).for_each(|note| self.note(&note));
                let json = resolved.map_or_else(|| "null".to_owned(), |resolved| resolved.to_json());
                say(&(json + "\n")).unwrap_or(Exit::Clean)
            }
            Err(error) => {
                let exit = match error {
                    ResolveError::Profile(_) => Exit::Unreadable,
                    ResolveError::Kernel { .. } | ResolveError::Machine(_) => Exit::Usage,
                };
                refuse(exit, &format!("{}: {error}", input::name(&self.profile)), error.hint())
            }
        }
    }

    fn answer<'d>(&self, document: &'d Document, facts: &Facts<'_>) -> Result<Answer<'d>, ResolveError> {
        let fidelity = if self.safe { Fidelity::Safe } else { Fidelity::Exact };
        let profile = DockerProfile::read(document.root(), self.dialect.into(), fidelity)?;
        let resolved = profile.resolve_for(facts)?;
        let notes = profile.notes(facts, resolved.as_ref());
        Ok((resolved, notes))
    }

    fn note(&self, note: &str) {
        eprintln!("note: {}: {}", escape(&input::name(&self.profile)), escape(note));
    }

    /// The names as given, the sets spelled out.
    fn capabilities(&self) -> Vec<String> {
        let names = |set: CapSet| set.iter().map(|capability| capability.name().to_owned()).collect();
        let given = self.caps.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        given.flat_map(|name| set(name).map_or_else(|| vec![name.to_owned()], names)).collect()
    }
}

fn strange(caps: &[String]) -> Vec<String> {
    let strange = caps.iter().filter(|name| Capability::from_name(name).is_none());
    strange.map(|name| format!("no capability is spelled {name:?}; it is compared letter by letter")).collect()
}
