//! # seccomp
//!
//! **Intent.** Every system call of the container is answered at least as strictly as the policy's profile answers it.
//!
//! **Fields.** `linux.seccomp`. The profile is resolved for the bounding set as the capabilities rule has left it: a
//! capability that the container does not hold opens nothing.
//!
//! **Allowed.** A filter that lets through nothing that the policy's does not. What becomes of another one is for
//! `seccomp.own`: `combine` takes the stricter verdict of both for every call, `keep` and `replace` put the policy's in
//! its place (`replace` even in the place of a stricter one), `deny` refuses a bundle that brings any other. A bundle without
//! a filter gets the policy's. The policy's is `seccomp.profile`, or what `seccomp.allow` lists in its place; in either case
//! without what `seccomp.deny` lists. The container's own exec processes inherit it from the runtime's state.
//!
//! With `seccomp.log_denials` the filter carries `SECCOMP_FILTER_FLAG_LOG`, so that a call that it fails leaves a record.
//! Where the runtime does not take the flag the container starts without it, which is reported each time: the filter is as
//! strict, and `SCMP_ACT_LOG`, which every runtime takes, would let the calls through.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::EnforceError;
use super::case::{Case, Control};
use super::{Rule, prose};
use crate::capability::{CapSet, Capability};
use crate::finding::{Finding, RuleId, Severity};
use crate::host::FilterLog;
use crate::memo::{Question, SOURCES};
use crate::seccomp::{
    GroupProfile, LOG_FLAG, NotSubset, Profile, ProfileError, ResolveError, Syscall, Target, Witness, builtin,
    canonical, deny, intersect, is_subset, open_only, read_any,
};
use crate::settings::{BUILT_IN_PROFILE, Origin, Own, Seccomp, Violation};
use crate::spec::{Document, Edit, FileError, Pointer, ReadError, Value, read_trusted};

/// A profile that the policy names and that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeccompError {
    /// The file cannot be read or trusted.
    #[error("the policy's seccomp profile: {0}")]
    File(#[from] FileError),
    /// The file is no strict JSON.
    #[error("the policy's seccomp profile {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        error: ReadError,
    },
    /// The file is no profile that a runtime could load.
    #[error("the policy's seccomp profile {path}: {error}")]
    Profile {
        /// The file.
        path: String,
        /// Why.
        #[source]
        error: Box<ResolveError>,
    },
}

impl SeccompError {
    /// What the operator can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::Read { error, .. } => error.hint(),
            Self::Profile { error, .. } => error.hint(),
        }
    }
}

pub(super) const RULE: Rule = Rule {
    id: RuleId("seccomp"),
    severity: Severity::Critical,
    summary: "The system call filter is at least as strict as the policy's profile.",
    judges_exec: false,
    fixes: true,
    section: None,
    understands: None,
    source: prose!("seccomp.rs"),
    judge,
};

fn judge(case: &Case<'_>) -> Result<Vec<Finding>, EnforceError> {
    let settings = &case.settings.seccomp;
    if settings.violation.value == Violation::Off || !case.has_process() {
        return Ok(Vec::new());
    }
    let target = target(case);
    let place = Pointer::new("/linux/seccomp");
    let own = case.at(&place);
    let logs = settings.log_denials.value && case.host.filter_log == FilterLog::Taken;
    let asked = asked(settings, &target, logs);
    let question = Question { asked: &asked, of: own.map_or("", Value::raw) };
    let answer = case.host.memo.answer(question, || answer(settings, own, &target, logs)).map_err(Box::new)?;
    let found = Wrong::read(&answer).map(|wrong| finding(case, place.clone(), wrong));
    // A filter that the policy's takes the place of goes with its flags.
    let stays = own.filter(|_| found.as_ref().is_none_or(|finding| finding.edits.is_empty()));
    let unlogged = if settings.log_denials.value { unlogged(case, place, stays) } else { None };
    Ok(found.into_iter().chain(unlogged).collect())
}

