//! From accesses to rules.

use super::event::{Asked, Event};
use super::generalise::generalise;
use crate::apparmor::builtin;
use crate::apparmor::effective::Verdict;
use crate::apparmor::pattern::Pattern;
use crate::apparmor::profile::{Access, FileRule, MountRule, Profile, Qualifiers, Rule};
use crate::apparmor::words::{Family, MountKind, MountOption, PtraceAccess, SocketKind};
use crate::capability::{CapSet, Capability};

/// What a log teaches about a profile.
#[derive(Debug, Default)]
pub struct Lesson {
    /// The rules to add, in the order in which profiles are written.
    pub proposals: Vec<Proposal>,
    /// What was asked for and is not proposed.
    pub left: Vec<Left>,
    /// Whether files outside of the container's root were asked for, which `attach_disconnected` would settle.
    pub needs_attach_disconnected: bool,
}

/// A rule to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The rule.
    pub rule: Rule,
    /// In how many lines it was missing.
    pub times: usize,
    /// The program that needed it first.
    pub comm: String,
    /// The path of the log, where the rule's is wider.
    pub from: Option<String>,
    /// What it opens, where that is more than a file of the container's.
    pub concern: Option<&'static str>,
}

/// An access that no rule is proposed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What was asked for.
    pub what: String,
    /// Why there is no proposal.
    pub why: Why,
    /// In how many lines.
    pub times: usize,
}

/// Why there is no proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The profile's rule at this position denies it.
    Denied(usize),
    /// batten writes no rules of this kind.
    Unknown,
    /// It would leave confinement.
    Unconfined,
}

impl Proposal {
    /// The rule as the profile will have it.
    pub fn describe(&self) -> String {
        describe(&self.rule)
    }
}

pub(super) fn lesson(profile: &Profile, events: &[Event]) -> Lesson {
    let mut lesson = Lesson::default();
    for event in events {
        lesson.add(profile, event);
    }
    lesson.warn_of_written_programs(profile);
    lesson.proposals.sort_by_cached_key(|proposal| (rank(&proposal.rule), format!("{:?}", proposal.rule)));
    lesson
}

/// The order of the sections of a profile.
const fn rank(rule: &Rule) -> u8 {
    match rule {
        Rule::Capability { .. } => 0,
        Rule::Network { .. } | Rule::Unix { .. } => 1,
        Rule::File(_) => 2,
        Rule::Signal { .. } => 3,
        Rule::Ptrace { .. } => 4,
        Rule::Mount(_) => 5,
        Rule::Facility { .. } => 6,
        Rule::ChangeProfile { .. } => 7,
    }
}

impl Lesson {
    fn add(&mut self, profile: &Profile, event: &Event) {
        let qualifiers = Qualifiers::ALLOW;
        match &event.asked {
            Asked::Disconnected { path } if profile.attach_disconnected => self.leave(shown(path), Why::Unknown),
            Asked::Disconnected { .. } => self.needs_attach_disconnected = true,
            Asked::Unknown { operation } => self.leave(operation.clone(), Why::Unknown),
            Asked::ChangeProfile { target } if target == b"unconfined" => {
                self.leave("a change to unconfined".to_owned(), Why::Unconfined);
            }
            Asked::File { path, access, is_owner } => match profile.verdict_on_file(path, *access, *is_owner) {
                Verdict::Allowed => {}
                Verdict::Denied(at) => self.leave(shown(path), Why::Denied(at)),
                Verdict::Silent => self.add_file(path, *access, event),
            },
            Asked::Capability(capability) => {
                let rule = Rule::Capability { qualifiers, set: Some(CapSet::of(*capability)) };
                self.judge(profile.verdict_on_capability(*capability), rule, event);
            }
            Asked::Socket { family, kind } => {
                let rule = Rule::Network { qualifiers, family: Some(*family), kind: *kind };
                self.judge(profile.verdict_on_socket(*family, *kind), rule, event);
            }
            Asked::Signal { access, signal, peer } => {
                let verdict = profile.verdict_on_signal(*access, *signal, own_name(profile, peer));
                let signals = signal.iter().copied().collect();
                let rule =
                    Rule::Signal { qualifiers, access: vec![*access], signals, peer: Some(label(profile, peer)) };
                self.judge(verdict, rule, event);
            }
            Asked::Ptrace { access, peer } => {
                let verdict = profile.verdict_on_ptrace(*access, own_name(profile, peer));
                let rule = Rule::Ptrace { qualifiers, access: vec![*access], peer: Some(label(profile, peer)) };
                self.judge(verdict, rule, event);
            }
            other => self.add_rare(profile, other, event),
        }
    }

