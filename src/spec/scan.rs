//! The scan behind [`Document`](super::Document): RFC 8259 and nothing more, in one pass.

use super::document::{Kind, MAX_DEPTH, Node, unescape};
use super::error::{Place, ReadError, Refusal};
use super::pointer::Pointer;

/// Scans `text` into its table of values, in document order.
pub(super) fn scan(text: &str) -> Result<Vec<Node>, ReadError> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, nodes: Vec::with_capacity(text.len() / 8 + 8) };
    scanner.document().map_err(|fault| scanner.locate(*fault))?;
    // For one document. Of thousands each would be given memory of its own by the kernel: glibc learns from what is freed
    // whole how large a piece may be kept.
    #[cfg(not(feature = "cli"))]
    scanner.nodes.shrink_to_fit();
    Ok(scanner.nodes)
}

/// A refusal and the byte it was met at; the pointer is worked out only when one is needed.
struct Fault {
    refusal: Refusal,
    at: usize,
    /// The key under which it stands, when its node does not exist yet.
    key: Option<String>,
}

type Scan<T> = Result<T, Box<Fault>>;

/// A string's inside, without quotes, and whether it holds a backslash.
#[derive(Clone, Copy)]
struct Text {
    start: usize,
    end: usize,
    escaped: bool,
}

