//! The stages that come when the runtime has read config.json: they refuse, and put the file right for the next start.

use std::path::{Path, PathBuf};

use super::{StateHook, standard_input};
use crate::doors::start::{JudgedFile, StartError, judge_file};
use crate::doors::{Exit, refuse};
use crate::runtime::decision::Entry;
use crate::spec::{Document, Durability, Pointer, TrustedFile, Value, quote};

/// What a state (runtime-spec `runtime.md`, State) says of the container.
pub(super) struct State {
    pub(super) id: String,
    pub(super) bundle: PathBuf,
    /// The container's first process, as the runtime sees it; none where the state does not say.
    pub(super) pid: Option<i32>,
    /// Whether the container's program runs; runc calls poststart hooks before.
    pub(super) is_running: bool,
}

impl State {
    /// Says in the log of decisions whose number the container's first process has: `batten denials` finds the container by it
    /// when the process is gone.
    pub(super) fn log_pid(&self, entry: &mut Entry<'_>) {
        if let Some(pid) = self.pid {
            entry.text("pid", &pid.to_string());
        }
    }

    /// The same as a runtime writes it, of a container that runs.
    pub(super) fn to_json(&self) -> String {
        let mut json = String::from("{\"ociVersion\":\"1.0.2\",\"status\":\"running\",\"id\":");
        quote(&self.id, &mut json);
        json.push_str(",\"bundle\":");
        quote(&self.bundle.to_string_lossy(), &mut json);
        let pid = self.pid.map_or_else(|| "null".to_owned(), |pid| pid.to_string());
        json.push_str(",\"pid\":");
        json.push_str(&pid);
        json.push('}');
        json
    }
}

pub(super) fn run(hook: &StateHook, name: &str) -> Exit {
    let judged = read_state().and_then(|state| {
        hook.source.decide(name, &state.id, |policy, host, entry| {
            state.log_pid(entry);
            let judged = judge_file(TrustedFile::in_bundle(&state.bundle)?, policy, host, entry)?;
            if judged.outcome.changed { Err(correct(hook, &judged)) } else { Ok(()) }
        })
    });
    match judged {
        Ok(()) => Exit::Clean,
        Err(error) => {
            let exit = refuse(error.exit(), &error, error.hint());
            if hook.audit { Exit::Clean } else { exit }
        }
    }
}

/// The runtime has read the file as it was, so this start is refused whatever is written now.
fn correct(hook: &StateHook, judged: &JudgedFile) -> StartError {
    let path = judged.file.path().to_owned();
    let fixed = judged.outcome.findings.iter().filter(|finding| !finding.edits.is_empty());
    let reasons = fixed.map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
    if hook.no_write || hook.audit {
        return StartError::OutOfPolicy { path, reasons };
    }
    match judged.file.replace(judged.outcome.text.as_bytes(), Durability::Process) {
        Ok(()) => StartError::Corrected { path, reasons },
        Err(error) => error.into(),
    }
}

pub(super) fn read_state() -> Result<State, StartError> {
    let read = |error| StartError::Read { path: "the state on standard input".into(), error };
    let state = Document::parse(standard_input()?).map_err(read)?;
    let text = |pointer| state.at(&Pointer::new(pointer)).and_then(Value::as_str);
    let bundle = text("/bundle").filter(|bundle| Path::new(&**bundle).is_absolute());
    let bundle = bundle.ok_or(StartError::NoBundle)?;
    let pid = state.at(&Pointer::new("/pid")).and_then(Value::as_u64);
    let is_running = text("/status").is_none_or(|status| status != "created");
    let pid = pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
    Ok(State { id: text("/id").unwrap_or_default().into_owned(), bundle: PathBuf::from(&*bundle), pid, is_running })
}
