//! Where a recording goes, whatever recorded it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::count::counted;
use crate::doors::{Exit, refuse, say};
use crate::escape::escape;
use crate::record::{Recording, Runtime, output};
use crate::seccomp::GroupProfile;

/// What to make of the recording.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Sink {
    /// The format of the profile
    #[arg(long, value_enum, default_value_t = Format::Oci)]
    format: Format,

    /// Keep the arguments that say much (socket families, namespaces, ioctl requests, prctl options, personalities) as
    /// conditions
    #[arg(long)]
    args: bool,

    /// The runtime that will start the container: its own calls are allowed, as measured
    #[arg(long, value_enum, default_value_t = RuntimeName::Any)]
    runtime: RuntimeName,

    /// The container will run with no_new_privs: the runtime then needs much less
    #[arg(long)]
    no_new_privs: bool,

    /// What to do with calls that were refused (EPERM, ENOSYS) whenever they were seen
    #[arg(long, value_enum, default_value_t = RefusedName::Allow, value_name = "allow|keep")]
    refused: RefusedName,

    /// Answer for the machine's 32-bit interface though no such call was recognised
    #[arg(long)]
    compat: bool,

    /// Write why each call is in the profile: how often it was seen, and where first
    #[arg(long, value_name = "FILE")]
    provenance: Option<PathBuf>,

    /// Write the recording itself, for `batten record merge`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Write the profile to FILE instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print lines for a policy that use the profile. Give --output as well, and the profile is written there
    #[arg(long)]
    policy_snippet: bool,

    /// The container that the policy's lines are for
    #[arg(long, value_name = "CONTAINER", default_value = "recorded", requires = "policy_snippet")]
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// OCI's linux.seccomp object
    Oci,
    /// The file that Docker, Podman and Kubernetes take
    Docker,
    /// TOML in the groups of batten's own profile; a group opens all of its calls
    Groups,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RuntimeName {
    Runc,
    Crun,
    Any,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RefusedName {
    /// Allow them
    Allow,
    /// Refuse them as they were
    Keep,
}

impl From<RuntimeName> for Runtime {
    fn from(name: RuntimeName) -> Self {
        match name {
            RuntimeName::Runc => Self::Runc,
            RuntimeName::Crun => Self::Crun,
            RuntimeName::Any => Self::Any,
        }
    }
}

impl Sink {
    /// Whether to keep arguments.
    pub(super) const fn arguments(&self) -> bool {
        self.args
    }

    /// The runtime's name; none for whichever there is.
    pub(super) const fn runtime(&self) -> Option<&'static str> {
        match self.runtime {
            RuntimeName::Runc => Some("runc"),
            RuntimeName::Crun => Some("crun"),
            RuntimeName::Any => None,
        }
    }

    /// Says what could not be written, before anything is recorded: an hour's recording is not to be lost for a folder that is
    /// not there.
    ///
    /// # Errors
    /// The exit code, when that has been said.
    pub(super) fn check(&self) -> Result<(), Exit> {
        let named = || [&self.provenance, &self.save, &self.output].into_iter().flatten();
        for (index, path) in named().enumerate() {
            if path == Path::new("-") {
                let hint = "the profile goes to standard output by itself; name a file, or /dev/stderr, or ./- for a file of that name";
                return Err(refuse(Exit::Usage, &"- is no file to write to", hint));
            }
            let whole = |path: &Path| std::path::absolute(path).ok();
            let again = named().skip(index + 1).any(|other| whole(other) == whole(path));
            if again && !path.starts_with("/dev") {
                let message = format!("{} is named for two things", path.display());
                return Err(refuse(Exit::Usage, &message, "name a file each for --provenance, --save and --output"));
            }
            output::check_new(path).map_err(|error| unwritable(&error))?;
        }
        self.check_ending()
    }

    /// Writes everything that was asked for. `notes` are what the recorder says of the recording: they go along with those of the
    /// profile, into what is written too.
    pub(super) fn take(&self, recording: &Recording, notes: &[String]) -> Exit {
        let mut made = output::make(recording, self.making());
        made.notes.splice(0..0, notes.iter().cloned());
        for note in &made.notes {
            note_to(note);
        }
        match self.write(recording, &made) {
            Ok(()) => Exit::Clean,
            Err(exit) => exit,
        }
    }

    /// How to make the profile.
    pub(super) fn making(&self) -> output::Making {
        output::Making {
            runtime: self.runtime.into(),
            no_new_privs: self.no_new_privs,
            arguments: self.args,
            refused: match self.refused {
                RefusedName::Allow => output::Refused::Allow,
                RefusedName::Keep => output::Refused::Keep,
            },
            compat: self.compat,
        }
    }

    /// Writes only the recording itself, where that was asked for.
    pub(super) fn keep(&self, recording: &Recording) -> Exit {
        let path = self.save.as_deref();
        path.and_then(|path| write(path, &output::save(recording)).err()).unwrap_or(Exit::Clean)
    }

    fn write(&self, recording: &Recording, made: &output::Made) -> Result<(), Exit> {
        if let Some(path) = &self.provenance {
            write(path, &output::provenance(recording, made))?;
        }
        if let Some(path) = &self.save {
            write(path, &output::save(recording))?;
        }
        let profile = self.profile(recording, made);
        match &self.output {
            Some(path) => write(path, &profile)?,
            None if !self.policy_snippet => return say(&profile).map_or(Ok(()), Err),
            None => {}
        }
        if self.policy_snippet {
            let place = self.place()?;
            return say(&output::snippet(recording, made, &self.name, &place, self.no_new_privs)).map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// A policy knows a profile in groups by the ending of its name.
    fn check_ending(&self) -> Result<(), Exit> {
        let Some(path) = &self.output else { return Ok(()) };
        if GroupProfile::is_named_by(path) == (self.format == Format::Groups) {
            return Ok(());
        }
        let message = format!("{} has the wrong ending for this format", path.display());
        Err(refuse(Exit::Usage, &message, "a profile in groups ends in .toml, and no other does"))
    }

    /// Where the policy will find the profile. A policy names profiles by their whole path.
    fn place(&self) -> Result<String, Exit> {
        let Some(path) = &self.output else {
            let end = if self.format == Format::Groups { "toml" } else { "json" };
            let place = format!("/etc/batten/profiles/recorded.{end}");
            note_to(&format!("put the profile at {place}: the same command with --output {place} writes it there"));
            return Ok(place);
        };
        match std::path::absolute(path) {
            Ok(path) => Ok(path.display().to_string()),
            Err(error) => {
                let message = format!("cannot tell where {} is: {error}", path.display());
                Err(refuse(Exit::Usage, &message, "give --output a path that starts with /"))
            }
        }
    }

    fn profile(&self, recording: &Recording, made: &output::Made) -> String {
        match self.format {
            Format::Oci => pretty(&made.profile.to_json()),
            Format::Groups => output::groups(recording, made),
            Format::Docker => {
                let runs = counted(recording.runs.len() as u64, "run");
                output::docker(&made.profile, &format!("recorded by batten in {runs}"))
            }
        }
    }
}

fn pretty(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json).map_or_else(|_| json.to_owned(), |value| format!("{value:#}\n"))
}

fn write(path: &Path, text: &str) -> Result<(), Exit> {
    output::write_new(path, text.as_bytes()).map_err(|error| unwritable(&error))
}

fn unwritable(error: &output::WriteError) -> Exit {
    refuse(Exit::Unreadable, error, "name a file in a folder that you may write to")
}

/// Says something that is no error.
pub(super) fn note_to(note: &str) {
    eprintln!("note: {}", escape(note));
}
