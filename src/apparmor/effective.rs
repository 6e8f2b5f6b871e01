//! What a profile's rules come to for one access: allow adds up, deny beats it.

use super::pattern::Pattern;
use super::profile::{Access, Profile, Rule};
use super::words::{Family, PtraceAccess, Signal, SignalAccess, SocketKind};
use crate::capability::Capability;

/// What the rules of a profile say of one access. Rules in included files are not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Rules allow all of it.
    Allowed,
    /// The rule at this position in [`Profile::rules`] denies some of it.
    Denied(usize),
    /// No rule speaks of all of it.
    Silent,
}

impl Profile {
    /// Of `access` to the file at `path`, which the process owns or not.
    pub(super) fn verdict_on_file(&self, path: &[u8], access: Access, is_owner: bool) -> Verdict {
        let mut allowed = Access::default();
        for (at, rule) in self.rules.iter().enumerate() {
            let Rule::File(file) = rule else { continue };
            if !with_append(file.access).intersects(with_append(access))
                || (file.owner && !is_owner)
                || !file.path.covers(path)
            {
                continue;
            }
            if file.qualifiers.deny {
                return Verdict::Denied(at);
            }
            allowed = allowed.union(with_append(file.access));
        }
        if allowed.includes(access) { Verdict::Allowed } else { Verdict::Silent }
    }

    /// Of the use of a capability.
    pub(super) fn verdict_on_capability(&self, capability: Capability) -> Verdict {
        self.verdict(|rule| match rule {
            Rule::Capability { qualifiers, set } => {
                set.is_none_or(|set| set.contains(capability)).then_some(qualifiers.deny)
            }
            _ => None,
        })
    }

    /// Of a socket.
    pub(super) fn verdict_on_socket(&self, family: Family, kind: Option<SocketKind>) -> Verdict {
        self.verdict(|rule| {
            let (qualifiers, rule_family, rule_kind) = match rule {
                Rule::Network { qualifiers, family, kind } => (qualifiers, *family, *kind),
                Rule::Unix { qualifiers, kind } => (qualifiers, Some(Family::Unix), *kind),
                _ => return None,
            };
            let fits = rule_family.is_none_or(|own| own == family)
                && rule_kind.is_none_or(|own| kind.is_some_and(|kind| socket_type(own) == socket_type(kind)));
            fits.then_some(qualifiers.deny)
        })
    }

    /// Of a signal.
    pub(super) fn verdict_on_signal(&self, access: SignalAccess, signal: Option<Signal>, peer: &[u8]) -> Verdict {
        self.verdict(|rule| match rule {
            Rule::Signal { qualifiers, access: ways, signals, peer: label } => {
                let fits = (ways.is_empty() || ways.contains(&access))
                    && (signals.is_empty() || signal.is_some_and(|signal| signals.contains(&signal)))
                    && self.is_peer(label.as_ref(), peer);
                fits.then_some(qualifiers.deny)
            }
            _ => None,
        })
    }

    /// Of tracing or reading another process.
    pub(super) fn verdict_on_ptrace(&self, access: PtraceAccess, peer: &[u8]) -> Verdict {
        self.verdict(|rule| match rule {
            Rule::Ptrace { qualifiers, access: ways, peer: label } => {
                let fits = (ways.is_empty() || ways.contains(&access)) && self.is_peer(label.as_ref(), peer);
                fits.then_some(qualifiers.deny)
            }
            _ => None,
        })
    }

    /// Of something that at most one rule can speak of as a whole.
    pub(super) fn verdict_on_rule(&self, wanted: impl Fn(&Rule) -> Option<bool>) -> Verdict {
        self.verdict(wanted)
    }

    fn is_peer(&self, label: Option<&Pattern>, peer: &[u8]) -> bool {
        let Some(label) = label else { return true };
        label.covers(peer) || (label.variables() == ["profile_name"] && peer == self.name.as_bytes())
    }

    /// `denies` says of a rule that speaks of the access whether it denies it.
    fn verdict(&self, denies: impl Fn(&Rule) -> Option<bool>) -> Verdict {
        let mut verdict = Verdict::Silent;
        for (at, rule) in self.rules.iter().enumerate() {
            match denies(rule) {
                Some(true) => return Verdict::Denied(at),
                Some(false) => verdict = Verdict::Allowed,
                None => {}
            }
        }
        verdict
    }
}

/// Who may write may append.
fn with_append(access: Access) -> Access {
    if access.includes(Access::WRITE) { access.union(Access::APPEND) } else { access }
}

/// The protocols stand for types.
const fn socket_type(kind: SocketKind) -> SocketKind {
    match kind {
        SocketKind::Tcp => SocketKind::Stream,
        SocketKind::Udp => SocketKind::Dgram,
        SocketKind::Icmp => SocketKind::Raw,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn profile(toml: &str) -> Profile {
        Profile::from_toml(Path::new("p.toml"), &format!("name = 'p'\n{toml}")).unwrap()
    }

    #[test]
    fn allow_adds_up_and_deny_beats_it() {
        let own = profile(
            "[[files]]\npaths = ['/a/**']\naccess = ['read']\n[[files]]\npaths = ['/a/b']\naccess = ['write']\n\
             [[files]]\npaths = ['/a/c']\naccess = ['read', 'write']\ndeny = true\n[[files]]\npaths = ['/o']\naccess = ['read']\nowner = true\n",
        );
        let on = |path: &str, access, is_owner| own.verdict_on_file(path.as_bytes(), access, is_owner);
        let both = Access::READ.union(Access::WRITE);
        assert_eq!(on("/a/b", both, false), Verdict::Allowed);
        assert_eq!(on("/a/b", Access::APPEND, false), Verdict::Allowed);
        assert_eq!(on("/a/x", both, false), Verdict::Silent);
        assert_eq!(on("/a/c", Access::APPEND, false), Verdict::Denied(2));
        assert_eq!((on("/o", Access::READ, false), on("/o", Access::READ, true)), (Verdict::Silent, Verdict::Allowed));
    }

    #[test]
    fn a_protocol_is_its_type_and_a_name_is_oneself() {
        let own = profile(
            "[[network]]\nfamilies = ['inet']\ntypes = ['tcp']\n[[signal]]\nsignals = ['term']\npeers = ['@{profile_name}']\n",
        );
        assert_eq!(own.verdict_on_socket(Family::Inet, Some(SocketKind::Stream)), Verdict::Allowed);
        assert_eq!(own.verdict_on_socket(Family::Inet6, Some(SocketKind::Stream)), Verdict::Silent);
        let term = Signal::from_word("term");
        assert_eq!(own.verdict_on_signal(SignalAccess::Send, term, b"p"), Verdict::Allowed);
        assert_eq!(own.verdict_on_signal(SignalAccess::Send, Signal::from_word("kill"), b"p"), Verdict::Silent);
        assert_eq!(own.verdict_on_signal(SignalAccess::Send, term, b"q"), Verdict::Silent);
    }
}
