//! `batten apparmor generate`: from TOML to the parser's language.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{host_dialect, note};
use crate::apparmor::bane::from_bane;
use crate::apparmor::{Dialect, Facility, Kernel, Parser, Profile, Qualifiers, Rule, Version, builtin, read_text};
use crate::capability::{CapSet, Capability};
use crate::doors::{Exit, refuse, say};

/// Prints the AppArmor profile that a TOML file stands for
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  batten apparmor generate web.toml > /etc/apparmor.d/containers/web
  batten apparmor generate --from bane nginx.toml --check
  batten apparmor generate --default --caps @docker,CAP_SYS_ADMIN

docs/apparmor.md is the reference of the TOML. Notes go to standard error.

Exit codes: 0 printed, 1 the parser refuses it (--check), 3 the file is unreadable or no profile, 4 wrong usage.")]
pub(super) struct Generate {
    /// The profile's TOML; `-` reads standard input
    #[arg(required_unless_present = "default", conflicts_with = "default")]
    file: Option<PathBuf>,

    /// Whose TOML it is
    #[arg(long, value_enum, default_value_t = Language::Batten)]
    from: Language,

    /// Print batten's profile for containers instead, as it is for --caps
    #[arg(long)]
    default: bool,

    /// The capabilities that the containers hold. @docker and @all stand for sets
    #[arg(long, value_name = "CAP,…", value_delimiter = ',', default_value = "@docker", requires = "default")]
    caps: Vec<String>,

    /// Write for this version of apparmor_parser; without it, for this host's
    #[arg(long, value_name = "VERSION", value_parser = version)]
    parser: Option<Version>,

    /// Have this host's apparmor_parser check the result
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// docs/apparmor.md
    Batten,
    /// genuinetools/bane
    Bane,
}

fn version(text: &str) -> Result<Version, String> {
    let version = Version::parse(text).filter(|version| version.major >= 3);
    version.ok_or_else(|| "a version is such as 3.0 or 4.1; older ones than 3.0 are not written for".to_owned())
}

impl Generate {
    pub(super) fn run(&self) -> Exit {
        let dialect = self.parser.map_or_else(host_dialect, Dialect::of);
        let profile = match &self.file {
            Some(file) => self.read(file),
            None => self.builtin(dialect),
        };
        let profile = match profile {
            Ok(profile) => profile,
            Err(exit) => return exit,
        };
        unmediated(&profile, dialect);
        let text = profile.render(dialect);
        if self.check {
            let checked = Parser::find().and_then(|parser| parser.check(&text, &format!("{:?}", profile.name)));
            if let Err(error) = checked {
                return refuse(Exit::Denied, &error, error.hint());
            }
        }
        say(&text).unwrap_or(Exit::Clean)
    }

    fn read(&self, file: &Path) -> Result<Profile, Exit> {
        let unreadable = |error: &crate::apparmor::TomlError| refuse(Exit::Unreadable, error, error.hint());
        let (name, text) = if file == Path::new("-") {
            let text = std::io::read_to_string(std::io::stdin().lock()).map_err(|error| {
                refuse(Exit::Unreadable, &format!("cannot read standard input: {error}"), "pipe the TOML in")
            })?;
            (Path::new("standard input"), text)
        } else {
            (file, read_text(file).map_err(|error| unreadable(&error))?)
        };
        match self.from {
            Language::Batten => Profile::from_toml(name, &text).map_err(|error| unreadable(&error)),
            Language::Bane => {
                let (profile, warnings) = from_bane(name, &text).map_err(|error| unreadable(&error))?;
                for warning in warnings {
                    note("warning", &format!("{}:{}: {}", name.display(), warning.line, warning.message));
                }
                Ok(profile)
            }
        }
    }

    fn builtin(&self, dialect: Dialect) -> Result<Profile, Exit> {
        let mut set = CapSet::EMPTY;
        for word in self.caps.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
            set = set.union(match word {
                "@docker" => CapSet::DOCKER,
                "@all" => CapSet::ALL,
                name => CapSet::of(Capability::from_name(name).ok_or_else(|| {
                    let hint = "capabilities are spelled as in capabilities(7), CAP_NET_ADMIN; @docker and @all stand for sets";
                    refuse(Exit::Usage, &format!("no capability {name:?} is known"), hint)
                })?),
            });
        }
        Ok(builtin::profile(set, dialect, &Kernel::host().own_label()))
    }
}

/// Says which rules the parser cannot be told, since the kernel will then not judge what they are about.
fn unmediated(profile: &Profile, dialect: Dialect) {
    if profile.dialect(dialect).facilities {
        return;
    }
    for rule in &profile.rules {
        if let Rule::Facility { qualifiers: Qualifiers { deny: true, .. }, facility } = rule {
            let facility: Facility = *facility;
            note(
                "warning",
                &format!("this parser or ABI has no rule for {facility}: it stays allowed, whatever the profile says"),
            );
        }
    }
}
