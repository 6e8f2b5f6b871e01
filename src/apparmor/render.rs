//! A profile as text for apparmor_parser: the same profile always gives the same text.
//!
//! Every name and path is quoted ([`super::quote`]); everything else is a word of the language or a number.

use std::borrow::Cow;
use std::fmt::Write;

use super::dialect::Dialect;
use super::profile::{FileRule, MountRule, Profile, Qualifiers, Rule, check_name};
use super::quote::quoted;
use super::words::{Family, Mode, MountKind, SocketKind};
use crate::capability::CapSet;

/// The headings, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Capabilities,
    Network,
    Files,
    Signals,
    Ptrace,
    Mounts,
    Facilities,
    ChangeProfile,
}

impl Section {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Capabilities, "Capabilities"),
        (Self::Network, "Network: sockets by family and type"),
        (Self::Files, "Files"),
        (Self::Signals, "Signals: both sides must allow one"),
        (Self::Ptrace, "Tracing and reading of other processes: both sides must allow it"),
        (Self::Mounts, "Mounts"),
        (Self::Facilities, "User namespaces, message queues"),
        (Self::ChangeProfile, "Changes to other profiles"),
    ];

    const fn of(rule: &Rule) -> Self {
        match rule {
            Rule::Capability { .. } => Self::Capabilities,
            Rule::Network { .. } | Rule::Unix { .. } => Self::Network,
            Rule::File(_) => Self::Files,
            Rule::Signal { .. } => Self::Signals,
            Rule::Ptrace { .. } => Self::Ptrace,
            Rule::Mount(_) => Self::Mounts,
            Rule::Facility { .. } => Self::Facilities,
            Rule::ChangeProfile { .. } => Self::ChangeProfile,
        }
    }
}

impl Profile {
    /// The language that the profile is written in for a parser of `dialect`.
    pub fn dialect(&self, dialect: Dialect) -> Dialect {
        self.abi.map_or(dialect, |abi| dialect.pinned(abi))
    }

    /// The rules one by one as they are written for `dialect`: one capability each, Unix sockets apart from the other
    /// families where the ABI has them apart, and nothing that the parser does not know.
    pub fn lowered(&self, dialect: Dialect) -> Vec<Rule> {
        let dialect = self.dialect(dialect);
        let mut rules = Vec::with_capacity(self.rules.len());
        for (section, _) in Section::ALL {
            for rule in self.rules.iter().filter(|rule| Section::of(rule) == section) {
                for lowered in lower(rule, dialect) {
                    if !rules.contains(&lowered) {
                        rules.push(lowered);
                    }
                }
            }
        }
        rules
    }

    /// The text.
    pub fn render(&self, dialect: Dialect) -> String {
        let mut out = format!("# {}\n", comment(&self.name));
        if let Some(description) = &self.description {
            let _ = writeln!(out, "# {}", comment(description));
        }
        out.push_str("# Written by batten: change what it was made from, not this.\n\n");
        if let Some(abi) = self.dialect(dialect).abi {
            let _ = writeln!(out, "abi <abi/{abi}>,\n");
        }
        for path in &self.tunables {
            let _ = writeln!(out, "include <{path}>");
        }
        if !self.tunables.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "profile {}{} {{", quoted(&self.name), self.flags());
        let mut sections = Vec::new();
        if !self.includes.is_empty() {
            let lines = self.includes.iter().map(|path| format!("  include <{path}>\n"));
            sections.push(format!("  # Rules of other files\n{}", lines.collect::<String>()));
        }
        let rules = self.lowered(dialect);
        for (section, heading) in Section::ALL {
            let lines: String = rules.iter().filter(|rule| Section::of(rule) == section).map(line).collect();
            if !lines.is_empty() {
                sections.push(format!("  # {heading}\n{lines}"));
            }
        }
        if self.local && check_name(&self.name).is_ok() {
            sections.push(format!("  # Additions of this host\n  include if exists <local/{}>\n", self.name));
        }
        out.push_str(&sections.join("\n"));
        out.push_str("}\n");
        out
    }

    fn flags(&self) -> String {
        let mut flags = Vec::new();
        if self.attach_disconnected {
            flags.push("attach_disconnected");
        }
        if self.mediate_deleted {
            flags.push("mediate_deleted");
        }
        // The absence of a mode is enforce; older parsers do not know the word.
        if self.mode != Mode::Enforce {
            flags.push(self.mode.as_str());
        }
        if flags.is_empty() { String::new() } else { format!(" flags=({})", flags.join(",")) }
    }
}

fn lower(rule: &Rule, dialect: Dialect) -> Vec<Rule> {
    match rule {
        Rule::Capability { qualifiers, set: Some(set) } => set
            .iter()
            .map(|capability| Rule::Capability { qualifiers: *qualifiers, set: Some(CapSet::of(capability)) })
            .collect(),
        Rule::Network { qualifiers, family: Some(Family::Unix), kind } if dialect.unix => {
            vec![Rule::Unix { qualifiers: *qualifiers, kind: *kind }]
        }
        Rule::Network { qualifiers, family: None, kind } if dialect.unix && is_socket_type(*kind) => {
            vec![rule.clone(), Rule::Unix { qualifiers: *qualifiers, kind: *kind }]
        }
        Rule::Unix { qualifiers, kind } if !dialect.unix => {
            vec![Rule::Network { qualifiers: *qualifiers, family: Some(Family::Unix), kind: *kind }]
        }
        Rule::Facility { .. } if !dialect.facilities => Vec::new(),
        other => vec![other.clone()],
    }
}

