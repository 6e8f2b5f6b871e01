//! OCI's `linux.seccomp`, read and written.

use std::borrow::Cow;

use super::action::{Action, Op};
use super::arch::Arch;
use super::syscalls::Syscall;
use crate::spec::{Kind, Place, Pointer, ReadError, Value, quote};

/// With this flag a call that the filter fails leaves a record in the kernel's log (`seccomp(2)`).
pub const LOG_FLAG: &str = "SECCOMP_FILTER_FLAG_LOG";

/// One `linux.seccomp` object; order and grouping are the file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What happens to a call that no rule names.
    pub default_action: Action,
    /// The error number of a default `ERRNO` or `TRACE`; runtimes take EPERM when there is none.
    pub default_errno_ret: Option<u32>,
    /// The interfaces that the filter answers for. Empty: the runtime's own.
    pub architectures: Vec<Arch>,
    /// `SECCOMP_FILTER_FLAG_*`. Absent is not empty: runc adds SPEC_ALLOW to an absent list.
    pub flags: Option<Vec<String>>,
    /// The socket of whoever answers `NOTIFY`.
    pub listener_path: Option<String>,
    /// What the listener is told.
    pub listener_metadata: Option<String>,
    /// The rules.
    pub syscalls: Vec<Rule>,
}

/// One action for some calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The calls.
    pub names: Vec<Cow<'static, str>>,
    /// What happens to them.
    pub action: Action,
    /// The error number of `ERRNO` or `TRACE`.
    pub errno_ret: Option<u32>,
    /// When it happens. Conditions on different arguments must all hold; several on the same argument are alternatives
    /// (each becomes a rule of its own in runc, crun and youki).
    pub args: Vec<Condition>,
}

/// One comparison with an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, from 0 to 5.
    pub index: u32,
    /// What to compare with; the mask of [`Op::MaskedEq`].
    pub value: u64,
    /// The datum of [`Op::MaskedEq`].
    pub value_two: u64,
    /// How to compare.
    pub op: Op,
}

/// A profile that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at {pointer} ({place})")]
pub struct ProfileError {
    /// What is wrong.
    pub problem: String,
    /// Where.
    pub pointer: Pointer,
    /// Line and column.
    pub place: Place,
    /// What to write instead.
    pub hint: &'static str,
}

impl ProfileError {
    /// An error at `value`.
    pub fn at(value: Value<'_>, problem: impl Into<String>, hint: &'static str) -> Self {
        Self { problem: problem.into(), pointer: value.pointer(), place: value.place(), hint }
    }
}

impl From<ReadError> for ProfileError {
    fn from(error: ReadError) -> Self {
        let hint = error.hint();
        Self { problem: error.refusal.to_string(), pointer: error.pointer, place: error.place, hint }
    }
}

impl Profile {
    /// Reads a `linux.seccomp` object. Names that no kernel knows are kept: what they mean is the next one's business.
    ///
    /// # Errors
    /// [`ProfileError`] for what no runtime could load: a missing or unknown action, operator or architecture, an
    /// argument index past 5, a value of the wrong type.
    pub fn read(value: Value<'_>) -> Result<Self, ProfileError> {
        expect(value, Kind::Object)?;
        Ok(Self {
            default_action: action(value, "defaultAction")?,
            default_errno_ret: number(value, "defaultErrnoRet")?,
            architectures: list(value, "architectures")?.map(arch).collect::<Result<_, _>>()?,
            flags: match value.get("flags") {
                None => None,
                Some(_) => Some(list(value, "flags")?.map(|flag| string(flag)).collect::<Result<_, _>>()?),
            },
            listener_path: value.get("listenerPath").map(string).transpose()?,
            listener_metadata: value.get("listenerMetadata").map(string).transpose()?,
            syscalls: list(value, "syscalls")?.map(Rule::read).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a call that it fails leaves a record.
    pub fn logs(&self) -> bool {
        self.flags.iter().flatten().any(|flag| flag == LOG_FLAG)
    }

    /// Has calls that it fails leave a record.
    #[must_use]
    pub fn logging(mut self) -> Self {
        if !self.logs() {
            self.flags.get_or_insert_default().push(LOG_FLAG.to_owned());
        }
        self
    }

    /// Writes the object as compact JSON, leaving out what is absent or empty, as the runtime-spec's Go types do.
    pub fn write(&self, out: &mut String) {
        out.push_str("{\"defaultAction\":");
        quote(self.default_action.name(), out);
        if let Some(errno) = self.default_errno_ret {
            push_number(out, ",\"defaultErrnoRet\":", errno.into());
        }
        if !self.architectures.is_empty() {
            push_list(out, ",\"architectures\":", self.architectures.iter().map(|arch| arch.name()));
        }
        if let Some(flags) = &self.flags {
            push_list(out, ",\"flags\":", flags.iter().map(String::as_str));
        }
        for (key, text) in
            [(",\"listenerPath\":", &self.listener_path), (",\"listenerMetadata\":", &self.listener_metadata)]
        {
            if let Some(text) = text {
                out.push_str(key);
                quote(text, out);
            }
        }
        if !self.syscalls.is_empty() {
            out.push_str(",\"syscalls\":[");
            for (position, rule) in self.syscalls.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                rule.write(out);
            }
            out.push(']');
        }
        out.push('}');
    }

    /// [`Profile::write`] into a string of its own.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(8192);
        self.write(&mut out);
        out
    }
}

impl Rule {
    fn read(value: Value<'_>) -> Result<Self, ProfileError> {
        expect(value, Kind::Object)?;
        Self::with_names(value, list(value, "names")?, number(value, "errnoRet")?)
    }

