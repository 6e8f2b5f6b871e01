//! The judgement, on one screen: rules in order over a working document.
//!
//! Every door calls [`enforce`]; a dry run differs from enforcement only in where the outcome goes.

use crate::finding::{Disposition, Finding, Severity};
use crate::host::Host;
use crate::policy::Policy;
pub use crate::rules::EnforceError;
use crate::rules::{Case, DocumentKind, EXPIRED_WAIVER, RULES};
use crate::settings::{Subject, Waiver, Waivers};
use crate::spec::{Document, Pointer, Working};

/// What became of a document.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    /// The text within the policy; unchanged where nothing was fixed.
    pub text: String,
    /// Whether the text differs from what was judged.
    pub changed: bool,
    /// What the rules had to say, in the order of judgement.
    pub findings: Vec<Finding>,
    /// The positions in [`Policy::waivers`] of those that let something pass.
    pub used_waivers: Vec<usize>,
}

impl Outcome {
    /// What keeps the container from starting.
    pub fn denied(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.disposition == Disposition::Denied)
    }

    /// Whether the container may start, with the text of this outcome.
    pub fn may_start(&self) -> bool {
        self.denied().next().is_none()
    }
}

/// Edits of one object are made one after the other, each on the text that the one before has left: that whoever
/// writes documents must not be able to keep batten busy.
const MOST_EDITS: usize = 256;

/// Judges `document`, which describes the container `subject`, by `policy`, for `host`.
///
/// The outcome's text is within the policy whenever [`Outcome::may_start`] says so, and judging it again changes
/// nothing. In audit mode nothing is changed or denied.
///
/// # Errors
/// [`EnforceError`] when the document cannot be judged.
pub fn enforce(
    document: Document,
    kind: DocumentKind,
    subject: &Subject,
    policy: &Policy,
    host: &Host,
) -> Result<Outcome, EnforceError> {
    let settings = policy.resolve(subject);
    let waivers = Waivers::matching(policy.waivers(), subject, || host.today());
    let mut working = Working::new(document);
    let mut findings: Vec<Finding> = waivers.expired().map(expired).collect();
    for (position, rule) in RULES.iter().enumerate() {
        if !rule.is_on(position, &settings) || (kind == DocumentKind::Process && !rule.judges_exec) {
            continue;
        }
        let case = Case { rule, position, kind, working: &working, settings: &settings, host, waivers: &waivers };
        let found = rule.judge(&case)?;
        working.push(found.iter().flat_map(|finding| finding.edits.iter().cloned()));
        if working.edits() > MOST_EDITS {
            return Err(EnforceError::TooManyEdits(MOST_EDITS));
        }
        findings.extend(found);
    }
    let changed = working.is_changed();
    Ok(Outcome { text: working.finish()?, changed, findings, used_waivers: waivers.into_used() })
}

/// What is said of a waiver whose last day is over.
pub(crate) fn expired(waiver: &Waiver) -> Finding {
    Finding {
        rule: EXPIRED_WAIVER,
        severity: Severity::Low,
        disposition: Disposition::Reported,
        pointer: Pointer::root(),
        message: format!("the waiver for {} expired on {}", waiver.rule(), waiver.expires()),
        origin: waiver.origin(),
        decided_by: waiver.origin(),
        hint: "renew it with a new reason, or remove it".into(),
        edits: Vec::new(),
        waiver: Some(waiver.describe()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use std::path::Path;

    fn today() -> Host {
        Host { apparmor: false, today: Some(crate::settings::Day { year: 2026, month: 11, day: 24 }), ..Host::detect() }
    }

    fn judge(policy: &Policy, spec: &str) -> Outcome {
        let document = Document::parse_spec(spec).unwrap();
        let subject = policy.subject_of(&document);
        enforce(document, DocumentKind::Spec, &subject, policy, &today()).unwrap()
    }

    #[test]
    fn a_privileged_container_keeps_what_docker_gives_by_default() {
        let spec = r#"{"ociVersion":"1.0.2","x":1.50,"process":{"cwd":"/","capabilities":{"bounding":["CAP_KILL","CAP_SYS_ADMIN"],"effective":["CAP_SYS_ADMIN"]}}}"#;
        let outcome = judge(&Policy::built_in(), spec);
        assert!(outcome.may_start());
        assert!(outcome.text.starts_with(r#"{"ociVersion":"1.0.2","x":1.50,"process":{"cwd":"/","capabilities":{"bounding":["CAP_KILL"],"effective":[],"inheritable":[],"permitted":[],"ambient":[]}"#), "{}", outcome.text);
    }

    #[test]
    fn an_answer_is_kept_with_the_sources_that_worked_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host { memo: crate::memo::Memo::in_folder(folder.path().to_owned()), ..today() };
        let document = Document::parse_spec(r#"{"process":{"cwd":"/"},"linux":{}}"#).unwrap();
        let kind = DocumentKind::Spec;
        let outcome = enforce(document, kind, &Subject::default(), &Policy::built_in(), &host).unwrap();
        assert!(outcome.findings.iter().any(|finding| finding.rule.0 == "seccomp"));
        let kept: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(kept.len(), 1);
        let text = std::fs::read(&kept[0]).unwrap();
        assert!(text[8..].starts_with(crate::memo::SOURCES.as_bytes()), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn an_expired_waiver_lets_nothing_pass_and_is_a_finding() {
        let policy = |expires: &str| {
            let text = format!(
                "subject.engine = 'containerd'\n[[waiver]]\nrule = 'capabilities'\nvalues = ['CAP_SYS_ADMIN']\n\
                 match.namespace = 'a'\nreason = 'r'\nowner = 'o'\nexpires = {expires}\n"
            );
            Policy::parse(Path::new("p.toml"), &text).unwrap()
        };
        let spec = r#"{"annotations":{"io.kubernetes.cri.sandbox-namespace":"a"},"process":{"capabilities":{"bounding":["CAP_SYS_ADMIN"]}}}"#;
        let waived = judge(&policy("2026-11-24"), spec);
        assert!(waived.text.contains("CAP_SYS_ADMIN"));
        assert_eq!(waived.used_waivers, [0]);
        let expired = judge(&policy("2026-11-23"), spec);
        assert!(!expired.text.contains("CAP_SYS_ADMIN"));
        assert!(expired.findings.iter().any(|finding| finding.rule == EXPIRED_WAIVER));
    }
}
