//! The members that the runtime-spec (1.3.0) knows, and their types: what two runtimes must read the same way.
//!
//! Go's decoder, which runc uses, takes `Process` for `process` and merges both; C-based runtimes take it for an unknown
//! member. A value of the wrong type is an error to Go and an absent member to YAJL. Both are ways to show one
//! document to the judge and another to the runtime, so both are refused. Free maps (annotations, sysctl) are
//! case-sensitive everywhere and are left alone; so are members that no version of the specification names.

use super::document::{Document, Kind, Value};
use super::error::{ReadError, Refusal};

/// What the members of a known object must be.
#[derive(Debug)]
pub enum Shape {
    /// Nothing that a Linux runtime reads.
    Any,
    /// `true` or `false`.
    Bool,
    /// A string.
    String,
    /// An integer between the two bounds, both included.
    Integer(i64, u64),
    /// Items of one shape.
    Array(&'static Shape),
    /// A free map: any key, one shape of value.
    Map(&'static Shape),
    /// An object with these members, each by its shape.
    Object(Members),
}

/// The names and shapes of an object's known members.
pub type Members = &'static [(&'static str, Shape)];

const U16: Shape = Shape::Integer(0, 0xffff);
const U32: Shape = Shape::Integer(0, 0xffff_ffff);
const U64: Shape = Shape::Integer(0, u64::MAX);
const I32: Shape = Shape::Integer(-0x8000_0000, 0x7fff_ffff);
const I64: Shape = Shape::Integer(i64::MIN, 0x7fff_ffff_ffff_ffff);
const STRINGS: Shape = Shape::Array(&Shape::String);
const STRING_MAP: Shape = Shape::Map(&Shape::String);

/// config.json.
pub(crate) static SPEC: Shape = Shape::Object(&[
    ("ociVersion", Shape::String),
    ("process", PROCESS),
    ("root", Shape::Object(&[("path", Shape::String), ("readonly", Shape::Bool)])),
    ("hostname", Shape::String),
    ("domainname", Shape::String),
    ("mounts", Shape::Array(&MOUNT)),
    ("hooks", HOOKS),
    ("annotations", STRING_MAP),
    ("linux", LINUX),
    ("solaris", Shape::Any),
    ("windows", Shape::Any),
    ("vm", Shape::Any),
    ("zos", Shape::Any),
    ("freebsd", Shape::Any),
]);

/// The process file of an exec.
pub(crate) static PROCESS_FILE: Shape = PROCESS;

const PROCESS: Shape = Shape::Object(&[
    ("terminal", Shape::Bool),
    ("consoleSize", Shape::Object(&[("height", U64), ("width", U64)])),
    ("user", USER),
    ("args", STRINGS),
    ("commandLine", Shape::String),
    ("env", STRINGS),
    ("cwd", Shape::String),
    ("capabilities", CAPABILITIES),
    ("rlimits", Shape::Array(&Shape::Object(&[("type", Shape::String), ("hard", U64), ("soft", U64)]))),
    ("noNewPrivileges", Shape::Bool),
    ("apparmorProfile", Shape::String),
    ("oomScoreAdj", I64),
    ("scheduler", SCHEDULER),
    ("selinuxLabel", Shape::String),
    ("ioPriority", Shape::Object(&[("class", Shape::String), ("priority", I32)])),
    ("execCPUAffinity", Shape::Object(&[("initial", Shape::String), ("final", Shape::String)])),
]);

const USER: Shape = Shape::Object(&[
    ("uid", U32),
    ("gid", U32),
    ("umask", U32),
    ("additionalGids", Shape::Array(&U32)),
    ("username", Shape::String),
]);

const CAPABILITIES: Shape = Shape::Object(&[
    ("bounding", STRINGS),
    ("effective", STRINGS),
    ("inheritable", STRINGS),
    ("permitted", STRINGS),
    ("ambient", STRINGS),
]);

const SCHEDULER: Shape = Shape::Object(&[
    ("policy", Shape::String),
    ("nice", I32),
    ("priority", I32),
    ("flags", STRINGS),
    ("runtime", U64),
    ("deadline", U64),
    ("period", U64),
]);

const ID_MAPPINGS: Shape = Shape::Array(&Shape::Object(&[("containerID", U32), ("hostID", U32), ("size", U32)]));

const MOUNT: Shape = Shape::Object(&[
    ("destination", Shape::String),
    ("type", Shape::String),
    ("source", Shape::String),
    ("options", STRINGS),
    ("uidMappings", ID_MAPPINGS),
    ("gidMappings", ID_MAPPINGS),
]);

