//! `batten completions` and `batten man`: from the same source as the command line itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::cli::Cli;
use super::{Exit, refuse, say};

/// Prints completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten completions bash > /usr/share/bash-completion/completions/batten")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "batten", &mut out);
        say(&String::from_utf8_lossy(&out)).unwrap_or(Exit::Clean)
    }
}

/// Writes a man page per command
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  batten man /usr/local/share/man/man1 && man batten-check")]
pub struct Man {
    /// The folder to write them to
    folder: PathBuf,
}

impl Man {
    /// Runs the command.
    pub fn run(&self) -> Exit {
        let written =
            std::fs::create_dir_all(&self.folder).and_then(|()| clap_mangen::generate_to(Cli::command(), &self.folder));
        match written {
            Ok(()) => Exit::Clean,
            Err(error) => {
                let message = format!("cannot write the man pages to {}: {error}", self.folder.display());
                refuse(Exit::Unreadable, &message, "name a folder that you may write")
            }
        }
    }
}
