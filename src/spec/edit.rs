//! Edits to a document: what a finding owns, and how the text changes while everything that no edit names stays as it is.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::document::{Document, Kind, Value, quote};
use super::error::ReadError;
use super::pointer::Pointer;

/// One change at one place.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Where.
    pub pointer: Pointer,
    /// What.
    pub change: Change,
}

/// What an edit does at its pointer.
#[derive(Debug, Clone)]
pub enum Change {
    /// Replaces the value, or adds the member with the objects above it that are missing.
    Set(Fragment),
    /// Removes the member or item.
    Remove,
}

impl Edit {
    /// Sets the value at `pointer` to `json`, which batten itself has written.
    pub fn set(pointer: Pointer, json: impl Into<Arc<str>>) -> Self {
        Self { pointer, change: Change::Set(Fragment::new(json.into())) }
    }

    /// Removes the value at `pointer`.
    pub const fn remove(pointer: Pointer) -> Self {
        Self { pointer, change: Change::Remove }
    }
}

/// A piece of JSON that an edit puts in place, read only when a later rule asks for it. Its clones share the text: a filter
/// has tens of kilobytes.
#[derive(Debug, Clone)]
pub struct Fragment {
    json: Arc<str>,
    read: OnceCell<Option<Document>>,
}

impl Fragment {
    const fn new(json: Arc<str>) -> Self {
        Self { json, read: OnceCell::new() }
    }

    /// The text.
    pub fn json(&self) -> &str {
        &self.json
    }

    fn document(&self) -> Option<&Document> {
        self.read.get_or_init(|| Document::parse(&*self.json).ok()).as_ref()
    }
}

/// A document and the edits made to it so far: what the next rule sees.
#[derive(Debug)]
pub struct Working {
    base: Document,
    edits: Vec<Edit>,
}

impl Working {
    /// Starts with nothing changed.
    pub const fn new(base: Document) -> Self {
        Self { base, edits: Vec::new() }
    }

    /// The value at `pointer` as the edits so far have left it; `None` when absent or null.
    ///
    /// An edit strictly below `pointer` is not seen through this: a rule asks for the places that rules edit.
    pub fn at(&self, pointer: &Pointer) -> Option<Value<'_>> {
        self.at_or(pointer, || self.base.at(pointer))
    }

    /// The same, for who has in hand what is there without any edit.
    pub fn at_or<'w>(&'w self, pointer: &Pointer, unedited: impl FnOnce() -> Option<Value<'w>>) -> Option<Value<'w>> {
        for edit in self.edits.iter().rev() {
            let Some(rest) = edit.pointer.strip(pointer) else { continue };
            let value = match &edit.change {
                Change::Set(fragment) => fragment.document()?.at(&rest),
                Change::Remove => None,
            };
            return value.filter(|value| !value.is_null());
        }
        unedited().filter(|value| !value.is_null())
    }

    /// Whether an edit is of what is at `pointer`, below it, or of all that it is in.
    pub fn is_edited_at(&self, pointer: &Pointer) -> bool {
        self.edits.iter().any(|edit| edit.pointer.is_within(pointer) || pointer.is_within(&edit.pointer))
    }

    /// Adds edits to those made so far.
    pub fn push(&mut self, edits: impl IntoIterator<Item = Edit>) {
        self.edits.extend(edits);
    }

    /// Whether anything was changed.
    pub fn is_changed(&self) -> bool {
        !self.edits.is_empty()
    }

    /// How many edits are pending.
    pub const fn edits(&self) -> usize {
        self.edits.len()
    }

    /// The text with every edit made.
    ///
    /// # Errors
    /// [`EditError`] when an edit does not fit the document.
    pub fn finish(self) -> Result<String, EditError> {
        if self.edits.is_empty() {
            return Ok(self.base.into_text());
        }
        apply(&self.base, &self.edits)
    }

    /// The document without the edits that are still pending.
    pub const fn base(&self) -> &Document {
        &self.base
    }
}

/// An edit that does not fit the document it was made for.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Something on the way to the pointer is neither an object nor null.
    #[error("cannot write {pointer}: {found} stands on the way")]
    NotAnObject {
        /// Where the edit goes.
        pointer: Pointer,
        /// What stands there.
        found: &'static str,
    },
    /// The result is not a document; a defect of the rule that made the edit.
    #[error("an edit made the document unreadable: {0}")]
    Unreadable(#[from] ReadError),
}