const HOOK_LIST: Shape =
    Shape::Array(&Shape::Object(&[("path", Shape::String), ("args", STRINGS), ("env", STRINGS), ("timeout", I64)]));

const HOOKS: Shape = Shape::Object(&[
    ("prestart", HOOK_LIST),
    ("createRuntime", HOOK_LIST),
    ("createContainer", HOOK_LIST),
    ("startContainer", HOOK_LIST),
    ("poststart", HOOK_LIST),
    ("poststop", HOOK_LIST),
]);

const LINUX: Shape = Shape::Object(&[
    ("uidMappings", ID_MAPPINGS),
    ("gidMappings", ID_MAPPINGS),
    ("sysctl", STRING_MAP),
    ("resources", RESOURCES),
    ("cgroupsPath", Shape::String),
    ("namespaces", Shape::Array(&Shape::Object(&[("type", Shape::String), ("path", Shape::String)]))),
    ("devices", Shape::Array(&DEVICE)),
    ("netDevices", Shape::Map(&Shape::Object(&[("name", Shape::String)]))),
    ("seccomp", SECCOMP),
    ("rootfsPropagation", Shape::String),
    ("maskedPaths", STRINGS),
    ("readonlyPaths", STRINGS),
    ("mountLabel", Shape::String),
    ("intelRdt", INTEL_RDT),
    ("memoryPolicy", Shape::Object(&[("mode", Shape::String), ("nodes", Shape::String), ("flags", STRINGS)])),
    ("personality", Shape::Object(&[("domain", Shape::String), ("flags", STRINGS)])),
    ("timeOffsets", Shape::Map(&Shape::Object(&[("secs", I64), ("nanosecs", U32)]))),
]);

const DEVICE: Shape = Shape::Object(&[
    ("path", Shape::String),
    ("type", Shape::String),
    ("major", I64),
    ("minor", I64),
    ("fileMode", U32),
    ("uid", U32),
    ("gid", U32),
]);

const INTEL_RDT: Shape = Shape::Object(&[
    ("closID", Shape::String),
    ("schemata", STRINGS),
    ("l3CacheSchema", Shape::String),
    ("memBwSchema", Shape::String),
    ("enableMonitoring", Shape::Bool),
    ("enableCMT", Shape::Bool),
    ("enableMBM", Shape::Bool),
]);

const SECCOMP: Shape = Shape::Object(&[
    ("defaultAction", Shape::String),
    ("defaultErrnoRet", U32),
    ("architectures", STRINGS),
    ("flags", STRINGS),
    ("listenerPath", Shape::String),
    ("listenerMetadata", Shape::String),
    ("syscalls", Shape::Array(&SYSCALL)),
]);

const SYSCALL: Shape = Shape::Object(&[
    ("names", STRINGS),
    ("action", Shape::String),
    ("errnoRet", U32),
    ("args", Shape::Array(&Shape::Object(&[("index", U32), ("value", U64), ("valueTwo", U64), ("op", Shape::String)]))),
]);

const RESOURCES: Shape = Shape::Object(&[
    (
        "devices",
        Shape::Array(&Shape::Object(&[
            ("allow", Shape::Bool),
            ("type", Shape::String),
            ("major", I64),
            ("minor", I64),
            ("access", Shape::String),
        ])),
    ),
    ("memory", MEMORY),
    ("cpu", CPU),
    ("pids", Shape::Object(&[("limit", I64)])),
    ("blockIO", BLOCK_IO),
    ("hugepageLimits", Shape::Array(&Shape::Object(&[("pageSize", Shape::String), ("limit", U64)]))),
    ("network", NETWORK),
    ("rdma", Shape::Map(&Shape::Object(&[("hcaHandles", U32), ("hcaObjects", U32)]))),
    ("unified", STRING_MAP),
]);

const MEMORY: Shape = Shape::Object(&[
    ("limit", I64),
    ("reservation", I64),
    ("swap", I64),
    ("kernel", I64),
    ("kernelTCP", I64),
    ("swappiness", U64),
    ("disableOOMKiller", Shape::Bool),
    ("useHierarchy", Shape::Bool),
    ("checkBeforeUpdate", Shape::Bool),
]);

const CPU: Shape = Shape::Object(&[
    ("shares", U64),
    ("quota", I64),
    ("burst", U64),
    ("period", U64),
    ("realtimeRuntime", I64),
    ("realtimePeriod", U64),
    ("cpus", Shape::String),
    ("mems", Shape::String),
    ("idle", I64),
]);

