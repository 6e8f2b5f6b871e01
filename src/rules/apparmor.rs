//! # apparmor
//!
//! **Intent.** The container runs under the profile that the policy asks for, never unconfined.
//!
//! **Fields.** `process.apparmorProfile`.
//!
//! `apparmor.profile = "builtin:default"` is batten's own profile for the capabilities that the rule before this one left.
//!
//! **Allowed.** With `apparmor.profile` set: that name, or another that `apparmor.allowed` matches where `own` is `keep`.
//! Without: an allowed name; or none, unless `apparmor.required` says so: an absent name inherits the label of the runtime,
//! which on most hosts is unconfined. Never `unconfined`, nor a profile loaded in that mode; a profile in complain mode as
//! `apparmor.complain` says. A profile that the kernel does not have: `apparmor.fallback` takes its place, or the start is
//! refused. Of a stack (`a//&b`) each profile has to be loaded, and the strictest mode counts. On a host without AppArmor
//! `apparmor.absent` decides.

use std::borrow::Cow;
use std::path::Path;

use super::EnforceError;
use super::case::{Case, Control};
use super::{Rule, prose};
use crate::apparmor::kernel::is_unconfined;
use crate::apparmor::{Dialect, Kernel, LoadedMode, POLICY_FOLDER, builtin};
use crate::capability::{CapSet, Capability};
use crate::finding::{Finding, RuleId, Severity};
use crate::settings::{Absent, AppArmor, Origin, Own, Violation, glob};
use crate::spec::{Edit, Pointer, Value, quote};

pub(super) const RULE: Rule = Rule {
    id: RuleId("apparmor"),
    severity: Severity::High,
    summary: "The container runs under the AppArmor profile that the policy asks for.",
    judges_exec: true,
    fixes: true,
    section: None,
    understands: None,
    source: prose!("apparmor.rs"),
    judge,
};

fn judge(case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
    let settings = &case.settings.apparmor;
    if settings.violation.value == Violation::Off || !case.has_process() {
        return Ok(Vec::new());
    }
    let pointer = case.process_pointer("/apparmorProfile");
    if !case.host.apparmor {
        return Ok(without_apparmor(case, settings, pointer));
    }
    let own = case.at(&pointer).and_then(Value::as_str).filter(|name| !name.is_empty());
    let wrong = Choice::of(case, settings).wrong(own.as_deref());
    Ok(wrong.map(|wrong| finding(case, settings, pointer, wrong)).into_iter().collect())
}

fn without_apparmor(case: &Case<'_>, settings: &AppArmor, pointer: Pointer) -> Vec<Finding> {
    if settings.absent.value == Absent::Skip {
        return Vec::new();
    }
    let control = Control::new(&settings.violation, &settings.absent);
    let message = "this host has no AppArmor, so no profile confines the container";
    match case.waiver(None) {
        Some(waiver) => vec![case.waived(waiver, control, pointer, message)],
        None => vec![case.unfixable(
            control,
            pointer,
            message,
            "boot with apparmor=1 lsm=…,apparmor, or set apparmor.absent",
        )],
    }
}

/// The name of batten's own profile for the capabilities of this process.
fn builtin_name(case: &Case<'_>) -> String {
    let bounding = case.at(&case.process_pointer("/capabilities")).and_then(|sets| sets.get("bounding"));
    let names = bounding.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    let held: CapSet = names.filter_map(|name| Capability::from_name(&name)).collect();
    builtin::profile(held, Dialect::of_host(Path::new(POLICY_FOLDER)), &Kernel::host().own_label()).name
}

/// What is wrong, and the profile that would be right if there is one to set.
struct Wrong {
    message: Cow<'static, str>,
    hint: &'static str,
    origin: Origin,
    profile: Option<String>,
}

const LEAVE: &str = "leave the profile to the platform";
const NAME_ONE: &str = "name a profile (--security-opt apparmor=NAME), or set apparmor.profile in the policy";
const LOAD_IT: &str =
    "load it (`batten apparmor load FILE`), or set apparmor.fallback = { when = \"missing\", profile = \"NAME\" }";

