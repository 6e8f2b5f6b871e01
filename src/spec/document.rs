//! Strict, lossless JSON: one scan into a flat table of spans over the original text.
//!
//! Runtimes disagree about sloppy JSON (Go merges duplicate keys and folds their case, YAJL keeps the first, json-c the
//! last), and every disagreement is a way around a policy. So whatever two readers could take differently is refused
//! here, before anything is judged, and what is kept is the text itself: order, spacing, unknown members and the exact
//! spelling of numbers survive.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::error::{Place, ReadError, Refusal};
use super::pointer::Pointer;
use super::scan;
use super::shape;

/// The largest document that is read, in bytes. Engines write 2 to 60 KB; runc and crun set no bound of their own.
pub const MAX_BYTES: usize = 8 << 20;

/// How deep arrays and objects may nest. crun with json-c refuses 40, the runtime-spec needs 8.
pub const MAX_DEPTH: usize = 32;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "RFC 8259 names them")]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The kind with its article, for messages: `a string`, `an object`.
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// One value of the table. Children of a container follow it directly; `after` skips the whole subtree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The string, or the member's key, holds a backslash.
    pub(super) escaped: bool,
    pub(super) key_escaped: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The member's key without its quotes; empty range at 0 outside objects.
    pub(super) key: (u32, u32),
    /// Index of the first node behind this subtree; 0 while the container is still open.
    pub(super) after: u32,
}

/// A JSON text that every runtime reads the same way. Its clones share the text and the table.
#[derive(Debug, Clone)]
pub struct Document(Arc<Scanned>);

#[derive(Debug)]
struct Scanned {
    text: String,
    nodes: Vec<Node>,
}

impl Document {
    /// Reads `text` (UTF-8 JSON, at most [`MAX_BYTES`]).
    ///
    /// # Errors
    /// [`ReadError`] with pointer, line and column for everything that is not JSON by RFC 8259, and for what JSON allows
    /// but readers take differently: duplicate keys, NUL, lone surrogates, integers beyond 64 bits, nesting past
    /// [`MAX_DEPTH`], data after the document.
    pub fn parse(text: impl Into<Vec<u8>>) -> Result<Self, ReadError> {
        let bytes = text.into();
        if bytes.len() > MAX_BYTES {
            return Err(ReadError::at_start(Refusal::TooLarge { limit: MAX_BYTES }));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let place = Place::of(&String::from_utf8_lossy(&error.as_bytes()[..valid]), valid);
            ReadError::new(Refusal::NotUtf8, place, Pointer::root())
        })?;
        let nodes = scan::scan(&text)?;
        Ok(Self(Arc::new(Scanned { text, nodes })))
    }

    /// Reads a config.json: [`Document::parse`], and every member that the runtime-spec names must be spelled and typed
    /// as it says.
    ///
    /// # Errors
    /// As [`Document::parse`]; besides, keys that differ from a known one only by case, and known members of another
    /// type.
    pub fn parse_spec(text: impl Into<Vec<u8>>) -> Result<Self, ReadError> {
        let document = Self::parse(text)?;
        document.check_spec()?;
        Ok(document)
    }

    /// What [`Document::parse_spec`] asks besides [`Document::parse`].
    ///
    /// # Errors
    /// As [`Document::parse_spec`].
    pub fn check_spec(&self) -> Result<(), ReadError> {
        shape::SPEC.check_document(self)
    }

    /// Reads the process file of an exec, as strictly as [`Document::parse_spec`] reads a config.json.
    ///
    /// # Errors
    /// As [`Document::parse_spec`].
    pub fn parse_process(text: impl Into<Vec<u8>>) -> Result<Self, ReadError> {
        let document = Self::parse(text)?;
        document.check_process()?;
        Ok(document)
    }

    /// What [`Document::parse_process`] asks besides [`Document::parse`].
    ///
    /// # Errors
    /// As [`Document::parse_process`].
    pub fn check_process(&self) -> Result<(), ReadError> {
        shape::PROCESS_FILE.check_document(self)
    }

    /// The text as it was read.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Gives the text back, without a copy where no clone shares it.
    pub fn into_text(self) -> String {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.text.clone(), |scanned| scanned.text)
    }

    /// The outermost value.
    pub fn root(&self) -> Value<'_> {
        Value { scanned: &self.0, index: 0 }
    }

    /// The value at `pointer` (RFC 6901), if there is one.
    pub fn at(&self, pointer: &Pointer) -> Option<Value<'_>> {
        pointer.tokens().try_fold(self.root(), |value, token| value.step(&token))
    }

    /// The line and column of a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        Place::of(&self.0.text, offset)
    }
}

