//! Which rule and which line of the policy a refusal comes from.

use std::collections::HashMap;

use super::containers::{Containers, Who};
use super::event::{Event, What};
use crate::capability::{CapSet, Capability};
use crate::host::Host;
use crate::policy::Policy;
use crate::rules::policy_profile;
use crate::seccomp::{Filter, Profile, Syscall, Target};
use crate::settings::{Settings, Subject};
use crate::spec::{Document, Pointer, Value};

/// Whose refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The policy's profile refuses the call too.
    Policy,
    /// The policy's profile lets it through; the bundle brought a stricter filter.
    Bundle,
    /// Neither refuses it: the program, or its service manager, loaded a filter of its own.
    Program,
}

impl By {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Bundle => "bundle",
            Self::Program => "program",
        }
    }
}

/// Why something was refused, as far as batten can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// The rule.
    pub rule: Option<String>,
    /// The policy's line: `/etc/batten/policy.toml:3 (seccomp.profile)`.
    pub policy: Option<String>,
    /// Whose refusal it is; none where that cannot be told.
    pub by: Option<By>,
}

impl Reason {
    /// What the shim logged.
    pub(super) const fn logged(rule: Option<String>, policy: Option<String>) -> Self {
        Self { rule, policy, by: None }
    }
}

/// Reasons by the policy of now, for the containers of this machine.
pub struct Reasons<'p> {
    policy: &'p Policy,
    host: &'p Host,
    known: HashMap<String, Container>,
}

/// What is asked of one container.
struct Container {
    settings: Settings,
    /// The filter that it was started with, and the policy's.
    filters: Option<(Profile, Profile)>,
}

impl<'p> Reasons<'p> {
    /// Reasons by `policy`.
    pub fn new(policy: &'p Policy, host: &'p Host) -> Self {
        Self { policy, host, known: HashMap::new() }
    }

    /// Why `event` was refused to `who`.
    pub fn of(&mut self, event: &Event, who: &Who, containers: &Containers) -> Reason {
        let rule = match event.what {
            What::Call { .. } => "seccomp",
            What::Access { .. } => "apparmor",
        };
        let unknown = Reason { rule: Some(rule.to_owned()), ..Reason::default() };
        let Some(id) = &who.id else { return unknown };
        let (policy, host) = (self.policy, self.host);
        // What is not known yet may be when the next record comes.
        if !self.known.contains_key(id)
            && let Some(container) = Container::of(id, who, containers, policy, host)
        {
            self.known.insert(id.clone(), container);
        }
        let Some(container) = self.known.get(id) else { return unknown };
        match &event.what {
            What::Call { arch, number, .. } => {
                let call = arch.and_then(|arch| Some((arch, Syscall::from_number(arch, *number)?)));
                let by = call.and_then(|(arch, call)| container.by(arch, call, host));
                let seccomp = &container.settings.seccomp;
                let origin = match by {
                    Some(By::Bundle) => Some(seccomp.own.origin),
                    Some(By::Program) => None,
                    _ => Some(call.map_or_else(|| seccomp.origin(), |(_, call)| seccomp.refused_by(call))),
                };
                Reason { policy: origin.map(|origin| policy.cite(origin)), by, ..unknown }
            }
            What::Access { .. } => {
                let profile = container.settings.apparmor.profile.as_ref();
                Reason { policy: profile.map(|set| policy.cite(set.origin)), ..unknown }
            }
        }
    }
}

impl Container {
    fn of(id: &str, who: &Who, containers: &Containers, policy: &Policy, host: &Host) -> Option<Self> {
        let document = containers.config(id);
        let subject = match (&document, &who.subject) {
            (Some(document), _) => policy.subject_of(document),
            (None, Some(subject)) => subject.clone(),
            (None, None) => return None,
        };
        let settings = policy.resolve(&subject).into_owned();
        let filters = document.as_ref().and_then(|document| filters(document, &settings, host));
        Some(Self { settings, filters })
    }

    fn by(&self, arch: crate::seccomp::Arch, call: Syscall, host: &Host) -> Option<By> {
        let (own, policy) = self.filters.as_ref()?;
        let refuses = |profile: &Profile| Filter::new(profile, host.arch).bounds(arch, call, None).may_refuse();
        Some(match (refuses(policy), refuses(own)) {
            (true, _) => By::Policy,
            (false, true) => By::Bundle,
            (false, false) => By::Program,
        })
    }
}

fn filters(document: &Document, settings: &Settings, host: &Host) -> Option<(Profile, Profile)> {
    let own = Profile::read(document.at(&Pointer::new("/linux/seccomp"))?).ok()?;
    let bounding = document.at(&Pointer::new("/process/capabilities/bounding"));
    let names = bounding.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    let caps: CapSet = names.filter_map(|name| Capability::from_name(&name)).collect();
    let target = Target { arch: host.arch, kernel: host.kernel, caps, abis: settings.seccomp.abis.value };
    Some((own, policy_profile(&settings.seccomp, &target).ok()?))
}

impl Who {
    /// The container that a decision was about.
    pub(super) fn with_subject(mut self, subject: Subject) -> Self {
        self.image = self.image.or_else(|| subject.image.clone());
        self.name = self.name.or_else(|| subject.container.clone());
        self.subject = Some(subject);
        self
    }
}
