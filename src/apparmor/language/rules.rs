//! One rule's tokens, understood.

use super::scanner::Token;
use crate::apparmor::pattern::Pattern;
use crate::apparmor::profile::{Access, Exec, FileRule, MountRule, Qualifiers, Rule};
use crate::apparmor::words::{
    Facility, Family, MountKind, MountOption, PtraceAccess, Signal, SignalAccess, SocketKind, Transition,
};
use crate::capability::{CapSet, Capability};

/// The rules that a rule stands for; `None` for one that is not modelled.
pub(super) fn rules(tokens: &[&Token]) -> Option<Vec<Rule>> {
    let mut cursor = Cursor { tokens };
    let mut qualifiers = Qualifiers::ALLOW;
    loop {
        match cursor.peek_word() {
            Some("audit") => qualifiers.audit = true,
            Some("deny") => qualifiers.deny = true,
            Some("allow") => {}
            _ => break,
        }
        cursor.next();
    }
    let rules = match cursor.peek_word() {
        Some("capability") => capability(cursor.skip(), qualifiers)?,
        Some("network") => vec![network(cursor.skip(), qualifiers)?],
        Some("unix") => vec![unix(cursor.skip(), qualifiers)?],
        Some("signal") => vec![signal(cursor.skip(), qualifiers)?],
        Some("ptrace") => vec![ptrace(cursor.skip(), qualifiers)?],
        Some("change_profile") => vec![change_profile(cursor.skip(), qualifiers)?],
        Some(word) if MountKind::from_word(word).is_some() => {
            let kind = MountKind::from_word(word)?;
            vec![Rule::Mount(mount(cursor.skip(), qualifiers, kind)?)]
        }
        Some(word) if Facility::from_word(word).is_some() && cursor.tokens.len() == 1 => {
            vec![Rule::Facility { qualifiers, facility: Facility::from_word(word)? }]
        }
        _ => vec![Rule::File(file(&mut cursor, qualifiers)?)],
    };
    Some(rules)
}

/// The words of a rule, for messages.
pub(super) fn words_of(tokens: &[&Token]) -> String {
    let words = tokens.iter().map(|token| match token {
        Token::Text { text, .. } => String::from_utf8_lossy(text).into_owned(),
        Token::Angle(inside) => format!("<{inside}>"),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Equals => "=".to_owned(),
        Token::Arrow => "->".to_owned(),
        Token::End | Token::BlockOpen | Token::BlockClose | Token::Newline => String::new(),
    });
    words.collect::<Vec<_>>().join(" ")
}

struct Cursor<'c, 't> {
    tokens: &'c [&'t Token],
}

impl<'t> Cursor<'_, 't> {
    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn peek_word(&self) -> Option<&'t str> {
        self.tokens.first()?.word()
    }

    /// The same, after the next token.
    fn skip(&mut self) -> &mut Self {
        self.next();
        self
    }

    fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    /// `x` or `(x, y)`: the texts.
    fn list(&mut self) -> Option<Vec<&'t Token>> {
        match self.next()? {
            Token::Open => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Token::Close => return Some(items),
                        token @ Token::Text { .. } => items.push(token),
                        _ => return None,
                    }
                }
            }
            token @ Token::Text { .. } => Some(vec![token]),
            _ => None,
        }
    }

    /// `KEY=VALUE` with the given key: its values.
    fn condition(&mut self, key: &str) -> Option<Vec<&'t Token>> {
        if self.peek_word() != Some(key) || self.tokens.get(1) != Some(&&Token::Equals) {
            return None;
        }
        self.skip().skip().list()
    }

    /// A list of words, if the next token is one of them or a bracket.
    fn words<T>(&mut self, read: fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let is_list = matches!(self.tokens.first(), Some(Token::Open)) || self.peek_word().and_then(read).is_some();
        if !is_list {
            return Some(Vec::new());
        }
        self.list()?.into_iter().map(|token| read(token.word()?)).collect()
    }

    /// `peer=LABEL`, if it stands here. What is no label stays where it is, and the rule is not done then.
    fn peer(&mut self) -> Option<Pattern> {
        let before = self.tokens;
        let values = self.condition("peer")?;
        let peer = if let [one] = values.as_slice() { one.pattern() } else { None };
        if peer.is_none() {
            self.tokens = before;
        }
        peer
    }
}