const NETWORK: Shape = Shape::Object(&[
    ("classID", U32),
    ("priorities", Shape::Array(&Shape::Object(&[("name", Shape::String), ("priority", U32)]))),
]);

const THROTTLE: Shape = Shape::Array(&Shape::Object(&[("major", I64), ("minor", I64), ("rate", U64)]));

const BLOCK_IO: Shape = Shape::Object(&[
    ("weight", U16),
    ("leafWeight", U16),
    (
        "weightDevice",
        Shape::Array(&Shape::Object(&[("major", I64), ("minor", I64), ("weight", U16), ("leafWeight", U16)])),
    ),
    ("throttleReadBpsDevice", THROTTLE),
    ("throttleWriteBpsDevice", THROTTLE),
    ("throttleReadIOPSDevice", THROTTLE),
    ("throttleWriteIOPSDevice", THROTTLE),
]);

impl Shape {
    pub(super) fn check_document(&self, document: &Document) -> Result<(), ReadError> {
        let root = document.root();
        if root.is_null() {
            return Err(refuse(root, self.mismatch(root)));
        }
        self.check(root)
    }

    /// Refuses keys that only fold to a known one, and known members of the wrong type. `null` is every runtime's word
    /// for an absent member, at the top as well.
    ///
    /// # Errors
    /// [`ReadError`] at the first such key or member.
    pub fn check(&self, value: Value<'_>) -> Result<(), ReadError> {
        match self {
            Self::Any => Ok(()),
            _ if value.is_null() => Ok(()),
            Self::Object(members) if value.kind() == Kind::Object => check_members(members, value),
            Self::Map(shape) if value.kind() == Kind::Object => value.children().try_for_each(|v| shape.check(v)),
            Self::Array(Self::String) if value.holds_only_strings() => Ok(()),
            Self::Array(shape) if value.kind() == Kind::Array => value.children().try_for_each(|v| shape.check(v)),
            Self::String if value.kind() == Kind::String => Ok(()),
            Self::Bool if value.kind() == Kind::Bool => Ok(()),
            Self::Integer(least, most) if fits(value, *least, *most) => Ok(()),
            _ => Err(refuse(value, self.mismatch(value))),
        }
    }

    fn mismatch(&self, value: Value<'_>) -> Refusal {
        let expected = match self {
            Self::Any => "a value",
            Self::Bool => "a boolean",
            Self::String => "a string",
            Self::Array(_) => "an array",
            Self::Map(_) | Self::Object(_) => "an object",
            Self::Integer(0, most) if *most == 0xffff_ffff => "an integer from 0 to 4294967295",
            Self::Integer(0, _) => "an integer of at least 0",
            Self::Integer(..) => "an integer",
        };
        let found = match value.kind() {
            Kind::Number | Kind::Bool => value.raw().to_owned(),
            kind => kind.with_article().to_owned(),
        };
        Refusal::WrongType { expected, found }
    }
}

/// Engines write the members in the order of the specification, so each key is first looked for behind the one before it.
fn check_members(members: Members, object: Value<'_>) -> Result<(), ReadError> {
    let mut next = 0;
    object.children().try_for_each(|child| {
        let is_key = |(name, _): &(&str, Shape)| child.key_is(name);
        let ahead = members[next..].iter().position(is_key).map(|position| next + position);
        if let Some(position) = ahead.or_else(|| members[..next].iter().position(is_key)) {
            next = position + 1;
            return members[position].1.check(child);
        }
        let key = child.key().unwrap_or_default();
        match members.iter().find(|(name, _)| folds_to(&key, name)) {
            Some((known, _)) => {
                let refusal = Refusal::FoldedKey { key: key.into_owned(), known };
                Err(ReadError::new(refusal, child.key_place(), child.pointer()))
            }
            None => Ok(()),
        }
    })
}

fn refuse(value: Value<'_>, refusal: Refusal) -> ReadError {
    ReadError::new(refusal, value.place(), value.pointer())
}

fn fits(value: Value<'_>, least: i64, most: u64) -> bool {
    match value.as_u64() {
        Some(number) => number <= most,
        // `-0` has no unsigned reading to Go's decoder.
        None => least < 0 && value.as_i64().is_some_and(|number| number >= least),
    }
}

/// Whether Go's encoding/json takes `key` for `name` (its `foldName`, by Unicode simple folding). Names of the
/// specification are ASCII; besides their own two cases, only U+017F folds to `s` and U+212A to `k`.
fn folds_to(key: &str, name: &str) -> bool {
    let mut folded = key.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    name.chars().all(|c| folded.next() == Some(c.to_ascii_lowercase())) && folded.next().is_none()
}
