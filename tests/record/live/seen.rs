//! What a recording or strace saw, as far as tests compare it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::lab::{Lab, batten, runtime_command, unique_id};

/// A recording, as `--save` writes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// How often, by interface and name.
    pub(super) calls: BTreeMap<(String, String), u64>,
    pub(super) capabilities: Option<BTreeSet<String>>,
}

impl Seen {
    pub(super) fn read(lab: &Lab, file: &str) -> Self {
        let text: Value = serde_json::from_str(&lab.read(file)).unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let calls = text["calls"].as_array().unwrap().iter();
        let calls = calls.map(|call| ((word(&call["arch"]), word(&call["name"])), call["count"].as_u64().unwrap()));
        let capabilities = text.get("capabilities").and_then(Value::as_array);
        Self { calls: calls.collect(), capabilities: capabilities.map(|all| all.iter().map(word).collect()) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.calls.keys().any(|(_, known)| known == name)
    }

    pub(super) fn without(&self, names: &[&str]) -> Self {
        let mut calls = self.calls.clone();
        calls.retain(|(_, name), _| !names.contains(&&**name));
        Self { calls, capabilities: self.capabilities.clone() }
    }

    /// How often each call was made, but for those that depend on when a child ends.
    pub(super) fn counts(&self) -> BTreeMap<(String, String), u64> {
        let steady = self.calls.iter().filter(|((_, name), _)| name != "rt_sigreturn" && name != "wait4");
        steady.map(|(call, count)| (call.clone(), *count)).collect()
    }

    pub(super) fn names(&self) -> BTreeSet<(String, String)> {
        self.calls.keys().cloned().collect()
    }
}

/// What strace sees of the container from its program's first instruction on.
pub(super) fn straced(lab: &Lab, runtime: &str) -> Seen {
    let id = unique_id();
    let runtime = |words: &[&str]| {
        let mut command = runtime_command(runtime);
        command.arg("--root").arg(lab.path("state")).args(words);
        command
    };
    let (pid_file, bundle) = (lab.text("reference.pid"), lab.text("."));
    // The same kinds of files as the container gets below batten here: programs ask what they write to.
    let mut create = runtime(&["create", "-b", &bundle, "--pid-file", &pid_file, &id]);
    let mut create = create.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(create.wait().unwrap().success());
    let pid = lab.read("reference.pid");
    let mut strace = Command::new("strace")
        .args(["-f", "-n", "-o", &lab.text("reference"), "-p", pid.trim()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // That a process has a tracer does not yet mean that the tracer is told of its calls.
    let mut attached = String::new();
    let mut said = BufReader::new(strace.stderr.take().unwrap());
    said.read_line(&mut attached).unwrap();
    assert!(attached.contains(" attached"), "{attached}");
    assert!(runtime(&["start", &id]).status().unwrap().success());
    said.read_to_string(&mut attached).unwrap();
    strace.wait().unwrap();
    assert!(runtime(&["delete", "--force", &id]).status().unwrap().success());
    let text = lab.read("reference");
    let started = text.find("execve(").unwrap();
    let returned = if text[started..].lines().next().unwrap().contains("<unfinished") {
        started + text[started..].find("execve resumed").unwrap()
    } else {
        started
    };
    let program = &text[returned..][text[returned..].find('\n').unwrap() + 1..];
    fs::write(lab.path("reference"), program).unwrap();
    let saved = lab.text("reference.json");
    let read = batten(&["record", "strace", &lab.text("reference"), "--save", &saved]);
    assert_eq!(read.code, 0, "{}", read.stderr);
    Seen::read(lab, "reference.json")
}