    fn add_rare(&mut self, profile: &Profile, asked: &Asked, event: &Event) {
        let Some(rule) = rare_rule(asked) else { return };
        let says = |own: &Rule| match (own, &rule) {
            (Rule::Mount(own), Rule::Mount(wanted)) => own.speaks_of(wanted).then_some(own.qualifiers.deny),
            (Rule::Facility { qualifiers, facility }, Rule::Facility { facility: wanted, .. }) => {
                (facility == wanted).then_some(qualifiers.deny)
            }
            (
                Rule::ChangeProfile { qualifiers, exec: None, target },
                Rule::ChangeProfile { target: Some(wanted), .. },
            ) => target.as_ref().is_none_or(|target| target.includes(wanted)).then_some(qualifiers.deny),
            _ => None,
        };
        let verdict = profile.verdict_on_rule(says);
        self.judge(verdict, rule, event);
    }

    fn judge(&mut self, verdict: Verdict, rule: Rule, event: &Event) {
        match verdict {
            Verdict::Allowed => {}
            Verdict::Denied(at) => self.leave(describe(&rule), Why::Denied(at)),
            Verdict::Silent => {
                let concern = concern(&rule);
                self.propose(Proposal { rule, times: 1, comm: event.comm.clone(), from: None, concern });
            }
        }
    }

    fn propose(&mut self, proposal: Proposal) {
        match self.proposals.iter_mut().find(|known| known.rule == proposal.rule) {
            Some(known) => known.times += 1,
            None => self.proposals.push(proposal),
        }
    }

    /// One rule per path, with everything that was done with it.
    fn add_file(&mut self, path: &[u8], access: Access, event: &Event) {
        let pattern = generalise(path);
        let known = self.proposals.iter_mut().find_map(|known| match &mut known.rule {
            Rule::File(file) if file.path == pattern => Some((file, &mut known.times)),
            _ => None,
        });
        if let Some((file, times)) = known {
            file.access = merged(file.access, access);
            *times += 1;
            return;
        }
        let from = pattern.as_literal().is_none().then(|| shown(path));
        let rule = Rule::File(FileRule::new(Qualifiers::ALLOW, pattern, merged(access, Access::default())));
        let concern = file_concern(path, access);
        self.proposals.push(Proposal { rule, times: 1, comm: event.comm.clone(), from, concern });
    }

    fn leave(&mut self, what: String, why: Why) {
        match self.left.iter_mut().find(|known| known.what == what && known.why == why) {
            Some(known) => known.times += 1,
            None => self.left.push(Left { what, why, times: 1 }),
        }
    }

    /// A program that the container can write is whatever the container makes of it.
    fn warn_of_written_programs(&mut self, profile: &Profile) {
        let code = Access::EXECUTE.union(Access::MAP);
        let files = |access: Access, proposals: &[Proposal]| {
            let proposed = proposals.iter().filter_map(|proposal| match &proposal.rule {
                Rule::File(file) => Some(file),
                _ => None,
            });
            let all = profile.files().filter(|file| !file.qualifiers.deny).chain(proposed);
            all.filter(|file| file.access.intersects(access)).map(|file| file.path.clone()).collect::<Vec<_>>()
        };
        let written = files(Access::WRITE, &self.proposals);
        let executed = files(code, &self.proposals);
        for proposal in &mut self.proposals {
            let Rule::File(file) = &proposal.rule else { continue };
            let meets =
                |paths: &[Pattern]| paths.iter().any(|path| path.includes(&file.path) || file.path.includes(path));
            let is_both = (file.access.intersects(code) && meets(&written))
                || (file.access.includes(Access::WRITE) && meets(&executed));
            if is_both && proposal.concern.is_none() {
                proposal.concern = Some("the container can write a file that it may also execute");
            }
        }
    }
}

/// Writing includes appending, and the parser calls both in one rule a conflict.
const fn merged(one: Access, other: Access) -> Access {
    let both = one.union(other);
    if both.includes(Access::WRITE) { both.difference(Access::APPEND) } else { both }
}

fn rare_rule(asked: &Asked) -> Option<Rule> {
    let qualifiers = Qualifiers::ALLOW;
    let any = |kind| MountRule::any(qualifiers, kind);
    Some(match asked {
        Asked::Mount { fstype, options, source, target } => {
            let is_remount = options.contains(&MountOption::Remount);
            let options = options.iter().copied().filter(|option| *option != MountOption::Remount).collect();
            let kind = if is_remount { MountKind::Remount } else { MountKind::Mount };
            Rule::Mount(MountRule {
                fstypes: fstype.iter().filter(|_| !is_remount).map(Pattern::literal).collect(),
                options,
                source: source.as_deref().filter(|source| !is_remount && !source.is_empty()).map(generalise_source),
                target: target.as_deref().map(generalise),
                ..any(kind)
            })
        }
        Asked::Umount { target } => {
            Rule::Mount(MountRule { target: Some(generalise(target)), ..any(MountKind::Umount) })
        }
        Asked::PivotRoot { old, new } => Rule::Mount(MountRule {
            source: old.as_deref().map(generalise),
            target: Some(generalise(new)),
            ..any(MountKind::PivotRoot)
        }),
        Asked::Facility(facility) => Rule::Facility { qualifiers, facility: *facility },
        Asked::ChangeProfile { target } => {
            Rule::ChangeProfile { qualifiers, exec: None, target: Some(Pattern::literal(target)) }
        }
        _ => return None,
    })
}

