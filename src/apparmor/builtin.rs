//! The profile that batten brings along for containers, made for the capabilities that one may use.
//!
//! It starts from what Docker, containerd and Podman load as their default: files are free but for the kernel's own in
//! /proc and /sys, and containers signal and trace only each other. Different from those, it follows the capabilities:
//!
//! | capability | with it | without it |
//! |---|---|---|
//! | each one | may be used | may not, not even in a user namespace of the container's own |
//! | `CAP_SYS_ADMIN` | mount, remount, umount, pivot_root; user namespaces; writes below /sys/fs/bpf | none of these |
//! | `CAP_NET_ADMIN` | writes below /proc/sys/net | none |
//! | `CAP_NET_RAW` | raw and packet sockets | neither |
//! | `CAP_BPF` | writes below /sys/fs/bpf | none, unless `CAP_SYS_ADMIN` is there |
//!
//! (moby#22704 and containerd#8513 ask for the first.) It needs no tunables and no abstractions, so what it says is what
//! stands in it, on every host.
//!
//! Its name is `batten-default-CAPABILITIES-DIGEST`, both in hexadecimal: the set itself, so that no two sets share a
//! profile, and a digest of the text, so that another template, ABI or engine gives another name and a loaded profile
//! never has to be compared.

use super::dialect::Dialect;
use super::kernel::Label;
use super::pattern::Pattern;
use super::profile::{Access, FileRule, MountRule, Profile, Qualifiers, Rule};
use super::words::{Facility, Family, MountKind, PtraceAccess, SignalAccess, SocketKind};
use crate::capability::{CapSet, Capability};

/// What policies call this profile, whatever its name for one set of capabilities is.
pub const BUILT_IN: &str = "builtin:default";

/// What its names start with.
pub const NAME_PREFIX: &str = "batten-default-";

/// Those who start, stop and look at containers: the names of the unconfined profiles that distributions ship for
/// them (AppArmor 4: `runc`, `crun`, `podman`, `buildah`, `rootlesskit`), and of older ones by path.
const ENGINES: &str = "{/{usr/,usr/local/,}{bin,sbin}/,}\
    {runc,crun*,youki,batten-runtime,containerd,containerd-shim*,dockerd,docker,podman,conmon,crio,buildah,buildkitd,rootlesskit}";

/// Containers under any profile of this kind; a process that was executed into one with fewer capabilities than the
/// first is in another of these.
const PEERS: &str = "batten-default-**";

/// Files of the kernel's that no container has to write, wherever they are mounted in it by the runtime.
const NOT_WRITABLE: &[&str] = &[
    // Directly in /proc; processes and sys are folders.
    "/proc/*",
    // Folders in /proc that are no process and not sys: acpi, bus, fs, irq, scsi, sysvipc, tty.
    "/proc/[^0-9s/]*/**",
    "/proc/s[^y/]*/**",
    "/proc/sy[^s/]*/**",
    "/proc/sys[^/]*/**",
    // In /proc/sys/kernel all but shm*, msg* and sem*, which belong to the container's own IPC namespace.
    "/proc/sys/kernel/[^ms]**",
    "/proc/sys/kernel/m[^s]**",
    "/proc/sys/kernel/ms[^g]**",
    "/proc/sys/kernel/s[^eh]**",
    "/proc/sys/kernel/se[^m]**",
    "/proc/sys/kernel/sh[^m]**",
    // /sys but for the control groups.
    "/sys/[^f]**",
    "/sys/f[^s]**",
    "/sys/fs/[^bc]**",
    "/sys/fs/b[^p]**",
    "/sys/fs/c[^g]**",
    "/sys/fs/cg[^r]**",
    // The program that the host runs when a group of version 1 empties.
    "/sys/fs/cgroup/{,**/}release_agent",
];

/// Files that no container has to see either.
const NOT_READABLE: &[&str] = &[
    "/proc/sysrq-trigger",
    "/proc/kcore",
    "/sys/firmware/**",
    "/sys/devices/virtual/powercap/**",
    "/sys/kernel/security/**",
];

/// The profile for containers whose processes may have `capabilities` at most, for `dialect`.
///
/// `engine` is the label of who starts them, who must be able to stop them as well.
pub fn profile(capabilities: CapSet, dialect: Dialect, engine: &Label) -> Profile {
    let mut profile = Profile::new("batten-default");
    profile.description = Some(format!("Containers with the capabilities {capabilities}."));
    profile.rules = rules(capabilities, engine);
    let digest = fnv1a(profile.render(dialect).as_bytes());
    profile.name = format!("{NAME_PREFIX}{:011x}-{digest:016x}", capabilities.bits());
    profile
}

