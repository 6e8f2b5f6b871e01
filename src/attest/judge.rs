//! What the kernel enforces, judged by the rules that judge a bundle.
//!
//! The kernel's values are written as the document that would have asked for them, and [`enforce`] says what of it is out
//! of policy: the same ceiling, waivers and modes as before a start. What the document language has no words for, an
//! AppArmor profile in complain mode where the policy wants more, is written as what it comes to: none.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use super::confinement::Confinement;
use super::process::Snapshot;
use super::status::{Credentials, SETS, SeccompMode};
use crate::capability::Capability;
use crate::enforce::{EnforceError, Outcome, enforce};
use crate::finding::{self, Disposition, RuleId, Severity};
use crate::host::Host;
use crate::policy::Policy;
use crate::rules::DocumentKind;
use crate::seccomp::loaded::LooserCall;
use crate::settings::{Origin, Settings, Subject, Waivers};
use crate::spec::{Document, quote};

/// What is to be done about a process that may more than the policy permits.
pub(super) const HINT: &str = "end it and start it again through batten-runtime, which gives it no more than that; `batten doctor` \
                    shows ways around it";

/// What a deviation from the policy comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Shown only: the policy reports it, or runs in audit mode.
    Reported,
    /// A waiver covers it.
    Waived,
    /// More than the policy permits.
    Looser,
}

impl Standing {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Waived => "waived",
            Self::Looser => "looser",
        }
    }

    const fn of(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Reported => Self::Reported,
            Disposition::Waived => Self::Waived,
            Disposition::Fixed | Disposition::Denied => Self::Looser,
        }
    }
}

/// One thing that a process may do and the policy does not permit.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The thread, where it is not all of the process.
    pub tid: Option<i32>,
    /// The field as the kernel names it: `CapEff`, `NoNewPrivs`, `Seccomp`, `AppArmor`, or `Seccomp_filters` for what the
    /// loaded filters do.
    pub field: &'static str,
    /// The kernel's value.
    pub value: String,
    /// The rule that permits less.
    pub rule: RuleId,
    /// How much it matters.
    pub severity: Severity,
    /// What it comes to.
    pub standing: Standing,
    /// What is there, in one clause without a full stop.
    pub message: String,
    /// The system calls that are let further, where the loaded filters were read.
    pub calls: Vec<LooserCall>,
    /// The setting that asked for less.
    pub origin: Origin,
    /// The setting that says what to do about it.
    pub decided_by: Origin,
    /// What the operator can do.
    pub hint: &'static str,
    /// For a waived finding: why, until when, who.
    pub waiver: Option<String>,
}

/// What one container is permitted at most.
#[derive(Debug)]
pub struct Permitted<'p> {
    pub(super) policy: &'p Policy,
    pub(super) host: &'p Host,
    pub(super) subject: &'p Subject,
    /// The settings that hold for it.
    pub settings: Settings,
}

impl<'p> Permitted<'p> {
    /// What `policy` permits the container `subject`.
    pub fn new(policy: &'p Policy, host: &'p Host, subject: &'p Subject) -> Self {
        Self { policy, host, subject, settings: policy.resolve(subject).into_owned() }
    }

    /// What the first thread of a process, and every one that differs from it, may do too much.
    ///
    /// # Errors
    /// [`EnforceError`] when it cannot be judged.
    pub fn judge(&self, seen: &Snapshot) -> Result<Vec<Finding>, EnforceError> {
        let confinement = Confinement::of(self, seen.label.as_deref());
        let mut findings = self.judge_thread(&seen.status.credentials, &confinement, None)?;
        for thread in &seen.threads {
            let others = self.judge_thread(&thread.credentials, &confinement, Some(thread.tid))?;
            // What holds for the first thread as well is said once.
            let known = |one: &Finding| findings.iter().any(|own| own.field == one.field && own.value == one.value);
            let new: Vec<_> = others.into_iter().filter(|one| !known(one)).collect();
            findings.extend(new);
        }
        Ok(findings)
    }

    /// What becomes of the container's config.json before a start.
    ///
    /// # Errors
    /// [`EnforceError`] when it cannot be judged.
    pub fn judge_config(&self, config: &Document) -> Result<Outcome, EnforceError> {
        enforce(config.clone(), DocumentKind::Spec, self.subject, self.policy, self.host)
    }

