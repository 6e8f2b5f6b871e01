//! `batten run`: judges a bundle and runs it, on the embedded runtime or on one of the machine's.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::input::PolicyFiles;
use super::start::{JudgedFile, StartError, judge_file, logged};
use super::{Exit, refuse, shim};
use crate::escape::escape;
use crate::finding::Disposition;
use crate::host::{FilterLog, Host};
use crate::policy::Policy;
use crate::runtime::argv::{self, ArgvError, Command, Invocation};
use crate::runtime::config::ShimConfig;
use crate::runtime::decision::Entry;
use crate::runtime::embedded::{Embedded, EmbeddedError, Launch};
use crate::runtime::find::RealRuntime;
use crate::runtime::signals::Remembered;
use crate::runtime::terminal::ConsoleSocket;
use crate::spec::{CONFIG, Document, Pointer, TrustedFile, Value};

/// Runs a bundle within the policy; needs no runtime on the machine
#[derive(Debug, Args)]
#[command(
    override_usage = "batten run [OPTIONS] [BUNDLE] [ID]\n       batten run [OPTIONS] --bundle <BUNDLE> [ID]",
    after_help = "Examples:\n  batten run ./bundle\n  batten run --bundle ./bundle web\n  \
    batten run --detach --pid-file web.pid ./bundle web && batten delete --force web\n  \
    batten run --runtime runc ./bundle\n\nExit codes: the container's own; 1 denied, 3 unreadable or not startable, 4 bad policy or usage."
)]
pub struct Run {
    /// The bundle's folder (default: the current one) and the container's id (default: one is made up)
    #[arg(value_name = "BUNDLE|ID", num_args = 0..=2)]
    words: Vec<PathBuf>,

    /// The bundle's folder, as runc and crun take it
    #[arg(short, long, value_name = "BUNDLE")]
    bundle: Option<PathBuf>,

    /// Leave once the container runs
    #[arg(short, long)]
    detach: bool,

    /// Write the pid of the container's first process here
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,

    /// Send the container's terminal to this socket instead of using the caller's
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,

    /// What runs it: embedded, the name of an installed runtime (runc, crun), or the path of one
    #[arg(long, value_name = "NAME|PATH", default_value = "embedded")]
    runtime: String,

    #[command(flatten)]
    root: EmbeddedRoot,

    #[command(flatten)]
    policy: PolicyFiles,

    /// Say nothing of what was changed
    #[arg(short, long)]
    quiet: bool,
}

/// Where the embedded runtime keeps its containers.
#[derive(Debug, Args)]
pub struct EmbeddedRoot {
    /// Where the runtime keeps its containers; the embedded one's default is /run/batten, or $XDG_RUNTIME_DIR/batten
    /// for other users than root
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl EmbeddedRoot {
    /// The folder.
    pub fn path(&self) -> PathBuf {
        let own = || std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !nix::unistd::geteuid().is_root());
        let default = || own().map_or_else(|| PathBuf::from("/run"), PathBuf::from).join("batten");
        self.root.clone().unwrap_or_else(default)
    }
}

/// Reads an id as the runtimes do.
///
/// # Errors
/// What is wrong with it.
pub fn container_id(text: &str) -> Result<String, argv::ArgvError> {
    argv::container_id(text.as_ref())
}

impl Run {
    /// Runs the command.
    pub fn run(&self) -> ExitCode {
        let policy = match self.policy.load() {
            Ok(policy) => policy,
            Err(error) => return refuse(Exit::Usage, &error, error.hint()).into(),
        };
        let result = self.target().and_then(|(bundle, id)| match &*self.runtime {
            "embedded" => self.embedded(&bundle, &id, &policy),
            _ => self.external(&bundle, &id, &policy),
        });
        match result {
            Ok(code) => ExitCode::from(code),
            Err(error) => refuse(error.exit(), &error, error.hint()).into(),
        }
    }

    /// Which bundle, and what to call the container. A single word is a bundle where it can be nothing else or where it
    /// names a folder that is one.
    fn target(&self) -> Result<(PathBuf, String), StartError> {
        let is_bundle =
            |word: &Path| word.as_os_str().as_encoded_bytes().contains(&b'/') || word.join(CONFIG).is_file();
        let here = || PathBuf::from(".");
        let (bundle, id) = match (&self.bundle, &*self.words) {
            (Some(bundle), []) => (bundle.clone(), None),
            (Some(_), [_, word, ..]) | (None, [_, _, word, ..]) => {
                return Err(ArgvError::ExtraArgument { command: "run", argument: word.display().to_string() }.into());
            }
            (Some(bundle), [id]) | (None, [bundle, id]) => (bundle.clone(), Some(id)),
            (None, [bundle]) if is_bundle(bundle) => (bundle.clone(), None),
            (None, [id]) => (here(), Some(id)),
            (None, []) => (here(), None),
        };
        let id = match id {
            Some(id) => argv::container_id(id.as_os_str())?,
            None => format!("batten-{}", std::process::id()),
        };
        Ok((bundle, id))
    }

