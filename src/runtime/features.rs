//! What the runtime behind can do, as far as a judgement depends on it.
//!
//! Whether it takes `SECCOMP_FILTER_FLAG_LOG`: crun 1.8.1 does and has no `features`; runc 1.1.5 refuses every container
//! whose filter has flags. Those that take some list them (runtime-spec `features-linux.md`, `seccomp.supportedFlags`).

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::argv::Dialect;
use super::config::ShimConfig;
use super::find::{MARK, RealRuntime};
use crate::host::{FilterLog, Host};
use crate::memo::{Memo, Question, SOURCES};
use crate::policy::Policy;
use crate::seccomp::LOG_FLAG;
use crate::spec::{Document, Pointer, Value};

impl Host {
    /// The machine batten runs on, with what `policy` asks of the runtime that the shim's settings lead to.
    pub fn detect_for(policy: &Policy) -> Self {
        let mut host = Self::detect();
        if policy.asks_to_log_denials() {
            host.filter_log = FilterLog::of_machine(&host.memo);
        }
        host
    }
}

impl FilterLog {
    /// Asks `runtime`, unless the settings say. Its answer is kept in `memo` until another file stands at its place.
    pub fn of(runtime: &RealRuntime, config: &ShimConfig, memo: &Memo) -> Self {
        match config.seccomp_log_flag {
            Some(true) => return Self::Taken,
            Some(false) => {
                return Self::NotTaken("seccomp-log-flag is false in the settings of batten-runtime".to_owned());
            }
            None if runtime.dialect == Dialect::Crun => return Self::Taken,
            None => {}
        }
        let Ok(file) = std::fs::metadata(&runtime.path) else { return Self::Unknown };
        let seen =
            (file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec());
        let question = format!("{SOURCES} {LOG_FLAG} {} {seen:?}", runtime.path.display());
        let answer =
            memo.answer(Question { asked: &question, of: "" }, || Ok::<_, std::convert::Infallible>(ask(runtime)));
        match answer {
            Ok(why) if why.is_empty() => Self::Taken,
            Ok(why) => Self::NotTaken(why),
            Err(never) => match never {},
        }
    }

    /// As [`FilterLog::of`] for the runtime that the machine's settings lead to: what a dry run can know.
    pub fn of_machine(memo: &Memo) -> Self {
        let Ok(config) = ShimConfig::load() else { return Self::Unknown };
        match (RealRuntime::find(&config), config.seccomp_log_flag) {
            (Ok(runtime), _) => Self::of(&runtime, &config, memo),
            (Err(_), Some(true)) => Self::Taken,
            (Err(_), _) => Self::Unknown,
        }
    }
}

/// Nothing where the runtime takes the flag, else why it does not.
fn ask(runtime: &RealRuntime) -> String {
    let name = runtime.path.display();
    let mut command = Command::new(&runtime.path);
    command.arg("features").env(MARK, std::process::id().to_string());
    match command.stdin(Stdio::null()).stderr(Stdio::null()).output() {
        Ok(output) if output.status.success() => match takes_log_flag(output.stdout) {
            Some(true) => String::new(),
            Some(false) => format!("{name} does not take it"),
            None => format!("{name} is too old to know it"),
        },
        Ok(_) => format!("{name} has no command `features`"),
        Err(error) => format!("{name} cannot be asked: {error}"),
    }
}

/// Whether the flag is among `seccomp.supportedFlags`; none where the runtime says nothing of flags.
fn takes_log_flag(features: Vec<u8>) -> Option<bool> {
    let document = Document::parse(features).ok()?;
    let flags = document.at(&Pointer::new("/linux/seccomp/supportedFlags"))?;
    Some(flags.items().filter_map(Value::as_str).any(|flag| flag == LOG_FLAG))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    fn runtime(folder: &std::path::Path, features: &str) -> RealRuntime {
        let (text, path) = (folder.join("text"), folder.join("runc"));
        let script = format!("#!/bin/sh\necho asked >> {}/asked\n{features}\n", folder.display());
        std::fs::write(&text, script).unwrap();
        // By another process: a child that some other test forks while the program is open for writing would keep it busy.
        assert!(Command::new("install").arg("-m755").args([&text, &path]).status().unwrap().success());
        RealRuntime { path, dialect: Dialect::Runc }
    }

    #[test]
    fn a_runtime_is_asked_once_and_believed() {
        let says = |flags: &str| format!("echo '{{\"linux\":{{\"seccomp\":{{{flags}}}}}}}'");
        for (features, taken) in [
            (says(r#""supportedFlags":["SECCOMP_FILTER_FLAG_TSYNC","SECCOMP_FILTER_FLAG_LOG"]"#), true),
            (says(r#""knownFlags":["SECCOMP_FILTER_FLAG_LOG"],"supportedFlags":[]"#), false),
            (says(r#""enabled":true"#), false),
            ("exit 1".to_owned(), false),
            ("echo nonsense".to_owned(), false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (runtime, memo) = (runtime(folder.path(), &features), Memo::in_folder(folder.path().join("memo")));
            for _ in 0..2 {
                let answer = FilterLog::of(&runtime, &ShimConfig::default(), &memo);
                assert_eq!(answer == FilterLog::Taken, taken, "{features}: {answer:?}");
            }
            assert_eq!(std::fs::read_to_string(folder.path().join("asked")).unwrap().lines().count(), 1);
        }
    }

    #[test]
    fn the_settings_count_for_more_than_the_runtime() {
        let runtime = RealRuntime { path: "/nonexistent".into(), dialect: Dialect::Runc };
        let of = |setting| {
            let config = ShimConfig { seccomp_log_flag: setting, ..ShimConfig::default() };
            FilterLog::of(&runtime, &config, &Memo::default())
        };
        assert_eq!(of(Some(true)), FilterLog::Taken);
        assert!(matches!(of(Some(false)), FilterLog::NotTaken(_)));
        assert_eq!(of(None), FilterLog::Unknown);
        let crun = RealRuntime { dialect: Dialect::Crun, ..runtime };
        assert_eq!(FilterLog::of(&crun, &ShimConfig::default(), &Memo::default()), FilterLog::Taken);
    }
}
