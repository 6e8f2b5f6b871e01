//! The shim's log of decisions, read again ([`crate::runtime::decision`] writes it).

use serde_json::Value;

use super::event::Fate;
use super::moment::Moment;
use crate::settings::Subject;

/// The program that decisions are logged by.
pub(super) const IDENTIFIER: &str = "batten-runtime";

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Option<Moment>,
    /// `create`, `run`, `restore`, `exec`, or a hook's stage.
    pub command: String,
    /// The container.
    pub id: String,
    /// Its first process, where a hook was told.
    pub pid: Option<i32>,
    /// Its config.json.
    pub bundle: Option<String>,
    /// Which container it is to the policy.
    pub subject: Subject,
    /// What was refused or changed.
    pub matters: Vec<Matter>,
}

/// One thing that kept a container from starting, or that was changed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// The rule; none where the container could not be judged.
    pub rule: Option<String>,
    /// What it was.
    pub message: String,
    /// What became of it.
    pub fate: Fate,
    /// The policy's line.
    pub policy: Option<String>,
}

impl Decision {
    /// Reads a line; none for another one.
    pub fn parse(line: &[u8]) -> Option<Self> {
        Self::of(&serde_json::from_slice(line).ok()?)
    }

    /// Reads a line's JSON; none for another object.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let (time, command) = (text("time")?, text("command")?);
        let mut matters: Vec<Matter> = value["findings"].as_array().into_iter().flatten().filter_map(matter).collect();
        if value["verdict"] == "refused" {
            let message = text("error").unwrap_or_else(|| "it could not be judged".to_owned());
            matters.push(Matter { rule: None, message, fate: Fate::Refused, policy: None });
        }
        Some(Self {
            at: Moment::from_rfc3339(&time),
            command,
            id: text("id").unwrap_or_default(),
            pid: text("pid").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0),
            bundle: text("bundle"),
            subject: subject(&value["subject"]),
            matters,
        })
    }
}

fn matter(finding: &Value) -> Option<Matter> {
    let text = |key: &str| finding[key].as_str().map(str::to_owned);
    let fate = match finding["disposition"].as_str()? {
        "fixed" => Fate::Fixed,
        "denied" => Fate::Refused,
        _ => return None,
    };
    Some(Matter { rule: text("rule"), message: text("message")?, fate, policy: text("policy") })
}

fn subject(value: &Value) -> Subject {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let annotations = value["annotations"].as_object().into_iter().flatten();
    Subject {
        namespace: text("namespace"),
        pod: text("pod"),
        container: text("container"),
        image: text("image"),
        is_sandbox: false,
        annotations: annotations.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
    }
}
