//! The sections of a profile's TOML, and the rules that they stand for.

use serde::Deserialize;
use toml::Spanned;

use super::{Source, TomlError};
use crate::apparmor::pattern::{Pattern, PatternError};
use crate::apparmor::profile::{Access, Exec, FileRule, MountRule, Qualifiers, Rule, check_name};
use crate::apparmor::words::{
    Facility, Family, MountKind, MountOption, PtraceAccess, Signal, SignalAccess, SocketKind, Transition,
};
use crate::capability::{CapSet, Capability};

type Words = Vec<Spanned<String>>;

/// `"allow"` or `"deny"`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Allow,
    Deny,
}

impl Verdict {
    pub(super) const fn rule(self, facility: Facility) -> Rule {
        let qualifiers = Qualifiers { audit: false, deny: matches!(self, Self::Deny) };
        Rule::Facility { qualifiers, facility }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CapabilitySection {
    allow: Words,
    deny: Words,
    /// Allowed, and logged when used.
    audit: Words,
}

impl CapabilitySection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let audit = Qualifiers { audit: true, deny: false };
        for (qualifiers, words) in
            [(Qualifiers::ALLOW, &self.allow), (audit, &self.audit), (Qualifiers::DENY, &self.deny)]
        {
            let mut set = CapSet::EMPTY;
            for word in words {
                match word.get_ref().as_str() {
                    "@all" => rules.push(Rule::Capability { qualifiers, set: None }),
                    "@docker" => set = set.union(CapSet::DOCKER),
                    name => set = set.union(CapSet::of(capability(source, word, name)?)),
                }
            }
            if !set.is_empty() {
                rules.push(Rule::Capability { qualifiers, set: Some(set) });
            }
        }
        Ok(())
    }
}

