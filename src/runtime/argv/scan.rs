//! Reads one word after the other, by the grammar of one runtime.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::error::ArgvError;
use super::grammar::{Dialect, Opt, Takes};

/// One option as it was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) option: &'static Opt,
    pub(super) setting: Setting,
}

/// What an option was set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    Flag(bool),
    Value(OsString),
}

/// One step of the command line.
#[derive(Debug, PartialEq)]
pub(super) enum Word<'a> {
    Option(Given),
    Help,
    Version,
    /// `--`: what follows is no option.
    EndOfOptions,
    Plain(&'a OsStr),
}

/// Whose options are being read: it decides which table holds and how an unknown one is named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) dialect: Dialect,
    pub(super) table: &'static [Opt],
    /// `None` in front of the subcommand.
    pub(super) command: Option<&'static str>,
}

/// The words that are still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [OsString],
}

impl<'a> Cursor<'a> {
    fn take(&mut self) -> Option<&'a OsStr> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The next word, as it is.
    pub(super) fn plain(&mut self) -> Option<Word<'a>> {
        self.take().map(Word::Plain)
    }

    /// The next word, `None` at the end.
    pub(super) fn next(&mut self, scope: Scope) -> Result<Option<Word<'a>>, ArgvError> {
        let Some(word) = self.take() else { return Ok(None) };
        match word.as_bytes() {
            b"--" => Ok(Some(Word::EndOfOptions)),
            [b'-', b'-', name @ ..] => self.long(scope, word, name).map(Some),
            [b'-', name @ ..] if !name.is_empty() => self.dashed(scope, word, name).map(Some),
            _ => Ok(Some(Word::Plain(word))),
        }
    }

    fn long(&mut self, scope: Scope, word: &OsStr, name: &[u8]) -> Result<Word<'a>, ArgvError> {
        let (name, attached) = match name.iter().position(|&b| b == b'=') {
            Some(at) => (&name[..at], Some(&name[at + 1..])),
            None => (name, None),
        };
        if let Some(asked) = informational(scope, name) {
            return match attached {
                None => Ok(asked),
                Some(value) => Err(unexpected(format!("--{}", lossy(OsStr::from_bytes(name))), value)),
            };
        }
        let known = scope.table.iter().find(|option| option.long.as_bytes() == name && option.is_in(scope.dialect));
        let option = known.ok_or_else(|| unknown(scope, word))?;
        self.with_value(scope, option, attached)
    }

    /// `-…`: each dialect has its own reading.
    fn dashed(&mut self, scope: Scope, word: &OsStr, name: &[u8]) -> Result<Word<'a>, ArgvError> {
        let letter = |letter: u8| scope.table.iter().find(|o| o.short == Some(letter) && o.is_in(scope.dialect));
        match (scope.dialect, name) {
            (dialect, [b'h']) if dialect != Dialect::Crun => Ok(Word::Help),
            (Dialect::Crun, [b'?']) => Ok(Word::Help),
            (_, [b'v']) | (Dialect::Crun, [b'V']) if scope.command.is_none() => Ok(Word::Version),
            (_, [only]) => {
                let option = letter(*only).ok_or_else(|| unknown(scope, word))?;
                self.with_value(scope, option, None)
            }
            // Go's flag package makes no difference between one dash and two.
            (Dialect::Runc, [first, b'=', value @ ..]) => {
                let option = letter(*first).ok_or_else(|| unknown(scope, word))?;
                self.with_value(scope, option, Some(value))
            }
            (Dialect::Runc, name) => self.long(scope, word, name),
            (Dialect::Crun, [first, value @ ..]) => {
                let option = letter(*first).ok_or_else(|| unknown(scope, word))?;
                match option.takes {
                    // "-b=X" is the folder X to runc and the folder "=X" to crun.
                    Takes::Value | Takes::Values if value[0] != b'=' => self.with_value(scope, option, Some(value)),
                    // More flags may follow, and "-td" is a tty called "d": too clever to be worth a guess.
                    _ => Err(unknown(scope, word)),
                }
            }
            (Dialect::Crun | Dialect::Common, _) => Err(unknown(scope, word)),
        }
    }

    fn with_value(
        &mut self,
        scope: Scope,
        option: &'static Opt,
        attached: Option<&[u8]>,
    ) -> Result<Word<'a>, ArgvError> {
        let setting = match (option.takes, attached) {
            (Takes::Nothing | Takes::Maybe, None) => Setting::Flag(true),
            (Takes::Nothing, Some(value)) if scope.dialect == Dialect::Runc => Setting::Flag(go_bool(option, value)?),
            (Takes::Maybe, Some(value)) => match scope.dialect {
                Dialect::Runc => Setting::Flag(go_bool(option, value)?),
                // crun's exec.c: anything but these two asks for a terminal.
                Dialect::Crun => Setting::Flag(!matches!(value, b"false" | b"no")),
                Dialect::Common => return Err(unexpected(dashes(option), value)),
            },
            (Takes::Nothing | Takes::ValueApart, Some(value)) => return Err(unexpected(dashes(option), value)),
            (Takes::Value | Takes::Values, Some(value)) => Setting::Value(OsStr::from_bytes(value).to_owned()),
            (Takes::Value | Takes::Values | Takes::ValueApart, None) => {
                let value = self.take().ok_or_else(|| ArgvError::MissingValue { option: dashes(option) })?;
                Setting::Value(value.to_owned())
            }
        };
        if matches!(&setting, Setting::Value(value) if value.is_empty()) {
            return Err(ArgvError::EmptyValue { option: dashes(option) });
        }
        Ok(Word::Option(Given { option, setting }))
    }
}

/// `--help` and `--version` make both runtimes print and leave, whatever else is given.
fn informational(scope: Scope, name: &[u8]) -> Option<Word<'static>> {
    match name {
        b"help" => Some(Word::Help),
        b"usage" if scope.dialect == Dialect::Crun => Some(Word::Help),
        b"version" if scope.command.is_none() => Some(Word::Version),
        _ => None,
    }
}

/// The spellings that Go's `strconv.ParseBool` takes.
fn go_bool(option: &Opt, value: &[u8]) -> Result<bool, ArgvError> {
    match value {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => Err(ArgvError::NotABool { option: dashes(option), value: lossy(OsStr::from_bytes(value)) }),
    }
}

fn unknown(scope: Scope, word: &OsStr) -> ArgvError {
    let option = lossy(word);
    match scope.command {
        Some(command) => ArgvError::UnknownOption { command, option },
        None => ArgvError::UnknownGlobal { option },
    }
}

fn unexpected(option: String, value: &[u8]) -> ArgvError {
    ArgvError::UnexpectedValue { option, value: lossy(OsStr::from_bytes(value)) }
}

pub(super) fn dashes(option: &Opt) -> String {
    format!("--{}", option.long)
}

pub(super) fn lossy(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}
