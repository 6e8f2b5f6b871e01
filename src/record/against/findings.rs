//! What a policy would have made of a run, as findings: every report can carry them.

use super::{Made, Refused, refused};
use crate::capability::{CapSet, Capability};
use crate::count::times;
use crate::finding::{Disposition, Finding, RuleId, Severity};
use crate::host::Host;
use crate::record::recording::{First, Recording};
use crate::rules::{SeccompError, policy_profile};
use crate::seccomp::{Filter, Profile, Reason, Target};
use crate::settings::{Origin, Settings};
use crate::spec::{Document, Pointer, Value};

/// What would have failed in `recording`, had the container started from `document`, which is within the policy: a finding
/// for each call and capability. [`Severity::High`] are those that break the run, [`Severity::Low`] those that may, or that
/// failed in the run as well.
///
/// # Errors
/// [`SeccompError`] when the policy's profile cannot be used.
pub fn findings(
    recording: &Recording,
    document: &Document,
    settings: &Settings,
    host: &Host,
) -> Result<Vec<Finding>, SeccompError> {
    let bounding = bounding(document);
    let mut found = capabilities(recording, bounding, settings);
    let place = Pointer::new("/linux/seccomp");
    // What is no filter is left to the seccomp rule.
    let Some(Ok(written)) = document.at(&place).map(Profile::read) else { return Ok(found) };
    let target = Target { arch: host.arch, kernel: host.kernel, caps: bounding, abis: settings.seccomp.abis.value };
    let policy = policy_profile(&settings.seccomp, &target)?;
    let policy = Filter::new(&policy, host.arch);
    let by_policy = refused(recording, &policy);
    for one in refused(recording, &Filter::new(&written, host.arch)) {
        let is_policy_s = by_policy.iter().any(|other| other.made == one.made && (other.is_sure || !one.is_sure));
        found.push(finding(recording, &one, is_policy_s, settings));
    }
    Ok(found)
}

fn finding(recording: &Recording, one: &Refused<'_>, is_policy_s: bool, settings: &Settings) -> Finding {
    let call = one.name() + &one.shown_values(recording.arch);
    let (count, first, was_refused) = match one.made {
        Made::Call(_, seen) => (seen.count, Some(&seen.first), seen.only_refused()),
        Made::Number(_, _, count) => (count, None, false),
    };
    let verb = if one.is_sure { "would have been" } else { "might, by its arguments, have been" };
    let by = match (one.reason, is_policy_s) {
        (Reason::ForeignArchitecture, _) => ": the filter does not answer for that interface".to_owned(),
        (_, true) => String::new(),
        // What is written is both filters in one: a rule's number in it would lead nowhere.
        (_, false) => " by the bundle's own filter".to_owned(),
    };
    let then = if was_refused { "; it was refused in the run as well" } else { "" };
    let it = if one.values.is_empty() { "it".to_owned() } else { one.name() };
    let message = format!("{call} {verb} {}{by}{then}; the run made {it} {}", one.verdict, seen(count, first));
    let seccomp = &settings.seccomp;
    let (origin, hint) = match (one.reason, is_policy_s) {
        (Reason::ForeignArchitecture, _) => (
            seccomp.abis.origin,
            "seccomp.abis = \"compat\" answers 32-bit calls; so does a 64-bit build of the program",
        ),
        (_, true) => (
            match one.made {
                Made::Call(call, _) => seccomp.refused_by(call.syscall),
                Made::Number(..) => seccomp.origin(),
            },
            "if the container is to do this, give it a profile that allows it: batten record … --policy-snippet",
        ),
        (_, false) => (
            seccomp.own.origin,
            "the policy would allow it: look where the bundle gets its filter from (seccomp=FILE, localhostProfile)",
        ),
    };
    let severity = if one.breaks() { Severity::High } else { Severity::Low };
    of(RuleId("seccomp"), severity, Pointer::new("/linux/seccomp"), message, origin, hint)
}

/// `4 times (first trace.txt:17)`.
fn seen(count: u64, first: Option<&First>) -> String {
    let times = times(count);
    match first {
        Some(first) if first.line > 0 => format!("{times}, first at {}:{}", first.source, first.line),
        _ => times,
    }
}

fn capabilities(recording: &Recording, bounding: CapSet, settings: &Settings) -> Vec<Finding> {
    let used = recording.capabilities.unwrap_or(CapSet::EMPTY);
    let ceiling = &settings.capabilities.ceiling;
    let missing = used.iter().filter(|used| !bounding.contains(*used));
    missing
        .map(|used| {
            let why =
                if ceiling.value.contains(used) { "the bundle does not grant it" } else { "it is above the ceiling" };
            let message = format!("{used} would have been missing: {why}; the run used it");
            let hint =
                "grant it where the container is to keep it (cap_add, securityContext), and raise the ceiling for it";
            let place = Pointer::new("/process/capabilities/bounding");
            of(RuleId("capabilities"), Severity::High, place, message, ceiling.origin, hint)
        })
        .collect()
}

fn of(
    rule: RuleId,
    severity: Severity,
    pointer: Pointer,
    message: String,
    origin: Origin,
    hint: &'static str,
) -> Finding {
    Finding {
        rule,
        severity,
        disposition: Disposition::Reported,
        pointer,
        message,
        origin,
        decided_by: origin,
        hint: hint.into(),
        edits: Vec::new(),
        waiver: None,
    }
}

fn bounding(document: &Document) -> CapSet {
    let sets = document.at(&Pointer::new("/process/capabilities/bounding"));
    let names = sets.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    names.filter_map(|name| Capability::from_name(&name)).collect()
}