/// A folder or device by its path, or a bare word.
fn generalise_source(source: &[u8]) -> Pattern {
    if source.starts_with(b"/") { generalise(source) } else { Pattern::literal(source) }
}

impl MountRule {
    /// Whether this rule covers all of what `wanted` says.
    fn speaks_of(&self, wanted: &Self) -> bool {
        let covers = |own: &Option<Pattern>, wanted: &Option<Pattern>| match (own, wanted) {
            (None, _) => true,
            (Some(own), Some(wanted)) => own.includes(wanted),
            (Some(_), None) => false,
        };
        let has_type = self.fstypes.is_empty()
            || (!wanted.fstypes.is_empty()
                && wanted.fstypes.iter().all(|one| self.fstypes.iter().any(|own| own.includes(one))));
        let same_options = {
            let (mut own, mut other) = (self.options.clone(), wanted.options.clone());
            own.sort_unstable();
            other.sort_unstable();
            self.options.is_empty() || own == other
        };
        self.kind == wanted.kind
            && has_type
            && same_options
            && covers(&self.source, &wanted.source)
            && covers(&self.target, &wanted.target)
    }
}

/// The profile's own name for a peer that is a part of it.
fn own_name<'p>(profile: &'p Profile, peer: &'p [u8]) -> &'p [u8] {
    let is_own = std::str::from_utf8(peer).is_ok_and(|peer| super::is_part_of(peer, &profile.name));
    if is_own { profile.name.as_bytes() } else { peer }
}

fn label(profile: &Profile, peer: &[u8]) -> Pattern {
    if own_name(profile, peer) == profile.name.as_bytes() {
        return Pattern::label("@{profile_name}").unwrap_or_else(|_| Pattern::literal(&profile.name));
    }
    Pattern::literal(peer)
}

fn shown(path: &[u8]) -> String {
    Pattern::literal(path).to_string()
}

/// A rule in a few words, for messages.
fn describe(rule: &Rule) -> String {
    let mut profile = Profile::new("x");
    profile.rules.push(rule.clone());
    let text = profile.render(crate::apparmor::Dialect::of(crate::apparmor::Version::V4_0));
    let line = text.lines().rev().find_map(|line| line.trim().strip_suffix(','));
    line.unwrap_or_default().to_owned()
}

/// What a rule opens.
fn concern(rule: &Rule) -> Option<&'static str> {
    match rule {
        Rule::Capability { set: Some(set), .. } if set.iter().any(is_powerful) => {
            Some("the capability reaches beyond the container")
        }
        Rule::Network { family: Some(Family::Packet), .. }
        | Rule::Network { kind: Some(SocketKind::Raw), family: Some(Family::Inet | Family::Inet6), .. } => {
            Some("raw sockets forge and read other traffic on the container's network")
        }
        Rule::Network { family: Some(Family::Unix | Family::Inet | Family::Inet6 | Family::Netlink), .. } => None,
        Rule::Network { .. } => Some("this address family is kernel code that few containers need"),
        Rule::Ptrace { access, peer, .. } => {
            let steers = access.iter().any(|way| matches!(way, PtraceAccess::Trace | PtraceAccess::Tracedby));
            let is_own = peer.as_ref().is_some_and(|peer| peer.variables() == ["profile_name"]);
            (steers && !is_own).then_some("tracing takes over the other process")
        }
        Rule::Mount(_) => Some("mounts can put files where rules for paths do not see them"),
        Rule::Facility { facility: crate::apparmor::Facility::Userns, .. } => {
            Some("user namespaces open kernel code that only root reaches otherwise")
        }
        Rule::ChangeProfile { .. } => Some("the other profile's rules hold then"),
        _ => None,
    }
}

/// Capabilities that are a way to the host.
pub(in crate::apparmor) fn is_powerful(capability: Capability) -> bool {
    const POWERFUL: &[&str] = &[
        "CAP_SYS_ADMIN",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
        "CAP_SYS_PTRACE",
        "CAP_SYS_BOOT",
        "CAP_SYS_TIME",
        "CAP_MAC_ADMIN",
        "CAP_MAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_BPF",
        "CAP_PERFMON",
        "CAP_SYSLOG",
        "CAP_CHECKPOINT_RESTORE",
        "CAP_NET_ADMIN",
        "CAP_LINUX_IMMUTABLE",
    ];
    POWERFUL.contains(&capability.name())
}

/// Sockets through which a container is as good as root on the host.
pub(in crate::apparmor) const ENGINE_SOCKETS: &[&str] = &[
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
];

fn file_concern(path: &[u8], access: Access) -> Option<&'static str> {
    if ENGINE_SOCKETS.iter().any(|socket| socket.as_bytes() == path) {
        return Some("this socket gives root on the host");
    }
    let denies =
        |rule: &Rule| matches!(rule, Rule::File(file) if file.access.intersects(access) && file.path.covers(path));
    builtin::kernel_files(CapSet::EMPTY)
        .iter()
        .any(denies)
        .then_some("no container has to touch this file of the kernel's")
}
