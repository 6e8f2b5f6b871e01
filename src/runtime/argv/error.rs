//! Why a command line was refused.

/// A command line that batten cannot read the way the runtime would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ArgvError {
    #[error("unknown global option {option:?}")]
    UnknownGlobal { option: String },
    #[error("unknown subcommand {name:?}")]
    UnknownCommand { name: String },
    #[error("unknown option {option:?} of {command}")]
    UnknownOption { command: &'static str, option: String },
    #[error("the option {option} needs a value")]
    MissingValue { option: String },
    #[error("the value of {option} is empty")]
    EmptyValue { option: String },
    #[error("{option} takes no value, yet {value:?} is given")]
    UnexpectedValue { option: String, value: String },
    #[error("{option} takes true or false, not {value:?}")]
    NotABool { option: String, value: String },
    #[error("{option} takes a number from 0 to 65535, not {value:?}")]
    NotANumber { option: String, value: String },
    #[error("{option} is given twice")]
    Repeated { option: String },
    #[error("{command} needs a container id")]
    MissingId { command: &'static str },
    #[error("{id:?} is not a container id")]
    BadId { id: String },
    #[error("{command} takes one container id; {argument:?} is one word too many")]
    ExtraArgument { command: &'static str, argument: String },
    #[error("exec needs a command behind the container id, or --process with a file")]
    NoProcess,
    #[error("the command behind the container id starts with an empty word")]
    EmptyCommand,
    #[error("{what} is not UTF-8: {value:?}")]
    NotUtf8 { what: &'static str, value: String },
}

impl ArgvError {
    /// What the caller can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::UnknownGlobal { .. } => {
                "batten refuses what it cannot read as the runtime does; write global options in full, before the \
                 subcommand: --root, --log, --log-format, --debug, --systemd-cgroup, --rootless, --criu, --cgroup-manager"
            }
            Self::UnknownCommand { .. } => {
                "create, run, restore and exec are judged; checkpoint, delete, events, features, kill, list, pause, ps, \
                 resume, spec, start, state and update are passed on; nothing else is"
            }
            Self::UnknownOption { .. } => {
                "write options in full and before the container id; if the runtime has this one, report it to batten"
            }
            Self::MissingValue { .. } | Self::EmptyValue { .. } => {
                "write --option VALUE or --option=VALUE, or leave it out"
            }
            Self::UnexpectedValue { .. } | Self::NotABool { .. } => "write the option alone, or leave it out",
            Self::NotANumber { .. } => "give a plain decimal number",
            Self::Repeated { .. } => "give it once: which of the two counts differs between runtimes",
            Self::MissingId { .. } => "give the id as the last word: create --bundle DIR ID",
            Self::BadId { .. } => {
                "ids are made of letters, digits and _ + . - (at most 255), and start with neither a dash nor a dot"
            }
            Self::ExtraArgument { .. } => "options stand before the id, the id is the last word",
            Self::NoProcess => "exec ID COMMAND…, or exec --process FILE ID",
            Self::EmptyCommand => "name a program; runtimes read what follows an empty word in different ways",
            Self::NotUtf8 { .. } => "use UTF-8: the process is handed to the runtime as JSON",
        }
    }
}
