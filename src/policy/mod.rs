//! The policy: one file and its drop-ins, laid over what batten holds without any.

mod error;
mod load;
mod model;
mod origin;
mod settings;
mod subject;
mod waiver;

use std::path::Path;

pub use error::PolicyError;
pub use model::{Absent, Mode, Own, Violation};
pub use origin::{Origin, Source, Sourced};
pub use settings::{Annotations, AppArmor, Capabilities, NoNewPrivs, Seccomp, Settings};
pub use subject::{Subject, SubjectKeys, glob};
pub use waiver::{Day, Waiver, Waivers};

use model::OverrideLayer;
use origin::OriginPlace;
use settings::ControlLayers;

/// The name of the seccomp profile that batten brings along.
pub const BUILT_IN_PROFILE: &str = "builtin:default";

/// Where the policy is looked for.
pub const POLICY_FILE: &str = "/etc/batten/policy.toml";

/// Where its drop-ins are looked for, laid on in the order of their names.
pub const POLICY_DROP_INS: &str = "/etc/batten/policy.d";

/// What an organisation lets its containers do.
#[derive(Debug)]
pub struct Policy {
    sources: Vec<Source>,
    base: Settings,
    keys: SubjectKeys,
    overrides: Vec<Override>,
    waivers: Vec<Waiver>,
}

#[derive(Debug)]
struct Override {
    layer: usize,
    body: OverrideLayer,
}

impl Policy {
    /// What holds on a machine without a policy file.
    pub fn built_in() -> Self {
        Self {
            sources: Vec::new(),
            base: Settings::built_in(),
            keys: SubjectKeys::default(),
            overrides: Vec::new(),
            waivers: Vec::new(),
        }
    }

    /// The container that `document` (a config.json) describes, by the annotations that this policy trusts.
    pub fn subject_of(&self, document: &crate::spec::Document) -> Subject {
        Subject::of(document, &self.keys)
    }

    /// The settings for one container: the files in order, then every override that matches it, in order.
    pub fn resolve(&self, subject: &Subject) -> Settings {
        let mut settings = self.base.clone();
        for item in self.matching(subject) {
            settings.lay(item.layer, item.body.controls());
        }
        settings
    }

    /// The settings outside of overrides, and those of each override by itself.
    pub fn every_settings(&self) -> impl Iterator<Item = Settings> {
        let overridden = self.overrides.iter().map(|item| {
            let mut settings = self.base.clone();
            settings.lay(item.layer, item.body.controls());
            settings
        });
        std::iter::once(self.base.clone()).chain(overridden)
    }

    /// Whether calls that are refused are to leave a record, for any container.
    pub fn asks_to_log_denials(&self) -> bool {
        let asks = |item: &Override| item.body.seccomp.log_denials.as_ref().is_some_and(|set| *set.get_ref());
        self.base.seccomp.log_denials.value || self.overrides.iter().any(asks)
    }

    /// The names of all overrides, in order.
    pub fn override_names(&self) -> impl Iterator<Item = &str> {
        self.overrides.iter().map(|item| item.body.name.as_str())
    }

    /// The names of the overrides that hold for one container.
    pub fn overrides_for(&self, subject: &Subject) -> Vec<&str> {
        self.matching(subject).map(|item| item.body.name.as_str()).collect()
    }

    fn matching(&self, subject: &Subject) -> impl Iterator<Item = &Override> {
        self.overrides.iter().filter(move |item| item.body.matches.covers(subject))
    }

    /// The waivers of this policy, in order.
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// The files this policy was read from; none for the built-in one.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Where a setting was made, for people: `/etc/batten/policy.toml:12 (capabilities.ceiling)`.
    pub fn cite(&self, origin: Origin) -> String {
        match self.locate(origin) {
            Some((path, line)) => format!("{}:{line} ({})", path.display(), origin.setting),
            None => format!("batten's built-in policy ({})", origin.setting),
        }
    }

    /// The file and line (from 1) that made a setting; `None` for the built-in policy.
    pub fn locate(&self, origin: Origin) -> Option<(&Path, usize)> {
        let OriginPlace::Layer { index, offset } = origin.place else { return None };
        let source = self.sources.get(index)?;
        Some((&source.path, source.place(offset).line))
    }
}

impl OverrideLayer {
    fn controls(&self) -> ControlLayers<'_> {
        ControlLayers {
            mode: &self.mode,
            capabilities: &self.capabilities,
            seccomp: &self.seccomp,
            apparmor: &self.apparmor,
            no_new_privs: &self.no_new_privs,
            annotations: &self.annotations,
        }
    }
}

impl model::Layer {
    fn controls(&self) -> ControlLayers<'_> {
        ControlLayers {
            mode: &self.mode,
            capabilities: &self.capabilities,
            seccomp: &self.seccomp,
            apparmor: &self.apparmor,
            no_new_privs: &self.no_new_privs,
            annotations: &self.annotations,
        }
    }
}
