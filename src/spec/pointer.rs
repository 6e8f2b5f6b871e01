//! JSON pointers (RFC 6901): how findings, edits and errors name a place in a document.

use std::borrow::Cow;
use std::fmt;

/// A path such as `/process/capabilities/bounding`; empty for the whole document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer(Cow<'static, str>);

impl Pointer {
    /// The whole document.
    pub const fn root() -> Self {
        Self(Cow::Borrowed(""))
    }

    /// A pointer known when batten is built. `path` is empty or starts with `/`, with `~` and `/` already escaped.
    pub const fn new(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// Reads a pointer from text.
    pub fn parse(path: &str) -> Option<Self> {
        (path.is_empty() || path.starts_with('/')).then(|| Self(Cow::Owned(path.to_owned())))
    }

    /// The pointer to member or index `token` below this one.
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let mut path = String::with_capacity(self.0.len() + token.len() + 1);
        path.push_str(&self.0);
        path.push('/');
        if token.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
            path.push_str(&token.replace('~', "~0").replace('/', "~1"));
        } else {
            path.push_str(token);
        }
        Self(Cow::Owned(path))
    }

    /// `self` followed by `tail`.
    #[must_use]
    pub fn join(&self, tail: &Pointer) -> Self {
        match (self.0.is_empty(), tail.0.is_empty()) {
            (true, _) => tail.clone(),
            (_, true) => self.clone(),
            _ => Self(Cow::Owned(format!("{}{}", self.0, tail.0))),
        }
    }

    /// The unescaped reference tokens, outermost first.
    pub fn tokens(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('/').skip(1).map(|token| {
            if token.contains('~') {
                Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
            } else {
                Cow::Borrowed(token)
            }
        })
    }

    /// Whether it is the place of `other`, or one below that.
    pub fn is_within(&self, other: &Pointer) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What follows `self` in `longer`, when `longer` is this very place or below it.
    pub fn strip<'l>(&self, longer: &'l Pointer) -> Option<Pointer> {
        let rest: &'l str = longer.0.strip_prefix(&*self.0)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| Self(Cow::Owned(rest.to_owned())))
    }

    /// The text of the pointer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(the whole document)" } else { &self.0 })
    }
}