fn capability(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<Vec<Rule>> {
    if cursor.is_done() {
        return Some(vec![Rule::Capability { qualifiers, set: None }]);
    }
    let mut rules = Vec::new();
    while let Some(token) = cursor.next() {
        let name = format!("CAP_{}", token.word()?.to_ascii_uppercase());
        rules.push(Rule::Capability { qualifiers, set: Some(CapSet::of(Capability::from_name(&name)?)) });
    }
    Some(rules)
}

fn network(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<Rule> {
    let family = cursor.peek_word().and_then(Family::from_word);
    if family.is_some() {
        cursor.next();
    }
    let kind = cursor.peek_word().and_then(SocketKind::from_word);
    if kind.is_some() {
        cursor.next();
    }
    cursor.is_done().then_some(Rule::Network { qualifiers, family, kind })
}

fn unix(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<Rule> {
    let kind = match cursor.condition("type") {
        None => None,
        Some(values) => match values.as_slice() {
            [one] => Some(SocketKind::from_word(one.word()?)?),
            _ => return None,
        },
    };
    cursor.is_done().then_some(Rule::Unix { qualifiers, kind })
}

fn signal(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<Rule> {
    let access = cursor.words(|word| match word {
        "r" | "read" => Some(SignalAccess::Receive),
        "w" | "write" => Some(SignalAccess::Send),
        word => SignalAccess::from_word(word),
    })?;
    let signals = match cursor.condition("set") {
        None => Vec::new(),
        Some(values) => values
            .into_iter()
            .map(|token| match token {
                Token::Text { text, .. } => Signal::from_word(std::str::from_utf8(text).ok()?),
                _ => None,
            })
            .collect::<Option<_>>()?,
    };
    let peer = cursor.peer();
    cursor.is_done().then_some(Rule::Signal { qualifiers, access, signals, peer })
}

fn ptrace(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<Rule> {
    let access = cursor.words(|word| match word {
        "r" => Some(PtraceAccess::Read),
        word => PtraceAccess::from_word(word),
    })?;
    let peer = cursor.peer();
    cursor.is_done().then_some(Rule::Ptrace { qualifiers, access, peer })
}

fn change_profile(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<Rule> {
    let exec = match cursor.tokens.first() {
        Some(Token::Text { .. }) => Some(cursor.next()?.pattern()?),
        _ => None,
    };
    let target = match cursor.next() {
        Some(Token::Arrow) => Some(cursor.next()?.pattern()?),
        None => None,
        _ => return None,
    };
    cursor.is_done().then_some(Rule::ChangeProfile { qualifiers, exec, target })
}

fn mount(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers, kind: MountKind) -> Option<MountRule> {
    let mut rule = MountRule::any(qualifiers, kind);
    loop {
        if let Some(values) = cursor.condition("fstype").or_else(|| cursor.condition("vfstype")) {
            rule.fstypes = values.into_iter().map(Token::pattern).collect::<Option<_>>()?;
        } else if let Some(values) = cursor.condition("options").or_else(|| cursor.condition("option")) {
            rule.options =
                values.into_iter().map(|token| MountOption::from_word(token.word()?)).collect::<Option<_>>()?;
        } else if let Some(values) = cursor.condition("oldroot") {
            rule.source = Some(values.first()?.pattern()?);
        } else {
            break;
        }
    }
    if let Some(Token::Text { .. }) = cursor.tokens.first() {
        let path = Some(cursor.next()?.pattern()?);
        if kind == MountKind::Mount { rule.source = path } else { rule.target = path }
    }
    if kind == MountKind::Mount && cursor.tokens.first() == Some(&&Token::Arrow) {
        rule.target = Some(cursor.skip().next()?.pattern()?);
    }
    cursor.is_done().then_some(rule)
}

/// `[owner] [file] PATH ACCESS [-> TARGET]`, with the access before or after the path.
fn file(cursor: &mut Cursor<'_, '_>, qualifiers: Qualifiers) -> Option<FileRule> {
    let owner = cursor.peek_word() == Some("owner");
    if owner {
        cursor.next();
    }
    if cursor.peek_word() == Some("file") {
        cursor.next();
        if cursor.is_done() {
            return Some(FileRule { owner, ..FileRule::everything(qualifiers) });
        }
    }
    let first = cursor.next()?;
    let second = cursor.next()?;
    let starts_path =
        |token: &Token| matches!(token, Token::Text { text, .. } if text.starts_with(b"/") || text.starts_with(b"@{"));
    let (path, access) = if starts_path(first) { (first, second) } else { (second, first) };
    let path = path.pattern().filter(|_| starts_path(path))?;
    let (access, exec) = access_of(access.word()?, qualifiers.deny)?;
    let mut rule = FileRule { owner, exec, ..FileRule::new(qualifiers, path, access) };
    if cursor.tokens.first() == Some(&&Token::Arrow) {
        let target = cursor.skip().next()?.pattern()?.as_literal()?;
        rule.exec.target = Some(String::from_utf8(target).ok()?);
    }
    cursor.is_done().then_some(rule)
}

/// `rwPx`: the letters of the access, and those of the transition at the end or before it.
fn access_of(letters: &str, is_deny: bool) -> Option<(Access, Exec)> {
    let starts = |rest: &str| (2..=3).rev().find_map(|n| Some((Transition::from_letters(rest.get(..n)?)?, n)));
    let mut access = Access::default();
    let mut exec = Exec::INHERIT;
    let mut rest = letters;
    while let Some(letter) = rest.chars().next() {
        if let Some(((transition, scrub), length)) = starts(rest) {
            access = access.union(Access::EXECUTE);
            exec = Exec { transition, scrub: scrub || transition == Transition::Inherit, target: None };
            rest = &rest[length..];
            continue;
        }
        // A bare x denies; elsewhere it is an error of the parser's.
        let one = Access::from_letter(letter.to_ascii_lowercase()).filter(|one| *one != Access::EXECUTE || is_deny)?;
        access = access.union(one);
        rest = &rest[letter.len_utf8()..];
    }
    (!access.is_empty()).then_some((access, exec))
}
