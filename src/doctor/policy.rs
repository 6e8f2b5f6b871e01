//! What the policy and the shim's settings need of the machine.

use std::path::Path;

use super::{Check, Level};
use crate::apparmor::builtin::BUILT_IN;
use crate::apparmor::{Kernel, LoadedMode};
use crate::engines::{RUNTIME, Site};
use crate::host::FilterLog;
use crate::memo::Memo;
use crate::policy::{POLICY_DROP_INS, POLICY_FILE, Policy, PolicyError};
use crate::runtime::argv::Dialect;
use crate::runtime::config::{ConfigError, DecisionLog, RUNTIME_FILE, ShimConfig};
use crate::runtime::find::{RealRuntime, trust_program};
use crate::seccomp::{Abis, Arch, KernelVersion, Target};
use crate::settings::{Absent, BUILT_IN_PROFILE, Day, Settings, Violation};
use crate::spec::read_trusted;

const SHIM: &str = "shim";
const POLICY: &str = "policy";

fn settings(site: &Site) -> Result<ShimConfig, ConfigError> {
    if site.is_host() {
        return ShimConfig::load();
    }
    let path = site.real(Path::new(RUNTIME_FILE));
    if !path.exists() {
        return Ok(ShimConfig::default());
    }
    let text = read_trusted(&path)?;
    ShimConfig::parse(&path, &String::from_utf8_lossy(&text))
}

/// batten-runtime, its settings, and the runtime behind.
pub(super) fn shim(site: &Site) -> Vec<Check> {
    let mut checks = vec![program(site)];
    let settings = match settings(site) {
        Ok(settings) => settings,
        Err(error) => {
            checks.push(Check::new(SHIM, "settings", Level::Failure, error.to_string(), error.hint()));
            return checks;
        }
    };
    checks.extend([behind(site, &settings), log(site, &settings)]);
    checks.extend(memo(site));
    checks
}

fn program(site: &Site) -> Check {
    let name = "batten-runtime";
    let Some(path) = site.program(name) else {
        let hint = "make install puts it into /usr/local/bin";
        return Check::new(SHIM, name, Level::Failure, format!("it is not on PATH, nor at {RUNTIME}"), hint);
    };
    match trust_program(&site.real(&path)) {
        Ok(()) => Check::fine(SHIM, name, path.display().to_string()),
        Err(error) => {
            let hint = "it and the folders above it must belong to root and be writable to root only";
            Check::new(SHIM, name, Level::Failure, error.to_string(), hint)
        }
    }
}

fn behind(site: &Site, settings: &ShimConfig) -> Check {
    let name = "the runtime behind";
    if site.is_host() {
        return match RealRuntime::find(settings) {
            Ok(runtime) => Check::fine(
                SHIM,
                name,
                format!("{}, its command line read as that of {}", runtime.path.display(), dialect(runtime.dialect)),
            ),
            Err(error) => Check::new(SHIM, name, Level::Failure, error.to_string(), error.hint()),
        };
    }
    let path = match &settings.runtime {
        Some(path) => site.exists(path).then(|| path.clone()),
        None => ["runc", "crun"].into_iter().find_map(|name| site.program(name)),
    };
    if let Some(path) = path {
        return Check::fine(SHIM, name, path.display().to_string());
    }
    let hint = "install runc or crun, or set runtime = \"/path\" in /etc/batten/runtime.toml";
    Check::new(SHIM, name, Level::Failure, "it is not there", hint)
}

const fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Runc => "runc",
        Dialect::Crun => "crun",
        Dialect::Common => "any runtime",
    }
}

fn log(site: &Site, settings: &ShimConfig) -> Check {
    let name = "the log of decisions";
    let level = if settings.log_required { Level::Failure } else { Level::Warning };
    match &settings.log {
        DecisionLog::None if settings.log_required => {
            let hint = "set log in /etc/batten/runtime.toml, or take log-required out";
            Check::new(SHIM, name, Level::Failure, "log-required is set, and no log is", hint)
        }
        DecisionLog::None => Check::fine(SHIM, name, "none is kept; hooks write to the journal"),
        DecisionLog::Syslog if site.exists(Path::new("/dev/log")) => {
            Check::fine(SHIM, name, "the journal, by /dev/log")
        }
        DecisionLog::Syslog => Check::new(
            SHIM,
            name,
            level,
            "nobody listens at /dev/log",
            "run journald or a syslog daemon, or name a file",
        ),
        DecisionLog::File(path) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            if site.exists(folder) {
                Check::fine(SHIM, name, path.display().to_string())
            } else {
                let hint = format!("install -d -m 0755 {}", folder.display());
                Check::new(SHIM, name, level, format!("the folder of {} is not there", path.display()), hint)
            }
        }
    }
}

