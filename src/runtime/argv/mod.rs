//! The runtime's command line: read in full, and handed on in one spelling.
//!
//! A wrapper that only looks for the word `create` can be led around: `--root create`, a user's command that says
//! `create`, `-bX`, an abbreviation. So the whole line is read by the grammar of the runtime that stands behind
//! ([`Dialect`]), what is not known is refused, and what the runtime gets is not the caller's line but a new one
//! ([`Invocation::words`]): options in full, values behind `=`, the id last. That line means the same to runc and to
//! crun, and it is what was judged. Subcommands that start nothing keep their arguments as they are.

mod emit;
mod error;
mod grammar;
mod scan;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

pub use error::ArgvError;
pub use grammar::Dialect;

use scan::{Cursor, Given, Scope, Setting, Word, dashes, lossy};

/// A command line, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    dialect: Dialect,
    global: Vec<Given>,
    /// What is asked for.
    pub command: Command,
}

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// create, run or restore: a bundle is judged.
    Launch(Launch),
    /// exec: a process is judged.
    Exec(Exec),
    /// `--help`, for the program or for a judged subcommand.
    Help(Option<&'static str>),
    /// `--version`.
    Version,
    /// Anything else that is known, or nothing at all: the words as they were given.
    Passed(Vec<OsString>),
}

/// A subcommand that makes a container out of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Creates a container; `start` runs it.
    Create,
    /// Creates and starts.
    Run,
    /// Creates from a checkpoint.
    Restore,
}

impl Verb {
    /// The subcommand's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Run => "run",
            Self::Restore => "restore",
        }
    }
}

/// create, run or restore.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// Which of the three.
    pub verb: Verb,
    /// The container's id.
    pub id: String,
    given: Vec<Given>,
}

/// exec.
#[derive(Debug, Clone, PartialEq)]
pub struct Exec {
    /// The container's id.
    pub id: String,
    /// The user's command; empty only when a process file is given.
    pub command: Vec<OsString>,
    given: Vec<Given>,
}

impl Invocation {
    /// Reads a command line; `args` begins behind the program's own name.
    ///
    /// # Errors
    /// [`ArgvError`] for everything that the runtime behind would refuse, that runtimes read in different ways, or that
    /// batten does not know.
    pub fn parse(args: &[OsString], dialect: Dialect) -> Result<Self, ArgvError> {
        let mut cursor = Cursor { rest: args };
        let scope = Scope { dialect, table: grammar::GLOBAL, command: None };
        let mut global: Vec<Given> = Vec::new();
        let done = |global, command| Ok(Self { dialect, global, command });
        while let Some(word) = cursor.next(scope)? {
            match word {
                Word::Option(given) => {
                    // Both runtimes take the last one, and engines' wrappers do add a second.
                    global.retain(|earlier| earlier.option.long != given.option.long);
                    global.push(given);
                }
                Word::Help => return done(global, Command::Help(None)),
                Word::Version => return done(global, Command::Version),
                Word::EndOfOptions => return Err(ArgvError::UnknownGlobal { option: "--".to_owned() }),
                Word::Plain(name) => {
                    let command = subcommand(name, cursor, dialect)?;
                    return done(global, command);
                }
            }
        }
        done(global, Command::Passed(Vec::new()))
    }

    /// Whether a bundle or a process is judged before the runtime starts.
    pub const fn is_judged(&self) -> bool {
        matches!(self.command, Command::Launch(_) | Command::Exec(_))
    }

    /// The dialect it was read in.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The value of a global option, such as `root`.
    pub fn global(&self, long: &str) -> Option<&OsStr> {
        value(&self.global, long)
    }
}

impl Launch {
    /// The bundle, if one is named; else it is the current directory.
    pub fn bundle(&self) -> Option<&OsStr> {
        value(&self.given, "bundle")
    }

    /// crun's `--config FILE`.
    pub fn config(&self) -> Option<&OsStr> {
        value(&self.given, "config")
    }

    /// The value of another option.
    pub fn value(&self, long: &str) -> Option<&OsStr> {
        value(&self.given, long)
    }

    /// Gives `--config` (crun) another value.
    pub fn set_config(&mut self, file: OsString) {
        set(&mut self.given, "config", grammar::LAUNCH, file);
    }

    /// How many descriptors the container inherits behind the first three.
    pub fn preserve_fds(&self) -> u16 {
        number(&self.given, "preserve-fds")
    }
}

