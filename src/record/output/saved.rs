//! Recordings as files, to be merged with later ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::capability::{CapSet, Capability};
use crate::record::recording::{Call, First, Recording, RecordingError, Seen, Values};
use crate::seccomp::{Arch, Syscall};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "batten-recording")]
    version: u32,
    arch: String,
    runs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unseen: Vec<String>,
    calls: Vec<CallEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<UnknownEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CallEntry {
    name: String,
    arch: String,
    count: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    not_permitted: u64,
    #[serde(default)]
    not_implemented: u64,
    seen_in: u32,
    first_run: u32,
    first: FirstEntry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<ValuesEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstEntry {
    source: String,
    line: u64,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ValuesEntry {
    /// Each value and the first run that it was seen in.
    Few(Vec<(u32, u32)>),
    Any(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnknownEntry {
    arch: String,
    number: u32,
    count: u64,
}

/// The recording as JSON.
///
/// # Panics
/// Never: every key is a string.
pub fn save(recording: &Recording) -> String {
    let calls = recording.calls.iter().map(|(call, seen)| CallEntry {
        name: call.syscall.name().to_owned(),
        arch: call.arch.name().to_owned(),
        count: seen.count,
        failed: seen.failed,
        not_permitted: seen.not_permitted,
        not_implemented: seen.not_implemented,
        seen_in: seen.seen_in,
        first_run: seen.first_run,
        first: FirstEntry { source: seen.first.source.clone(), line: seen.first.line, text: seen.first.text.clone() },
        values: seen.values.as_ref().map(|values| match values {
            Values::Few(few) => ValuesEntry::Few(few.iter().map(|(value, run)| (*value, *run)).collect()),
            Values::Any(why) => ValuesEntry::Any(why.clone()),
        }),
    });
    let unknown = recording.unknown.iter().map(|((arch, number), count)| UnknownEntry {
        arch: arch.name().to_owned(),
        number: *number,
        count: *count,
    });
    let file = File {
        version: VERSION,
        arch: recording.arch.name().to_owned(),
        runs: recording.runs.clone(),
        capabilities: recording.capabilities.map(|set| set.iter().map(|cap| cap.name().to_owned()).collect()),
        unseen: recording.unseen.iter().map(|call| call.name().to_owned()).collect(),
        calls: calls.collect(),
        unknown: unknown.collect(),
    };
    serde_json::to_string_pretty(&file).map(|text| text + "\n").unwrap_or_default()
}

/// Reads what [`save`] wrote. `name` is for messages.
///
/// # Errors
/// [`RecordingError`] when it is none, or names what this batten does not know.
pub fn load(name: &str, text: &[u8]) -> Result<Recording, RecordingError> {
    let file: File =
        serde_json::from_slice(text).map_err(|source| RecordingError::Parse { name: name.to_owned(), source })?;
    let unknown = |what, value: &str| RecordingError::Unknown { name: name.to_owned(), what, value: value.to_owned() };
    if file.version != VERSION {
        return Err(unknown("format version", &file.version.to_string()));
    }
    let arch = |value: &str| Arch::from_name(value).ok_or_else(|| unknown("architecture", value));
    let mut recording = Recording::empty(arch(&file.arch)?);
    let runs = file.runs.len();
    recording.runs = file.runs;
    for call in &file.unseen {
        recording.unseen.insert(Syscall::from_name(call).ok_or_else(|| unknown("system call", call))?);
    }
    for entry in file.calls {
        let syscall = Syscall::from_name(&entry.name).ok_or_else(|| unknown("system call", &entry.name))?;
        if usize::try_from(entry.first_run).is_ok_and(|run| run >= runs) || entry.seen_in == 0 {
            return Err(RecordingError::Run { name: name.to_owned(), call: entry.name, run: entry.first_run, runs });
        }
        recording.calls.insert(Call { arch: arch(&entry.arch)?, syscall }, entry.into_seen());
    }
    for entry in file.unknown {
        recording.unknown.insert((arch(&entry.arch)?, entry.number), entry.count);
    }
    if let Some(names) = file.capabilities {
        let mut set = CapSet::EMPTY;
        for name in &names {
            set = set.union(CapSet::of(Capability::from_name(name).ok_or_else(|| unknown("capability", name))?));
        }
        recording.capabilities = Some(set);
    }
    Ok(recording)
}

impl CallEntry {
    fn into_seen(self) -> Seen {
        Seen {
            count: self.count,
            failed: self.failed,
            not_permitted: self.not_permitted,
            not_implemented: self.not_implemented,
            seen_in: self.seen_in,
            first_run: self.first_run,
            first: First { source: self.first.source, line: self.first.line, text: self.first.text },
            values: self.values.map(|values| match values {
                ValuesEntry::Few(few) => Values::Few(few.into_iter().collect::<BTreeMap<_, _>>()),
                ValuesEntry::Any(why) => Values::Any(why),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::strace::{Options, Reader};

    #[test]
    fn a_recording_comes_back_as_it_was_saved() {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments: true });
        reader.begin("trace");
        reader.feed(b"socket(AF_INET, SOCK_STREAM, 0) = 3\nioctl(0, NEWEST) = -1 EPERM (x)\nsyscall_0x9999(0) = 0\n");
        let mut recording = reader.finish().0;
        recording.capabilities = Some(CapSet::DOCKER);
        recording.unseen.extend(Syscall::from_name("write"));
        assert_eq!(load("saved", save(&recording).as_bytes()).unwrap(), recording);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_name() {
        for text in ["", "{}", "[]", "{\"batten-recording\":2,\"arch\":\"SCMP_ARCH_X86_64\",\"runs\":[],\"calls\":[]}"]
        {
            let error = load("saved.json", text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("saved.json"), "{error}");
        }
    }
}
