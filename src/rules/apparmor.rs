//! # apparmor
//!
//! **Intent.** The container runs under the profile that the policy asks for, never unconfined.
//!
//! **Fields.** `process.apparmorProfile`.
//!
//! `apparmor.profile = "builtin:default"` is batten's own profile for the capabilities that the rule before this one left.
//!
//! **Allowed.** With `apparmor.profile` set: that name, or any other confined one where `own` is `keep`. Without: any
//! name but `unconfined`, as far as the bundle names one; an absent name inherits the label of the runtime, which on
//! most hosts is unconfined. On a host without AppArmor `apparmor.absent` decides.

use std::borrow::Cow;
use std::path::Path;

use super::case::{Case, Control};
use crate::apparmor::{Dialect, Kernel, POLICY_FOLDER, builtin};
use crate::capability::{CapSet, Capability};
use crate::enforce::EnforceError;
use crate::finding::Finding;
use crate::policy::{Absent, AppArmor, Own, Violation};
use crate::spec::{Edit, Pointer, Value, quote};

pub(super) fn judge(case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
    let settings = &case.settings.apparmor;
    if settings.violation.value == Violation::Off || !case.has_process() {
        return Ok(Vec::new());
    }
    let pointer = case.process_pointer("/apparmorProfile");
    if !case.host.apparmor {
        return Ok(without_apparmor(case, settings, pointer));
    }
    let own = case.at(&pointer).and_then(Value::as_str).filter(|name| !name.is_empty());
    let builtin = settings.profile.as_ref().filter(|profile| profile.value == builtin::BUILT_IN);
    let builtin = builtin.map(|_| builtin_name(case));
    let wanted = builtin.as_deref().or(settings.profile.as_ref().map(|profile| profile.value.as_str()));
    Ok(wrong_profile(settings, own.as_deref(), wanted)
        .map(|wrong| finding(case, settings, pointer, &wrong))
        .into_iter()
        .collect())
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

/// What is wrong, and the profile that would be right if the policy names one.
struct Wrong {
    message: Cow<'static, str>,
    profile: Option<String>,
    refused: bool,
}

/// The name of batten's own profile for the capabilities of this process.
fn builtin_name(case: &Case<'_>) -> String {
    let bounding = case.at(&case.process_pointer("/capabilities")).and_then(|sets| sets.get("bounding"));
    let names = bounding.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    let held: CapSet = names.filter_map(|name| Capability::from_name(&name)).collect();
    builtin::profile(held, Dialect::of_host(Path::new(POLICY_FOLDER)), &Kernel::host().own_label()).name
}

fn wrong_profile(settings: &AppArmor, own: Option<&str>, wanted: Option<&str>) -> Option<Wrong> {
    let wrong =
        |message: Cow<'static, str>| Some(Wrong { message, profile: wanted.map(str::to_owned), refused: false });
    match (own, wanted) {
        (Some("unconfined"), _) => wrong(Cow::Borrowed("the container asks to run unconfined")),
        (None, Some(_)) => {
            wrong(Cow::Borrowed("no AppArmor profile is named, so the runtime's own label is inherited"))
        }
        (Some(own), Some(wanted)) if own != wanted => match settings.own.value {
            Own::Keep => None,
            Own::Deny => wrong(Cow::Owned(format!("the bundle brings its own profile {own:?}")))
                .map(|wrong| Wrong { refused: true, ..wrong }),
            Own::Replace | Own::Combine => wrong(Cow::Owned(format!("the profile is {own:?}, not {wanted:?}"))),
        },
        _ => None,
    }
}

fn finding(case: &Case<'_>, settings: &AppArmor, pointer: Pointer, wrong: &Wrong) -> Finding {
    let control = match &settings.profile {
        Some(profile) => Control::new(&settings.violation, profile),
        None => Control::new(&settings.violation, &settings.own),
    };
    if let Some(waiver) = case.waiver(None) {
        return case.waived(waiver, control, pointer, wrong.message.clone());
    }
    let message = wrong.message.clone();
    match &wrong.profile {
        Some(profile) if !wrong.refused => {
            let edits = || {
                let mut json = String::new();
                quote(profile, &mut json);
                vec![Edit::set(pointer.clone(), json)]
            };
            case.violation(control, pointer.clone(), message, "leave the profile to the platform", edits)
        }
        Some(_) => case.unfixable(control, pointer, message, "leave the profile to the platform"),
        None => {
            let hint = "name a profile (--security-opt apparmor=NAME), or set apparmor.profile in the policy";
            case.unfixable(control, pointer, message, hint)
        }
    }
}
