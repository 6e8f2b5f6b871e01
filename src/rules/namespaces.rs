//! # host-pid, host-ipc, host-network, host-uts, host-cgroup, host-user, host-mount
//!
//! **Intent.** The container has namespaces of its own, or shares those of a container that the policy lets it join.
//!
//! **Fields.** `linux.namespaces[*].type` and `path`. A type that is not listed is the host's.
//!
//! **Allowed.** An entry without a path, which makes a new namespace; or with one that `joinable` matches in its normal form.
//! Never /proc/1, /proc/self, a way through another process's root or Docker's /run/docker/netns/default: those are the
//! host's. Whose namespace /proc/PID/ns/TYPE is, a bundle does not show. Before a start, and of what runs (`check --running`),
//! batten looks: one that is the host's too is refused, as that of a container in a pod on the host's network.
//! The fix adds an entry without a path, which leaves a network namespace with loopback only; a user namespace needs
//! mappings that nobody has given, and a join is refused.

use super::case::{Case, Wrong};
use super::path::normal;
use super::{Judgement, Rule, prose};
use crate::finding::{Finding, RuleId, Severity};
use crate::settings::section;
use crate::spec::{Edit, Pointer, Value};

pub(super) const HOST_PID: Rule = Rule {
    id: RuleId("host-pid"),
    severity: Severity::Critical,
    summary: "Processes do not share the host's process namespace, so they cannot signal and trace every process of the host.",
    judges_exec: false,
    fixes: true,
    section: Some(&section! {
        "host_pid", Off,
        "joinable": Allow(&["/proc/*/ns/pid", "/run/pidns/*"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "pid"),
};

pub(super) const HOST_IPC: Rule = Rule {
    id: RuleId("host-ipc"),
    severity: Severity::High,
    summary: "Processes do not share the host's IPC namespace, so they cannot reach shared memory of the host.",
    judges_exec: false,
    fixes: true,
    section: Some(&section! {
        "host_ipc", Off,
        "joinable": Allow(&["/proc/*/ns/ipc", "/run/ipcns/*"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "ipc"),
};

pub(super) const HOST_NETWORK: Rule = Rule {
    id: RuleId("host-network"),
    severity: Severity::High,
    summary: "Processes do not share the host's network namespace, so they cannot listen and speak as the host, its abstract sockets included.",
    judges_exec: false,
    fixes: true,
    section: Some(&section! {
        "host_network", Off,
        "joinable": Allow(&["/proc/*/ns/net", "/run/netns/*", "/run/docker/netns/*", "/run/user/*/netns/*"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "network"),
};

pub(super) const HOST_UTS: Rule = Rule {
    id: RuleId("host-uts"),
    severity: Severity::Medium,
    summary: "Processes do not share the host's UTS namespace, so they cannot rename the host.",
    judges_exec: false,
    fixes: true,
    section: Some(&section! {
        "host_uts", Off,
        "joinable": Allow(&["/proc/*/ns/uts", "/run/utsns/*"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "uts"),
};

pub(super) const HOST_CGROUP: Rule = Rule {
    id: RuleId("host-cgroup"),
    severity: Severity::Low,
    summary: "Processes do not share the host's cgroup namespace, so they cannot see the cgroups of the host.",
    judges_exec: false,
    fixes: true,
    section: Some(&section! {
        "host_cgroup", Off,
        "joinable": Allow(&["/proc/*/ns/cgroup", "/run/cgroupns/*"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "cgroup"),
};

pub(super) const HOST_USER: Rule = Rule {
    id: RuleId("host-user"),
    severity: Severity::Medium,
    summary: "Processes do not share the host's user namespace, so they cannot be root of the host when they are root.",
    judges_exec: false,
    fixes: false,
    section: Some(&section! {
        "host_user", Off,
        "joinable": Allow(&["/proc/*/ns/user", "/run/userns/*"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "user"),
};

pub(super) const HOST_MOUNT: Rule = Rule {
    id: RuleId("host-mount"),
    severity: Severity::Critical,
    summary: "Processes do not share the host's mount namespace, so they cannot mount and unmount for the host.",
    judges_exec: false,
    fixes: true,
    section: Some(&section! {
        "host_mount", Off,
        "joinable": Allow(&["/proc/*/ns/mnt"]) => "namespaces (globs of paths) that may be joined"
    }),
    understands: None,
    source: prose!("namespaces.rs"),
    judge: |case| judge(case, "mount"),
};

const PLACE: Pointer = Pointer::new("/linux/namespaces");

/// The entries of a kind, with their positions.
fn entries<'d>(case: &Case<'d>, kind: &str) -> impl Iterator<Item = (usize, Value<'d>)> {
    let all = case.at(&PLACE).into_iter().flat_map(Value::items).enumerate();
    all.filter(move |(_, entry)| entry.get("type").and_then(Value::as_str).is_some_and(|own| own == kind))
}

/// Whether the bundle makes a new namespace of that kind.
pub(super) fn makes(case: &Case<'_>, kind: &str) -> bool {
    let mut found = entries(case, kind).peekable();
    found.peek().is_some() && found.all(|(_, entry)| path_of(entry).is_empty())
}

fn path_of(entry: Value<'_>) -> String {
    entry.get("path").and_then(Value::as_str).unwrap_or_default().into_owned()
}

fn judge(case: &Case<'_>, kind: &'static str) -> Judgement {
    let mut findings = Vec::new();
    let mut found = entries(case, kind).peekable();
    if found.peek().is_none() {
        return Ok(case.is_linux().then(|| shared(case, kind)).into_iter().collect());
    }
    let joinable = case.words("joinable");
    for (position, entry) in found {
        let path = path_of(entry);
        let place = normal(&path);
        let is_shared = names_hosts(&place) || is_hosts(case, &place);
        if path.is_empty() || (joinable.matches(&place) && !is_shared) {
            continue;
        }
        let message = if is_shared && !names_hosts(&place) {
            // Without the number, which is another at the next start: a baseline knows findings by what they say.
            format!("the host's {kind} namespace is joined, by the number of a process that is in it")
        } else {
            format!("the {kind} namespace {path} is joined")
        };
        let hint = if is_shared {
            own_hint(kind)
        } else {
            "share with a container of the same pod only, or name the path in joinable"
        };
        let pointer = PLACE.child(&position.to_string()).child("path");
        findings.push(case.found(Some(&path), Wrong { setting: "joinable", pointer, message, hint }));
    }
    Ok(findings)
}

fn shared(case: &Case<'_>, kind: &'static str) -> Finding {
    let message = format!("the host's {kind} namespace is shared");
    let wrong = |hint| Wrong { setting: "violation", pointer: PLACE, message, hint };
    if kind == "user" {
        return case.found(None, wrong(own_hint(kind)));
    }
    case.fixable(None, wrong(own_hint(kind)), || {
        let own = case.at(&PLACE).into_iter().flat_map(Value::items).map(|entry| entry.raw().to_owned());
        let all: Vec<_> = own.chain([format!("{{\"type\":\"{kind}\"}}")]).collect();
        vec![Edit::set(PLACE, format!("[{}]", all.join(",")))]
    })
}

/// How a container gets a namespace of its own.
fn own_hint(kind: &str) -> &'static str {
    if kind == "user" {
        return "set hostUsers: false, --userns=auto or userns-remap";
    }
    "take out hostNetwork, hostPID, hostIPC, or --network, --pid, --ipc, --uts, --cgroupns with the word host"
}

/// Whether a path in its normal form, `/proc/PID/ns/TYPE`, leads to a namespace of the host at this moment. No other path is
/// looked at: where a bundle's paths lead, its author chose.
fn is_hosts(case: &Case<'_>, path: &str) -> bool {
    let parts = path.strip_prefix("/proc/").and_then(|rest| rest.split_once("/ns/"));
    parts.is_some_and(|(process, file)| {
        process.bytes().all(|byte| byte.is_ascii_digit())
            && !file.contains('/')
            && case.host.namespaces.are_hosts(process, file)
    })
}

/// Whether a path in its normal form says by itself that it leads to a namespace of the host, or hides where it leads.
fn names_hosts(path: &str) -> bool {
    // What `--network host` comes to (moby, libnetwork/sandbox.go): a name for dockerd's own, rootless or not.
    if path.ends_with("/docker/netns/default") {
        return true;
    }
    let Some(rest) = path.strip_prefix("/proc/") else { return false };
    let parts: Vec<_> = rest.split('/').collect();
    match parts.as_slice() {
        [process, "ns", _] => *process == "1" || !process.bytes().all(|byte| byte.is_ascii_digit()),
        _ => true,
    }
}
