//! Writes a command line in the one spelling that every runtime reads alike.

use std::ffi::{OsStr, OsString};

use super::grammar::{Dialect, Takes};
use super::scan::{Given, Setting};
use super::{Command, Exec, Invocation, Launch};

/// exec's options that only shape the process. With `--process` both runtimes ignore them; they are left out so that
/// nobody has to trust that.
const PROCESS_SHAPE: &[&str] =
    &["additional-gids", "apparmor", "cap", "cwd", "env", "no-new-privs", "process-label", "tty", "user"];

impl Invocation {
    /// The words for the runtime behind, without the program's name.
    pub fn words(&self) -> Vec<OsString> {
        let mut words = Vec::with_capacity(16);
        for given in &self.global {
            // Up to 1.21 crun took the value of --rootless for --root; since then it ignores it.
            if !(self.dialect == Dialect::Crun && given.option.long == "rootless") {
                write(given, &mut words);
            }
        }
        match &self.command {
            Command::Launch(launch) => write_launch(launch, &mut words),
            Command::Exec(exec) => write_exec(exec, &mut words),
            Command::Help(command) => {
                words.extend(command.map(OsString::from));
                words.push(OsString::from("--help"));
            }
            Command::Version => words.push(OsString::from("--version")),
            Command::Passed(passed) => words.extend_from_slice(passed),
        }
        words
    }
}

fn write_launch(launch: &Launch, words: &mut Vec<OsString>) {
    words.push(OsString::from(launch.verb.as_str()));
    for given in &launch.given {
        write(given, words);
    }
    words.push(OsString::from(&launch.id));
}

fn write_exec(exec: &Exec, words: &mut Vec<OsString>) {
    words.push(OsString::from("exec"));
    let by_file = exec.process().is_some();
    for given in &exec.given {
        if !(by_file && PROCESS_SHAPE.contains(&given.option.long)) {
            write(given, words);
        }
    }
    words.push(OsString::from(&exec.id));
    if !by_file {
        words.extend_from_slice(&exec.command);
    }
}

fn write(given: &Given, words: &mut Vec<OsString>) {
    let long = given.option.long;
    match &given.setting {
        Setting::Flag(true) => words.push(OsString::from(format!("--{long}"))),
        Setting::Flag(false) => {}
        Setting::Value(value) if given.option.takes == Takes::ValueApart => {
            words.push(OsString::from(format!("--{long}")));
            words.push(value.clone());
        }
        Setting::Value(value) => words.push(joined(long, value)),
    }
}

fn joined(long: &str, value: &OsStr) -> OsString {
    let mut word = OsString::with_capacity(long.len() + value.len() + 3);
    word.push("--");
    word.push(long);
    word.push("=");
    word.push(value);
    word
}