/// What `seccomp.log_denials` has to say of the bundle's own filter, if that stays.
fn unlogged(case: &Case<'_>, place: Pointer, own: Option<Value<'_>>) -> Option<Finding> {
    let settings = &case.settings.seccomp;
    // That no flag is set is no reason to refuse a container: engines never set it.
    let violation = settings.violation.value.min(Violation::Fix);
    let control =
        |violation| Control { violation, decided_by: settings.violation.origin, origin: settings.log_denials.origin };
    let low = |finding| Finding { severity: Severity::Low, ..finding };
    let why = match &case.host.filter_log {
        FilterLog::Taken => {
            let own = own?;
            let flags: Vec<_> = own.get("flags").into_iter().flat_map(Value::items).collect();
            if flags.iter().any(|flag| flag.as_str().as_deref() == Some(LOG_FLAG)) {
                return None;
            }
            let message = "calls that the filter refuses would leave no record";
            let hint = "the policy has them logged; `batten denials` shows them";
            let edits = || {
                let own = flags.iter().map(|flag| flag.raw().to_owned());
                let flags: Vec<String> = own.chain([format!("\"{LOG_FLAG}\"")]).collect();
                vec![Edit::set(place.child("flags"), format!("[{}]", flags.join(",")))]
            };
            return Some(low(case.violation(control(violation), place.clone(), message, hint, edits)));
        }
        FilterLog::NotTaken(why) => why.as_str(),
        FilterLog::Unknown => "which runtime will start the container is not known",
    };
    let message = format!("calls that the filter refuses leave no record: {why} ({LOG_FLAG})");
    let hint = "use a runtime that takes the flag (crun, or a runc whose `runc features` lists it), or say in runtime.toml \
                that it does: seccomp-log-flag = true";
    Some(low(case.violation(control(Violation::Report), place, message, hint, Vec::new)))
}

/// What is wrong with a bundle's filter, and what would be right in its place; nothing where no other is welcome.
struct Wrong<'a> {
    cause: Cause,
    message: &'a str,
    fixed: Option<&'a str>,
}

/// Which of the policy's settings asks for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Profile,
    Deny,
}

impl Cause {
    /// `seccomp.deny` where it names the call on which a filter is looser.
    fn of(settings: &Seccomp, witness: &Witness) -> Self {
        let call = witness.call.as_deref().and_then(Syscall::from_name);
        let denied = call.is_some_and(|call| settings.deny.value.iter().any(|word| word.covers(call)));
        if denied { Self::Deny } else { Self::Profile }
    }

    const fn letter(self) -> char {
        match self {
            Self::Profile => 'p',
            Self::Deny => 'd',
        }
    }

    fn origin(self, settings: &Seccomp) -> Origin {
        match self {
            Self::Profile => settings.origin(),
            Self::Deny => settings.deny.origin,
        }
    }
}

impl<'a> Wrong<'a> {
    /// An answer is empty for a filter within the policy; else it is the cause's letter and the message, and the right filter
    /// on a line of its own.
    fn read(answer: &'a str) -> Option<Self> {
        let letter = answer.chars().next()?;
        let cause = if letter == Cause::Deny.letter() { Cause::Deny } else { Cause::Profile };
        let (message, fixed) = match answer[letter.len_utf8()..].split_once('\n') {
            Some((message, fixed)) => (message, Some(fixed)),
            None => (&answer[letter.len_utf8()..], None),
        };
        Some(Self { cause, message, fixed })
    }
}

fn answer(settings: &Seccomp, own: Option<Value<'_>>, target: &Target, logs: bool) -> Result<String, SeccompError> {
    let flagged = |profile: Profile| if logs { profile.logging() } else { profile };
    let policy = flagged(policy_profile(settings, target)?);
    let wrong = match own.map(|own| Profile::read(own).map(flagged)) {
        None => Some((Cause::Profile, "no system call filter is set".to_owned(), Some(policy))),
        Some(Ok(own)) => verdict(settings, &own, policy, target),
        Some(Err(error)) => Some((Cause::Profile, format!("no runtime could load the filter: {error}"), Some(policy))),
    };
    let Some((cause, message, fixed)) = wrong else { return Ok(String::new()) };
    let mut answer = format!("{}{}", cause.letter(), message.replace('\n', " "));
    if let Some(fixed) = fixed {
        answer.push('\n');
        fixed.write(&mut answer);
    }
    Ok(answer)
}

/// Everything that the answer depends on besides the filter. The target's words come first and always in the same number.
fn asked(settings: &Seccomp, target: &Target, logs: bool) -> String {
    let name = &settings.profile.value;
    let reads = settings.allow.is_none() && name != BUILT_IN_PROFILE;
    let seen = if reads { std::fs::metadata(name).ok() } else { None };
    let seen =
        seen.map(|seen| (seen.dev(), seen.ino(), seen.size(), seen.mtime_nsec(), seen.ctime(), seen.ctime_nsec()));
    let set = settings.own.value;
    let words = (settings.allow.as_ref().map(|allow| &allow.value), &settings.deny.value);
    let Target { arch, kernel, caps, abis } = target;
    format!(
        "{SOURCES} {} {}.{} {:x} {abis:?} {set:?} {logs} {name:?} {seen:?} {words:?}\n",
        arch.name(),
        kernel.major,
        kernel.minor,
        caps.bits()
    )
}

