//! Levels: a standard's controls as settings, laid under everything that the policy says itself.
//!
//! The Kubernetes Pod Security Standards speak of pods, a bundle is what an engine made of one. Each row is a control of
//! the standard in the words of config.json; docs/rules.md says what a bundle does not show. Versions as in
//! kubernetes/pod-security-admission, policy/check_*.go: a row holds from the minor version `since` on, before `until`.

use super::model::Controls;
use crate::capability::CapSet;
use crate::rules::{self, SAFE_SYSCTLS};
use crate::settings::{Chosen, Level, Origin, Settings, Sourced, Value, Violation, Words};

/// The newest minor version of Kubernetes that changed a control.
pub(super) const NEWEST_PSS: &str = "v1.37";
const NEWEST_MINOR: u8 = 37;

/// The benchmark's version that the sections are counted by.
pub(super) const CIS_VERSION: &str = "1.6.0";

/// The minor version that `text` stands for at `level`; for any level where none is named beside it.
pub(super) fn version(level: Option<Level>, text: &str) -> Option<u8> {
    let minor = || text.strip_prefix("v1.")?.parse().ok().filter(|minor| *minor <= NEWEST_MINOR);
    match level {
        _ if text == "latest" => Some(NEWEST_MINOR),
        Some(Level::CisDocker) => (text == CIS_VERSION).then_some(NEWEST_MINOR),
        Some(_) => minor(),
        None => minor().or_else(|| (text == CIS_VERSION).then_some(NEWEST_MINOR)),
    }
}

/// The level that the layers come to; nothing where none names one.
pub(super) fn chosen<'l>(layers: impl Iterator<Item = (usize, &'l Controls)>) -> Option<Chosen> {
    let mut level = None;
    let mut version = Sourced { value: "latest".to_owned(), origin: Origin::built_in("level_version") };
    let mut violation = Sourced { value: Violation::Deny, origin: Origin::built_in("level_violation") };
    for (index, controls) in layers {
        if let Some(set) = &controls.level {
            level = Some(Sourced { value: *set.get_ref(), origin: Origin::layer("level", index, set.span().start) });
        }
        if let Some(set) = &controls.level_version {
            let origin = Origin::layer("level_version", index, set.span().start);
            version = Sourced { value: set.get_ref().clone(), origin };
        }
        if let Some(set) = &controls.level_violation {
            let origin = Origin::layer("level_violation", index, set.span().start);
            violation = Sourced { value: *set.get_ref(), origin };
        }
    }
    level.map(|level| Chosen { level, version, violation })
}

/// One control of a standard.
struct Row {
    level: Level,
    /// The first minor version that has it so.
    since: u8,
    /// The first minor version that does not any more.
    until: u8,
    /// Its name, as the standard's pages have it.
    standard: &'static str,
    asks: Asks,
}

/// What it comes to in settings.
enum Asks {
    /// The rule of that section is on, with these settings.
    Section(&'static str, &'static [(&'static str, Preset)]),
    Ceiling(CapSet),
    NoNewPrivs,
    AppArmor {
        required: bool,
    },
    Seccomp,
}

const ALWAYS: u8 = u8::MAX;

const fn row(level: Level, since: u8, until: u8, standard: &'static str, asks: Asks) -> Row {
    Row { level, since, until, standard, asks }
}

/// A setting's value in a row.
#[derive(Clone, Copy)]
enum Preset {
    Words(&'static [&'static str]),
    Flag(bool),
}

impl Preset {
    const fn value(self) -> Value {
        match self {
            Self::Words(words) => Value::Words(Words::Known(words)),
            Self::Flag(flag) => Value::Flag(flag),
        }
    }
}

const fn words(words: &'static [&'static str]) -> Preset {
    Preset::Words(words)
}

const SELINUX_TYPES: [&str; 4] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

const fn head<const N: usize>(list: &'static [&'static str; N], count: usize) -> &'static [&'static str] {
    list.split_at(count).0
}

/// Volume plugins of the kubelet that only an inline volume can use: no claim leads to them.
const INLINE_ONLY: &[&str] = &["/var/lib/kubelet/pods/*/volumes/kubernetes.io~git-repo/*"];

