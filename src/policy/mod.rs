//! The policy: one file and its drop-ins, laid over what batten holds without any.

mod error;
mod lay;
mod levels;
mod load;
mod loosened;
mod model;
mod read;
#[cfg(feature = "cli")]
pub mod reference;
mod show;
mod source;

use std::borrow::Cow;
use std::path::Path;

pub use error::PolicyError;
#[cfg(feature = "cli")]
pub use levels::{Standard, standards};
pub use source::Source;

use crate::settings::{Origin, OriginPlace, Settings, Sourced, Subject, SubjectKeys, Waiver};
use model::{Controls, OverrideLayer};

/// Where the policy is looked for.
pub const POLICY_FILE: &str = "/etc/batten/policy.toml";

/// Where its drop-ins are looked for, laid on in the order of their names.
pub const POLICY_DROP_INS: &str = "/etc/batten/policy.d";

/// What an organisation lets its containers do.
#[derive(Debug)]
pub struct Policy {
    sources: Vec<Source>,
    /// What each source says of the controls.
    layers: Vec<Controls>,
    /// All of them laid over each other.
    base: Settings,
    /// The rules whose settings an override may loosen; `None` where the policy does not say.
    loosenable: Option<Sourced<Vec<String>>>,
    keys: SubjectKeys,
    overrides: Vec<Override>,
    waivers: Vec<Waiver>,
}

#[derive(Debug)]
struct Override {
    layer: usize,
    offset: usize,
    body: OverrideLayer,
}

impl Policy {
    /// What holds on a machine without a policy file.
    pub fn built_in() -> Self {
        Self {
            sources: Vec::new(),
            layers: Vec::new(),
            base: Settings::built_in(),
            loosenable: None,
            keys: SubjectKeys::default(),
            overrides: Vec::new(),
            waivers: Vec::new(),
        }
    }

    /// The container that `document` (a config.json) describes, by the annotations that this policy trusts.
    pub fn subject_of(&self, document: &crate::spec::Document) -> Subject {
        Subject::of(document, &self.keys)
    }

    /// The settings for one container: its level, then the files in order, then every override that matches it, in
    /// order. Borrowed where those are the same as for most.
    pub fn resolve(&self, subject: &Subject) -> Cow<'_, Settings> {
        let matching = || self.matching(subject);
        if self.is_levelled(subject, matching()) {
            return Cow::Owned(self.laid(subject, matching()));
        }
        let mut settings = Cow::Borrowed(&self.base);
        for item in matching() {
            settings.to_mut().lay(item.layer, &item.body.controls);
        }
        settings
    }

    /// Whether what lies lowest differs for this container from what it is for most.
    fn is_levelled<'p>(&self, subject: &Subject, mut overrides: impl Iterator<Item = &'p Override>) -> bool {
        (subject.is_sandbox && self.base.level.is_some()) || overrides.any(|item| item.body.controls.names_level())
    }

    /// Everything laid anew.
    fn laid<'p>(&'p self, subject: &Subject, overrides: impl Iterator<Item = &'p Override> + Clone) -> Settings {
        let own = self.layers.iter().enumerate();
        let all = own.chain(overrides.map(|item| (item.layer, &item.body.controls)));
        let mut settings = Settings::built_in();
        if let Some(chosen) = levels::chosen(all.clone()) {
            settings.lay_level(chosen, subject.is_sandbox);
        }
        for (index, controls) in all {
            settings.lay(index, controls);
        }
        settings
    }

    /// The settings outside of overrides, and those of each override by itself.
    pub fn every_settings(&self) -> impl Iterator<Item = Settings> {
        let overridden = self.overrides.iter().map(|item| self.overridden(item));
        std::iter::once(self.base.clone()).chain(overridden)
    }

    fn overridden(&self, item: &Override) -> Settings {
        self.laid(&Subject::default(), std::iter::once(item))
    }

    /// Whether calls that are refused are to leave a record, for any container.
    pub fn asks_to_log_denials(&self) -> bool {
        let asks = |item: &Override| item.body.controls.seccomp.log_denials.as_ref().is_some_and(|set| *set.get_ref());
        self.base.seccomp.log_denials.value || self.overrides.iter().any(asks)
    }

    /// The names of all overrides, in order.
    pub fn override_names(&self) -> impl Iterator<Item = &str> {
        self.overrides.iter().map(|item| item.body.name.as_str())
    }

    /// The names of the overrides that hold for one container.
    pub fn overrides_for<'p>(&'p self, subject: &'p Subject) -> Vec<&'p str> {
        self.matching(subject).map(|item| item.body.name.as_str()).collect()
    }

    fn matching<'p>(&'p self, subject: &'p Subject) -> impl Iterator<Item = &'p Override> + Clone {
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

    /// Where a setting was made, for people: `/etc/batten/policy.toml:12 (capabilities.ceiling)`. The line of a level's
    /// settings is the level's.
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
