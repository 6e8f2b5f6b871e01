//! What a policy can say, layer by layer: the words of the TOML and nothing else.
//!
//! Every setting is optional in a layer; [`super::Policy`] lays them on top of each other.

use serde::Deserialize;
use toml::Spanned;

use super::read::DeclaredLayer;
use crate::seccomp::Abis;
use crate::settings::{Absent, Level, Match, Mode, Own, Violation, WaiverLayer};

/// When the fallback takes a profile's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FallbackWhen {
    /// Where the kernel has no profile of that name.
    Missing,
}

/// `fallback = { when = "missing", profile = "NAME" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FallbackLayer {
    /// There is one word only; it is asked for so that the line reads as what it does.
    #[allow(dead_code, reason = "reading it is checking it")]
    pub(super) when: FallbackWhen,
    pub(super) profile: String,
}

/// A setting that this layer may make.
pub(super) type Set<T> = Option<Spanned<T>>;

/// One file of a policy.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) controls: Controls,
    pub(super) loosenable: Set<Vec<String>>,
    pub(super) subject: SubjectLayer,
    pub(super) overrides: Vec<Spanned<OverrideLayer>>,
    pub(super) waivers: Vec<Spanned<WaiverLayer>>,
}

/// What a policy file and an override can both say.
#[derive(Debug, Default)]
pub(super) struct Controls {
    pub(super) mode: Set<Mode>,
    pub(super) level: Set<Level>,
    pub(super) level_version: Set<String>,
    pub(super) level_violation: Set<Violation>,
    pub(super) capabilities: CapabilitiesLayer,
    pub(super) seccomp: SeccompLayer,
    pub(super) apparmor: AppArmorLayer,
    pub(super) no_new_privs: NoNewPrivsLayer,
    pub(super) annotations: AnnotationsLayer,
    /// The settings that rules declare themselves.
    pub(super) declared: Vec<DeclaredLayer>,
}

impl Controls {
    /// Whether anything here moves what lies lowest.
    pub(super) const fn names_level(&self) -> bool {
        self.level.is_some() || self.level_version.is_some() || self.level_violation.is_some()
    }
}

/// `[subject]`: which annotations tell containers apart. Only what the engine sets, never what a workload can.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubjectLayer {
    pub(super) engine: Set<String>,
    pub(super) namespace: Set<String>,
    pub(super) pod: Set<String>,
    pub(super) container: Set<String>,
    pub(super) image: Set<String>,
    pub(super) annotations: Set<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapabilitiesLayer {
    pub(super) ceiling: Set<Vec<String>>,
    pub(super) add: Set<Vec<String>>,
    pub(super) drop: Set<Vec<String>>,
    pub(super) violation: Set<Violation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeccompLayer {
    pub(super) profile: Set<String>,
    pub(super) allow: Set<Vec<String>>,
    pub(super) deny: Set<Vec<String>>,
    pub(super) own: Set<Own>,
    pub(super) abis: Set<Abis>,
    pub(super) log_denials: Set<bool>,
    pub(super) violation: Set<Violation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppArmorLayer {
    pub(super) profile: Set<String>,
    pub(super) required: Set<bool>,
    pub(super) allowed: Set<Vec<String>>,
    pub(super) complain: Set<bool>,
    pub(super) fallback: Set<FallbackLayer>,
    pub(super) own: Set<Own>,
    pub(super) absent: Set<Absent>,
    pub(super) violation: Set<Violation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoNewPrivsLayer {
    pub(super) required: Set<bool>,
    pub(super) violation: Set<Violation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnnotationsLayer {
    pub(super) allow: Set<Vec<String>>,
    pub(super) deny: Set<Vec<String>>,
    pub(super) violation: Set<Violation>,
}

/// `[[override]]`: other settings for some containers.
#[derive(Debug, Default)]
pub(super) struct OverrideLayer {
    pub(super) name: String,
    pub(super) matches: Match,
    pub(super) controls: Controls,
}