impl Exec {
    /// The process file that the caller gives.
    pub fn process(&self) -> Option<&OsStr> {
        value(&self.given, "process")
    }

    /// The value of an option that is given at most once.
    pub fn value(&self, long: &str) -> Option<&OsStr> {
        value(&self.given, long)
    }

    /// The values of an option that may be given more than once.
    pub fn values(&self, long: &str) -> impl Iterator<Item = &OsStr> {
        self.given.iter().filter(move |given| given.option.long == long).filter_map(|given| match &given.setting {
            Setting::Value(value) => Some(value.as_os_str()),
            Setting::Flag(_) => None,
        })
    }

    /// What a flag was set to, if it is given.
    pub fn flag(&self, long: &str) -> Option<bool> {
        self.given.iter().rev().find(|given| given.option.long == long).and_then(|given| match given.setting {
            Setting::Flag(on) => Some(on),
            Setting::Value(_) => None,
        })
    }

    /// Gives `--process` another value.
    pub fn set_process(&mut self, file: OsString) {
        set(&mut self.given, "process", grammar::EXEC, file);
    }

    /// How many descriptors the process inherits behind the first three.
    pub fn preserve_fds(&self) -> u16 {
        number(&self.given, "preserve-fds")
    }
}

fn subcommand(name: &OsStr, cursor: Cursor<'_>, dialect: Dialect) -> Result<Command, ArgvError> {
    match name.as_bytes() {
        b"create" => launch(Verb::Create, cursor, dialect),
        b"run" => launch(Verb::Run, cursor, dialect),
        b"restore" => launch(Verb::Restore, cursor, dialect),
        b"exec" => exec(cursor, dialect),
        known if grammar::PASSED.iter().any(|passed| passed.as_bytes() == known) => {
            let mut words = Vec::with_capacity(cursor.rest.len() + 1);
            words.push(name.to_owned());
            words.extend_from_slice(cursor.rest);
            Ok(Command::Passed(words))
        }
        _ => Err(ArgvError::UnknownCommand { name: lossy(name) }),
    }
}

fn launch(verb: Verb, mut cursor: Cursor<'_>, dialect: Dialect) -> Result<Command, ArgvError> {
    let table = if verb == Verb::Restore { grammar::RESTORE } else { grammar::LAUNCH };
    let command = verb.as_str();
    let scope = Scope { dialect, table, command: Some(command) };
    let mut given = Vec::with_capacity(8);
    let mut id = None;
    let mut plain_only = false;
    loop {
        let word = if plain_only { cursor.plain() } else { cursor.next(scope)? };
        match word {
            None => break,
            Some(Word::Help) => return Ok(Command::Help(Some(command))),
            Some(Word::EndOfOptions) => plain_only = true,
            // runc takes options behind the id as well; crun would count them as ids.
            Some(Word::Option(option)) if id.is_none() || dialect == Dialect::Runc => add(&mut given, option)?,
            Some(Word::Option(option)) => {
                return Err(ArgvError::ExtraArgument { command, argument: dashes(option.option) });
            }
            Some(Word::Plain(word)) if id.is_none() => id = Some(container_id(word)?),
            Some(Word::Plain(word)) => return Err(ArgvError::ExtraArgument { command, argument: lossy(word) }),
            Some(Word::Version) => return Err(ArgvError::UnknownOption { command, option: "--version".to_owned() }),
        }
    }
    let id = id.ok_or(ArgvError::MissingId { command })?;
    Ok(Command::Launch(Launch { verb, id, given }))
}

fn exec(mut cursor: Cursor<'_>, dialect: Dialect) -> Result<Command, ArgvError> {
    let scope = Scope { dialect, table: grammar::EXEC, command: Some("exec") };
    let mut given = Vec::with_capacity(8);
    let id = loop {
        let word = match cursor.next(scope)? {
            None => return Err(ArgvError::MissingId { command: "exec" }),
            Some(Word::Help) => return Ok(Command::Help(Some("exec"))),
            Some(Word::Option(option)) => {
                add(&mut given, option)?;
                continue;
            }
            Some(Word::EndOfOptions) => cursor.plain(),
            other => other,
        };
        match word {
            Some(Word::Plain(word)) => break container_id(word)?,
            _ => return Err(ArgvError::MissingId { command: "exec" }),
        }
    };
    // Everything behind the id is the user's, whatever it looks like.
    let exec = Exec { id, command: cursor.rest.to_vec(), given };
    match (exec.process(), exec.command.first()) {
        (None, None) => Err(ArgvError::NoProcess),
        // urfave/cli v3 skips an empty word and then reads options again.
        (None, Some(first)) if first.as_bytes().trim_ascii().is_empty() => Err(ArgvError::EmptyCommand),
        _ => Ok(Command::Exec(exec)),
    }
}

