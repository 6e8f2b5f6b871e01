//! `host.toml`: the machine that a case is judged for, so that it comes to the same on every machine.

use std::path::Path;

use serde::Deserialize;

use super::CaseError;
use crate::apparmor::Kernel;
use crate::host::Host;
use crate::memo::Memo;
use crate::seccomp::{Arch, KernelVersion};
use crate::settings::Day;

/// What is known of the machine. What is not said is this: x86-64, kernel 6.1, no AppArmor, today.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    arch: Option<String>,
    kernel: Option<String>,
    apparmor: Option<bool>,
    today: Option<toml::value::Datetime>,
    #[serde(skip)]
    read: Read,
}

/// The facts that needed understanding.
#[derive(Debug, Clone, Default)]
struct Read {
    arch: Option<Arch>,
    kernel: Option<KernelVersion>,
    today: Option<Day>,
}

impl Facts {
    /// Reads a host.toml; nothing is known where there is none.
    ///
    /// # Errors
    /// [`CaseError`] when it is not one.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(CaseError::Read { path: path.to_owned(), error }),
        };
        let mut facts: Self = toml::from_str(&text)
            .map_err(|error| CaseError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
        facts.understand().map_err(|problem| CaseError::Word { path: path.to_owned(), problem })?;
        Ok(facts)
    }

    fn understand(&mut self) -> Result<(), String> {
        if let Some(name) = &self.arch {
            let arch =
                Arch::from_name(name).ok_or_else(|| format!("no architecture {name:?}: write SCMP_ARCH_X86_64"))?;
            self.read.arch = Some(arch);
        }
        if let Some(text) = &self.kernel {
            let kernel =
                KernelVersion::parse(text).ok_or_else(|| format!("{text:?} is no kernel's version: write 6.1"))?;
            self.read.kernel = Some(kernel);
        }
        if let Some(date) = &self.today {
            let toml::value::Datetime { date: Some(date), time: None, offset: None } = date else {
                return Err("today is a day: write today = 2026-12-31".to_owned());
            };
            self.read.today = Some(Day { year: date.year, month: date.month, day: date.day });
        }
        Ok(())
    }

    /// The machine; `root` is where the kernel's list of AppArmor profiles is looked for
    /// (`sys/kernel/security/apparmor/profiles` below it).
    pub fn host(&self, root: &Path) -> Host {
        Host {
            arch: self.read.arch.unwrap_or(Arch::X86_64),
            kernel: self.read.kernel.unwrap_or(KernelVersion { major: 6, minor: 1 }),
            apparmor: self.apparmor.unwrap_or(root.is_dir()),
            kernel_profiles: Kernel::below(root.to_owned()),
            today: self.read.today,
            memo: Memo::default(),
            ..Host::detect()
        }
    }
}