/// Makes all `edits`, in order; everything else keeps its bytes.
///
/// # Errors
/// [`EditError`] when an edit does not fit the document.
pub fn apply(document: &Document, edits: &[Edit]) -> Result<String, EditError> {
    let mut splices = Vec::with_capacity(edits.len());
    for (done, edit) in edits.iter().enumerate() {
        let nested = |other: &Edit| other.pointer.strip(&edit.pointer).or(edit.pointer.strip(&other.pointer)).is_some();
        if edits[..done].iter().any(nested) {
            return apply_in_turn(document, splices, &edits[done..]);
        }
        let Some(splice) = splice(document, edit)? else { continue };
        if splices.iter().any(|other: &Splice<'_>| other.collides(&splice)) {
            return apply_in_turn(document, splices, &edits[done..]);
        }
        splices.push(splice);
    }
    Ok(join(document.text(), splices))
}

/// The slow way for edits that touch the same place: each next one is made on the result so far.
fn apply_in_turn(document: &Document, splices: Vec<Splice<'_>>, rest: &[Edit]) -> Result<String, EditError> {
    let mut text = join(document.text(), splices);
    for edit in rest {
        let document = Document::parse(text)?;
        let splice = splice(&document, edit)?;
        text = join(document.text(), splice.into_iter().collect());
    }
    Ok(text)
}

fn join(text: &str, mut splices: Vec<Splice<'_>>) -> String {
    splices.sort_by_key(|splice| splice.range.start);
    let grown: usize = splices.iter().map(|splice| splice.with.len()).sum();
    let mut out = String::with_capacity(text.len() + grown);
    let mut from = 0;
    for splice in splices {
        out.push_str(&text[from..splice.range.start]);
        out.push_str(&splice.with);
        from = splice.range.end;
    }
    out.push_str(&text[from..]);
    out
}

/// Bytes to replace, and what with.
struct Splice<'e> {
    range: Range<usize>,
    /// The object whose list of members grows or shrinks: two such edits must not be made blindly side by side.
    list: Option<usize>,
    with: Cow<'e, str>,
}

impl Splice<'_> {
    fn collides(&self, other: &Self) -> bool {
        let overlap = self.range.start < other.range.end && other.range.start < self.range.end;
        overlap || self.range == other.range || (self.list.is_some() && self.list == other.list)
    }
}

fn splice<'e>(document: &Document, edit: &'e Edit) -> Result<Option<Splice<'e>>, EditError> {
    let mut parent = None;
    let mut here = document.root();
    let mut tokens = edit.pointer.tokens().peekable();
    while let Some(token) = tokens.peek() {
        let Some(next) = here.step(token) else { break };
        parent = Some(here);
        here = next;
        tokens.next();
    }
    let missing: Vec<_> = tokens.collect();
    match &edit.change {
        Change::Remove if missing.is_empty() => Ok(Some(removal(parent, here))),
        Change::Remove => Ok(None),
        Change::Set(fragment) if missing.is_empty() => {
            Ok(Some(Splice { range: here.span(), list: None, with: Cow::Borrowed(&*fragment.json) }))
        }
        Change::Set(fragment) => insertion(here, &missing, fragment, &edit.pointer).map(Some),
    }
}

fn removal(parent: Option<Value<'_>>, value: Value<'_>) -> Splice<'static> {
    let Some(parent) = parent else {
        return Splice { range: value.span(), list: None, with: Cow::Borrowed("null") };
    };
    let list = Some(parent.span().start);
    let mut before = None;
    let mut siblings = parent.children();
    for sibling in siblings.by_ref() {
        if sibling.span() == value.span() {
            break;
        }
        before = Some(sibling);
    }
    let range = match (siblings.next(), before) {
        (Some(next), _) => value.outer_start()..next.outer_start(),
        (None, Some(before)) => before.span().end..value.span().end,
        (None, None) => parent.span().start + 1..parent.span().end - 1,
    };
    Splice { range, list, with: Cow::Borrowed("") }
}

fn insertion(
    object: Value<'_>,
    missing: &[Cow<'_, str>],
    fragment: &Fragment,
    pointer: &Pointer,
) -> Result<Splice<'static>, EditError> {
    if !matches!(object.kind(), Kind::Object | Kind::Null) {
        let found = object.kind().with_article();
        return Err(EditError::NotAnObject { pointer: pointer.clone(), found });
    }
    let mut with = String::with_capacity(fragment.json.len() + 32);
    let whole = object.is_null();
    if object.children().next().is_some() {
        with.push(',');
    }
    for (depth, key) in missing.iter().enumerate() {
        if depth > 0 || whole {
            with.push('{');
        }
        quote(key, &mut with);
        with.push(':');
    }
    with.push_str(&fragment.json);
    with.extend(std::iter::repeat_n('}', missing.len() - usize::from(!whole)));
    let range = if whole {
        object.span()
    } else {
        let at = object.children().last().map_or(object.span().start + 1, |last| last.span().end);
        at..at
    };
    Ok(Splice { range, list: Some(object.span().start), with: Cow::Owned(with) })
}