const fn is_socket_type(kind: Option<SocketKind>) -> bool {
    !matches!(kind, Some(SocketKind::Tcp | SocketKind::Udp | SocketKind::Icmp))
}

/// A lowered rule as a line.
fn line(rule: &Rule) -> String {
    let (note, body) = match rule {
        Rule::File(file) => (file.comment.as_deref(), file_rule(file)),
        other => (None, plain_rule(other)),
    };
    match note {
        Some(note) => format!("  # {}\n  {body},\n", comment(note)),
        None => format!("  {body},\n"),
    }
}

fn plain_rule(rule: &Rule) -> String {
    match rule {
        Rule::Capability { qualifiers, set } => {
            let names = set.iter().flat_map(|set| set.iter()).map(capability_word);
            words(*qualifiers, "capability", names)
        }
        Rule::Network { qualifiers, family, kind } => {
            let family = family.iter().map(|family| family.as_str().to_owned());
            words(*qualifiers, "network", family.chain(kind.iter().map(ToString::to_string)))
        }
        Rule::Unix { qualifiers, kind } => words(*qualifiers, "unix", kind.iter().map(|kind| format!("type={kind}"))),
        Rule::Signal { qualifiers, access, signals, peer } => {
            let set = (!signals.is_empty()).then(|| format!("set={}", list(signals)));
            let peer = peer.as_ref().map(|peer| format!("peer={}", peer.quoted()));
            words(*qualifiers, "signal", access_list(access).into_iter().chain(set).chain(peer))
        }
        Rule::Ptrace { qualifiers, access, peer } => {
            let peer = peer.as_ref().map(|peer| format!("peer={}", peer.quoted()));
            words(*qualifiers, "ptrace", access_list(access).into_iter().chain(peer))
        }
        Rule::Mount(mount) => mount_rule(mount),
        Rule::Facility { qualifiers, facility } => words(*qualifiers, facility.as_str(), []),
        Rule::ChangeProfile { qualifiers, exec, target } => {
            let target = target.as_ref().map(|target| format!("-> {}", target.quoted()));
            words(*qualifiers, "change_profile", exec.iter().map(super::Pattern::quoted).chain(target))
        }
        Rule::File(file) => file_rule(file),
    }
}

fn file_rule(file: &FileRule) -> String {
    if file.is_everything() {
        return words(file.qualifiers, "file", []);
    }
    let mut letters: String = file.access.letters().collect();
    let mut target = None;
    if file.access.includes(super::Access::EXECUTE) {
        if file.qualifiers.deny {
            letters.push('x');
        } else {
            letters.push_str(file.exec.transition.letters(file.exec.scrub));
            target = file.exec.target.as_deref().map(|name| format!("-> {}", quoted(name)));
        }
    }
    let owner = file.owner.then(|| "owner".to_owned());
    let words = [Some(file.path.quoted()), Some(letters), target].into_iter().flatten();
    qualified(file.qualifiers, owner.into_iter().chain(words))
}

fn mount_rule(mount: &MountRule) -> String {
    let fstypes = mount.fstypes.iter().map(super::Pattern::quoted).collect::<Vec<_>>();
    let mut parts = Vec::new();
    if !fstypes.is_empty() {
        parts.push(format!("fstype={}", list(&fstypes)));
    }
    if !mount.options.is_empty() {
        parts.push(format!("options={}", list(&mount.options)));
    }
    let source = mount.source.as_ref().map(super::Pattern::quoted);
    let target = mount.target.as_ref().map(super::Pattern::quoted);
    match mount.kind {
        MountKind::Mount => parts.extend(source.into_iter().chain(target.map(|target| format!("-> {target}")))),
        MountKind::Remount | MountKind::Umount => parts.extend(target),
        MountKind::PivotRoot => parts.extend(source.map(|old| format!("oldroot={old}")).into_iter().chain(target)),
    }
    words(mount.qualifiers, mount.kind.as_str(), parts)
}

/// `audit deny KEYWORD WORDS`.
fn words(qualifiers: Qualifiers, keyword: &str, words: impl IntoIterator<Item = String>) -> String {
    qualified(qualifiers, std::iter::once(keyword.to_owned()).chain(words))
}

fn qualified(qualifiers: Qualifiers, words: impl Iterator<Item = String>) -> String {
    let audit = qualifiers.audit.then(|| "audit".to_owned());
    let deny = qualifiers.deny.then(|| "deny".to_owned());
    audit.into_iter().chain(deny).chain(words).collect::<Vec<_>>().join(" ")
}

fn access_list<T: std::fmt::Display>(access: &[T]) -> Option<String> {
    (!access.is_empty()).then(|| list(access))
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    format!("({})", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// `CAP_NET_ADMIN` is `net_admin` here.
fn capability_word(capability: crate::capability::Capability) -> String {
    capability.name().trim_start_matches("CAP_").to_ascii_lowercase()
}

/// Text that stays in its comment. A `#` directly before `include` would be an include; `# ` never is.
fn comment(text: &str) -> Cow<'_, str> {
    let visible = |c: char| c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic();
    if text.chars().all(visible) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if visible(c) { c } else { ' ' }).collect())
}
