//! Remarks on the rules for files.

use super::{Level, Remarks};
use crate::apparmor::effective::Verdict;
use crate::apparmor::learn::ENGINE_SOCKETS;
use crate::apparmor::pattern::Pattern;
use crate::apparmor::profile::{Access, FileRule, Rule};

/// Files whose writing reaches the host, whatever container it comes from.
const KERNEL_FILES: &[&str] = &[
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sysrq-trigger",
    "/proc/sys/vm/panic_on_oom",
    "/sys/kernel/uevent_helper",
    "/sys/kernel/security/apparmor/.replace",
    "/sys/firmware/efi/efivars/x",
    "/sys/fs/cgroup/release_agent",
    "/dev/mem",
    "/dev/sda",
];

fn code() -> Access {
    Access::EXECUTE.union(Access::MAP)
}

/// The allow rules for files, with their positions.
fn allowed<'r>(remarks: &'r Remarks<'_>) -> impl Iterator<Item = (usize, &'r FileRule)> {
    remarks.rules().filter_map(|(at, rule)| match rule {
        Rule::File(file) if !file.qualifiers.deny => Some((at, file)),
        _ => None,
    })
}

/// Whether the path is every path; `/**` leaves out the root folder alone.
fn is_every_path(path: &Pattern) -> bool {
    *path == Pattern::everything() || path.to_string() == "/**"
}

fn allows_everything(file: &FileRule) -> bool {
    is_every_path(&file.path) && file.access.includes(Access::WRITE.union(Access::EXECUTE)) && !file.owner
}

/// Rules that open too much each by themselves, or two together.
pub(super) fn rules(remarks: &mut Remarks<'_>) {
    let files: Vec<(usize, FileRule)> = allowed(remarks).map(|(at, file)| (at, file.clone())).collect();
    for (at, file) in &files {
        if allows_everything(file) {
            let message =
                "every file may be read, written and executed; other rules that allow files allow nothing more";
            remarks.at_rule(
                *at,
                Level::Warning,
                "everything",
                message,
                "list the paths that the container writes and executes",
            );
            continue;
        }
        if file.access.includes(Access::EXECUTE) && file.exec.transition.may_leave_confinement() {
            let level = if file.exec.transition.takes_target() { Level::Warning } else { Level::Error };
            let message = format!("{} is executed without a profile ({})", file.path, file.exec.transition);
            remarks.at_rule(*at, level, "unconfined-exec", message, "use inherit, profile or child");
        }
        let is_same = |other: &FileRule| other.path.includes(&file.path) || file.path.includes(&other.path);
        let written = files
            .iter()
            .find(|(_, other)| other.access.includes(Access::WRITE) && !allows_everything(other) && is_same(other));
        if let (true, Some((_, other))) = (file.access.intersects(code()), written) {
            let message = format!("{} may be executed or mapped as code, and {} may be written", file.path, other.path);
            remarks.at_rule(
                *at,
                Level::Warning,
                "write-execute",
                message,
                "keep what is executed apart from what is written",
            );
        }
    }
}

/// Rules that other rules make void or superfluous.
pub(super) fn repeated(remarks: &mut Remarks<'_>) {
    let all: Vec<(usize, FileRule)> = remarks
        .rules()
        .filter_map(|(at, rule)| match rule {
            Rule::File(file) => Some((at, file.clone())),
            _ => None,
        })
        .collect();
    for (at, file) in all.iter().filter(|(_, file)| !file.qualifiers.deny) {
        let covers = |other: &FileRule| {
            let owner = !other.owner || file.owner;
            owner && other.access.includes(file.access) && other.path.includes(&file.path)
        };
        if let Some((_, deny)) = all.iter().find(|(_, other)| other.qualifiers.deny && covers(other)) {
            let message = format!("{} is allowed here and denied as {}, and deny wins", file.path, deny.path);
            remarks.at_rule(*at, Level::Warning, "void-rule", message, "remove one of them");
            continue;
        }
        let wider = all.iter().find(|(other_at, other)| {
            let same_exec = other.exec == file.exec || !file.access.includes(Access::EXECUTE);
            // Of two that say the same the second is the repetition.
            let first = other_at < at || !(file.path.includes(&other.path) && file.access.includes(other.access));
            other_at != at
                && !other.qualifiers.deny
                && covers(other)
                && same_exec
                && first
                && (!file.qualifiers.audit || other.qualifiers.audit)
        });
        if let Some((_, wider)) = wider {
            let message = format!("{} is allowed as {} already", file.path, wider.path);
            remarks.at_rule(*at, Level::Note, "repeated-rule", message, "remove it, or narrow the wider rule");
        }
    }
}

/// What the rules together come to for some files that matter.
pub(super) fn probes(remarks: &mut Remarks<'_>) {
    let profile = &remarks.written.profile;
    let open = |path: &&&str| profile.verdict_on_file(path.as_bytes(), Access::WRITE, false) == Verdict::Allowed;
    let opener = |path: &str| {
        let found =
            allowed(remarks).find(|(_, file)| file.access.includes(Access::WRITE) && file.path.covers(path.as_bytes()));
        found.map_or((0, false), |(at, file)| (at, allows_everything(file)))
    };
    let kernel: Vec<_> = KERNEL_FILES.iter().filter(open).map(|path| (opener(path).0, *path)).collect();
    // Everything is open then, the sockets among it; the remark on that says so.
    let sockets = ENGINE_SOCKETS.iter().filter(open).map(|path| (opener(path), *path));
    let sockets: Vec<_> =
        sockets.filter(|((_, is_everything), _)| !is_everything).map(|((at, _), path)| (at, path)).collect();
    for at in positions(&kernel) {
        let paths = paths_at(&kernel, at);
        let hint = "deny writing below /proc and /sys; batten apparmor generate --default shows how";
        remarks.at_rule(at, Level::Warning, "kernel-file", format!("{paths} may be written"), hint);
    }
    for at in positions(&sockets) {
        let paths = paths_at(&sockets, at);
        let hint = "whoever talks to it is root on the host: leave it out";
        remarks.at_rule(at, Level::Warning, "engine-socket", format!("{paths} may be written"), hint);
    }
}

fn positions(found: &[(usize, &str)]) -> Vec<usize> {
    let mut positions: Vec<usize> = found.iter().map(|(at, _)| *at).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn paths_at(found: &[(usize, &str)], at: usize) -> String {
    found.iter().filter(|(own, _)| *own == at).map(|(_, path)| *path).collect::<Vec<_>>().join(", ")
}