/// What the policy offers for one container on one host.
struct Choice<'c> {
    settings: &'c AppArmor,
    kernel: &'c Kernel,
    /// The profile that the policy sets; its fallback where the kernel does not have it.
    wanted: Option<String>,
    fallback: Option<String>,
    /// The name of batten's own profile, where the policy asks for it: the door loads it.
    builtin: Option<String>,
}

impl<'c> Choice<'c> {
    fn of(case: &Case<'c>, settings: &'c AppArmor) -> Self {
        let asks_for_own = |name: &str| name == builtin::BUILT_IN;
        let named = || settings.profile.iter().chain(&settings.fallback).map(|set| set.value.as_str());
        let builtin = named().any(asks_for_own).then(|| builtin_name(case));
        let name = |set: &str| builtin.clone().filter(|_| asks_for_own(set)).unwrap_or_else(|| set.to_owned());
        let wanted = settings.profile.as_ref().map(|set| name(&set.value));
        let fallback = settings.fallback.as_ref().map(|set| name(&set.value));
        let mut choice = Self { settings, kernel: &case.host.kernel_profiles, wanted, fallback, builtin };
        if choice.fallback.is_some() && choice.wanted.as_deref().is_some_and(|name| choice.is_missing(name)) {
            choice.wanted.clone_from(&choice.fallback);
        }
        choice
    }

    /// What is wrong with the profile `own` that the bundle names, or does not name.
    fn wrong(&self, own: Option<&str>) -> Option<Wrong> {
        let wrong = match own {
            None => self.unnamed(),
            Some(own) => self.named(own).or_else(|| self.lenient(own)),
        }?;
        // What would take its place must be there and confine as well.
        let replacement = wrong.profile.as_deref();
        match replacement.and_then(|name| self.lenient(name)) {
            Some(worse) => {
                let message = format!("{}; {}", wrong.message, worse.message).into();
                Some(Wrong { message, profile: None, ..worse })
            }
            None => Some(wrong),
        }
    }

    fn unnamed(&self) -> Option<Wrong> {
        const MESSAGE: &str = "no AppArmor profile is named, so the runtime's own label is inherited";
        match &self.settings.profile {
            Some(set) => Some(self.replace(MESSAGE, set.origin)),
            None if self.settings.required.value => Some(self.replace(MESSAGE, self.settings.required.origin)),
            None => None,
        }
    }

    /// By its name alone.
    fn named(&self, own: &str) -> Option<Wrong> {
        let settings = self.settings;
        let asked = settings.profile.as_ref().map_or(settings.own.origin, |set| set.origin);
        if is_unconfined(own) {
            return Some(self.replace("the container asks to run unconfined", asked));
        }
        if self.wanted.as_deref() == Some(own) || self.fallback.as_deref() == Some(own) {
            return None;
        }
        if let Some(wanted) = &self.wanted {
            match settings.own.value {
                Own::Keep => {}
                Own::Deny => {
                    let message = format!("the bundle brings its own profile {own:?}");
                    return Some(Wrong { profile: None, hint: LEAVE, ..self.replace(message, asked) });
                }
                Own::Replace | Own::Combine => {
                    return Some(self.replace(format!("the profile is {own:?}, not {wanted:?}"), asked));
                }
            }
        }
        let is_allowed = settings.allowed.value.iter().any(|pattern| glob(pattern, own));
        (!is_allowed)
            .then(|| self.replace(format!("the profile {own:?} is not one that is allowed"), settings.allowed.origin))
    }