/// Nothing depends on it but the time of a start.
fn memo(site: &Site) -> Option<Check> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let path = Path::new("/run/batten/memo");
    let seen = std::fs::symlink_metadata(site.real(path)).ok()?;
    let is_ours = seen.is_dir() && crate::spec::is_trusted_owner(seen.uid()) && seen.permissions().mode() & 0o022 == 0;
    let name = "kept answers";
    Some(if is_ours {
        Check::fine(SHIM, name, path.display().to_string())
    } else {
        let found = format!("{} is not root's alone, so nothing is kept there", path.display());
        Check::new(SHIM, name, Level::Warning, found, "rm -r /run/batten: it is made anew")
    })
}

/// The policy, and what it needs.
pub(super) fn checks(site: &Site) -> Vec<Check> {
    let policy = match load(site) {
        Ok(policy) => policy,
        Err(error) => {
            let found = format!("{error}: nothing starts under half a policy");
            return vec![Check::new(POLICY, "policy", Level::Failure, found, error.hint())];
        }
    };
    let names: Vec<_> = policy.sources().iter().map(|source| source.path.display().to_string()).collect();
    let mut checks = vec![if names.is_empty() {
        Check::fine(POLICY, "policy", "built in, since there is no file in /etc/batten")
    } else {
        Check::fine(POLICY, "policy", names.join(", "))
    }];
    checks.extend(waivers(&policy));
    let mut seen = Vec::new();
    for settings in policy.every_settings() {
        for check in profiles(site, &policy, &settings) {
            // An override that says nothing of it has the same.
            if !seen.contains(&check.name) {
                seen.push(check.name.clone());
                checks.push(check);
            }
        }
    }
    checks.extend(denials_logged(site, &policy));
    checks
}

fn load(site: &Site) -> Result<Policy, PolicyError> {
    let named = settings(site).ok().and_then(|settings| settings.policy);
    match named {
        Some(file) => Policy::load_files(&[site.real(&file)]),
        None => Policy::load_from(&site.real(Path::new(POLICY_FILE)), &site.real(Path::new(POLICY_DROP_INS))),
    }
}

fn waivers(policy: &Policy) -> Vec<Check> {
    let today = Day::today();
    let expired = policy.waivers().iter().filter(|waiver| waiver.is_expired(today)).map(|waiver| {
        let found = format!("of rule {} ended on {}: it is a finding now", waiver.rule(), waiver.expires());
        let place = policy.cite(waiver.origin());
        Check::new(
            POLICY,
            &format!("waiver at {place}"),
            Level::Warning,
            found,
            "renew it with a reason, or take it out",
        )
    });
    expired.collect()
}

fn profiles(site: &Site, policy: &Policy, settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    if settings.seccomp.violation.value != Violation::Off {
        checks.push(filter(site, policy, settings));
    }
    let apparmor = &settings.apparmor;
    if apparmor.violation.value != Violation::Off {
        checks.extend(
            apparmor
                .profile
                .iter()
                .map(|set| confinement(site, policy, settings, &set.value, &policy.cite(set.origin))),
        );
    }
    checks
}

