//! bane's TOML (genuinetools/bane), read for what its author meant.
//!
//! bane's template lets every profile begin with `file,`, so its WritablePaths and AllowExec allow what is allowed already
//! and restrict nothing; LogOnWritePaths grants the writing it logs; `deny network raw` takes netlink along; Protocols
//! leave out IPv6 and Unix sockets; Deny makes it forget Allow. Here each setting does what its name says, and every
//! difference is a [`Warning`]. `docs/apparmor.md` has the table.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::builtin;
use super::kernel::Label;
use super::pattern::Pattern;
use super::profile::{Access, FileRule, IncludePath, MountRule, Profile, Qualifiers, Rule, check_name};
use super::reader::{Source, TomlError};
use super::words::{Family, MountKind, SocketKind};
use crate::capability::{CapSet, Capability};
use crate::spec::Place;

/// What bane puts before every name.
const PREFIX: &str = "docker-";

/// A difference between what bane's profile does and what batten's does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line of the setting, counted from 1.
    pub line: usize,
    /// What is different, in one sentence without a full stop.
    pub message: String,
}

type Paths = Option<Spanned<Vec<Spanned<String>>>>;

/// bane's reader takes keys in any case; the two spellings that occur are taken here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BaneToml {
    #[serde(rename = "Name", alias = "name")]
    name: Spanned<String>,
    #[serde(rename = "Filesystem", alias = "filesystem", default)]
    filesystem: Filesystem,
    #[serde(rename = "Network", alias = "network", default)]
    network: Network,
    #[serde(rename = "Capabilities", alias = "capabilities", default)]
    capabilities: Capabilities,
    #[serde(rename = "Imports", alias = "imports", default)]
    imports: Vec<Spanned<String>>,
    #[serde(rename = "InnerImports", alias = "innerimports", default)]
    inner_imports: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Filesystem {
    #[serde(rename = "ReadOnlyPaths", alias = "readonlypaths")]
    read_only: Paths,
    #[serde(rename = "LogOnWritePaths", alias = "logonwritepaths")]
    log_on_write: Paths,
    #[serde(rename = "WritablePaths", alias = "writablepaths")]
    writable: Paths,
    #[serde(rename = "AllowExec", alias = "allowexec")]
    allow_exec: Paths,
    #[serde(rename = "DenyExec", alias = "denyexec")]
    deny_exec: Paths,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Network {
    #[serde(rename = "Raw", alias = "raw")]
    raw: bool,
    #[serde(rename = "Packet", alias = "packet")]
    packet: bool,
    #[serde(rename = "Protocols", alias = "protocols")]
    protocols: Paths,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Capabilities {
    #[serde(rename = "Allow", alias = "allow")]
    allow: Paths,
    #[serde(rename = "Deny", alias = "deny")]
    deny: Paths,
}

/// Reads bane's TOML; `path` is what messages call it.
///
/// # Errors
/// [`TomlError`] when it is none, or names what does not exist.
pub fn from_bane(path: &Path, text: &str) -> Result<(Profile, Vec<Warning>), TomlError> {
    let source = Source::new(path, text)?;
    let toml: BaneToml = source.parse()?;
    let mut reader = Reader { source, warnings: Vec::new() };
    let mut profile = Profile::new(reader.name(&toml.name)?);
    profile.description = Some("From bane's TOML.".to_owned());
    // bane takes these in wherever the host has them; every AppArmor installation does.
    profile.tunables = IncludePath::new("tunables/global").into_iter().collect();
    profile.tunables.extend(reader.includes(&toml.imports)?);
    profile.includes = IncludePath::new("abstractions/base").into_iter().collect();
    profile.includes.extend(reader.includes(&toml.inner_imports)?);
    profile.rules = reader.capabilities(&toml.capabilities)?;
    profile.rules.extend(reader.network(&toml.network)?);
    profile.rules.extend(reader.files(&toml.filesystem)?);
    profile.rules.extend(surroundings(&profile.name));
    Ok((profile, reader.warnings))
}

struct Reader<'t> {
    source: Source<'t>,
    warnings: Vec<Warning>,
}

/// A list's entries and where it stands; nothing where bane finds nothing to do, as in an empty list.
fn given(paths: &Paths) -> Option<(&[Spanned<String>], usize)> {
    let paths = paths.as_ref()?;
    (!paths.get_ref().is_empty()).then(|| (paths.get_ref().as_slice(), paths.span().start))
}

impl Reader<'_> {
    fn warn(&mut self, offset: usize, message: impl Into<String>) {
        let line = Place::of(self.source.text, offset).line;
        self.warnings.push(Warning { line, message: message.into() });
    }

    fn name(&self, name: &Spanned<String>) -> Result<String, TomlError> {
        let own = name.get_ref();
        let full = if own.starts_with(PREFIX) { own.clone() } else { format!("{PREFIX}{own}") };
        check_name(own)
            .and_then(|()| check_name(&full))
            .map_err(|error| self.source.wrong(name.span().start, error.to_string(), error.hint()))?;
        Ok(full)
    }

    fn includes(&self, lines: &[Spanned<String>]) -> Result<Vec<IncludePath>, TomlError> {
        let read = |line: &Spanned<String>| {
            let text = line.get_ref().trim();
            let text = text.strip_prefix('#').unwrap_or(text);
            let path =
                text.strip_prefix("include").map(str::trim).and_then(|text| text.strip_prefix('<')?.strip_suffix('>'));
            path.and_then(IncludePath::new).ok_or_else(|| {
                let hint = "an import is #include <FILE>, with a file below /etc/apparmor.d";
                self.source.wrong(line.span().start, format!("{:?} is no include", line.get_ref()), hint)
            })
        };
        lines.iter().map(read).collect()
    }

    fn capabilities(&mut self, section: &Capabilities) -> Result<Vec<Rule>, TomlError> {
        let set = |words: &[Spanned<String>]| {
            words.iter().try_fold(CapSet::EMPTY, |set, word| {
                let name = format!("CAP_{}", word.get_ref().to_ascii_uppercase().trim_start_matches("CAP_"));
                let capability = Capability::from_name(&name).ok_or_else(|| {
                    let hint = "bane names capabilities as AppArmor does: net_admin";
                    self.source.wrong(word.span().start, format!("no capability {:?} is known", word.get_ref()), hint)
                })?;
                Ok(set.union(CapSet::of(capability)))
            })
        };
        let allow = given(&section.allow).map(|(words, _)| set(words)).transpose()?;
        let deny = given(&section.deny).map(|(words, _)| set(words)).transpose()?;
        let denied = deny.map(|set| Rule::Capability { qualifiers: Qualifiers::DENY, set: Some(set) });
        let allowed = match (allow, deny) {
            (Some(_), Some(_)) => {
                let offset = section.deny.as_ref().map_or(0, |deny| deny.span().start);
                self.warn(offset, "with both Allow and Deny, bane allows every capability but the denied; here those of Allow are allowed, without the denied");
                Some(allow)
            }
            (Some(_), None) => Some(allow),
            (None, Some(_)) => Some(None),
            (None, None) => None,
        };
        let allowed = allowed.map(|set| Rule::Capability { qualifiers: Qualifiers::ALLOW, set });
        Ok(allowed.into_iter().chain(denied).collect())
    }

    fn network(&mut self, section: &Network) -> Result<Vec<Rule>, TomlError> {
        let rule = |qualifiers, family, kind| Rule::Network { qualifiers, family: Some(family), kind };
        let (allow, deny) = (Qualifiers::ALLOW, Qualifiers::DENY);
        let mut rules = Vec::new();
        if let Some((protocols, offset)) = given(&section.protocols) {
            for word in protocols {
                match self.source.word(word, "protocol", SocketKind::ALL)? {
                    kind @ (SocketKind::Raw | SocketKind::Icmp) if !section.raw => {
                        let message = format!(
                            "Protocols has {kind} and Raw is false: bane's profile denies it, and so does this one"
                        );
                        self.warn(word.span().start, message);
                    }
                    SocketKind::Icmp => {
                        rules.push(rule(allow, Family::Inet, Some(SocketKind::Icmp)));
                        rules.push(rule(allow, Family::Inet6, Some(SocketKind::Raw)));
                    }
                    kind => rules.extend([Family::Inet, Family::Inet6].map(|family| rule(allow, family, Some(kind)))),
                }
            }
            // Name resolution asks the kernel for its addresses by netlink.
            rules.extend([rule(allow, Family::Unix, None), rule(allow, Family::Netlink, Some(SocketKind::Raw))]);
            self.warn(offset, "bane allows the Protocols over IPv4 only, and no other sockets; here over IPv6 as well, and Unix and netlink sockets are allowed");
            if section.packet {
                rules.push(rule(allow, Family::Packet, None));
            }
        } else {
            rules.push(Rule::Network { qualifiers: allow, family: None, kind: None });
        }
        if !section.raw {
            // `deny network raw` would deny netlink's raw sockets too, which every program that lists addresses has.
            rules.extend([Family::Inet, Family::Inet6].map(|family| rule(deny, family, Some(SocketKind::Raw))));
        }
        if !section.packet {
            rules.push(rule(deny, Family::Packet, None));
        }
        rules.push(rule(deny, Family::Alg, None));
        Ok(rules)
    }

    fn paths(&self, paths: &Paths) -> Result<Vec<Pattern>, TomlError> {
        let words = paths.as_ref().map_or(&[][..], |paths| paths.get_ref().as_slice());
        let read = |word: &Spanned<String>| {
            Pattern::path(word.get_ref()).map_err(|error| {
                self.source.wrong(
                    word.span().start,
                    format!("{:?} is no pattern: {error}", word.get_ref()),
                    error.hint(),
                )
            })
        };
        words.iter().map(read).collect()
    }

    fn files(&mut self, section: &Filesystem) -> Result<Vec<Rule>, TomlError> {
        let read_only = self.paths(&section.read_only)?;
        let logged = self.paths(&section.log_on_write)?;
        let writable = self.paths(&section.writable)?;
        let executable = self.paths(&section.allow_exec)?;
        let denied = self.paths(&section.deny_exec)?;
        let allow = |path: &Pattern, access| FileRule::new(Qualifiers::ALLOW, path.clone(), access);
        let deny = |path: &Pattern, access| FileRule::new(Qualifiers::DENY, path.clone(), access);
        let everything = Pattern::everything();
        let write = Access::WRITE.union(Access::LINK).union(Access::LOCK);
        let code = Access::READ.union(Access::MAP);

        let mut rules = vec![allow(&everything, Access::READ)];
        if let Some(paths) = &section.writable {
            rules.extend(logged_writes(&writable, &logged, write));
            self.warn(
                paths.span().start,
                "bane's profile lets every file be written that ReadOnlyPaths does not cover; here only WritablePaths",
            );
            let overlap = |path: &&Pattern| read_only.iter().any(|read_only| read_only.may_overlap(path));
            if let Some(path) = writable.iter().find(overlap) {
                self.warn(
                    paths.span().start,
                    format!("{path} is in ReadOnlyPaths as well, which wins with bane; here it can be written"),
                );
            }
        } else {
            rules.push(allow(&everything, write));
            rules.extend(logged.iter().map(|path| audited(allow(path, Access::WRITE))));
            rules.extend(read_only.iter().map(|path| deny(path, Access::WRITE.union(Access::LINK))));
        }
        if let Some(paths) = &section.allow_exec {
            // Libraries are mapped, not executed: from where nothing can be written, and from where programs are.
            rules.push(allow(&libraries(), code));
            rules.extend(read_only.iter().map(|path| allow(path, code)));
            rules.extend(executable.iter().map(|path| allow(path, code.union(Access::EXECUTE))));
            self.warn(paths.span().start, "bane's profile lets every file be executed that DenyExec does not cover; here only AllowExec, and code is mapped from there, from ReadOnlyPaths and from the libraries' folders");
        } else {
            rules.push(allow(&everything, code.union(Access::EXECUTE)));
        }
        rules.extend(denied.iter().map(|path| deny(path, Access::ALL)));
        if let (Some(paths), true) = (&section.log_on_write, section.writable.is_some()) {
            self.warn(
                paths.span().start,
                "bane's LogOnWritePaths allows the writing that it logs; here it logs what WritablePaths allows",
            );
        }
        Ok(rules.into_iter().map(Rule::File).collect())
    }
}