/// A value inside a [`Document`]: cheap to copy, borrows the text.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    scanned: &'d Scanned,
    index: u32,
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'d> Value<'d> {
    #[inline]
    pub(super) fn node(self) -> &'d Node {
        &self.scanned.nodes[self.index as usize]
    }

    /// What the value is.
    #[inline]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Whether the value is `null`, which every runtime reads as an absent member.
    #[inline]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value's text, exactly as written.
    #[inline]
    pub fn raw(self) -> &'d str {
        &self.scanned.text[self.span()]
    }

    /// The same in bytes, for those who look at hundreds.
    #[cfg(feature = "cli")]
    #[inline]
    pub(crate) fn raw_bytes(self) -> &'d [u8] {
        &self.scanned.text.as_bytes()[self.span()]
    }

    /// Where the value stands in the text, in bytes.
    #[inline]
    pub fn span(self) -> Range<usize> {
        self.node().start as usize..self.node().end as usize
    }

    /// Line and column (both from 1) of the value's first byte.
    pub fn place(self) -> Place {
        Place::of(&self.scanned.text, self.node().start as usize)
    }

    /// The line (from 1) of the value's first byte.
    #[cfg(feature = "cli")]
    pub fn line(self) -> usize {
        1 + memchr::memchr_iter(b'\n', &self.scanned.text.as_bytes()[..self.node().start as usize]).count()
    }

    /// The RFC 6901 pointer to this value. Walks from the root: for messages, not for the hot path.
    pub fn pointer(self) -> Pointer {
        let mut pointer = Pointer::root();
        let mut here = Value { scanned: self.scanned, index: 0 };
        while here.index != self.index {
            for (position, child) in here.children().enumerate() {
                if child.index <= self.index && self.index < child.node().after {
                    pointer = match child.key() {
                        Some(key) if here.kind() == Kind::Object => pointer.child(&key),
                        _ => pointer.child(&position.to_string()),
                    };
                    here = child;
                    break;
                }
            }
        }
        pointer
    }

    /// The member's key; `None` for array items and the root.
    #[inline]
    pub fn key(self) -> Option<Cow<'d, str>> {
        let (start, end) = self.node().key;
        if start == 0 {
            return None;
        }
        let raw = &self.scanned.text[start as usize..end as usize];
        Some(unescape(raw, self.node().key_escaped))
    }

    /// Where the value begins as a member or item: at its key's opening quote, if it has one.
    pub(super) fn outer_start(self) -> usize {
        match self.node().key.0 as usize {
            0 => self.span().start,
            key => key - 1,
        }
    }

    /// Line and column of the member's key.
    pub(super) fn key_place(self) -> Place {
        Place::of(&self.scanned.text, self.outer_start())
    }

    /// The member `key` of an object that is not null.
    #[inline]
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.member(key).filter(|value| !value.is_null())
    }

    /// The member `key` of an object, null or not.
    #[inline]
    pub fn member(self, key: &str) -> Option<Value<'d>> {
        if self.kind() != Kind::Object {
            return None;
        }
        self.children().find(|child| child.key_is(key))
    }

    /// Whether this member's key reads `key`.
    #[inline]
    pub(crate) fn key_is(self, key: &str) -> bool {
        let node = self.node();
        if node.key_escaped {
            return self.key().is_some_and(|own| own == key);
        }
        let own = &self.scanned.text.as_bytes()[node.key.0 as usize..node.key.1 as usize];
        // A call for each member that only has the same length would cost more than all else.
        own.len() == key.len() && own.first() == key.as_bytes().first() && own == key.as_bytes()
    }

    /// One RFC 6901 step: a member's key, or an array index.
    pub fn step(self, token: &str) -> Option<Value<'d>> {
        match self.kind() {
            Kind::Object => self.member(token),
            Kind::Array if token == "0" || !token.starts_with('0') => self.items().nth(token.parse().ok()?),
            _ => None,
        }
    }

    /// The members of an object, in order; nothing for other kinds.
    pub fn members(self) -> impl Iterator<Item = (Cow<'d, str>, Value<'d>)> {
        let children = (self.kind() == Kind::Object).then(|| self.children());
        children.into_iter().flatten().map(|child| (child.key().unwrap_or_default(), child))
    }

    /// The items of an array, in order; nothing for other kinds.
    pub fn items(self) -> impl Iterator<Item = Value<'d>> {
        (self.kind() == Kind::Array).then(|| self.children()).into_iter().flatten()
    }

    #[inline]
    pub(crate) fn children(self) -> Children<'d> {
        Children { scanned: self.scanned, next: self.index + 1, end: self.node().after }
    }

    /// Whether it is an array of nothing but strings; asked of environments and names of calls, the most of a document.
    pub(crate) fn holds_only_strings(self) -> bool {
        let inside = self.index as usize + 1..self.node().after as usize;
        self.kind() == Kind::Array && self.scanned.nodes[inside].iter().all(|node| node.kind == Kind::String)
    }

    /// The string, unescaped.
    #[inline]
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        let node = self.node();
        (node.kind == Kind::String).then(|| {
            let raw = &self.scanned.text[node.start as usize + 1..node.end as usize - 1];
            unescape(raw, node.escaped)
        })
    }

    /// The boolean.
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The number, if it is written as an integer between 0 and `u64::MAX`.
    pub fn as_u64(self) -> Option<u64> {
        if self.kind() == Kind::Number { self.raw().parse().ok() } else { None }
    }

    /// The number, if it is written as an integer that fits `i64`.
    pub fn as_i64(self) -> Option<i64> {
        if self.kind() == Kind::Number { self.raw().parse().ok() } else { None }
    }
}

/// The direct children of an array or object.
#[derive(Clone)]
pub(crate) struct Children<'d> {
    scanned: &'d Scanned,
    next: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Value<'d>> {
        if self.next >= self.end {
            return None;
        }
        let child = Value { scanned: self.scanned, index: self.next };
        self.next = child.node().after;
        Some(child)
    }
}

/// Resolves the escapes of a string that the scan has accepted.
#[inline]
pub(super) fn unescape(raw: &str, escaped: bool) -> Cow<'_, str> {
    if escaped { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) }
}

fn unescaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        match code {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let (c, used) = scan::unicode_escape(rest.as_bytes()).unwrap_or(('\u{fffd}', 4));
                out.push(c);
                rest = &rest[used..];
            }
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
    out
}

/// Writes `text` as a JSON string, quotes included.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f | 0x7f => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        from = at + 1;
        if short.is_empty() {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.push_str("\\u00");
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        } else {
            out.push_str(short);
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}
