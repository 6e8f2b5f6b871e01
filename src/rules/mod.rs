//! The rules: one file per control, one row each in [`RULES`]. The folder listing is the list of what batten judges.
//!
//! A rule looks at a [`Case`] and gives findings. It decides what is out of policy and which edits put it right; the
//! case decides what becomes of each finding, so audit mode, waivers and dispositions are the same for all.

mod annotations;
mod apparmor;
mod bind_mounts;
mod capabilities;
mod case;
mod cgroup_path;
mod cpu;
mod cwd;
mod device_cgroup;
mod devices;
mod error;
mod groups;
mod hooks;
mod host_paths;
mod host_sockets;
mod ids;
mod masked_paths;
mod memory;
mod mount;
mod mount_options;
mod mount_types;
mod namespaces;
mod no_new_privs;
mod path;
mod pids;
mod privileged;
mod propagation;
mod readonly_paths;
mod readonly_root;
mod resources;
mod rlimits;
mod seccomp;
mod seccomp_filter;
mod seccomp_listener;
mod selinux;
mod sysctls;
mod user;
mod user_mappings;

pub use case::{Case, Control, DocumentKind};
pub use error::EnforceError;
pub use seccomp::{SeccompError, policy_profile};
pub(crate) use sysctls::SAFE_SYSCTLS;

use crate::finding::{Finding, RuleId, Severity};
use crate::settings::{Section, Settings, Violation};

/// What judging a case gives.
type Judgement = Result<Vec<Finding>, EnforceError>;

/// Reads a word of the list with that key; what to write instead where it means nothing.
type Understands = fn(&str, &str) -> Result<(), &'static str>;

/// One control.
#[derive(Debug)]
pub struct Rule {
    /// Its name in policies, waivers and reports.
    pub id: RuleId,
    /// How much a finding of it matters.
    pub severity: Severity,
    /// What it sees to, in one sentence.
    pub summary: &'static str,
    /// Whether it also judges the process file of an exec, or a config.json only.
    pub judges_exec: bool,
    /// Whether there are violations that it puts right; where there are none, `fix` refuses.
    pub fixes: bool,
    /// Its table in the policy; `None` for the rules whose settings [`Settings`] spells out.
    pub section: Option<&'static Section>,
    /// Whether it understands a word of one of its lists, where not every word will do.
    pub understands: Option<Understands>,
    /// The source that the prose stands in.
    source: &'static str,
    judge: fn(&Case<'_>) -> Judgement,
}

impl Rule {
    /// Whether the rule, at `position` of the table, has anything to do: at no cost where nobody switched any on.
    pub(crate) fn is_on(&self, position: usize, settings: &Settings) -> bool {
        if !settings.sets_declared() {
            return UNASKED >> position & 1 == 1;
        }
        let violation = |section| settings.declared_violation(position, section).value;
        self.section.is_none_or(|section| violation(section) != Violation::Off)
    }

    /// What the rule has to say of a case.
    ///
    /// # Errors
    /// [`EnforceError`] when the case cannot be judged; nothing may start then.
    pub fn judge(&self, case: &Case<'_>) -> Judgement {
        (self.judge)(case)
    }

    /// Intent, fields and allowed values in Markdown, as the rule's file opens with them; nothing in the shim.
    pub fn prose(&self) -> String {
        let lines = self.source.lines().skip(1).take_while(|line| line.starts_with("//!"));
        let text = lines.map(|line| line[3..].strip_prefix(' ').unwrap_or_default());
        text.fold(String::new(), |prose, line| prose + line + "\n")
    }

    /// Its table in the policy: `no_new_privs`.
    pub fn table(&self) -> String {
        self.section.map_or_else(|| self.id.0.replace('-', "_"), |section| section.name.to_owned())
    }
}

/// The source of a rule's file, for its prose; the shim has no use for it.
macro_rules! prose {
    ($file:literal) => {
        if cfg!(feature = "cli") { include_str!($file) } else { "" }
    };
}
use prose;

/// Every rule, in the order of judgement. The order is part of the meaning: what only refuses looks first, at what the
/// bundle asks for; the conditions of a seccomp profile read the bounding set, so capabilities are settled before it.
pub static RULES: &[Rule] = &[
    privileged::RULE,
    annotations::RULE,
    namespaces::HOST_PID,
    namespaces::HOST_IPC,
    namespaces::HOST_NETWORK,
    namespaces::HOST_UTS,
    namespaces::HOST_CGROUP,
    namespaces::HOST_USER,
    namespaces::HOST_MOUNT,
    user_mappings::RULE,
    user::RULE,
    groups::RULE,
    cwd::RULE,
    rlimits::RULE,
    selinux::RULE,
    readonly_root::RULE,
    mount_types::RULE,
    host_sockets::RULE,
    host_paths::RULE,
    bind_mounts::RULE,
    propagation::RULE,
    mount_options::RULE,
    masked_paths::RULE,
    readonly_paths::RULE,
    sysctls::RULE,
    devices::RULE,
    device_cgroup::RULE,
    memory::RULE,
    cpu::RULE,
    pids::RULE,
    cgroup_path::RULE,
    hooks::RULE,
    capabilities::RULE,
    no_new_privs::RULE,
    apparmor::RULE,
    seccomp_listener::RULE,
    seccomp_filter::RULE,
    seccomp::RULE,
];

/// The rules that look where a policy says nothing, one bit each: a start under such a policy asks no other.
const UNASKED: u64 = {
    let (mut bits, mut at) = (0, 0);
    while at < RULES.len() {
        let looks = match RULES[at].section {
            None => true,
            Some(section) => !matches!(section.unset, Violation::Off),
        };
        if looks {
            bits |= 1 << at;
        }
        at += 1;
    }
    bits
};

/// The rule that has the table `name`, by its position, and what it declares.
pub fn section(name: &str) -> Option<(usize, &'static Section)> {
    RULES.iter().enumerate().find_map(|(position, rule)| {
        let section = rule.section.filter(|section| section.name == name)?;
        Some((position, section))
    })
}

/// The rule that speaks up when a waiver has run out.
pub const EXPIRED_WAIVER: RuleId = RuleId("waiver-expired");

/// What a dry run over many containers says of a waiver that none of them needed.
pub const UNUSED_WAIVER: RuleId = RuleId("waiver-unused");

/// The names that policies and waivers may use, in the order of judgement.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.id.0)
}

/// Whether a rule is called `name`.
pub fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// The rule called `name`.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id.0 == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::settings::Subject;

    #[test]
    fn with_nothing_set_the_rules_look_that_say_so_in_their_row() {
        let settings = Policy::built_in().resolve(&Subject::default()).into_owned();
        for (position, rule) in RULES.iter().enumerate() {
            let unset = rule.section.is_none_or(|section| section.unset != Violation::Off);
            assert_eq!(rule.is_on(position, &settings), unset, "{}", rule.id);
        }
    }
}
