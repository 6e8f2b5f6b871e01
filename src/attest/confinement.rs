//! What AppArmor does to a process: its label, a stack of profiles with one mode or none, as the one name that the rules judge.

use super::judge::Permitted;
use crate::apparmor::builtin::{BUILT_IN, NAME_PREFIX};
use crate::apparmor::{Kernel, Label, LoadedMode};
use crate::finding;

/// What AppArmor does to a process, in one name.
pub(super) struct Confinement {
    /// The label as the kernel shows it.
    pub(super) shown: String,
    /// The profile that counts: of a stack the policy's, where it is among those that refuse. Where none does, the
    /// process runs as one whose bundle names no profile, and the policy says whether that is enough.
    pub(super) profile: Option<String>,
    /// Whether it is batten's own profile for capabilities within the ceiling.
    pub(super) is_permitted: bool,
    /// Whether there is a profile, and it refuses nothing.
    is_lenient: bool,
}

impl Confinement {
    /// No profile at all.
    pub(super) fn none() -> Self {
        Self { shown: "unconfined".to_owned(), profile: None, is_permitted: false, is_lenient: false }
    }

    /// What `label`, as the kernel shows it, comes to under what is permitted.
    pub(super) fn of(permitted: &Permitted<'_>, label: Option<&str>) -> Self {
        let Some(shown) = label.filter(|label| !label.is_empty()) else { return Self::none() };
        let (label, mode) = (Label::parse(shown), mode(shown));
        let settings = &permitted.settings.apparmor;
        let wanted = settings.profile.as_ref().map(|profile| profile.value.as_str());
        let counts = |mode: LoadedMode| mode.refuses() || (settings.complain.value && mode == LoadedMode::Complain);
        // A stack has no mode of its own where its profiles' differ.
        let refuses = |name: &str| match mode {
            Some(LoadedMode::Unknown) => matches!(Kernel::host().mode_of(name), Ok(Some(mode)) if counts(mode)),
            Some(mode) => counts(mode),
            None => false,
        };
        let refusing: Vec<&str> = label.names().filter(|name| refuses(name)).collect();
        // Profiles that the policy's own sends programs to are its business.
        let fits = |name: &str| wanted.is_some_and(|wanted| name == wanted || name.starts_with(&format!("{wanted}//")));
        let (chosen, is_wanted) = match refusing.iter().find(|name| fits(name)) {
            Some(_) => (wanted, true),
            None => (refusing.first().copied(), false),
        };
        let ceiling = permitted.settings.capabilities.ceiling.value.bits();
        let is_own =
            |name: &&str| wanted == Some(BUILT_IN) && own_capabilities(name).is_some_and(|own| own & !ceiling == 0);
        Self {
            shown: shown.to_owned(),
            profile: chosen.map(str::to_owned),
            is_permitted: is_wanted || refusing.iter().any(is_own),
            is_lenient: refusing.is_empty() && !label.is_unconfined(),
        }
    }

    /// What is to be said where the apparmor rule has `found` something.
    pub(super) fn complaint(&self, found: &finding::Finding) -> String {
        match (self.is_lenient, &self.profile) {
            (true, _) => format!("its AppArmor profile {:?} refuses nothing", self.shown),
            (_, None) if !found.message.contains("host") => "no AppArmor profile confines it".to_owned(),
            _ => found.message.clone(),
        }
    }
}

fn mode(label: &str) -> Option<LoadedMode> {
    let (_, mode) = label.strip_suffix(')')?.rsplit_once(" (")?;
    Some(LoadedMode::from_word(mode))
}

/// The capabilities in the name of a profile of batten's own (`batten-default-CAPABILITIES-DIGEST`).
fn own_capabilities(name: &str) -> Option<u64> {
    let (mask, _) = name.strip_prefix(NAME_PREFIX)?.split_once('-')?;
    u64::from_str_radix(mask, 16).ok()
}