/// Keeps one option; what only one runtime would notice twice is refused.
fn add(given: &mut Vec<Given>, new: Given) -> Result<(), ArgvError> {
    use grammar::Takes;
    let once = matches!(new.option.takes, Takes::Value | Takes::ValueApart);
    if once && given.iter().any(|earlier| earlier.option.long == new.option.long) {
        return Err(ArgvError::Repeated { option: dashes(new.option) });
    }
    if let (true, Setting::Value(value)) = (new.option.long == "preserve-fds", &new.setting)
        && value.to_str().is_none_or(|text| text.parse::<u16>().is_err() || !text.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(ArgvError::NotANumber { option: dashes(new.option), value: lossy(value) });
    }
    given.push(new);
    Ok(())
}

/// The characters that runc (`validateID`) and crun (`validate_id`) allow. An id names a folder below the runtime's
/// root; one that begins with a dash would be an option to the runtime behind.
///
/// # Errors
/// [`ArgvError::BadId`].
pub fn container_id(word: &OsStr) -> Result<String, ArgvError> {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'.' | b'-');
    match word.to_str() {
        Some(id)
            if (1..=255).contains(&id.len()) && !id.starts_with(['-', '.']) && id.as_bytes().iter().all(allowed) =>
        {
            Ok(id.to_owned())
        }
        _ => Err(ArgvError::BadId { id: lossy(word) }),
    }
}

fn value<'g>(given: &'g [Given], long: &str) -> Option<&'g OsStr> {
    given.iter().rev().find(|given| given.option.long == long).and_then(|given| match &given.setting {
        Setting::Value(value) => Some(value.as_os_str()),
        Setting::Flag(_) => None,
    })
}

fn number(given: &[Given], long: &str) -> u16 {
    value(given, long).and_then(OsStr::to_str).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn set(given: &mut Vec<Given>, long: &str, table: &'static [grammar::Opt], to: OsString) {
    given.retain(|given| given.option.long != long);
    if let Some(option) = table.iter().find(|option| option.long == long) {
        given.push(Given { option, setting: Setting::Value(to) });
    }
}

/// `--log` and `--log-format`, as far as the global options can be read, by whichever dialect reads further: where a
/// refusal goes must be known even when the command line is what is refused.
pub(super) fn log_options(args: &[OsString]) -> (Option<OsString>, Option<OsString>) {
    let read = |dialect| {
        let mut cursor = Cursor { rest: args };
        let scope = Scope { dialect, table: grammar::GLOBAL, command: None };
        let mut given = Vec::new();
        while let Ok(Some(Word::Option(option))) = cursor.next(scope) {
            given.push(option);
        }
        given
    };
    let (runc, crun) = (read(Dialect::Runc), read(Dialect::Crun));
    let given = if crun.len() > runc.len() { crun } else { runc };
    (value(&given, "log").map(OsStr::to_owned), value(&given, "log-format").map(OsStr::to_owned))
}

/// The claims that hold for every command line; what fuzzing and the property test call.
///
/// # Panics
/// When a line that was read is handed on with another meaning, or a judged subcommand is passed on unjudged.
#[doc(hidden)]
pub fn check_reemission(args: &[OsString], dialect: Dialect) {
    let Ok(first) = Invocation::parse(args, dialect) else { return };
    let words = first.words();
    for reader in [dialect, Dialect::Common] {
        // What only one runtime knows, the common reader refuses; that is no other meaning.
        let second = match Invocation::parse(&words, reader) {
            Ok(second) => second,
            Err(error) => {
                assert_ne!(reader, dialect, "the line handed on is not read again: {words:?}: {error}");
                continue;
            }
        };
        assert_eq!(second.words(), words);
        assert_eq!(second.is_judged(), first.is_judged());
    }
    if let Command::Passed(passed) = &first.command {
        let name = passed.first().map_or(&b""[..], |name| name.as_bytes());
        assert!(!matches!(name, b"create" | b"run" | b"restore" | b"exec"), "passed on unjudged: {args:?}");
    }
}
