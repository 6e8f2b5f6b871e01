//! Profiles as they lie in /etc/apparmor.d, read back.
//!
//! Not everything that the language can say is modelled; what is not is kept as text with its line, so that whoever
//! looks at a profile knows that something was not looked at.

mod head;
mod rules;
mod scanner;

use super::dialect::Version;
use super::pattern::Pattern;
use super::profile::{IncludePath, Profile};
use super::words::Mode;
use head::FlagsPlace;
pub use scanner::ScanError;
use scanner::{Spot, Token, scan};

/// A file of profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// What `abi <abi/3.0>,` names, if batten knows it.
    pub abi: Option<Version>,
    /// The included files before the profiles.
    pub tunables: Vec<String>,
    /// The profiles, children after their parents.
    pub profiles: Vec<Written>,
}

/// A profile in a file: in the parser's language, or in TOML, where only the line numbers of [`Written`] mean anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What batten understood of it. A child's name is `PARENT//NAME`.
    pub profile: Profile,
    /// The line of its head, counted from 1.
    pub line: usize,
    /// The programs it attaches to, if any.
    pub attachment: Option<Pattern>,
    /// Its flags, as written.
    pub flags: Vec<String>,
    flags_at: FlagsPlace,
    /// The lines of [`Profile::rules`], one each.
    pub lines: Vec<usize>,
    /// Rules that batten does not model: line and words.
    pub unknown: Vec<(usize, String)>,
}

impl PolicyFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ScanError`] when a quote is never closed.
    pub fn parse(text: &[u8]) -> Result<Self, ScanError> {
        let tokens = scan(text)?;
        let mut reader = Reader { tokens: &tokens, at: 0, file: Self::default(), open: Vec::new() };
        while reader.at < tokens.len() {
            reader.statement();
        }
        let mut file = reader.file;
        for written in &mut file.profiles {
            written.profile.abi = file.abi;
            written.profile.tunables = file.tunables.iter().filter_map(|path| IncludePath::new(path)).collect();
        }
        Ok(file)
    }

    /// `text`, from which this was read, with each profile in the mode that `mode_of` gives for its name, if any.
    ///
    /// # Errors
    /// The profile whose head is none that apparmor_parser takes.
    pub fn in_modes(&self, text: &str, mode_of: impl Fn(&str) -> Option<Mode>) -> Result<String, &Written> {
        let mut text = text.to_owned();
        // From the last head to the first: what stands before one keeps its place.
        for written in self.profiles.iter().rev() {
            if let Some(mode) = mode_of(&written.profile.name) {
                text = written.in_mode(&text, mode).ok_or(written)?;
            }
        }
        Ok(text)
    }
}

struct Reader<'t> {
    tokens: &'t [(Token, Spot)],
    at: usize,
    file: PolicyFile,
    /// The positions in `file.profiles` of the blocks that are open; `None` for blocks that are no profile.
    open: Vec<Option<usize>>,
}

impl<'t> Reader<'t> {
    fn statement(&mut self) {
        let (token, spot) = &self.tokens[self.at];
        let line = spot.line;
        match token {
            Token::Newline | Token::End => self.at += 1,
            Token::BlockClose => {
                self.open.pop();
                self.at += 1;
            }
            token if matches!(token.word(), Some("include" | "#include")) => self.include(),
            _ => {
                let first = self.at;
                let (rule, end) = self.rule();
                if end == Some(&Token::BlockOpen) {
                    self.block(rule, line, first);
                } else {
                    self.line(rule, line);
                }
            }
        }
    }

    /// The tokens up to the end of the rule or the opening of a block, without line ends. An assignment ends with its
    /// line.
    fn rule(&mut self) -> (Vec<&'t Token>, Option<&'t Token>) {
        let mut rule: Vec<&'t Token> = Vec::new();
        while let Some((token, _)) = self.tokens.get(self.at) {
            let is_assignment = matches!(rule.as_slice(), [name, Token::Equals, ..] if is_variable(name));
            match token {
                Token::BlockClose => return (rule, None),
                Token::End | Token::BlockOpen => {
                    self.at += 1;
                    return (rule, Some(token));
                }
                Token::Newline if is_assignment => {
                    self.at += 1;
                    return (rule, Some(token));
                }
                Token::Newline => {}
                other => rule.push(other),
            }
            self.at += 1;
        }
        (rule, None)
    }

    fn include(&mut self) {
        let line = self.tokens[self.at].1.line;
        let mut optional = false;
        let mut path = None;
        self.at += 1;
        while let Some((token, at)) = self.tokens.get(self.at) {
            if at.line != line || *token == Token::Newline {
                break;
            }
            match token {
                Token::Angle(inside) => path = Some(inside.clone()),
                Token::Text { text, quoted: true } => path = Some(String::from_utf8_lossy(text).into_owned()),
                other => optional |= other.word() == Some("if"),
            }
            self.at += 1;
        }
        let Some(path) = path else { return };
        match self.current() {
            None => self.file.tunables.push(path),
            Some(written) if optional && path == format!("local/{}", written.profile.name) => {
                written.profile.local = true;
            }
            Some(written) => match IncludePath::new(&path) {
                Some(known) => written.profile.includes.push(known),
                None => written.unknown.push((line, format!("include <{path}>"))),
            },
        }
    }

    fn current(&mut self) -> Option<&mut Written> {
        let at = (*self.open.last()?)?;
        self.file.profiles.get_mut(at)
    }

    fn block(&mut self, head: Vec<&Token>, line: usize, first: usize) {
        let parent = self.open.last().copied().flatten().map(|at| self.file.profiles[at].profile.name.clone());
        let written = head::head(&self.tokens[first..self.at], parent.as_deref());
        if let (None, Some(outer)) = (&written, self.current()) {
            outer.unknown.push((line, rules::words_of(&head)));
        }
        self.open.push(written.is_some().then_some(self.file.profiles.len()));
        self.file.profiles.extend(written);
    }

    fn line(&mut self, rule: Vec<&Token>, line: usize) {
        if rule.is_empty() {
            return;
        }
        if let ([word, Token::Angle(abi)], None) = (rule.as_slice(), self.open.last())
            && word.word() == Some("abi")
        {
            self.file.abi = abi.strip_prefix("abi/").and_then(Version::parse);
            return;
        }
        let Some(written) = self.current() else { return };
        match rules::rules(&rule) {
            Some(rules) => {
                written.lines.extend(rules.iter().map(|_| line));
                written.profile.rules.extend(rules);
            }
            None => written.unknown.push((line, rules::words_of(&rule))),
        }
    }
}

fn is_variable(token: &Token) -> bool {
    token.word().is_some_and(|word| word.starts_with("@{") || word.starts_with('$'))
}

impl Written {
    pub(super) fn new(name: String, line: usize) -> Self {
        let mut profile = Profile::new(name);
        profile.attach_disconnected = false;
        profile.mediate_deleted = false;
        Self {
            profile,
            line,
            attachment: None,
            flags: Vec::new(),
            flags_at: FlagsPlace::Unreadable,
            lines: Vec::new(),
            unknown: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