static ROWS: &[Row] = {
    use Asks::{AppArmor, Ceiling, NoNewPrivs, Seccomp, Section};
    use Level::{Baseline, CisDocker, Restricted};
    const VOLUMES: &str = "Pod Security Standards, baseline: HostPath Volumes";
    const NAMESPACES: &str = "Pod Security Standards, baseline: Host Namespaces";
    const SYSCTLS: &str = "Pod Security Standards, baseline: Sysctls";
    const SELINUX: &str = "Pod Security Standards, baseline: SELinux";
    const PROC: &str = "Pod Security Standards, baseline: /proc Mount Type";
    const PROC_RESTRICTED: &str = "Pod Security Standards, restricted: /proc Mount Type";
    const NON_ROOT: &str = "Pod Security Standards, restricted: Running as Non-root";
    // A localhost profile may be any; what it is worth is for `seccomp`.
    const LENIENT: (&str, Preset) = ("denies_by_default", Preset::Flag(false));
    const IN_USERNS: &[(&str, Preset)] = &[("in_user_namespace", Preset::Flag(true))];
    const NOT_IN_USERNS: &[(&str, Preset)] = &[("in_user_namespace", Preset::Flag(false))];
    &[
        row(Baseline, 0, ALWAYS, "Pod Security Standards, baseline: Privileged Containers", Section("privileged", &[])),
        row(Baseline, 0, ALWAYS, NAMESPACES, Section("host_network", &[])),
        row(Baseline, 0, ALWAYS, NAMESPACES, Section("host_pid", &[])),
        row(Baseline, 0, ALWAYS, NAMESPACES, Section("host_ipc", &[])),
        // Engines give NET_RAW to whoever adds nothing, and a pod that adds nothing is within the standard.
        row(Baseline, 0, ALWAYS, "Pod Security Standards, baseline: Capabilities", Ceiling(CapSet::DOCKER)),
        row(Baseline, 0, ALWAYS, VOLUMES, Section("bind_mounts", &[])),
        row(Baseline, 0, ALWAYS, VOLUMES, Section("mount_types", &[])),
        row(Baseline, 0, ALWAYS, "Pod Security Standards, baseline: AppArmor", AppArmor { required: false }),
        row(Baseline, 0, 31, SELINUX, Section("selinux", &[("types", words(head(&SELINUX_TYPES, 3)))])),
        row(Baseline, 31, ALWAYS, SELINUX, Section("selinux", &[("types", words(&SELINUX_TYPES))])),
        row(Baseline, 0, 35, PROC, Section("masked_paths", &[])),
        row(Baseline, 0, 35, PROC, Section("readonly_paths", &[])),
        row(Baseline, 35, ALWAYS, PROC, Section("masked_paths", IN_USERNS)),
        row(Baseline, 35, ALWAYS, PROC, Section("readonly_paths", IN_USERNS)),
        // What is not set is within the standard, and looks the same as `Unconfined`: batten's own filter stands in.
        row(Baseline, 0, ALWAYS, "Pod Security Standards, baseline: Seccomp", Seccomp),
        row(Baseline, 0, 27, SYSCTLS, Section("sysctls", &[("allowed", words(head(&SAFE_SYSCTLS, 5)))])),
        row(Baseline, 27, 29, SYSCTLS, Section("sysctls", &[("allowed", words(head(&SAFE_SYSCTLS, 6)))])),
        row(Baseline, 29, 32, SYSCTLS, Section("sysctls", &[("allowed", words(head(&SAFE_SYSCTLS, 10)))])),
        row(Baseline, 32, 37, SYSCTLS, Section("sysctls", &[("allowed", words(head(&SAFE_SYSCTLS, 12)))])),
        row(Baseline, 37, ALWAYS, SYSCTLS, Section("sysctls", &[("allowed", words(&SAFE_SYSCTLS))])),
        row(
            Restricted,
            0,
            ALWAYS,
            "Pod Security Standards, restricted: Volume Types",
            Section("bind_mounts", &[("denied", words(INLINE_ONLY))]),
        ),
        row(Restricted, 8, ALWAYS, "Pod Security Standards, restricted: Privilege Escalation", NoNewPrivs),
        row(Restricted, 0, 35, NON_ROOT, Section("user", &[])),
        row(Restricted, 35, ALWAYS, NON_ROOT, Section("user", IN_USERNS)),
        row(
            Restricted,
            19,
            ALWAYS,
            "Pod Security Standards, restricted: Seccomp",
            Section("seccomp_filter", &[LENIENT, ("native_architecture", Preset::Flag(false))]),
        ),
        row(
            Restricted,
            22,
            ALWAYS,
            "Pod Security Standards, restricted: Capabilities",
            // CAP_NET_BIND_SERVICE alone.
            Ceiling(CapSet::from_bits(1 << 10)),
        ),
        row(Restricted, 35, ALWAYS, PROC_RESTRICTED, Section("masked_paths", NOT_IN_USERNS)),
        row(Restricted, 35, ALWAYS, PROC_RESTRICTED, Section("readonly_paths", NOT_IN_USERNS)),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.2: AppArmor profile", AppArmor { required: true }),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.3: SELinux security options", Section("selinux", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.4: Linux kernel capabilities", Ceiling(CapSet::DOCKER)),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.5: privileged containers", Section("privileged", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.6: sensitive host directories", Section("host_paths", &[])),
        row(
            CisDocker,
            0,
            ALWAYS,
            "CIS Docker Benchmark 5.10: the host's network namespace",
            Section("host_network", &[]),
        ),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.11: memory usage", Section("memory", &[])),
        row(
            CisDocker,
            0,
            ALWAYS,
            "CIS Docker Benchmark 5.12: CPU priority",
            Section("cpu", &[("shares_suffice", Preset::Flag(true))]),
        ),
        row(
            CisDocker,
            0,
            ALWAYS,
            "CIS Docker Benchmark 5.13: read-only root filesystem",
            Section("readonly_root", &[]),
        ),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.16: the host's process namespace", Section("host_pid", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.17: the host's IPC namespace", Section("host_ipc", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.18: host devices", Section("devices", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.18: host devices", Section("device_cgroup", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.20: mount propagation", Section("propagation", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.21: the host's UTS namespace", Section("host_uts", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.22: the seccomp profile", Seccomp),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.22: the seccomp profile", Section("seccomp_filter", &[])),
        row(
            CisDocker,
            0,
            ALWAYS,
            "CIS Docker Benchmark 5.25: cgroup usage",
            Section(
                "cgroup_path",
                &[("allowed", words(&["/docker/*", "system.slice:docker:*", "user.slice:docker:*"]))],
            ),
        ),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.26: additional privileges", NoNewPrivs),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.29: PIDs cgroup limit", Section("pids", &[])),
        row(CisDocker, 0, ALWAYS, "CIS Docker Benchmark 5.32: the Docker socket", Section("host_sockets", &[])),
    ]
};

/// One control of a standard, for whoever reads about it.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, Copy)]
pub struct Standard {
    /// The lowest level that has it.
    pub level: Level,
    /// The standard and its control.
    pub name: &'static str,
    /// The table of the rule that judges it.
    pub table: &'static str,
    /// The first minor version that has it so.
    pub since: u8,
}

/// What the levels ask, in order.
#[cfg(feature = "cli")]
pub fn standards() -> impl Iterator<Item = Standard> {
    ROWS.iter().map(|row| Standard {
        level: row.level,
        name: row.standard,
        table: match row.asks {
            Asks::Section(name, _) => name,
            Asks::Ceiling(_) => "capabilities",
            Asks::NoNewPrivs => "no_new_privs",
            Asks::AppArmor { .. } => "apparmor",
            Asks::Seccomp => "seccomp",
        },
        since: row.since,
    })
}

impl Row {
    fn belongs_to(&self, level: Level, minor: u8) -> bool {
        let of_level = match level {
            Level::Privileged => false,
            Level::Restricted => matches!(self.level, Level::Baseline | Level::Restricted),
            Level::Baseline | Level::CisDocker => self.level == level,
        };
        of_level && self.since <= minor && minor < self.until
    }

    /// A pause container is no part of the pod's specification: what only the hardened level asks is put right there where
    /// it can be, and refuses nothing.
    fn violation(&self, chosen: Violation, is_sandbox: bool) -> Violation {
        if !is_sandbox || self.level != Level::Restricted {
            return chosen;
        }
        match &self.asks {
            Asks::Section("user" | "seccomp_filter", _) => chosen.min(Violation::Report),
            Asks::Section(..) => chosen,
            _ => chosen.min(Violation::Fix),
        }
    }
}

impl Settings {
    /// Lays the settings that a level stands for. A control that batten fixes without any level is never left alone.
    pub(super) fn lay_level(&mut self, chosen: Chosen, is_sandbox: bool) {
        let minor = version(Some(chosen.level.value), &chosen.version.value).unwrap_or(NEWEST_MINOR);
        for row in ROWS.iter().filter(|row| row.belongs_to(chosen.level.value, minor)) {
            let violation = row.violation(chosen.violation.value, is_sandbox);
            self.lay_row(row, violation, chosen.level.origin);
        }
        self.level = Some(chosen);
    }

    fn lay_row(&mut self, row: &Row, violation: Violation, level: Origin) {
        let origin = |setting| Origin { setting, standard: Some(row.standard), ..level };
        let put = |at: &mut Sourced<Violation>| {
            *at = Sourced { value: violation, origin: origin(at.origin.setting) };
        };
        match &row.asks {
            Asks::Section(name, settings) => {
                let Some((position, section)) = rules::section(name) else {
                    debug_assert!(false, "no rule has the table {name}");
                    return;
                };
                self.declared.put(position, 0, Value::Violation(violation), origin(section.violation));
                for (at, setting) in section.settings.iter().enumerate() {
                    let set = settings.iter().find(|(key, _)| *key == setting.key()).map(|(_, preset)| preset.value());
                    let kept = self.declared.get(position, at + 1).is_some_and(|own| own.origin.standard.is_some());
                    match set {
                        Some(value) => self.declared.put(position, at + 1, value, origin(setting.name)),
                        None if kept => {}
                        None => self.declared.put(position, at + 1, setting.kind.unset(), origin(setting.name)),
                    }
                }
            }
            Asks::Ceiling(set) => {
                self.capabilities.ceiling = Sourced { value: *set, origin: origin("capabilities.ceiling") };
                put(&mut self.capabilities.violation);
            }
            Asks::NoNewPrivs => {
                self.no_new_privs.required = Sourced { value: true, origin: origin("no_new_privs.required") };
                put(&mut self.no_new_privs.violation);
            }
            Asks::AppArmor { required } => {
                self.apparmor.required = Sourced { value: *required, origin: origin("apparmor.required") };
                put(&mut self.apparmor.violation);
            }
            // The filter is put right whatever the level does with violations: nobody can tell who asked for none.
            Asks::Seccomp => {
                let value = violation.min(Violation::Fix);
                self.seccomp.violation = Sourced { value, origin: origin("seccomp.violation") };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_of_the_level_s_standard() {
        for (level, text, expected) in [
            (Level::Baseline, "latest", Some(37)),
            (Level::Restricted, "v1.25", Some(25)),
            (Level::Baseline, "v1.38", None),
            (Level::Baseline, "1.25", None),
            (Level::Baseline, "1.6.0", None),
            (Level::CisDocker, "1.6.0", Some(37)),
            (Level::CisDocker, "v1.25", None),
        ] {
            assert_eq!(version(Some(level), text), expected, "{text}");
        }
    }

    #[test]
    fn every_row_names_a_rule_and_its_settings() {
        for row in ROWS {
            let Asks::Section(name, settings) = &row.asks else { continue };
            let (_, section) = rules::section(name).unwrap_or_else(|| panic!("{name}"));
            for (key, _) in *settings {
                assert!(section.settings.iter().any(|own| own.key() == *key), "{name}.{key}");
            }
        }
    }

    #[test]
    fn the_list_of_safe_sysctls_grows_with_the_version() {
        for (minor, count) in [(0, 5), (26, 5), (27, 6), (28, 6), (29, 10), (31, 10), (32, 12), (36, 12), (37, 14)] {
            let version = format!("v1.{minor}");
            let text = format!("level = 'baseline'\nlevel_version = '{version}'\n");
            let policy = crate::policy::Policy::parse("p.toml".as_ref(), &text).unwrap();
            let settings = policy.resolve(&crate::settings::Subject::default());
            let (position, section) = rules::section("sysctls").unwrap();
            let allowed = settings.words(position, section, "allowed");
            assert_eq!(allowed.value.iter().count(), count, "{version}");
        }
    }
}
