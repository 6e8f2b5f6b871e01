//! Entries of the journal, as `journalctl --output=json` and `--output=export` print them.

use serde_json::Value;

use super::decision::{self, Decision};
use super::heard::Heard;
use super::moment::Moment;
use super::record;

/// What counts of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    transport: String,
    message: String,
    identifier: String,
    uid: String,
    serial: Option<u64>,
    at: Option<Moment>,
    source_at: Option<Moment>,
}

impl Entry {
    /// Reads an entry's JSON; none for another object.
    pub(super) fn of_json(value: &Value) -> Option<Self> {
        let mut entry = Self::default();
        let object = value.as_object()?;
        if !object.contains_key("MESSAGE") && !object.contains_key("__CURSOR") {
            return None;
        }
        for (key, value) in object {
            if let Some(text) = text(value) {
                entry.set(key, &text);
            }
        }
        Some(entry)
    }

    /// Takes a field. Those with an underscore in front are journald's own, and nobody else can set them.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        match key {
            "_TRANSPORT" => value.clone_into(&mut self.transport),
            "MESSAGE" => value.clone_into(&mut self.message),
            "SYSLOG_IDENTIFIER" => value.clone_into(&mut self.identifier),
            "_UID" => value.clone_into(&mut self.uid),
            "_AUDIT_ID" => self.serial = value.parse().ok(),
            "__REALTIME_TIMESTAMP" => self.at = Moment::from_micros(value),
            "_SOURCE_REALTIME_TIMESTAMP" => self.source_at = Moment::from_micros(value),
            _ => {}
        }
    }

    /// What it says.
    pub(super) fn heard(&self) -> Heard {
        let at = self.source_at.or(self.at);
        match self.transport.as_str() {
            "kernel" | "audit" => record::trusted(&self.message, at, self.serial),
            // journald's own: `Missed 36 kernel messages`.
            "driver" => missed(&self.message).map_or(Heard::Nothing, Heard::Lost),
            _ if self.uid == "0" && self.identifier == decision::IDENTIFIER => {
                Decision::parse(self.message.as_bytes()).map_or(Heard::Nothing, Heard::decision)
            }
            _ => Heard::Nothing,
        }
    }
}

/// A field's text; what is no UTF-8 comes as a list of bytes.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(bytes) => {
            let bytes: Option<Vec<u8>> = bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            Some(String::from_utf8_lossy(&bytes?).into_owned())
        }
        _ => None,
    }
}

fn missed(message: &str) -> Option<u64> {
    message.strip_prefix("Missed ")?.strip_suffix(" kernel messages")?.parse().ok()
}
