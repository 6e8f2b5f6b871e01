//! Where a setting was made, so that every finding can name the line that asked for it.

/// A value and where it was set.
#[derive(Debug, Clone)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub origin: Origin,
}

/// A setting's name and the place that set it; [`crate::policy::Policy::cite`] makes words of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The setting as the policy spells it, such as `capabilities.ceiling`.
    pub setting: &'static str,
    pub(crate) place: OriginPlace,
    /// The standard's control that asks for it, where a level set it.
    pub standard: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OriginPlace {
    BuiltIn,
    Layer { index: usize, offset: usize },
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.setting)
    }
}

impl Origin {
    /// A setting that nobody made: batten's own.
    pub const fn built_in(setting: &'static str) -> Self {
        Self { setting, place: OriginPlace::BuiltIn, standard: None }
    }

    pub(crate) const fn layer(setting: &'static str, index: usize, offset: usize) -> Self {
        Self { setting, place: OriginPlace::Layer { index, offset }, standard: None }
    }

    /// Whether a level, or batten itself, made the setting, and no line of its own.
    pub(crate) fn is_preset(self) -> bool {
        self.place == OriginPlace::BuiltIn || self.standard.is_some()
    }
}