/// What is wrong with the bundle's own filter.
fn verdict(
    settings: &Seccomp,
    own: &Profile,
    policy: Profile,
    target: &Target,
) -> Option<(Cause, String, Option<Profile>)> {
    let native = target.arch;
    let looser =
        |own: &Profile| is_subset(own, &policy, native).err().map(|looser| (cause(settings, &looser), said(&looser)));
    if *own == policy {
        return None;
    }
    match settings.own.value {
        Own::Replace => Some((Cause::Profile, "the filter is not the policy's".to_owned(), Some(policy))),
        Own::Deny => Some((Cause::Profile, "the bundle brings a filter of its own".to_owned(), None)),
        Own::Keep => looser(own).map(|(cause, said)| (cause, said, Some(policy))),
        Own::Combine => looser(own).map(|(cause, said)| (cause, said, Some(intersect(own, &policy, native)))),
    }
}

fn cause(settings: &Seccomp, looser: &NotSubset) -> Cause {
    match looser {
        NotSubset::Looser(witness) => Cause::of(settings, witness),
        NotSubset::Unreliable { .. } | NotSubset::TooIntricate { .. } => Cause::Profile,
    }
}

fn said(looser: &NotSubset) -> String {
    match looser {
        NotSubset::Looser(witness) => {
            let call = witness.call.as_deref().unwrap_or("an unknown system call");
            let arch = witness.arch.name();
            format!("the filter is looser than the policy's profile, as for {call} on {arch}")
        }
        NotSubset::Unreliable { .. } => looser.to_string(),
        NotSubset::TooIntricate { call } => {
            format!("the filter's conditions on {call} are too intricate to compare with the policy's profile")
        }
    }
}

fn finding(case: &Case<'_>, place: Pointer, wrong: Wrong<'_>) -> Finding {
    let settings = &case.settings.seccomp;
    let control = Control { origin: wrong.cause.origin(settings), ..Control::new(&settings.violation, &settings.own) };
    if let Some(waiver) = case.waiver(None) {
        return case.waived(waiver, control, place, wrong.message);
    }
    let hint = "leave the filter to the platform: no seccomp=unconfined, no --privileged, no looser profile";
    match wrong.fixed {
        Some(fixed) => {
            case.violation(control, place.clone(), wrong.message, hint, || vec![Edit::set(place.clone(), fixed)])
        }
        None => case.unfixable(Control::new(&settings.violation, &settings.own), place, wrong.message, hint),
    }
}

fn target(case: &Case<'_>) -> Target {
    let bounding = case.at(&case.process_pointer("/capabilities")).and_then(|sets| sets.get("bounding"));
    let names = bounding.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    let caps: CapSet = names.filter_map(|name| Capability::from_name(&name)).collect();
    let abis = case.settings.seccomp.abis.value;
    Target { arch: case.host.arch, kernel: case.host.kernel, caps, abis }
}

/// The policy's profile for one container. Read at every start: a changed file holds for the next one.
///
/// # Errors
/// [`SeccompError`] when it cannot be used.
pub fn policy_profile(settings: &Seccomp, target: &Target) -> Result<Profile, SeccompError> {
    let base = match (&settings.allow, settings.profile.value.as_str()) {
        (Some(allow), _) => open_only(&allow.value, target),
        (None, BUILT_IN_PROFILE) => builtin(target),
        (None, file) => from_file(file, target)?,
    };
    let profile = if settings.deny.value.is_empty() { base } else { deny(&base, &settings.deny.value, target) };
    // Rules that contend for a call, or that libseccomp may get wrong, are said in the strictest way.
    let built_in =
        settings.profile.value == BUILT_IN_PROFILE && settings.allow.is_none() && settings.deny.value.is_empty();
    let means_one_thing = built_in || is_subset(&profile, &profile, target.arch).is_ok();
    Ok(if means_one_thing { profile } else { intersect(&profile, &profile, target.arch) })
}

/// A file of any format: TOML in the words of the groups by its name, else JSON.
fn from_file(name: &str, target: &Target) -> Result<Profile, SeccompError> {
    let path = || name.to_owned();
    let wrong = |error: ResolveError| SeccompError::Profile { path: path(), error: Box::new(error) };
    let text = read_trusted(Path::new(name))?;
    if GroupProfile::is_named_by(Path::new(name)) {
        let profile = GroupProfile::from_bytes(text).map_err(|error: ProfileError| wrong(error.into()))?;
        return Ok(profile.resolve(target));
    }
    let document = Document::parse(text).map_err(|error| SeccompError::Read { path: path(), error })?;
    let (_, profile) = read_any(document.root(), target).map_err(wrong)?;
    Ok(canonical(&profile, target.arch, target.abis))
}
