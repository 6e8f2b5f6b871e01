//! Which paths a pattern covers, as far as that can be said without the host's tunables.
//!
//! The kernel runs a table that the parser made; here the pattern's pieces become a small automaton whose states are
//! followed all at once, so no pattern takes longer than its length times the path's.

use super::pattern::{Pattern, Piece};

/// What the tunables that every AppArmor installation has stand for, without the slash at the end.
const TUNABLES: &[(&str, &str)] = &[
    ("PROC", "/proc"),
    ("sys", "/sys"),
    ("run", "/{run,var/run}"),
    ("HOME", "/{root,home/*}"),
    ("HOMEDIRS", "/home"),
    ("etc_ro", "/{usr/,}etc"),
    ("etc_rw", "/etc"),
    ("multiarch", "*-linux-gnu*"),
    ("pid", "[1-9]{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}"),
    ("pids", "[1-9]{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}"),
    ("tid", "[1-9]{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}{,[0-9]}"),
];

/// A pattern made ready to be asked.
#[derive(Debug)]
pub struct Matcher {
    states: Vec<State>,
}

#[derive(Debug, Clone)]
enum State {
    /// Consumes one byte, then the next state.
    Byte(Set),
    /// Both of these at once, without a byte.
    Fork(usize, usize),
    /// On to another state, without a byte.
    Jump(usize),
    End,
}

#[derive(Debug, Clone)]
enum Set {
    One(u8),
    Any,
    NotSlash,
    Class { negated: bool, ranges: Vec<(u8, u8)> },
}

impl Set {
    fn has(&self, byte: u8) -> bool {
        match self {
            Self::One(one) => *one == byte,
            Self::Any => true,
            Self::NotSlash => byte != b'/',
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte)) != *negated
            }
        }
    }
}

impl Matcher {
    /// `None` where the pattern names a variable whose meaning only the host's tunables know.
    pub fn new(pattern: &Pattern) -> Option<Self> {
        let mut matcher = Self { states: Vec::new() };
        matcher.add(pattern.pieces(), true)?;
        matcher.states.push(State::End);
        Some(matcher)
    }

    /// Whether the pattern covers exactly this path.
    pub fn covers(&self, path: &[u8]) -> bool {
        let mut now = vec![false; self.states.len()];
        self.enter(&mut now, 0);
        for &byte in path {
            let mut next = vec![false; self.states.len()];
            for (at, state) in self.states.iter().enumerate() {
                if let State::Byte(set) = state
                    && now[at]
                    && set.has(byte)
                {
                    self.enter(&mut next, at + 1);
                }
            }
            now = next;
        }
        now.last() == Some(&true)
    }

    /// Marks a state and all that follow from it without a byte.
    fn enter(&self, marked: &mut [bool], at: usize) {
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut marked[at], true) {
                continue;
            }
            match self.states[at] {
                State::Fork(one, other) => open.extend([one, other]),
                State::Jump(to) => open.push(to),
                State::Byte(_) | State::End => {}
            }
        }
    }

    fn add(&mut self, pieces: &[Piece], is_whole: bool) -> Option<()> {
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Byte(byte) => self.states.push(State::Byte(Set::One(*byte))),
                Piece::One => self.states.push(State::Byte(Set::NotSlash)),
                Piece::Class { negated, ranges } => {
                    self.states.push(State::Byte(Set::Class { negated: *negated, ranges: ranges.clone() }));
                }
                Piece::Star | Piece::DoubleStar => {
                    // Alone between slashes a star is not nothing: /dir/* is not the folder (parser_regex.c).
                    let after_slash = at > 0 && pieces[at - 1] == Piece::Byte(b'/');
                    let before_slash = match pieces.get(at + 1) {
                        None => is_whole,
                        Some(next) => *next == Piece::Byte(b'/'),
                    };
                    if after_slash && before_slash {
                        self.states.push(State::Byte(Set::NotSlash));
                    }
                    self.repeat(if *piece == Piece::Star { Set::NotSlash } else { Set::Any });
                }
                Piece::Group(alternatives) => self.choose(alternatives)?,
                Piece::Variable(name) => {
                    let (_, text) = TUNABLES.iter().find(|(known, _)| known == name)?;
                    let meaning = Pattern::label(text).ok()?;
                    self.add(meaning.pieces(), false)?;
                }
            }
        }
        Some(())
    }

    fn repeat(&mut self, set: Set) {
        let fork = self.states.len();
        self.states.extend([State::Fork(fork + 1, fork + 3), State::Byte(set), State::Jump(fork)]);
    }

    fn choose(&mut self, alternatives: &[Vec<Piece>]) -> Option<()> {
        let mut ends = Vec::new();
        for (position, alternative) in alternatives.iter().enumerate() {
            let fork = self.states.len();
            let is_last = position + 1 == alternatives.len();
            if !is_last {
                self.states.push(State::Fork(fork + 1, 0));
            }
            self.add(alternative, false)?;
            ends.push(self.states.len());
            self.states.push(State::Jump(0));
            if !is_last {
                self.states[fork] = State::Fork(fork + 1, self.states.len());
            }
        }
        let after = self.states.len();
        for end in ends {
            self.states[end] = State::Jump(after);
        }
        Some(())
    }
}