    /// The rule at `value` for `names`, which may come from elsewhere.
    pub(super) fn with_names<'d>(
        value: Value<'d>,
        names: impl Iterator<Item = Value<'d>>,
        errno_ret: Option<u32>,
    ) -> Result<Self, ProfileError> {
        let names = names.map(call_name).collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            return Err(ProfileError::at(value, "the rule names no system call", "list them in `names`"));
        }
        let args = list(value, "args")?.map(Condition::read).collect::<Result<_, _>>()?;
        Ok(Self { names, action: action(value, "action")?, errno_ret, args })
    }

    fn write(&self, out: &mut String) {
        push_list(out, "{\"names\":", self.names.iter().map(|name| &**name));
        out.push_str(",\"action\":");
        quote(self.action.name(), out);
        if let Some(errno) = self.errno_ret {
            push_number(out, ",\"errnoRet\":", errno.into());
        }
        if !self.args.is_empty() {
            out.push_str(",\"args\":[");
            for (position, condition) in self.args.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                condition.write(out);
            }
            out.push(']');
        }
        out.push('}');
    }
}

impl Condition {
    pub(super) fn read(value: Value<'_>) -> Result<Self, ProfileError> {
        expect(value, Kind::Object)?;
        let op = value.get("op").ok_or_else(|| ProfileError::at(value, "the condition has no `op`", OPS_HINT))?;
        let name = string(op)?;
        let condition = Self {
            index: number(value, "index")?.unwrap_or(0),
            value: wide(value, "value")?,
            value_two: wide(value, "valueTwo")?,
            op: Op::from_name(&name)
                .ok_or_else(|| ProfileError::at(op, format!("no operator {name:?} is known"), OPS_HINT))?,
        };
        if condition.index > 5 {
            return Err(ProfileError::at(value, "a system call has six arguments", "use an index from 0 to 5"));
        }
        Ok(condition)
    }

    fn write(&self, out: &mut String) {
        push_number(out, "{\"index\":", self.index.into());
        push_number(out, ",\"value\":", self.value);
        if self.value_two != 0 {
            push_number(out, ",\"valueTwo\":", self.value_two);
        }
        out.push_str(",\"op\":");
        quote(self.op.name(), out);
        out.push('}');
    }
}

const OPS_HINT: &str = "SCMP_CMP_NE, _LT, _LE, _EQ, _GE, _GT or _MASKED_EQ";
const ACTIONS_HINT: &str = "SCMP_ACT_ALLOW, _ERRNO, _LOG, _NOTIFY, _TRACE, _TRAP, _KILL_THREAD or _KILL_PROCESS";

fn expect(value: Value<'_>, kind: Kind) -> Result<(), ProfileError> {
    if value.kind() == kind {
        return Ok(());
    }
    let problem = format!("expected {}, found {}", kind.with_article(), value.kind().with_article());
    Err(ProfileError::at(value, problem, "the runtime-spec's config-linux.md gives the type"))
}

pub(super) fn list<'d>(object: Value<'d>, key: &str) -> Result<impl Iterator<Item = Value<'d>>, ProfileError> {
    let array = object.get(key);
    if let Some(array) = array {
        expect(array, Kind::Array)?;
    }
    Ok(array.into_iter().flat_map(Value::items))
}

pub(super) fn string(value: Value<'_>) -> Result<String, ProfileError> {
    expect(value, Kind::String)?;
    Ok(value.as_str().unwrap_or_default().into_owned())
}

/// A known call's name is not copied: a profile has hundreds.
fn call_name(value: Value<'_>) -> Result<Cow<'static, str>, ProfileError> {
    expect(value, Kind::String)?;
    let name = value.as_str().unwrap_or_default();
    let known = Syscall::from_name(&name).map(|call| Cow::Borrowed(call.name()));
    Ok(known.unwrap_or_else(|| Cow::Owned(name.into_owned())))
}

fn number(object: Value<'_>, key: &str) -> Result<Option<u32>, ProfileError> {
    let Some(value) = object.get(key) else { return Ok(None) };
    let fits = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let error =
        || ProfileError::at(value, format!("{key} is not an integer of 32 bits"), "write a number without a sign");
    fits.map(Some).ok_or_else(error)
}

fn wide(object: Value<'_>, key: &str) -> Result<u64, ProfileError> {
    let Some(value) = object.get(key) else { return Ok(0) };
    let error =
        || ProfileError::at(value, format!("{key} is not an integer of 64 bits"), "write a number without a sign");
    value.as_u64().ok_or_else(error)
}

pub(super) fn action(object: Value<'_>, key: &str) -> Result<Action, ProfileError> {
    let missing = || ProfileError::at(object, format!("there is no `{key}`"), ACTIONS_HINT);
    let value = object.get(key).ok_or_else(missing)?;
    let name = string(value)?;
    Action::from_name(&name)
        .ok_or_else(|| ProfileError::at(value, format!("no action {name:?} is known"), ACTIONS_HINT))
}

pub(super) fn arch(value: Value<'_>) -> Result<Arch, ProfileError> {
    let name = string(value)?;
    let hint = "SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, …: as the runtime-spec lists them";
    Arch::from_name(&name).ok_or_else(|| ProfileError::at(value, format!("no architecture {name:?} is known"), hint))
}

fn push_list<'n>(out: &mut String, key: &str, names: impl Iterator<Item = &'n str>) {
    out.push_str(key);
    out.push('[');
    for (position, name) in names.enumerate() {
        if position > 0 {
            out.push(',');
        }
        quote(name, out);
    }
    out.push(']');
}

pub(super) fn push_number(out: &mut String, key: &str, number: u64) {
    use std::fmt::Write;
    let _ = write!(out, "{key}{number}");
}
