//! What a command of an engine's said, to whoever typed it.

use std::process::{Command, Output};

use crate::Status;

/// The end of one command.
#[derive(Debug)]
pub struct Said {
    line: String,
    output: Output,
}

impl Said {
    /// Runs it to its end.
    pub fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self { line: format!("{:?}", command.get_args().collect::<Vec<_>>()), output }
    }

    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        self.output.status.success()
    }

    /// Standard output of a command that must work.
    pub fn stdout(&self) -> String {
        self.assert_done();
        String::from_utf8_lossy(&self.output.stdout).trim_end().to_owned()
    }

    /// All that the person sees.
    pub fn all(&self) -> String {
        [&self.output.stdout, &self.output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
    }

    /// What the container's `cat /proc/self/status` printed.
    pub fn status(&self) -> Status {
        self.assert_done();
        Status::parse(&self.all())
    }

    /// It must have worked.
    pub fn assert_done(&self) {
        assert!(self.is_done(), "{} ended with {}:\n{}", self.line, self.output.status, self.all());
    }

    /// It must have failed, and the person must have been told each of `sentences`.
    pub fn assert_refused(&self, sentences: &[&str]) {
        let all = self.all();
        assert!(!self.is_done(), "{} was not refused:\n{all}", self.line);
        for sentence in sentences {
            assert!(all.contains(sentence), "{} does not say {sentence:?}:\n{all}", self.line);
        }
    }
}