const NO_KEY: Text = Text { start: 0, end: 0, escaped: false };

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Scanner<'_> {
    fn document(&mut self) -> Scan<()> {
        self.space();
        self.value(NO_KEY, 0)?;
        self.space();
        if self.at < self.bytes.len() {
            return Err(self.fault(Refusal::TrailingData));
        }
        Ok(())
    }

    fn value(&mut self, key: Text, depth: usize) -> Scan<()> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let text = self.string().map_err(|fault| self.under(key, fault))?;
                self.leaf(Kind::String, key, start, text.escaped);
            }
            Some(b'{') => self.container(Kind::Object, key, depth)?,
            Some(b'[') => self.container(Kind::Array, key, depth)?,
            Some(b't') => self.word("true", Kind::Bool, key)?,
            Some(b'f') => self.word("false", Kind::Bool, key)?,
            Some(b'n') => self.word("null", Kind::Null, key)?,
            Some(b'-' | b'0'..=b'9') => {
                self.number().map_err(|fault| self.under(key, fault))?;
                self.leaf(Kind::Number, key, start, false);
            }
            _ => return Err(self.under(key, self.expected("a JSON value"))),
        }
        Ok(())
    }

    fn leaf(&mut self, kind: Kind, key: Text, start: usize, escaped: bool) {
        let after = self.nodes.len() + 1;
        let node = Self::node(kind, key, start, escaped);
        self.nodes.push(Node { end: offset(self.at), after: offset(after), ..node });
    }

    fn node(kind: Kind, key: Text, start: usize, escaped: bool) -> Node {
        Node {
            kind,
            escaped,
            key_escaped: key.escaped,
            start: offset(start),
            end: 0,
            key: (offset(key.start), offset(key.end)),
            after: 0,
        }
    }

    fn container(&mut self, kind: Kind, key: Text, depth: usize) -> Scan<()> {
        if depth >= MAX_DEPTH {
            return Err(self.under(key, self.fault(Refusal::TooDeep)));
        }
        let index = self.nodes.len();
        let node = Self::node(kind, key, self.at, false);
        self.nodes.push(node);
        self.at += 1;
        self.space();
        let close = if kind == Kind::Object { b'}' } else { b']' };
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            self.children(kind, close, depth)?;
        }
        if kind == Kind::Object {
            self.refuse_duplicates(index)?;
        }
        let after = offset(self.nodes.len());
        self.nodes[index].end = offset(self.at);
        self.nodes[index].after = after;
        Ok(())
    }

    fn children(&mut self, kind: Kind, close: u8, depth: usize) -> Scan<()> {
        loop {
            let key = if kind == Kind::Object { self.key()? } else { NO_KEY };
            self.value(key, depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ if kind == Kind::Object => return Err(self.expected("`,` or `}`")),
                _ => return Err(self.expected("`,` or `]`")),
            }
            self.space();
        }
    }

    fn key(&mut self) -> Scan<Text> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        let key = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        self.space();
        Ok(key)
    }

    /// Scans the string at the opening quote.
    fn string(&mut self) -> Scan<Text> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(&self.bytes[self.at..]);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text { start, end: self.at - 1, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(0) => return Err(self.fault(Refusal::Nul)),
                Some(0x20..) => self.at += 1,
                _ => return Err(self.expected("the string's closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Scan<()> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = &self.bytes[self.at + 1..];
                if digits.len() < 4 || !digits[..4].iter().all(u8::is_ascii_hexdigit) {
                    return Err(self.expected("four hexadecimal digits after `\\u`"));
                }
                let Some((c, used)) = unicode_escape(digits) else {
                    return Err(self.fault(Refusal::LoneSurrogate));
                };
                if c == '\0' {
                    return Err(self.fault(Refusal::Nul));
                }
                self.at += 1 + used;
            }
            _ => return Err(self.expected("a JSON escape after the backslash")),
        }
        Ok(())
    }

    fn number(&mut self) -> Scan<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.expected("a digit")),
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        let number = &self.text[start..self.at];
        let fits =
            || if number.starts_with('-') { number.parse::<i64>().is_ok() } else { number.parse::<u64>().is_ok() };
        if integer && number.len() > 18 && !fits() {
            let number = number.chars().take(40).collect();
            return Err(Box::new(Fault { refusal: Refusal::HugeInteger { number }, at: start, key: None }));
        }
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Scan<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a digit"));
        }
        self.digits();
        Ok(())
    }

    fn word(&mut self, word: &'static str, kind: Kind, key: Text) -> Scan<()> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.under(key, self.expected("a JSON value")));
        }
        let start = self.at;
        self.at += word.len();
        self.leaf(kind, key, start, false);
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Few keys are compared pairwise, many are sorted: a document of a million keys must not take a day.
    fn refuse_duplicates(&self, object: usize) -> Scan<()> {
        const PAIRWISE: usize = 12;
        let mut few = [(0_u32, 0_u32); PAIRWISE];
        let mut count = 0;
        let mut any_escaped = false;
        let mut child = object + 1;
        while child < self.nodes.len() {
            let node = &self.nodes[child];
            any_escaped |= node.key_escaped;
            if count < PAIRWISE {
                few[count] = node.key;
            }
            count += 1;
            child = node.after as usize;
        }
        if count <= PAIRWISE && !any_escaped {
            for (i, &key) in few[..count].iter().enumerate() {
                if few[..i].iter().any(|&other| self.is_same(other, key)) {
                    return Err(Self::duplicate(key, self.raw(key).to_owned()));
                }
            }
            return Ok(());
        }
        self.refuse_duplicates_sorted(object, count)
    }

    fn refuse_duplicates_sorted(&self, object: usize, count: usize) -> Scan<()> {
        let mut keys = Vec::with_capacity(count);
        let mut child = object + 1;
        while child < self.nodes.len() {
            let node = &self.nodes[child];
            keys.push((unescape(self.raw(node.key), node.key_escaped), node.key));
            child = node.after as usize;
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Self::duplicate(pair[1].1, pair[1].0.clone().into_owned())),
            None => Ok(()),
        }
    }

    fn duplicate(key: (u32, u32), name: String) -> Box<Fault> {
        let at = key.0 as usize - 1;
        Box::new(Fault { refusal: Refusal::DuplicateKey { key: name.clone() }, at, key: Some(name) })
    }

    /// Lengths tell most keys of an object apart.
    fn is_same(&self, one: (u32, u32), other: (u32, u32)) -> bool {
        let bytes = |key: (u32, u32)| &self.bytes[key.0 as usize..key.1 as usize];
        one.1 - one.0 == other.1 - other.0 && bytes(one) == bytes(other)
    }

    fn raw(&self, key: (u32, u32)) -> &str {
        &self.text[key.0 as usize..key.1 as usize]
    }

    fn fault(&self, refusal: Refusal) -> Box<Fault> {
        Box::new(Fault { refusal, at: self.at, key: None })
    }

    fn expected(&self, expected: &'static str) -> Box<Fault> {
        let found = match self.text[self.at..].chars().next() {
            None => "the end of the text".to_owned(),
            Some(c) => format!("{c:?}"),
        };
        self.fault(Refusal::Syntax { expected, found })
    }

    fn under(&self, key: Text, mut fault: Box<Fault>) -> Box<Fault> {
        if key.start > 0 && fault.key.is_none() {
            fault.key = Some(unescape(&self.text[key.start..key.end], key.escaped).into_owned());
        }
        fault
    }

    /// Works out the pointer from the containers that were still open.
    fn locate(&self, fault: Fault) -> ReadError {
        let mut pointer = Pointer::root();
        let open: Vec<usize> = (0..self.nodes.len()).filter(|&i| self.nodes[i].after == 0).collect();
        for (position, &index) in open.iter().enumerate() {
            let inner = open.get(position + 1).copied();
            if self.nodes[index].kind == Kind::Array {
                pointer = pointer.child(&self.children_before(index, inner).to_string());
            } else if let Some(inner) = inner {
                let node = &self.nodes[inner];
                pointer = pointer.child(&unescape(self.raw(node.key), node.key_escaped));
            } else if let Some(key) = &fault.key {
                pointer = pointer.child(key);
            }
        }
        ReadError::new(fault.refusal, Place::of(self.text, fault.at), pointer)
    }

    fn children_before(&self, array: usize, end: Option<usize>) -> usize {
        let end = end.unwrap_or(self.nodes.len());
        let mut child = array + 1;
        let mut count = 0;
        while child < end {
            child = self.nodes[child].after as usize;
            count += 1;
        }
        count
    }
}

/// How many of the first bytes can stand in a string as they are: neither quote nor backslash nor control character. In
/// words of eight, whose lowest marked byte is exact ("Bit Twiddling Hacks", `hasless` and `haszero`); the rest is left
/// to the caller.
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, _) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let marked = control | quote | has_zero(word ^ (ONES * u64::from(b'\\')));
        if marked != 0 {
            return position * 8 + marked.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8
}

/// Reads the digits behind `\u`, and the low half that must follow a high surrogate. Gives the character and how many
/// bytes it took, `None` for a lone surrogate.
pub(super) fn unicode_escape(digits: &[u8]) -> Option<(char, usize)> {
    let high = hex4(digits)?;
    if !(0xd800..0xe000).contains(&high) {
        return char::from_u32(high).map(|c| (c, 4));
    }
    if high >= 0xdc00 || digits.get(4..6) != Some(b"\\u") {
        return None;
    }
    let low = hex4(&digits[6..])?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).map(|c| (c, 10))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.get(..4)?.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

/// Offsets fit 32 bits because [`MAX_BYTES`](super::document::MAX_BYTES) does.
#[allow(clippy::cast_possible_truncation, reason = "bounded by MAX_BYTES")]
const fn offset(at: usize) -> u32 {
    at as u32
}
