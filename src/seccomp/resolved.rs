//! What is left of a profile when its conditions are answered: OCI's object in the words of the file, known or not.

use super::docker::items;
use super::profile::{Profile, ProfileError, Rule, action, arch, push_number, string};
#[cfg(feature = "cli")]
use crate::spec::Place;
use crate::spec::{Value, quote};

/// A resolved profile. Borrows the document; what it says is what the implementation would hand to a runtime, whether
/// the runtime takes it or not.
#[derive(Debug, Clone)]
pub struct Resolved<'d> {
    pub(super) root: Value<'d>,
    pub(super) default_errno_ret: Option<u64>,
    pub(super) architectures: Vec<Value<'d>>,
    pub(super) flags: Vec<Value<'d>>,
    pub(super) listener_path: Option<Value<'d>>,
    pub(super) listener_metadata: Option<Value<'d>>,
    pub(super) rules: Vec<ResolvedRule<'d>>,
}

/// One rule that applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResolvedRule<'d> {
    pub(super) at: Value<'d>,
    pub(super) names: Names<'d>,
    pub(super) errno_ret: Option<u64>,
}

/// A rule's calls: Docker's old single name, a list, or Go's nil.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names<'d> {
    One(Value<'d>),
    List(Value<'d>),
    None,
}

impl<'d> Names<'d> {
    fn values(self) -> impl Iterator<Item = Value<'d>> {
        let (one, list) = match self {
            Self::One(name) => (Some(name), None),
            Self::List(list) => (None, Some(list)),
            Self::None => (None, None),
        };
        one.into_iter().chain(list.into_iter().flat_map(Value::items))
    }
}

impl Resolved<'_> {
    /// Whether neither a default action nor rules are left.
    pub(super) fn is_blank(&self) -> bool {
        let default = self.root.get("defaultAction").and_then(Value::as_str);
        self.rules.is_empty() && default.is_none_or(|action| action.is_empty())
    }

    /// Where its rules stand, one for each of the profile's.
    #[cfg(feature = "cli")]
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.rules.iter().map(|rule| rule.at.place())
    }

    /// The profile as a runtime would load it.
    ///
    /// # Errors
    /// [`ProfileError`] for what no runtime could load, as [`Profile::read`].
    pub fn profile(&self) -> Result<Profile, ProfileError> {
        let root = self.root;
        Ok(Profile {
            default_action: action(root, "defaultAction")?,
            default_errno_ret: errno(root, self.default_errno_ret)?,
            architectures: self.architectures.iter().copied().map(arch).collect::<Result<_, _>>()?,
            flags: self.flags()?,
            listener_path: self.listener_path.map(string).transpose()?,
            listener_metadata: self.listener_metadata.map(string).transpose()?,
            syscalls: self.rules.iter().map(ResolvedRule::rule).collect::<Result<_, _>>()?,
        })
    }

    /// Go leaves an empty list out, so that a runtime takes it for an absent one.
    fn flags(&self) -> Result<Option<Vec<String>>, ProfileError> {
        let flags: Vec<_> = self.flags.iter().copied().map(string).collect::<Result<_, _>>()?;
        Ok(Some(flags).filter(|flags| !flags.is_empty()))
    }

    /// Writes the object as the runtime-spec's Go types marshal: `defaultAction`, `names`, `action`, `index`, `value`
    /// and `op` always, the rest only when it says something.
    pub fn write(&self, out: &mut String) {
        out.push_str("{\"defaultAction\":");
        push_text(out, self.root.get("defaultAction"));
        if let Some(errno) = self.default_errno_ret {
            push_number(out, ",\"defaultErrnoRet\":", errno);
        }
        for (key, list) in [(",\"architectures\":", &self.architectures), (",\"flags\":", &self.flags)] {
            if !list.is_empty() {
                out.push_str(key);
                push_array(out, list.iter().copied(), |out, value| push_text(out, Some(value)));
            }
        }
        for (key, text) in
            [(",\"listenerPath\":", self.listener_path), (",\"listenerMetadata\":", self.listener_metadata)]
        {
            if text.is_some() {
                out.push_str(key);
                push_text(out, text);
            }
        }
        if !self.rules.is_empty() {
            out.push_str(",\"syscalls\":");
            push_array(out, self.rules.iter(), |out, rule| rule.write(out));
        }
        out.push('}');
    }

    /// [`Resolved::write`] into a string of its own.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(8192);
        self.write(&mut out);
        out
    }
}

impl ResolvedRule<'_> {
    fn rule(&self) -> Result<Rule, ProfileError> {
        Rule::with_names(self.at, self.names.values(), errno(self.at, self.errno_ret)?)
    }

    fn write(&self, out: &mut String) {
        out.push_str("{\"names\":");
        match self.names {
            Names::None => out.push_str("null"),
            names => push_array(out, names.values(), |out, name| push_text(out, Some(name))),
        }
        out.push_str(",\"action\":");
        push_text(out, self.at.get("action"));
        if let Some(errno) = self.errno_ret {
            push_number(out, ",\"errnoRet\":", errno);
        }
        let mut args = items(self.at, "args").peekable();
        if args.peek().is_some() {
            out.push_str(",\"args\":");
            push_array(out, args, push_condition);
        }
        out.push('}');
    }
}

fn push_condition(out: &mut String, condition: Value<'_>) {
    let number = |key| condition.get(key).and_then(Value::as_u64).unwrap_or(0);
    push_number(out, "{\"index\":", number("index"));
    push_number(out, ",\"value\":", number("value"));
    if number("valueTwo") != 0 {
        push_number(out, ",\"valueTwo\":", number("valueTwo"));
    }
    out.push_str(",\"op\":");
    push_text(out, condition.get("op"));
    out.push('}');
}

/// A Go string: null and absent are empty.
fn push_text(out: &mut String, value: Option<Value<'_>>) {
    quote(&value.and_then(Value::as_str).unwrap_or_default(), out);
}

fn push_array<T>(out: &mut String, items: impl Iterator<Item = T>, mut push: impl FnMut(&mut String, T)) {
    out.push('[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

fn errno(at: Value<'_>, errno: Option<u64>) -> Result<Option<u32>, ProfileError> {
    errno.map(u32::try_from).transpose().map_err(|_| {
        ProfileError::at(at, "the error number does not fit 32 bits", "write a number that errno(3) lists")
    })
}
