//! One entry of `mounts`, as the runtimes read it.

use std::borrow::Cow;

use super::case::Case;
use super::path::normal;
use crate::spec::{Pointer, Value};

/// A mount of the bundle.
pub(super) struct Mount<'d> {
    pub(super) pointer: Pointer,
    value: Value<'d>,
    /// `type`; empty when absent.
    pub(super) kind: Cow<'d, str>,
    /// As the rules before this one have left them.
    pub(super) options: Vec<Cow<'d, str>>,
}

/// All of them, in order.
pub(super) fn mounts<'d>(case: &Case<'d>) -> impl Iterator<Item = Mount<'d>> {
    let place = Pointer::new("/mounts");
    let items = case.at(&place).into_iter().flat_map(Value::items).enumerate();
    items.map(move |(position, value)| {
        let pointer = place.child(&position.to_string());
        let options = case.at_or(&pointer.child("options"), value.get("options"));
        Mount {
            kind: text(value, "type"),
            options: options.into_iter().flat_map(Value::items).filter_map(Value::as_str).collect(),
            pointer,
            value,
        }
    })
}

/// A member of a mount; empty when absent.
fn text<'d>(mount: Value<'d>, key: &str) -> Cow<'d, str> {
    mount.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Runtimes take a destination that does not start at the root as if it did.
fn rooted(destination: &str) -> String {
    if destination.starts_with('/') { normal(destination) } else { normal(&format!("/{destination}")) }
}

impl Mount<'_> {
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
        self.kind == "bind" || self.has("bind") || self.has("rbind")
    }

    pub(super) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|own| own == option)
    }
}

/// A JSON array of strings.
pub(super) fn written<'o>(words: impl Iterator<Item = &'o str>) -> String {
    let mut json = String::from("[");
    for word in words {
        if json.len() > 1 {
            json.push(',');
        }
        crate::spec::quote(word, &mut json);
    }
    json.push(']');
    json
}