    fn judge_thread(
        &self,
        may: &Credentials,
        confinement: &Confinement,
        tid: Option<i32>,
    ) -> Result<Vec<Finding>, EnforceError> {
        let kind = if may.seccomp == SeccompMode::Disabled { DocumentKind::Spec } else { DocumentKind::Process };
        let outcome = enforce(document(may, confinement, kind), kind, self.subject, self.policy, self.host)?;
        let mut findings = Vec::new();
        for found in outcome.findings {
            let from = |field, value: String, message: String| Finding { tid, ..of(&found, field, value, message) };
            match found.rule.0 {
                "capabilities" if found.disposition == Disposition::Waived => {}
                "capabilities" => findings.extend(self.excess(may, false, from)),
                "no-new-privs" => findings.push(from("NoNewPrivs", "0".into(), found.message.clone())),
                "seccomp" => {
                    findings.push(from("Seccomp", "0".into(), "no system call filter is in force".into()));
                }
                "apparmor" if !confinement.is_permitted => {
                    findings.push(from("AppArmor", confinement.shown.clone(), confinement.complaint(&found)));
                }
                _ => {}
            }
        }
        findings.extend(self.waived(may, tid));
        Ok(findings)
    }

    /// The sets that hold more than the ceiling, one finding each: what a waiver covers, or what none does.
    fn excess(
        &self,
        may: &Credentials,
        waived: bool,
        from: impl Fn(&'static str, String, String) -> Finding,
    ) -> Vec<Finding> {
        let waivers = Waivers::matching(self.policy.waivers(), self.subject, || self.host.today());
        let ceiling = self.settings.capabilities.ceiling.value.bits();
        let mut findings = Vec::new();
        for (field, set) in SETS.into_iter().zip(may.capabilities) {
            let names: Vec<String> = names(set & !ceiling)
                .filter(|name| waivers.find("capabilities", Some(name)).is_some() == waived)
                .collect();
            if !names.is_empty() {
                let mut finding = from(field, format!("{set:016x}"), format!("{} above the ceiling", names.join(", ")));
                finding.waiver = waived.then(|| describe(&waivers, &names));
                findings.push(finding);
            }
        }
        findings
    }

    fn waived(&self, may: &Credentials, tid: Option<i32>) -> Vec<Finding> {
        let settings = &self.settings.capabilities;
        if settings.violation.value == crate::settings::Violation::Off {
            return Vec::new();
        }
        let rule = crate::rules::find("capabilities");
        let (origin, decided_by) = (settings.ceiling.origin, settings.violation.origin);
        self.excess(may, true, |field, value, message| Finding {
            tid,
            field,
            value,
            rule: RuleId("capabilities"),
            severity: rule.map_or(Severity::Critical, |rule| rule.severity),
            standing: Standing::Waived,
            message,
            calls: Vec::new(),
            origin,
            decided_by,
            hint: "a waiver covers it; put it right before the waiver expires",
            waiver: None,
        })
    }
}

fn of(found: &finding::Finding, field: &'static str, value: String, message: String) -> Finding {
    Finding {
        tid: None,
        field,
        value,
        rule: found.rule,
        severity: found.severity,
        standing: Standing::of(found.disposition),
        message,
        calls: Vec::new(),
        origin: found.origin,
        decided_by: found.decided_by,
        hint: HINT,
        waiver: found.waiver.clone(),
    }
}

fn describe(waivers: &Waivers<'_>, names: &[String]) -> String {
    let mut reasons: Vec<String> = names
        .iter()
        .filter_map(|name| waivers.find("capabilities", Some(name)))
        .map(crate::settings::Waiver::describe)
        .collect();
    reasons.dedup();
    reasons.join("; ")
}

/// The names of a mask's capabilities; one that batten does not know is called by its number, and so is above any
/// ceiling.
pub fn names(mask: u64) -> impl Iterator<Item = String> {
    (0_u8..64).filter(move |bit| mask >> bit & 1 == 1).map(|bit| {
        Capability::from_number(bit).map_or_else(|| format!("CAP_{bit}"), |capability| capability.name().to_owned())
    })
}

/// The document that would have asked for what the kernel enforces. One without a filter is a whole config.json, so that
/// the seccomp rule has its say; what filters there are do is another question.
fn document(may: &Credentials, confinement: &Confinement, kind: DocumentKind) -> Document {
    let mut process = String::from("{\"cwd\":\"/\",\"capabilities\":{");
    for (position, (set, mask)) in
        ["bounding", "effective", "inheritable", "permitted", "ambient"].into_iter().zip(may.capabilities).enumerate()
    {
        let listed: Vec<String> = names(mask).map(|name| format!("\"{name}\"")).collect();
        let comma = if position > 0 { "," } else { "" };
        let _ = write!(process, "{comma}\"{set}\":[{}]", listed.join(","));
    }
    let _ = write!(process, "}},\"noNewPrivileges\":{}", may.no_new_privs);
    if let Some(profile) = &confinement.profile {
        process.push_str(",\"apparmorProfile\":");
        quote(profile, &mut process);
    }
    process.push('}');
    let parsed = match kind {
        DocumentKind::Process => Document::parse_process(process),
        DocumentKind::Spec => {
            Document::parse_spec(format!("{{\"ociVersion\":\"1.0.2\",\"process\":{process},\"linux\":{{}}}}"))
        }
    };
    // A label with a NUL or the like in it cannot be written; then nothing confines.
    parsed.unwrap_or_else(|_| document(may, &Confinement::none(), kind))
}