    /// The rest is the shim's: the runtime takes this process over.
    fn external(&self, bundle: &Path, id: &str, policy: &Policy) -> Result<u8, StartError> {
        let runtime = if self.runtime.contains('/') {
            RealRuntime::at(&std::path::absolute(&self.runtime).unwrap_or_else(|_| PathBuf::from(&self.runtime)))?
        } else {
            RealRuntime::named(&self.runtime)?
        };
        let line = self.line(bundle, id);
        let invocation = Invocation::parse(&line, runtime.dialect)?;
        let config = ShimConfig::load()?;
        let never: Infallible = shim::start(&config, &runtime, invocation, |invocation, entry| {
            if let Command::Launch(launch) = &mut invocation.command {
                let mut host = Host::detect().looking();
                if policy.asks_to_log_denials() {
                    host.filter_log = FilterLog::of(&runtime, &config, &host.memo);
                }
                let judged = shim::judge_launch(launch, policy, &host, entry)?;
                self.tell(&judged);
            }
            Ok(())
        })?;
        match never {}
    }

    fn line(&self, bundle: &Path, id: &str) -> Vec<OsString> {
        let option = |name: &str, value: &Path| {
            let mut word = OsString::from(name);
            word.push(value);
            word
        };
        let mut line: Vec<OsString> = self.root.root.iter().map(|root| option("--root=", root)).collect();
        line.push("run".into());
        line.push(option("--bundle=", bundle));
        line.extend(self.pid_file.iter().map(|file| option("--pid-file=", file)));
        line.extend(self.console_socket.iter().map(|socket| option("--console-socket=", socket)));
        line.extend(self.detach.then(|| "--detach".into()));
        line.push(id.into());
        line
    }

    fn embedded(&self, bundle: &Path, id: &str, policy: &Policy) -> Result<u8, StartError> {
        let config = ShimConfig::load()?;
        let mut entry = Entry::new(&config.log, "run", id);
        entry.text("runtime", "embedded");
        let judged = logged(&config, entry, |entry| {
            let host = Host { filter_log: FilterLog::Taken, ..Host::detect().looking() };
            judge_file(TrustedFile::in_bundle(bundle)?, policy, &host, entry)
        })?;
        self.tell(&judged);
        let runtime = Embedded::new(self.root.path());
        if self.detach { self.leave(&runtime, bundle, id, &judged) } else { self.stay(&runtime, bundle, id, &judged) }
    }

    fn leave(&self, runtime: &Embedded, bundle: &Path, id: &str, judged: &JudgedFile) -> Result<u8, StartError> {
        if self.console_socket.is_none() && wants_terminal(&judged.outcome.text) {
            return Err(EmbeddedError::NobodyAtTerminal.into());
        }
        let launch = Launch { pid_file: self.pid_file.as_deref(), console_socket: self.console_socket.as_deref() };
        let mut container = runtime.create(id, &judged.outcome.text, bundle, &launch)?;
        if let Err(error) = container.start() {
            let _ = container.delete(true);
            return Err(error.into());
        }
        Ok(0)
    }

    fn stay(&self, runtime: &Embedded, bundle: &Path, id: &str, judged: &JudgedFile) -> Result<u8, StartError> {
        let wait = |errno: nix::errno::Errno| EmbeddedError::Wait(errno.into());
        let signals = Remembered::install().map_err(wait)?;
        let own_terminal = self.console_socket.is_none() && wants_terminal(&judged.outcome.text);
        let socket = own_terminal.then(ConsoleSocket::listen).transpose().map_err(EmbeddedError::Terminal)?;
        let console_socket = socket.as_ref().map(ConsoleSocket::path).or_else(|| self.console_socket.clone());
        let launch = Launch { pid_file: self.pid_file.as_deref(), console_socket: console_socket.as_deref() };
        let container = runtime.create(id, &judged.outcome.text, bundle, &launch)?;
        Ok(container.attend(signals, socket)?)
    }

    /// What was changed, for the person who sees the container's output next.
    fn tell(&self, judged: &JudgedFile) {
        let fixed = judged.outcome.findings.iter().filter(|finding| finding.disposition == Disposition::Fixed);
        for finding in fixed.filter(|_| !self.quiet) {
            eprintln!("batten: fixed: {} [{}]", escape(&finding.message), finding.rule);
        }
    }
}

fn wants_terminal(judged: &str) -> bool {
    let document = Document::parse(judged).ok();
    let terminal = document.as_ref().and_then(|document| document.at(&Pointer::new("/process/terminal")));
    terminal.and_then(Value::as_bool).unwrap_or(false)
}
