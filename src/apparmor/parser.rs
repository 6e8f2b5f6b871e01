//! apparmor_parser: the only compiler of profiles there is.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::dialect::{Dialect, POLICY_FOLDER, Version};

/// Where distributions put it. Never looked for in `$PATH`: it runs as root.
const PLACES: &[&str] = &["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/bin/apparmor_parser"];

/// An apparmor_parser.
#[derive(Debug, Clone)]
pub struct Parser {
    program: PathBuf,
}

/// What apparmor_parser could not do.
#[derive(Debug, thiserror::Error)]
pub enum ParserError {
    /// There is none.
    #[error("apparmor_parser is not installed")]
    Missing,
    /// It could not be started, or broke off.
    #[error("cannot run {}: {error}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// It says no.
    #[error("apparmor_parser cannot {action} {what}: {message}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// With which profile.
        what: String,
        /// What it says, on one line.
        message: String,
    },
    /// Its version cannot be read.
    #[error("{} does not tell its version: {text:?}", program.display())]
    Version {
        /// The program.
        program: PathBuf,
        /// What it printed.
        text: String,
    },
}

impl ParserError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "install the package apparmor",
            Self::Run { .. } => "check that the program can be executed",
            Self::Refused { action: "check", .. } => {
                "the line is that of the rendered profile: batten apparmor generate FILE shows it"
            }
            Self::Refused { message, .. } if message.contains("privilege") || message.contains("Permission denied") => {
                "run as root on the host: it takes CAP_MAC_ADMIN in the initial user namespace"
            }
            Self::Refused { message, .. }
                if ["interface", "not loaded", "suitable fs"].iter().any(|word| message.contains(word)) =>
            {
                "boot a kernel with apparmor=1 and mount securityfs; batten apparmor status shows what is missing"
            }
            Self::Refused { .. } => "batten apparmor lint FILE looks closer; dmesg has the kernel's side",
            Self::Version { .. } => "batten knows apparmor_parser 3.x to 5.x",
        }
    }
}

impl Parser {
    /// The host's.
    ///
    /// # Errors
    /// [`ParserError::Missing`] where none is installed.
    pub fn find() -> Result<Self, ParserError> {
        PLACES.iter().find(|path| Path::new(path).is_file()).map(Self::at).ok_or(ParserError::Missing)
    }

    /// The one at `program`.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Its version.
    ///
    /// # Errors
    /// [`ParserError`] when it cannot be run or says something else.
    pub fn version(&self) -> Result<Version, ParserError> {
        let output = self.run(&["--version"], "")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let word = text.lines().next().and_then(|line| line.rsplit(' ').next());
        word.and_then(Version::parse).ok_or_else(|| ParserError::Version {
            program: self.program.clone(),
            text: text.lines().next().unwrap_or_default().to_owned(),
        })
    }

    /// The language to write for it: what its version understands, of which the ABI file has to be there.
    ///
    /// # Errors
    /// As [`Parser::version`].
    pub fn dialect(&self) -> Result<Dialect, ParserError> {
        let host = Dialect::of_host(Path::new(POLICY_FOLDER));
        let own = Dialect::of(self.version()?);
        Ok(Dialect {
            abi: own.abi.min(host.abi),
            facilities: own.facilities && host.facilities,
            unix: own.unix && host.unix,
        })
    }

    /// Whether it takes the text, without a look at this kernel: `-Q` loads nothing, `-K` and `-T` use no cache.
    ///
    /// # Errors
    /// [`ParserError::Refused`] with what it says.
    pub fn check(&self, text: &str, what: &str) -> Result<(), ParserError> {
        self.told(&["-QKT"], text, "check", what).map(drop)
    }

    /// Loads the profiles of a text, in the place of those of the same names.
    ///
    /// # Errors
    /// [`ParserError::Refused`] with what it says.
    pub fn load(&self, text: &str, what: &str) -> Result<(), ParserError> {
        self.told(&["--replace", "--skip-cache"], text, "load", what).map(drop)
    }

    /// Loads the profiles of a file, compiled once and kept in `cache`.
    ///
    /// # Errors
    /// [`ParserError::Refused`] with what it says.
    pub fn load_file(&self, file: &Path, cache: &Path) -> Result<(), ParserError> {
        let what = file.display().to_string();
        let cache = format!("--cache-loc={}", cache.display());
        self.told(&["--replace", "--write-cache", &cache, &what], "", "load", &what).map(drop)
    }

    /// The names of the profiles in a text.
    ///
    /// # Errors
    /// [`ParserError::Refused`] with what it says.
    pub fn names(&self, text: &str, what: &str) -> Result<Vec<String>, ParserError> {
        let output = self.told(&["--names", "-QKT"], text, "read", what)?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    fn told(&self, args: &[&str], text: &str, action: &'static str, what: &str) -> Result<Output, ParserError> {
        let output = self.run(args, text)?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        // It says so of every kernel without AppArmor, whatever it was asked.
        let lines = said
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("Cache read/write disabled"));
        let message = lines.collect::<Vec<_>>().join("; ");
        let message = if message.is_empty() { output.status.to_string() } else { message };
        Err(ParserError::Refused { action, what: what.to_owned(), message })
    }

    /// Runs it with nothing of this process's environment and `text` on its standard input.
    fn run(&self, args: &[&str], text: &str) -> Result<Output, ParserError> {
        let failed = |error| ParserError::Run { program: self.program.clone(), error };
        let mut child = Command::new(&self.program)
            .args(args)
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // A parser that stops reading has its reasons on standard error.
            scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
            child.wait_with_output().map_err(failed)
        })
    }
}