/// The writable paths, logged as far as the log covers them. What is denied is logged in any case.
fn logged_writes(writable: &[Pattern], logged: &[Pattern], write: Access) -> Vec<FileRule> {
    let mut rules = Vec::new();
    for path in writable {
        let rule = FileRule::new(Qualifiers::ALLOW, path.clone(), write);
        let narrower: Vec<_> = logged.iter().filter(|log| path.includes(log) && *log != path).collect();
        let is_logged = logged.iter().any(|log| log.includes(path))
            || logged.iter().any(|log| log.may_overlap(path) && !narrower.contains(&log));
        rules.push(if is_logged { audited(rule) } else { rule });
        if !is_logged {
            let inside = narrower.into_iter().map(|log| FileRule::new(Qualifiers::ALLOW, log.clone(), Access::WRITE));
            rules.extend(inside.map(audited));
        }
    }
    rules
}

fn audited(mut rule: FileRule) -> FileRule {
    rule.qualifiers.audit = true;
    rule
}

/// Where loaders look.
fn libraries() -> Pattern {
    let text = "/{usr/,usr/local/,}lib{,32,64,x32}/**";
    Pattern::path(text).unwrap_or_else(|_| Pattern::literal(text))
}

/// What bane's template says of the rest of the system, and what it forgets: who may stop the container.
fn surroundings(name: &str) -> Vec<Rule> {
    let mut rules = builtin::kernel_files(CapSet::EMPTY);
    rules.extend(builtin::peers(&Pattern::literal(name), &Label::unconfined()));
    rules.push(Rule::Mount(MountRule::any(Qualifiers::DENY, MountKind::Mount)));
    rules.push(Rule::Mount(MountRule::any(Qualifiers::ALLOW, MountKind::Umount)));
    rules
}

#[cfg(test)]
mod tests;
