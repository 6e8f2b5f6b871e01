//! One entry of `mounts`, as the runtimes read it.

use std::borrow::Cow;

use super::case::Case;
use super::path::normal;
use crate::spec::{Pointer, Value};

/// A mount of the bundle.
pub(super) struct Mount<'d> {
    position: usize,
    value: Value<'d>,
    /// `type`; empty when absent.
    pub(super) kind: Cow<'d, str>,
    options: Option<Value<'d>>,
}

const PLACE: Pointer = Pointer::new("/mounts");

/// All of them, in order; their options as the rules before this one have left them.
pub(super) fn mounts<'d>(case: &Case<'d>) -> impl Iterator<Item = Mount<'d>> {
    let is_edited = case.is_edited_at(&PLACE);
    let items = case.at(&PLACE).into_iter().flat_map(Value::items).enumerate();
    items.map(move |(position, value)| {
        let unedited = value.get("options");
        let options = if is_edited { case.at_or(&pointer(position).child("options"), unedited) } else { unedited };
        Mount { position, value, kind: text(value, "type"), options }
    })
}

fn pointer(position: usize) -> Pointer {
    PLACE.child(&position.to_string())
}

/// A member of a mount; empty when absent.
fn text<'d>(mount: Value<'d>, key: &str) -> Cow<'d, str> {
    mount.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Runtimes take a destination that does not start at the root as if it did.
fn rooted(destination: &str) -> String {
    if destination.starts_with('/') { normal(destination) } else { normal(&format!("/{destination}")) }
}

impl<'d> Mount<'d> {
    /// Where it stands in the document.
    pub(super) fn pointer(&self) -> Pointer {
        pointer(self.position)
    }

    /// Its options, in order.
    pub(super) fn options(&self) -> impl Iterator<Item = Cow<'d, str>> + use<'d> {
        self.options.into_iter().flat_map(Value::items).filter_map(Value::as_str)
    }

    /// Where it goes in the container, in its normal form.
    pub(super) fn destination(&self) -> String {
        rooted(&text(self.value, "destination"))
    }

    /// What is mounted, in its normal form; a path for binds only.
    pub(super) fn source(&self) -> String {
        normal(&text(self.value, "source"))
    }

    /// Runtimes go by the option, whatever `type` says (`none` and absent included); crun goes by the type as well.
    pub(super) fn is_bind(&self) -> bool {
        self.kind == "bind" || self.options().any(|option| option == "bind" || option == "rbind")
    }
}

/// A JSON array of strings.
pub(super) fn written(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut json = String::from("[");
    for word in words {
        if json.len() > 1 {
            json.push(',');
        }
        crate::spec::quote(word.as_ref(), &mut json);
    }
    json.push(']');
    json
}
