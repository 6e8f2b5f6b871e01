//! What the kernel enforces, judged by the rules that judge a bundle.
//!
//! The kernel's values are written as the document that would have asked for them, and [`enforce`] says what of it is out
//! of policy: the same ceiling, waivers and modes as before a start. What the document language has no words for, an
//! AppArmor profile in complain mode where the policy wants more, is written as what it comes to: none.

use std::fmt::Write;

use super::process::Snapshot;
use super::status::{Credentials, SETS, SeccompMode};
use crate::apparmor::builtin::{BUILT_IN, NAME_PREFIX};
use crate::apparmor::{Kernel, Label, LoadedMode};
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
pub(super) fn names(mask: u64) -> impl Iterator<Item = String> {
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

/// What AppArmor does to a process, in one name.
struct Confinement {
    /// The label as the kernel shows it.
    shown: String,
    /// The profile that counts: of a stack the policy's, where it is among those that refuse. Where none does, the
    /// process runs as one whose bundle names no profile, and the policy says whether that is enough.
    profile: Option<String>,
    /// Whether it is batten's own profile for capabilities within the ceiling.
    is_permitted: bool,
    /// Whether there is a profile, and it refuses nothing.
    is_lenient: bool,
}

impl Confinement {
    fn none() -> Self {
        Self { shown: "unconfined".to_owned(), profile: None, is_permitted: false, is_lenient: false }
    }

    fn of(permitted: &Permitted<'_>, label: Option<&str>) -> Self {
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

    fn complaint(&self, found: &finding::Finding) -> String {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::attest::process::{NAMESPACES, Thread};
    use crate::attest::status::Status;

    const TAME: Credentials = Credentials {
        capabilities: [0xa804_25fb, 0xa804_25fb, 0, 0xa804_25fb, 0],
        no_new_privs: true,
        seccomp: SeccompMode::Filter,
        filters: Some(1),
    };

    fn snapshot(credentials: Credentials, label: Option<&str>, threads: Vec<Thread>) -> Snapshot {
        let status = Status {
            name: "sh".into(),
            state: 'S',
            tracer: 0,
            user: [0; 4],
            group: [0; 4],
            groups: vec![],
            credentials,
        };
        let label = label.map(str::to_owned);
        Snapshot { status, threads, label, namespaces: [None; NAMESPACES.len()], program: String::new() }
    }

    fn judge(policy: &str, apparmor: bool, seen: &Snapshot) -> Vec<Finding> {
        let policy = Policy::parse(Path::new("p.toml"), policy).unwrap();
        let host = Host { apparmor, kernel_profiles: Kernel::below("/nonexistent"), ..Host::detect() };
        let subject = Subject::default();
        Permitted::new(&policy, &host, &subject).judge(seen).unwrap()
    }

    fn fields(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.field).collect()
    }

    #[test]
    fn within_the_policy_there_is_nothing_to_say() {
        assert!(judge("", false, &snapshot(TAME, None, vec![])).is_empty());
        let strict = Credentials { seccomp: SeccompMode::Strict, filters: Some(0), ..TAME };
        assert!(judge("", false, &snapshot(strict, None, vec![])).is_empty());
    }

    #[test]
    fn every_field_that_is_looser_is_named_with_the_kernel_s_value() {
        let all = 0x1ff_ffff_ffff;
        let wild = Credentials {
            capabilities: [all, all, 0, all, 1 << 21],
            no_new_privs: false,
            seccomp: SeccompMode::Disabled,
            filters: Some(0),
        };
        let policy = "no_new_privs.required = true\napparmor.profile = 'fence'\n";
        let findings = judge(policy, true, &snapshot(wild, Some("unconfined"), vec![]));
        assert_eq!(fields(&findings), ["CapBnd", "CapEff", "CapPrm", "CapAmb", "NoNewPrivs", "AppArmor", "Seccomp"]);
        assert!(findings.iter().all(|finding| finding.standing == Standing::Looser));
        assert_eq!(findings[0].value, "000001ffffffffff");
        assert_eq!(findings[3].message, "CAP_SYS_ADMIN above the ceiling");
        assert_eq!(findings[5].message, "no AppArmor profile confines it");
    }

    #[test]
    fn a_capability_that_batten_does_not_know_is_above_every_ceiling() {
        let newer = Credentials { capabilities: [1 << 60, 0, 0, 0, 0], ..TAME };
        let findings = judge("capabilities.ceiling = ['@all']\n", false, &snapshot(newer, None, vec![]));
        assert_eq!((fields(&findings), &*findings[0].message), (vec!["CapBnd"], "CAP_60 above the ceiling"));
    }

    #[test]
    fn a_thread_is_named_where_only_it_is_looser() {
        let raised = Credentials { capabilities: [0xa804_25fb, 1 << 21, 0, 1 << 21, 0], ..TAME };
        let findings = judge("", false, &snapshot(TAME, None, vec![Thread { tid: 9, credentials: raised }]));
        assert_eq!(fields(&findings), ["CapEff", "CapPrm"]);
        assert!(findings.iter().all(|finding| finding.tid == Some(9)));
    }

    #[test]
    fn modes_waivers_and_switched_off_controls_count_as_before_a_start() {
        let wild = Credentials { capabilities: [1 << 21, 0, 0, 0, 0], no_new_privs: false, ..TAME };
        let seen = snapshot(wild, None, vec![]);
        let standings = |policy: &str| -> Vec<Standing> {
            judge(policy, false, &seen).iter().map(|finding| finding.standing).collect()
        };
        assert_eq!(standings("mode = 'audit'\n"), [Standing::Reported]);
        assert_eq!(standings("capabilities.violation = 'report'\n"), [Standing::Reported]);
        assert_eq!(standings("capabilities.violation = 'deny'\n"), [Standing::Looser]);
        assert!(standings("capabilities.violation = 'off'\n").is_empty());
    }

    #[test]
    fn a_waiver_covers_what_it_names_and_stays_visible() {
        let policy = "subject.engine = 'containerd'\n[[waiver]]\nrule = 'capabilities'\nvalues = ['CAP_SYS_ADMIN']\n\
            match.namespace = 'a'\nreason = 'legacy'\nowner = 'o'\nexpires = 2999-01-01\n";
        let policy = Policy::parse(Path::new("p.toml"), policy).unwrap();
        let host = Host { apparmor: false, ..Host::detect() };
        let subject = Subject { namespace: Some("a".into()), ..Subject::default() };
        let wild = Credentials { capabilities: [1 << 21 | 1 << 12, 0, 0, 0, 0], ..TAME };
        let findings = Permitted::new(&policy, &host, &subject).judge(&snapshot(wild, None, vec![])).unwrap();
        let said: Vec<_> = findings.iter().map(|one| (one.standing, one.message.as_str())).collect();
        let expected = [
            (Standing::Looser, "CAP_NET_ADMIN above the ceiling"),
            (Standing::Waived, "CAP_SYS_ADMIN above the ceiling"),
        ];
        assert_eq!(said, expected);
        assert!(findings[1].waiver.as_ref().unwrap().contains("legacy"));
    }

    #[test]
    fn a_profile_counts_when_it_refuses() {
        let found = |policy: &str, label: &str| -> Vec<String> {
            let findings = judge(policy, true, &snapshot(TAME, Some(label), vec![]));
            findings.into_iter().map(|finding| finding.message).collect()
        };
        let fence = "apparmor.profile = 'fence'\napparmor.own = 'replace'\n";
        assert!(found(fence, "fence (enforce)").is_empty());
        assert!(found(fence, "fence (kill)").is_empty());
        assert!(found(fence, "fence//hat (enforce)").is_empty());
        assert!(found(fence, "other//&fence (enforce)").is_empty(), "of a stack each one refuses");
        assert_eq!(found(fence, "other (enforce)"), ["the profile is \"other\", not \"fence\""]);
        let lenient = |label: &str| vec![format!("its AppArmor profile {label:?} refuses nothing")];
        let strict = &format!("{fence}apparmor.complain = false\n");
        assert_eq!(found(strict, "fence (complain)"), lenient("fence (complain)"));
        let required = "apparmor.required = true\n";
        for policy in [fence, required] {
            assert_eq!(found(policy, "runc (unconfined)"), lenient("runc (unconfined)"));
            assert_eq!(found(policy, "unconfined"), ["no AppArmor profile confines it"]);
        }
        assert!(found("", "any (enforce)").is_empty());
        assert!(found(required, "any (enforce)").is_empty());
    }

    #[test]
    fn what_the_policy_lets_start_attests_clean() {
        let clean = |policy: &str, label: &str| judge(policy, true, &snapshot(TAME, Some(label), vec![])).is_empty();
        // Without a profile in the policy, an unset name inherits the runtime's label.
        for label in ["unconfined", "runc (unconfined)"] {
            assert!(clean("", label), "{label}");
        }
        assert!(clean("apparmor.profile = 'fence'\napparmor.own = 'replace'\n", "fence (complain)"));
    }

    #[test]
    fn batten_s_own_profile_counts_for_capabilities_within_the_ceiling() {
        let found = |policy: &str, label: &str| judge(policy, true, &snapshot(TAME, Some(label), vec![]));
        let own = "apparmor.profile = 'builtin:default'\napparmor.own = 'replace'\n";
        assert!(found(own, "batten-default-00080000001-0123456789abcdef (enforce)").is_empty());
        assert_eq!(found(own, "batten-default-00000200000-0123456789abcdef (enforce)").len(), 1, "CAP_SYS_ADMIN");
    }
}