impl Pattern {
    /// Whether this pattern covers exactly `path`; no where it names variables of the host's own.
    pub fn covers(&self, path: &[u8]) -> bool {
        Matcher::new(self).is_some_and(|matcher| matcher.covers(path))
    }

    /// Whether everything that `other` covers is surely covered by this one. Errs on the side of no.
    pub fn includes(&self, other: &Self) -> bool {
        if self == other || *self == Self::everything() {
            return true;
        }
        if let Some(path) = other.as_literal() {
            return self.covers(&path);
        }
        match self.pieces().split_last() {
            Some((Piece::DoubleStar, _)) => {
                let prefix = self.literal_prefix();
                let is_folder = prefix.len() + 1 == self.pieces().len();
                // The star needs one byte at least, which the other's prefix gives.
                is_folder && other.literal_prefix().len() > prefix.len() && other.literal_prefix().starts_with(&prefix)
                    || is_folder && other.literal_prefix() == prefix && never_empty(other, prefix.len())
            }
            _ => false,
        }
    }

    /// Whether some path could be covered by both. Errs on the side of yes.
    pub fn may_overlap(&self, other: &Self) -> bool {
        match (self.as_literal(), other.as_literal()) {
            (Some(path), _) if Matcher::new(other).is_some() => other.covers(&path),
            (_, Some(path)) if Matcher::new(self).is_some() => self.covers(&path),
            _ => {
                let (one, other) = (self.literal_prefix(), other.literal_prefix());
                one.starts_with(&other) || other.starts_with(&one)
            }
        }
    }
}

/// Whether what stands after the first `at` pieces covers at least one byte.
fn never_empty(pattern: &Pattern, at: usize) -> bool {
    pattern.pieces()[at..].iter().enumerate().any(|(position, piece)| match piece {
        Piece::Byte(_) | Piece::One | Piece::Class { .. } => true,
        // The star that stands alone after the slash.
        Piece::Star | Piece::DoubleStar => position == 0 && at + 1 == pattern.pieces().len(),
        Piece::Group(_) | Piece::Variable(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::path(text).unwrap()
    }

    #[test]
    fn a_pattern_covers_what_the_kernel_would_match() {
        for (text, path, expected) in [
            ("/etc/passwd", "/etc/passwd", true),
            ("/etc/*", "/etc/passwd", true),
            ("/etc/*", "/etc/", false),
            ("/etc/*", "/etc/ssl/certs", false),
            ("/etc/a*", "/etc/a", true),
            ("/etc/**", "/etc/ssl/certs", true),
            ("/etc/**", "/etc/", false),
            ("/**/", "/etc/ssl/", true),
            ("/{**,}", "/", true),
            ("/{**,}", "/x/y", true),
            ("/dev/pts/[0-9]*", "/dev/pts/12", true),
            ("/dev/pts/[0-9]*", "/dev/pts/x", false),
            ("/x/[^a-c]", "/x/d", true),
            ("/x/[^a-c]", "/x/b", false),
            ("/{usr/,}bin/{sh,bash}", "/usr/bin/bash", true),
            ("/{usr/,}bin/{sh,bash}", "/bin/zsh", false),
            ("/{a,b,c}{1,2}", "/b2", true),
            ("@{PROC}/@{pid}/status", "/proc/1234/status", true),
            ("@{PROC}/@{pid}/status", "/proc/self/status", false),
            ("/tmp/???", "/tmp/abc", true),
            ("/tmp/???", "/tmp/a/c", false),
            ("@{mine}/x", "/x", false),
        ] {
            assert_eq!(pattern(text).covers(path.as_bytes()), expected, "{text} on {path}");
        }
    }

    #[test]
    fn inclusion_errs_on_the_side_of_no() {
        for (wide, narrow, expected) in [
            ("/etc/**", "/etc/ssl/**", true),
            ("/etc/**", "/etc/*", true),
            ("/etc/**", "/etc/{,x}", false),
            ("/etc/**", "/etc/passwd", true),
            ("/{**,}", "/x/**", true),
            ("/etc/*", "/etc/**", false),
            ("/etc/*.conf", "/etc/a*.conf", false),
            ("/a/**", "/b/**", false),
        ] {
            assert_eq!(pattern(wide).includes(&pattern(narrow)), expected, "{wide} over {narrow}");
        }
    }

    #[test]
    fn a_long_pattern_is_followed_in_its_length_times_the_path_s() {
        let wild = pattern(&format!("/{}b", "{a,a*}*".repeat(200)));
        assert!(!wild.covers("/a".repeat(1000).as_bytes()));
    }
}