fn capability(source: Source<'_>, word: &Spanned<String>, name: &str) -> Result<Capability, TomlError> {
    Capability::from_name(name).ok_or_else(|| {
        let hint = "capabilities are spelled as in capabilities(7), CAP_NET_ADMIN; @docker and @all stand for sets";
        source.wrong(word.span().start, format!("no capability {name:?} is known"), hint)
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkSection {
    #[serde(default)]
    families: Words,
    #[serde(default)]
    types: Words,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    audit: bool,
}

impl NetworkSection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let qualifiers = Qualifiers { audit: self.audit, deny: self.deny };
        let families = all_or(&self.families, |word| source.word(word, "address family", Family::ALL))?;
        for word in &self.types {
            let kind = source.word(word, "socket type", SocketKind::ALL)?;
            if let Some(family) = families.iter().find(|family| !kind.fits(**family)) {
                let hint = "tcp and udp are for inet and inet6, icmp for inet alone, packet for a named family; the others are for all";
                let family = family.map_or("every family", Family::as_str);
                return Err(source.wrong(word.span().start, format!("{kind} is no type of {family}"), hint));
            }
        }
        let kinds = all_or(&self.types, |word| source.word(word, "socket type", SocketKind::ALL))?;
        for family in families {
            rules.extend(kinds.iter().map(|kind| Rule::Network { qualifiers, family, kind: *kind }));
        }
        Ok(())
    }
}

/// The values of a list, or the one that stands for all when the list is empty.
fn all_or<T>(
    words: &[Spanned<String>],
    read: impl Fn(&Spanned<String>) -> Result<T, TomlError>,
) -> Result<Vec<Option<T>>, TomlError> {
    if words.is_empty() {
        return Ok(vec![None]);
    }
    words.iter().map(|word| read(word).map(Some)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Environment {
    Scrub,
    Keep,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSection {
    paths: Spanned<Words>,
    #[serde(default)]
    access: Words,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    audit: bool,
    #[serde(default)]
    owner: bool,
    exec: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    environment: Option<Spanned<Environment>>,
    comment: Option<String>,
}

impl FileSection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let access = self.access(source)?;
        let exec = self.exec(source, access)?;
        if self.paths.get_ref().is_empty() {
            let hint = "name at least one path, such as \"/etc/nginx/**\"";
            return Err(source.wrong(self.paths.span().start, "paths is empty", hint));
        }
        for (position, path) in self.paths.get_ref().iter().enumerate() {
            rules.push(Rule::File(FileRule {
                qualifiers: Qualifiers { audit: self.audit, deny: self.deny },
                owner: self.owner,
                path: pattern(source, path, Pattern::path)?,
                access,
                exec: exec.clone(),
                comment: self.comment.clone().filter(|_| position == 0),
            }));
        }
        Ok(())
    }

    fn access(&self, source: Source<'_>) -> Result<Access, TomlError> {
        let mut access = if self.exec.is_some() { Access::EXECUTE } else { Access::default() };
        for word in &self.access {
            let one = Access::from_word(word.get_ref()).ok_or_else(|| {
                let hint = "access is a list of read, write, append, map, lock, link, execute, or all";
                source.wrong(word.span().start, format!("no access {:?} is known", word.get_ref()), hint)
            })?;
            access = access.union(one);
        }
        if access.is_empty() {
            let hint = "say what may be done with the files: access = [\"read\"]";
            return Err(source.wrong(self.paths.span().start, "these files have neither access nor exec", hint));
        }
        // The parser calls `w` and `a` in one rule a conflict; who may write may append.
        Ok(if access.includes(Access::WRITE) { access.difference(Access::APPEND) } else { access })
    }

    fn exec(&self, source: Source<'_>, access: Access) -> Result<Exec, TomlError> {
        let wrong = |offset, problem: &str, hint: &str| Err(source.wrong(offset, problem, hint));
        if let (true, Some(exec)) = (self.deny, &self.exec) {
            let hint = "write access = [\"execute\"]: what is denied has no transition";
            return wrong(exec.span().start, "a rule that denies has an exec", hint);
        }
        let transition = match &self.exec {
            Some(word) => source.word(word, "transition", Transition::ALL)?,
            None => Transition::Inherit,
        };
        if let Some(target) = &self.target {
            if !access.includes(Access::EXECUTE) || self.deny || !transition.takes_target() {
                let hint = "a target goes with exec = \"profile\", \"child\" or one of their fallbacks";
                return wrong(target.span().start, "this rule changes to no profile that could be named", hint);
            }
            check_name(target.get_ref())
                .map_err(|error| source.wrong(target.span().start, error.to_string(), error.hint()))?;
        }
        if let Some(environment) = &self.environment
            && (self.exec.is_none() || transition == Transition::Inherit)
        {
            let hint = "environment goes with a transition to another profile or to none";
            return wrong(environment.span().start, "this rule changes to no other profile", hint);
        }
        let scrub = self.environment.as_ref().is_none_or(|environment| *environment.get_ref() == Environment::Scrub);
        let target = self.target.as_ref().map(|target| target.get_ref().clone());
        Ok(Exec { transition, scrub, target })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalSection {
    #[serde(default)]
    access: Words,
    #[serde(default)]
    signals: Words,
    #[serde(default)]
    peers: Words,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    audit: bool,
}

impl SignalSection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let qualifiers = Qualifiers { audit: self.audit, deny: self.deny };
        let read = |word: &Spanned<String>| source.word(word, "access", SignalAccess::ALL);
        let access = self.access.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let signals = self.signals.iter().map(|word| signal(source, word)).collect::<Result<Vec<_>, _>>()?;
        for peer in all_or(&self.peers, |word| pattern(source, word, Pattern::label))? {
            rules.push(Rule::Signal { qualifiers, access: access.clone(), signals: signals.clone(), peer });
        }
        Ok(())
    }
}

fn signal(source: Source<'_>, word: &Spanned<String>) -> Result<Signal, TomlError> {
    Signal::from_word(word.get_ref()).ok_or_else(|| {
        let hint = "signals are spelled without SIG, in small letters: term, kill, usr1, rtmin+0; exists is signal 0";
        source.wrong(word.span().start, format!("no signal {:?} is known", word.get_ref()), hint)
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PtraceSection {
    #[serde(default)]
    access: Words,
    #[serde(default)]
    peers: Words,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    audit: bool,
}

impl PtraceSection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let qualifiers = Qualifiers { audit: self.audit, deny: self.deny };
        let read = |word: &Spanned<String>| source.word(word, "access", PtraceAccess::ALL);
        let access = self.access.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for peer in all_or(&self.peers, |word| pattern(source, word, Pattern::label))? {
            rules.push(Rule::Ptrace { qualifiers, access: access.clone(), peer });
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MountSection {
    operation: Spanned<String>,
    #[serde(default)]
    fstypes: Words,
    #[serde(default)]
    options: Words,
    source: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    audit: bool,
}

impl MountSection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let kind = source.word(&self.operation, "operation", MountKind::ALL)?;
        let unfit = |word: &Spanned<String>, what: &str, hint: &str| {
            Err(source.wrong(word.span().start, format!("{kind} takes no {what}"), hint))
        };
        if let (Some(word), false) = (self.fstypes.first(), matches!(kind, MountKind::Mount | MountKind::Remount)) {
            return unfit(word, "fstypes", "file system types are for mount and remount");
        }
        if let (Some(word), false) = (self.options.first(), matches!(kind, MountKind::Mount | MountKind::Remount)) {
            return unfit(word, "options", "options are for mount and remount");
        }
        if let (Some(word), MountKind::Remount | MountKind::Umount) = (&self.source, kind) {
            return unfit(word, "source", "remount and umount have a target only");
        }
        let read = |word: &Option<Spanned<String>>, read: fn(&str) -> Result<Pattern, PatternError>| {
            word.as_ref().map(|word| pattern(source, word, read)).transpose()
        };
        // What is mounted can be a device or a bare word such as tmpfs; for pivot_root it is a folder.
        let from = if kind == MountKind::PivotRoot { Pattern::path } else { Pattern::label };
        let fstypes = self.fstypes.iter().map(|word| pattern(source, word, Pattern::label));
        let options = self.options.iter().map(|word| source.word(word, "mount option", MountOption::ALL));
        let options: Vec<MountOption> = options.collect::<Result<_, _>>()?;
        for (position, word) in self.options.iter().enumerate() {
            if let Some(before) = options[..position].iter().find(|before| before.contradicts(options[position])) {
                let problem = format!("no mount is {before} and {} at once", options[position]);
                return Err(source.wrong(word.span().start, problem, "write a rule for each"));
            }
        }
        rules.push(Rule::Mount(MountRule {
            qualifiers: Qualifiers { audit: self.audit, deny: self.deny },
            kind,
            fstypes: fstypes.collect::<Result<_, _>>()?,
            options,
            source: read(&self.source, from)?,
            target: read(&self.target, Pattern::path)?,
        }));
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeProfileSection {
    /// The profile; any, if none is named.
    to: Option<Spanned<String>>,
    /// Only when this program is executed.
    exec: Option<Spanned<String>>,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    audit: bool,
}

impl ChangeProfileSection {
    pub(super) fn read(&self, source: Source<'_>, rules: &mut Vec<Rule>) -> Result<(), TomlError> {
        let read = |word: &Option<Spanned<String>>, read: fn(&str) -> Result<Pattern, PatternError>| {
            word.as_ref().map(|word| pattern(source, word, read)).transpose()
        };
        rules.push(Rule::ChangeProfile {
            qualifiers: Qualifiers { audit: self.audit, deny: self.deny },
            exec: read(&self.exec, Pattern::path)?,
            target: read(&self.to, Pattern::label)?,
        });
        Ok(())
    }
}

fn pattern(
    source: Source<'_>,
    word: &Spanned<String>,
    read: fn(&str) -> Result<Pattern, PatternError>,
) -> Result<Pattern, TomlError> {
    read(word.get_ref()).map_err(|error| {
        source.wrong(word.span().start, format!("{:?} is no pattern: {error}", word.get_ref()), error.hint())
    })
}