fn rules(capabilities: CapSet, engine: &Label) -> Vec<Rule> {
    let allow = Qualifiers::ALLOW;
    let mut rules = vec![
        Rule::Capability { qualifiers: allow, set: Some(capabilities) },
        Rule::Network { qualifiers: allow, family: None, kind: None },
        // The kernel's cryptography by socket: much of it, old, and reachable without any capability.
        deny_network(Family::Alg, None),
        Rule::File(FileRule::everything(allow)),
        Rule::Facility { qualifiers: allow, facility: Facility::Mqueue },
    ];
    if !has(capabilities, "CAP_NET_RAW") {
        rules.push(deny_network(Family::Packet, None));
        rules.push(deny_network(Family::Inet, Some(SocketKind::Raw)));
        rules.push(deny_network(Family::Inet6, Some(SocketKind::Raw)));
    }
    rules.extend(kernel_files(capabilities));
    rules.extend(peers(&known(PEERS), engine));
    if has(capabilities, "CAP_SYS_ADMIN") {
        rules.extend(MountKind::ALL.iter().map(|kind| Rule::Mount(MountRule::any(allow, *kind))));
        rules.push(Rule::Facility { qualifiers: allow, facility: Facility::Userns });
    }
    rules
}

fn has(capabilities: CapSet, name: &str) -> bool {
    Capability::from_name(name).is_some_and(|capability| capabilities.contains(capability))
}

/// What no container may do with the kernel's files in /proc and /sys, as far as `capabilities` do not speak for it.
pub(super) fn kernel_files(capabilities: CapSet) -> Vec<Rule> {
    let write = Access::WRITE.union(Access::LINK).union(Access::LOCK);
    let mut rules: Vec<Rule> = NOT_WRITABLE.iter().map(|path| deny_file(path, write)).collect();
    let is_net_admin = has(capabilities, "CAP_NET_ADMIN");
    rules.push(deny_file(if is_net_admin { "/proc/sys/[^kn]**" } else { "/proc/sys/[^k]**" }, write));
    if !has(capabilities, "CAP_SYS_ADMIN") && !has(capabilities, "CAP_BPF") {
        rules.push(deny_file("/sys/fs/bpf/**", write));
    }
    rules.extend(NOT_READABLE.iter().map(|path| deny_file(path, Access::ALL)));
    rules
}

/// Who may signal and trace whom: the containers under `own` each other, and the engine them.
pub(super) fn peers(own: &Pattern, engine: &Label) -> Vec<Rule> {
    let qualifiers = Qualifiers::ALLOW;
    let signal = |access: &[SignalAccess], peer| Rule::Signal {
        qualifiers,
        access: access.to_vec(),
        signals: Vec::new(),
        peer: Some(peer),
    };
    let ptrace = |access: &[PtraceAccess], peer| Rule::Ptrace { qualifiers, access: access.to_vec(), peer: Some(peer) };
    let receive = &[SignalAccess::Receive];
    let mut rules = vec![
        signal(receive, Pattern::literal("unconfined")),
        signal(receive, known(ENGINES)),
        signal(SignalAccess::ALL, own.clone()),
        ptrace(PtraceAccess::ALL, own.clone()),
        // What `docker top` and `podman ps` read.
        ptrace(&[PtraceAccess::Readby], known(ENGINES)),
    ];
    // A stack of labels is judged label by label, so each needs its rule.
    let engines = known(ENGINES);
    for label in engine.names().filter(|label| *label != "unconfined" && !engines.covers(label.as_bytes())) {
        rules.push(signal(receive, Pattern::literal(label)));
        rules.push(ptrace(&[PtraceAccess::Readby], Pattern::literal(label)));
    }
    rules
}

const fn deny_network(family: Family, kind: Option<SocketKind>) -> Rule {
    Rule::Network { qualifiers: Qualifiers::DENY, family: Some(family), kind }
}

fn deny_file(path: &str, access: Access) -> Rule {
    Rule::File(FileRule::new(Qualifiers::DENY, known(path), access))
}

/// A pattern of this file; a test reads them all. What is none would be its own text, which matches nothing more.
fn known(text: &str) -> Pattern {
    Pattern::label(text).unwrap_or_else(|_| Pattern::literal(text))
}