/// The seccomp profile as a start reads it.
fn filter(site: &Site, policy: &Policy, settings: &Settings) -> Check {
    let seccomp = &settings.seccomp;
    let (path, place) = (&seccomp.profile.value, policy.cite(seccomp.profile.origin));
    let name = format!("seccomp profile of {place}");
    if !site.is_host() && path != BUILT_IN_PROFILE && seccomp.allow.is_none() {
        return if site.exists(Path::new(path)) {
            Check::fine(POLICY, &name, path.as_str())
        } else {
            Check::new(POLICY, &name, Level::Failure, format!("{path} is not there"), "put it there, or name another")
        };
    }
    let caps = settings.capabilities.ceiling.value;
    let target = Target { arch: Arch::NATIVE, kernel: KernelVersion::running(), caps, abis: Abis::Native };
    match crate::rules::policy_profile(seccomp, &target) {
        Ok(_) => Check::fine(POLICY, &name, path.as_str()),
        Err(error) => Check::new(POLICY, &name, Level::Failure, error.to_string(), error.hint()),
    }
}

/// The AppArmor profile called `profile`.
fn confinement(site: &Site, policy: &Policy, settings: &Settings, profile: &str, place: &str) -> Check {
    let name = format!("AppArmor profile of {place}");
    let kernel = Kernel::below(site.real(Path::new("/")));
    let apparmor = &settings.apparmor;
    if !kernel.is_enabled() {
        let hint = "boot with apparmor=1 and apparmor in lsm=…; apparmor.absent says what happens without";
        return match apparmor.absent.value {
            Absent::Skip => {
                let found = format!("this host has no AppArmor, so {profile:?} confines nothing, and containers start");
                Check::new(POLICY, &name, Level::Warning, found, hint)
            }
            Absent::Deny => {
                let found = format!(
                    "this host has no AppArmor, and {} refuses every container",
                    policy.cite(apparmor.absent.origin)
                );
                Check::new(POLICY, &name, Level::Failure, found, hint)
            }
        };
    }
    if profile == BUILT_IN {
        if site.program("apparmor_parser").is_some() {
            return Check::fine(POLICY, &name, "batten's own, loaded when it is needed");
        }
        let found = "batten's own has to be compiled, and apparmor_parser is not installed";
        return Check::new(POLICY, &name, Level::Failure, found, "install the package apparmor");
    }
    match (kernel.mode_of(profile), &apparmor.fallback) {
        (Ok(Some(mode)), _) if mode.refuses() => {
            Check::fine(POLICY, &name, format!("{profile} is loaded, mode {}", mode.as_str()))
        }
        (Ok(Some(LoadedMode::Complain)), _) => {
            let found = format!("{profile} is loaded in complain mode, and refuses nothing");
            Check::new(POLICY, &name, Level::Warning, found, format!("batten apparmor enforce {profile}"))
        }
        (Ok(Some(mode)), _) => {
            let found = format!("{profile} is loaded in mode {}, and refuses nothing", mode.as_str());
            Check::new(POLICY, &name, Level::Failure, found, "load it in enforce mode")
        }
        (Ok(None), Some(fallback)) => {
            let found = format!("{profile} is not loaded; {:?} takes its place", fallback.value);
            Check::new(
                POLICY,
                &name,
                Level::Warning,
                found,
                "batten apparmor load FILE; batten apparmor unit does so at boot",
            )
        }
        (Ok(None), None) => {
            let found = format!("{profile} is not loaded: every container that needs it is refused");
            Check::new(
                POLICY,
                &name,
                Level::Failure,
                found,
                "batten apparmor load FILE; batten apparmor unit does so at boot",
            )
        }
        (Err(error), _) => Check::new(POLICY, &name, Level::Unknown, error.to_string(), error.hint()),
    }
}

/// Whether the runtime behind takes the flag without which refused calls leave no record.
fn denials_logged(site: &Site, policy: &Policy) -> Option<Check> {
    if !policy.asks_to_log_denials() {
        return None;
    }
    let name = "seccomp.log_denials";
    if !site.is_host() {
        let hint = "run batten doctor on the machine itself";
        return Some(Check::new(POLICY, name, Level::Unknown, "the runtime cannot be asked from here", hint));
    }
    Some(match FilterLog::of_machine(&Memo::default()) {
        FilterLog::Taken => Check::fine(POLICY, name, "the runtime takes the flag for it"),
        FilterLog::NotTaken(why) => {
            Check::new(POLICY, name, Level::Warning, why, "containers start without it; runc 1.2 and crun 1.9 take it")
        }
        FilterLog::Unknown => {
            Check::new(POLICY, name, Level::Unknown, "the runtime did not say", "ask it: runc features")
        }
    })
}
