//! What the kernel can enforce.

use std::path::Path;

use super::{Check, Level};
use crate::apparmor::Kernel;
use crate::engines::Site;

const AREA: &str = "kernel";

/// The answers that profiles give, by the kernel's names (`kernel/seccomp.c`, `seccomp_actions_avail`).
const ANSWERS: [&str; 3] = ["allow", "errno", "kill_process"];

pub(super) fn checks(site: &Site) -> Vec<Check> {
    let mut checks = vec![version(site), seccomp(site), refusals_logged(site), apparmor(site), modules(site)];
    checks.extend([cgroups(site), user_namespaces(site)]);
    checks
}

fn read(site: &Site, path: &str) -> Option<String> {
    site.read(Path::new(path)).ok().flatten().map(|text| text.trim().to_owned())
}

fn version(site: &Site) -> Check {
    let Some(release) = read(site, "/proc/sys/kernel/osrelease") else {
        return Check::new(AREA, "version", Level::Unknown, "not in /proc", "mount /proc");
    };
    match crate::engines::parse_version(&release) {
        Some(version) if version < (5, 9) => Check::new(
            AREA,
            "version",
            Level::Warning,
            format!(
                "Linux {release}: /proc does not count filters before 5.9, so attest cannot say how many there are"
            ),
            "run a newer kernel, or use batten attest --deep",
        ),
        _ => Check::fine(AREA, "version", format!("Linux {release}")),
    }
}

fn seccomp(site: &Site) -> Check {
    let Some(actions) = read(site, "/proc/sys/kernel/seccomp/actions_avail") else {
        let hint = "run a kernel with CONFIG_SECCOMP_FILTER; without it every start with a filter fails";
        return Check::new(AREA, "seccomp", Level::Failure, "this kernel has no system call filters", hint);
    };
    let has = |action: &&&str| actions.split_whitespace().any(|known| known == **action);
    let missing: Vec<&str> = ANSWERS.iter().filter(|action| !has(action)).copied().collect();
    if missing.is_empty() {
        return Check::fine(AREA, "seccomp", format!("filters can answer {actions}"));
    }
    let found = format!("filters cannot answer {}; only {actions}", missing.join(", "));
    Check::new(AREA, "seccomp", Level::Warning, found, "run Linux 4.14 or later")
}

/// `actions_logged` decides which answers may leave a record at all.
fn refusals_logged(site: &Site) -> Check {
    let logged = read(site, "/proc/sys/kernel/seccomp/actions_logged").unwrap_or_default();
    if logged.split_whitespace().any(|action| action == "errno") {
        return Check::fine(AREA, "records of refused calls", "can be written, where a filter has the flag for it");
    }
    let hint = "sysctl -w kernel.seccomp.actions_logged=\"kill_process kill_thread trap errno user_notif trace log\"";
    Check::new(
        AREA,
        "records of refused calls",
        Level::Warning,
        "refused calls leave no record in the kernel's log",
        hint,
    )
}

fn apparmor(site: &Site) -> Check {
    let kernel = Kernel::below(site.real(Path::new("/")));
    if !kernel.is_enabled() {
        let hint = "boot with apparmor=1 and apparmor in lsm=…, where a policy names profiles";
        return Check::new(AREA, "AppArmor", Level::Warning, "off: no profile confines any container", hint);
    }
    match kernel.profiles() {
        Ok(profiles) => Check::fine(AREA, "AppArmor", format!("on, {} profiles loaded", profiles.len())),
        Err(error) => Check::new(AREA, "AppArmor", Level::Unknown, error.to_string(), error.hint()),
    }
}

fn modules(site: &Site) -> Check {
    if let Some(modules) = read(site, "/sys/kernel/security/lsm") {
        return Check::fine(AREA, "security modules", modules);
    }
    let hint = "mount securityfs: mount -t securityfs securityfs /sys/kernel/security";
    Check::new(AREA, "security modules", Level::Unknown, "securityfs is not mounted", hint)
}

fn cgroups(site: &Site) -> Check {
    let there = |path: &str| site.exists(Path::new(path));
    let without_kill = "poststart --kill ends each process by itself there, which is slower";
    if there("/sys/fs/cgroup/cgroup.controllers") {
        return Check::fine(AREA, "control groups", "version 2");
    }
    let found = if there("/sys/fs/cgroup/unified/cgroup.procs") || there("/sys/fs/cgroup/unified") {
        "version 1, with version 2 beside it (hybrid)"
    } else if there("/sys/fs/cgroup/memory") || there("/sys/fs/cgroup/pids") {
        "version 1"
    } else {
        let hint = "mount /sys/fs/cgroup; runtimes refuse to start without";
        return Check::new(AREA, "control groups", Level::Failure, "none are mounted", hint);
    };
    let hint = format!("boot with systemd.unified_cgroup_hierarchy=1; {without_kill}");
    Check::new(AREA, "control groups", Level::Warning, found, hint)
}

/// Each is a way to a root of one's own, which the built-in filter closes to containers; the host's own users have it here.
fn user_namespaces(site: &Site) -> Check {
    let is_zero = |path: &str| read(site, path).as_deref() == Some("0");
    let name = "user namespaces";
    if is_zero("/proc/sys/user/max_user_namespaces") {
        return Check::fine(AREA, name, "none can be made: rootless containers do not start");
    }
    if is_zero("/proc/sys/kernel/unprivileged_userns_clone") {
        return Check::fine(AREA, name, "only root makes them: rootless containers do not start");
    }
    if read(site, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        return Check::fine(AREA, name, "only root and programs whose AppArmor profile allows it make them");
    }
    Check::fine(AREA, name, "any user makes them; containers only where the policy's filter lets them")
}