/// FNV-1a, 64 bits. It tells texts apart that batten itself made; what a container can choose, its capabilities, is in
/// the name in full.
fn fnv1a(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apparmor::Version;

    const OLD: fn() -> Dialect = || Dialect::of(Version::V3_0);

    fn text(capabilities: CapSet, dialect: Dialect) -> String {
        profile(capabilities, dialect, &Label::unconfined()).render(dialect)
    }

    fn with(name: &str) -> CapSet {
        CapSet::DOCKER.union(CapSet::of(Capability::from_name(name).unwrap()))
    }

    #[test]
    fn every_pattern_of_this_file_is_one() {
        for text in NOT_WRITABLE.iter().chain(NOT_READABLE).chain([&ENGINES, &PEERS]) {
            assert!(Pattern::label(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mounting_follows_sys_admin() {
        let without = text(CapSet::DOCKER, OLD());
        for rule in ["mount,", "remount,", "umount,", "pivot_root,"] {
            assert!(!without.contains(&format!("  {rule}\n")), "{rule}");
            assert!(text(with("CAP_SYS_ADMIN"), OLD()).contains(&format!("  {rule}\n")), "{rule}");
        }
    }

    #[test]
    fn user_namespaces_follow_sys_admin_where_the_parser_knows_them() {
        let new = Dialect::of(Version::V4_0);
        assert!(text(with("CAP_SYS_ADMIN"), new).contains("  userns,\n"));
        assert!(!text(CapSet::DOCKER, new).contains("userns"));
        assert!(!text(with("CAP_SYS_ADMIN"), OLD()).contains("  userns,\n"));
    }

    #[test]
    fn no_capability_is_allowed_that_was_not_resolved() {
        assert!(!text(CapSet::EMPTY, OLD()).contains("  capability"));
        let own = text(with("CAP_SYS_ADMIN"), OLD());
        assert_eq!(own.matches("  capability ").count(), 15);
        assert!(own.contains("  capability sys_admin,\n"));
    }

    #[test]
    fn the_kernel_s_files_are_closed_and_ipc_s_are_open() {
        let denied = |capabilities, path: &str| {
            profile(capabilities, OLD(), &Label::unconfined()).files().any(|rule| {
                rule.qualifiers.deny && rule.access.includes(Access::WRITE) && rule.path.covers(path.as_bytes())
            })
        };
        for path in [
            "/proc/sysrq-trigger",
            "/proc/bus/pci/00/00.0",
            "/proc/scsi/scsi",
            "/proc/sysvipc/shm",
            "/proc/sys/vm/overcommit_memory",
            "/proc/sys/kernel/core_pattern",
            "/proc/sys/kernel/sysrq",
            "/proc/sys/kernel/threads-max",
            "/proc/sys/net/ipv4/ip_forward",
            "/sys/kernel/uevent_helper",
            "/sys/fs/bpf/x",
            "/sys/fs/selinux/enforce",
            "/sys/firmware/efi/efivars/x",
        ] {
            assert!(denied(CapSet::DOCKER, path), "{path}");
        }
        for path in [
            "/proc/1/oom_score_adj",
            "/proc/123/attr/exec",
            "/proc/sys/kernel/shmmax",
            "/proc/sys/kernel/msgmni",
            "/proc/sys/kernel/sem",
            "/sys/fs/cgroup/x/cgroup.procs",
            "/etc/passwd",
        ] {
            assert!(!denied(CapSet::DOCKER, path), "{path}");
        }
        assert!(!denied(with("CAP_NET_ADMIN"), "/proc/sys/net/ipv4/ip_forward"));
        assert!(!denied(with("CAP_BPF"), "/sys/fs/bpf/x"));
    }

    #[test]
    fn a_name_says_what_the_profile_is_made_of() {
        let name = |capabilities, dialect, label| profile(capabilities, dialect, &label).name;
        let own = name(CapSet::DOCKER, OLD(), Label::unconfined());
        assert!(own.starts_with("batten-default-000a80425fb-"), "{own}");
        assert_eq!(own, name(CapSet::DOCKER, OLD(), Label::unconfined()));
        assert_ne!(own, name(CapSet::EMPTY, OLD(), Label::unconfined()));
        assert_ne!(own, name(CapSet::DOCKER, Dialect::of(Version::V4_0), Label::unconfined()));
        assert_ne!(own, name(CapSet::DOCKER, OLD(), Label::parse("snap.docker.dockerd (enforce)")));
        assert_eq!(crate::apparmor::check_name(&own), Ok(()));
    }

    #[test]
    fn an_engine_under_a_profile_of_its_own_can_stop_its_containers() {
        let engine = Label::parse("snap.docker.dockerd//&lxd-a (enforce)");
        let text = profile(CapSet::DOCKER, OLD(), &engine).render(OLD());
        for peer in ["unconfined", "snap.docker.dockerd", "lxd-a"] {
            assert!(text.contains(&format!("  signal (receive) peer=\"{peer}\",\n")), "{peer}");
        }
        assert!(
            !profile(CapSet::DOCKER, OLD(), &Label::parse("crun (unconfined)")).render(OLD()).contains("peer=\"crun\"")
        );
    }
}