    /// By what the kernel has of that name.
    fn lenient(&self, name: &str) -> Option<Wrong> {
        let settings = self.settings;
        if self.builtin.as_deref() == Some(name) {
            return None;
        }
        let asked = settings.profile.as_ref().map_or(settings.own.origin, |set| set.origin);
        let instead = |other: &Option<String>| other.clone().filter(|other| other != name);
        let of =
            |message: String, hint, origin, profile| Some(Wrong { message: message.into(), hint, origin, profile });
        match standing(self.kernel, name) {
            Standing::Missing(part) => {
                let origin = settings.fallback.as_ref().map_or(asked, |set| set.origin);
                let instead = instead(&self.wanted).or_else(|| instead(&self.fallback));
                let stack = if part == name { String::new() } else { format!(" of the stack {name:?}") };
                of(format!("the profile {part:?}{stack} is not loaded"), LOAD_IT, origin, instead)
            }
            Standing::Loaded(LoadedMode::Unconfined) => {
                let hint = "load a profile of that name that confines";
                of(
                    format!("the profile {name:?} is loaded unconfined: it refuses nothing"),
                    hint,
                    asked,
                    instead(&self.wanted),
                )
            }
            _ if settings.complain.value => None,
            Standing::Loaded(mode) if mode.refuses() => None,
            Standing::Loaded(mode) => {
                let message = format!("the profile {name:?} is in {} mode: it refuses nothing", mode.as_str());
                of(
                    message,
                    "batten apparmor enforce NAME, or set apparmor.complain",
                    settings.complain.origin,
                    instead(&self.wanted),
                )
            }
            Standing::Unknown => {
                let message = format!("whether the profile {name:?} refuses anything cannot be told here");
                of(
                    message,
                    "start it as root and with a profile of the host's own namespace, or set apparmor.complain",
                    settings.complain.origin,
                    None,
                )
            }
        }
    }

    fn is_missing(&self, name: &str) -> bool {
        self.builtin.as_deref() != Some(name) && matches!(standing(self.kernel, name), Standing::Missing(_))
    }

    fn replace(&self, message: impl Into<Cow<'static, str>>, origin: Origin) -> Wrong {
        let hint = if self.wanted.is_some() { LEAVE } else { NAME_ONE };
        Wrong { message: message.into(), hint, origin, profile: self.wanted.clone() }
    }
}

/// How the kernel has a profile, or a stack of them (`a//&b`; `&b` goes on top of the runtime's own label).
enum Standing<'n> {
    /// This one is not loaded, and without it no container starts.
    Missing(&'n str),
    /// Its mode; of a stack the strictest, since each of its profiles must allow what is done.
    Loaded(LoadedMode),
    /// A name of a namespace (`:NS:NAME`) that is not below this process's own, or a list that only root may read.
    Unknown,
}

fn standing<'n>(kernel: &Kernel, name: &'n str) -> Standing<'n> {
    let mut strictest = LoadedMode::Unconfined;
    let name = name.strip_prefix('&').unwrap_or(name);
    for part in name.split("//&").filter(|part| !is_unconfined(part)) {
        match kernel.mode_of(part) {
            Ok(None) if !part.starts_with(':') => return Standing::Missing(part),
            Ok(None) | Err(_) => return Standing::Unknown,
            Ok(Some(mode)) if mode.refuses() || strictest == LoadedMode::Unconfined => strictest = mode,
            Ok(Some(_)) => {}
        }
    }
    Standing::Loaded(strictest)
}

fn finding(case: &Case<'_>, settings: &AppArmor, pointer: Pointer, wrong: Wrong) -> Finding {
    let (violation, decided_by) = (settings.violation.value, settings.violation.origin);
    let control = Control { violation, decided_by, origin: wrong.origin };
    if let Some(waiver) = case.waiver(None) {
        return case.waived(waiver, control, pointer, wrong.message);
    }
    let Some(profile) = wrong.profile else { return case.unfixable(control, pointer, wrong.message, wrong.hint) };
    let edits = || {
        let mut json = String::new();
        quote(&profile, &mut json);
        vec![Edit::set(pointer.clone(), json)]
    };
    case.violation(control, pointer.clone(), wrong.message, wrong.hint, edits)
}
