//! The filters that are loaded, run over every system call and compared with the policy's profile.

use super::judge::{Finding, Permitted, Standing};
use super::process::{Process, Snapshot};
use super::status::SeccompMode;
use super::trace;
use crate::capability::{CapSet, Capability};
use crate::rules::{self, policy_profile};
use crate::seccomp::loaded::{Difference, Loaded, LooserCall};
use crate::seccomp::{Profile, Target};
use crate::settings::{Mode, Violation, Waivers};
use crate::spec::{Document, Pointer, Value};

/// How many calls a message names; the JSON report has all.
const NAMED: usize = 8;

/// The comparison for one container: the same filters are compared once.
pub(super) struct Deep<'p> {
    permitted: &'p Permitted<'p>,
    profile: Profile,
    seen: Vec<(Loaded, Difference)>,
}

impl<'p> Deep<'p> {
    /// None where the policy does not ask for a filter.
    ///
    /// # Errors
    /// What is wrong with the policy's profile, and a hint.
    pub(super) fn new(
        permitted: &'p Permitted<'p>,
        config: Option<&Document>,
    ) -> Result<Option<Self>, (String, String)> {
        let settings = &permitted.settings.seccomp;
        if settings.violation.value == Violation::Off {
            return Ok(None);
        }
        let target = Target {
            arch: permitted.host.arch,
            kernel: permitted.host.kernel,
            caps: bounding(permitted, config),
            abis: settings.abis.value,
        };
        let profile =
            policy_profile(settings, &target).map_err(|error| (error.to_string(), error.hint().to_owned()))?;
        Ok(Some(Self { permitted, profile, seen: Vec::new() }))
    }

    /// What the filters of a process, and of its threads that have others, let through too much.
    ///
    /// # Errors
    /// Why they could not be read, and a hint.
    pub(super) fn judge(&mut self, process: &Process, snapshot: &Snapshot) -> Result<Vec<Finding>, (String, String)> {
        let mut findings = Vec::new();
        if snapshot.status.credentials.seccomp == SeccompMode::Filter {
            findings.extend(self.judge_thread(process, process.pid(), None)?);
        }
        for thread in &snapshot.threads {
            let other = thread.credentials.filters != snapshot.status.credentials.filters;
            if other && thread.credentials.seccomp == SeccompMode::Filter {
                findings.extend(self.judge_thread(process, thread.tid, Some(thread.tid))?);
            }
        }
        Ok(findings)
    }

    fn judge_thread(
        &mut self,
        process: &Process,
        tid: i32,
        named: Option<i32>,
    ) -> Result<Vec<Finding>, (String, String)> {
        let read = trace::filters(process, tid).map_err(|error| (error.to_string(), error.hint().to_owned()))?;
        let Some(programs) = read else { return Ok(Vec::new()) };
        let loaded = Loaded::parse(programs.iter().map(Vec::as_slice), self.permitted.host.arch)
            .map_err(|error| (format!("the filters of {tid}: {error}"), "report this to batten".to_owned()))?;
        let known = self.seen.iter().position(|(seen, _)| *seen == loaded);
        let at = known.unwrap_or_else(|| {
            let difference = loaded.compare(&self.profile);
            self.seen.push((loaded, difference));
            self.seen.len() - 1
        });
        let (loaded, difference) = &self.seen[at];
        let count = loaded.lengths().count();
        Ok(self.findings(count, difference, named))
    }

    fn findings(&self, count: usize, difference: &Difference, tid: Option<i32>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for calls in groups(&difference.looser) {
            let first = calls[0];
            let names: Vec<String> = calls.iter().take(NAMED).map(ToString::to_string).collect();
            let more = calls.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let message = format!(
                "{}{more} on {}: {} by what is loaded, {} by the policy's profile",
                names.join(", "),
                first.arch.name(),
                first.kernel,
                first.policy,
            );
            findings.push(Finding { calls: calls.into_iter().cloned().collect(), ..self.finding(count, tid, message) });
        }
        if !difference.undecided.is_empty() {
            let calls = difference.undecided.join(", ");
            let message = format!("too intricate to compare with the policy's profile: {calls}");
            findings.push(self.finding(count, tid, message));
        }
        findings
    }

    fn finding(&self, count: usize, tid: Option<i32>, message: String) -> Finding {
        let permitted = self.permitted;
        let settings = &permitted.settings.seccomp;
        let waivers = Waivers::matching(permitted.policy.waivers(), permitted.subject, || permitted.host.today());
        let waiver = waivers.find("seccomp", None);
        let reported = permitted.settings.mode.value == Mode::Audit || settings.violation.value == Violation::Report;
        Finding {
            tid,
            field: "Seccomp_filters",
            value: count.to_string(),
            rule: finding_rule().0,
            severity: finding_rule().1,
            standing: match waiver {
                Some(_) => Standing::Waived,
                None if reported => Standing::Reported,
                None => Standing::Looser,
            },
            message,
            calls: Vec::new(),
            origin: settings.profile.origin,
            decided_by: settings.violation.origin,
            hint: super::judge::HINT,
            waiver: waiver.map(crate::settings::Waiver::describe),
        }
    }
}

fn finding_rule() -> (crate::finding::RuleId, crate::finding::Severity) {
    let rule = rules::find("seccomp");
    (crate::finding::RuleId("seccomp"), rule.map_or(crate::finding::Severity::Critical, |rule| rule.severity))
}

/// The bounding set that the policy's profile is resolved for: that of the container's config.json as it is within the
/// policy, or, where there is none, all that the policy permits.
fn bounding(permitted: &Permitted<'_>, config: Option<&Document>) -> CapSet {
    let ceiling = permitted.settings.capabilities.ceiling.value;
    let within = config.and_then(|config| permitted.judge_config(config).ok());
    let Some(document) = within.and_then(|outcome| Document::parse(outcome.text).ok()) else { return ceiling };
    let listed = document.at(&Pointer::new("/process/capabilities/bounding"));
    let names = listed.into_iter().flat_map(Value::items).filter_map(Value::as_str);
    names.filter_map(|name| Capability::from_name(&name)).collect()
}

/// Calls that get the same answers on the same interface, in the order of the first of them.
fn groups(calls: &[LooserCall]) -> Vec<Vec<&LooserCall>> {
    let mut groups: Vec<Vec<&LooserCall>> = Vec::new();
    for call in calls {
        let same = |group: &&mut Vec<&LooserCall>| {
            let first = group[0];
            (first.arch, first.kernel, first.policy) == (call.arch, call.kernel, call.policy)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(call),
            None => groups.push(vec![call]),
        }
    }
    groups
}
