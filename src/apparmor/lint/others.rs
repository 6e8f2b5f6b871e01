//! Remarks on everything but files.

use super::{Level, Remarks};
use crate::apparmor::effective::Verdict;
use crate::apparmor::learn::is_powerful;
use crate::apparmor::profile::Rule;
use crate::apparmor::words::{Family, Mode, MountKind, PtraceAccess, SignalAccess, SocketKind};
use crate::capability::Capability;

/// The profile's head.
pub(super) fn head(remarks: &mut Remarks<'_>, is_text: bool) {
    let written = remarks.written;
    let profile = &written.profile;
    let loose = written.flags.iter().find(|flag| matches!(flag.as_str(), "unconfined" | "default_allow" | "prompt"));
    if let Some(flag) = loose {
        let hint = "remove the flag: the rules count for nothing with it";
        remarks.at_head(Level::Error, "not-enforced", format!("the flag {flag} allows what no rule denies"), hint);
    } else if profile.mode == Mode::Complain {
        let hint = "learn from the log, then enforce: batten apparmor learn --journal --profile NAME";
        remarks.at_head(Level::Note, "not-enforced", "the mode is complain: what no rule allows is logged only", hint);
    }
    if let Some(attachment) = &written.attachment {
        let message = format!("the profile attaches to {attachment} wherever it is executed on the host");
        remarks.at_head(
            Level::Warning,
            "attaches",
            message,
            "containers name their profile: leave the program out of the head",
        );
    }
    if is_text && profile.abi.is_none() {
        let hint =
            "write abi <abi/3.0>, before the profile: without it the parser's own setting decides what is judged";
        remarks.at_head(Level::Warning, "no-abi", "no ABI that batten knows is named", hint);
    }
    if !profile.attach_disconnected {
        let message =
            "attach_disconnected is not set: files on mounts that the container's root does not show are refused";
        remarks.at_head(
            Level::Warning,
            "disconnected",
            message,
            "set attach_disconnected, as every container profile does",
        );
    }
    let known = ["profile_name", "exec_path"];
    let named = profile.files().flat_map(|file| file.path.variables()).find(|name| !known.contains(name));
    if let (Some(name), true) = (named, profile.tunables.is_empty()) {
        let message = format!("@{{{name}}} is named and no tunables are included: the parser will refuse the profile");
        remarks.at_head(Level::Error, "missing-tunables", message, "include tunables/global");
    }
}

pub(super) fn capabilities(remarks: &mut Remarks<'_>) {
    let profile = &remarks.written.profile;
    let mut found = Vec::new();
    for (at, rule) in remarks.rules() {
        let Rule::Capability { qualifiers, set } = rule else { continue };
        match set {
            _ if qualifiers.deny => {}
            None => found.push((at, None)),
            Some(set) => found.extend(set.iter().filter(|one| is_powerful(*one)).map(|one| (at, Some(one)))),
        }
    }
    for (at, capability) in found {
        match capability {
            None => {
                let hint = "list the capabilities that the container holds: the rule is the second line behind them";
                remarks.at_rule(at, Level::Warning, "all-capabilities", "every capability may be used", hint);
            }
            Some(capability) => {
                let hint = "make sure that the container needs it; most of what it allows has a narrower way";
                remarks.at_rule(
                    at,
                    Level::Note,
                    "powerful-capability",
                    format!("{capability} reaches beyond the container"),
                    hint,
                );
            }
        }
    }
    let is_admin = Capability::from_name("CAP_SYS_ADMIN")
        .is_some_and(|admin| profile.verdict_on_capability(admin) == Verdict::Allowed);
    let mount = remarks.rules().find(
        |(_, rule)| matches!(rule, Rule::Mount(mount) if !mount.qualifiers.deny && mount.kind != MountKind::Umount),
    );
    match (mount.map(|(at, _)| at), is_admin) {
        (Some(at), false) => {
            let message = "mounting is allowed and takes CAP_SYS_ADMIN, which is not";
            remarks.at_rule(at, Level::Note, "mount-capability", message, "allow both or neither");
        }
        (None, true) => {
            let message = "CAP_SYS_ADMIN is allowed and no rule allows to mount";
            remarks.at_head(
                Level::Note,
                "mount-capability",
                message,
                "add what the container mounts, or drop the capability",
            );
        }
        _ => {}
    }
}

pub(super) fn network(remarks: &mut Remarks<'_>) {
    let mut found = Vec::new();
    for (at, rule) in remarks.rules() {
        let Rule::Network { qualifiers, family, kind } = rule else { continue };
        match (qualifiers.deny, family, kind) {
            (false, None, None) => found.push((
                at,
                Level::Note,
                "all-network",
                "sockets of every address family are allowed",
                "name inet, inet6, unix and netlink: the others are kernel code that few containers need",
            )),
            (true, None, Some(SocketKind::Raw)) => {
                let message =
                    "raw sockets are denied for every family, netlink's among them, with which programs list addresses";
                found.push((at, Level::Warning, "netlink-denied", message, "deny raw for inet and inet6"));
            }
            _ => {}
        }
    }
    let alg = remarks.written.profile.verdict_on_socket(Family::Alg, None);
    for (at, level, code, message, hint) in found {
        // The one family that has no use in containers and many holes: whoever denies it has thought about it.
        if code != "all-network" || !matches!(alg, Verdict::Denied(_)) {
            remarks.at_rule(at, level, code, message, hint);
        }
    }
}

/// Signals and tracing.
pub(super) fn peers(remarks: &mut Remarks<'_>) {
    let written = remarks.written;
    let lets_in =
        |peer: &[u8]| written.profile.verdict_on_signal(SignalAccess::Receive, None, peer) == Verdict::Allowed;
    let has_base = written.profile.includes.iter().any(|path| path.as_str() == "abstractions/base");
    if !lets_in(b"unconfined") && !has_base {
        let hint = "allow to receive signals from \"unconfined\", \"runc\" and \"crun\"";
        remarks.at_head(
            Level::Warning,
            "cannot-be-stopped",
            "no rule lets signals of unconfined processes in: the engine cannot stop the container",
            hint,
        );
    } else if !lets_in(b"runc") || !lets_in(b"crun") {
        let hint = "allow to receive signals from \"runc\" and \"crun\" too";
        let message =
            "hosts with AppArmor 4 run runc and crun under profiles of these names, whose signals no rule lets in";
        remarks.at_head(Level::Note, "cannot-be-stopped", message, hint);
    }
    let traces = |rule: &Rule| match rule {
        Rule::Ptrace { qualifiers, access, peer: None } => {
            !qualifiers.deny && (access.is_empty() || access.contains(&PtraceAccess::Trace))
        }
        _ => false,
    };
    let found: Vec<usize> = remarks.rules().filter(|(_, rule)| traces(rule)).map(|(at, _)| at).collect();
    for at in found {
        let hint = "name the peer: @{profile_name} for the container's own processes";
        remarks.at_rule(at, Level::Warning, "traces-anyone", "processes under any label may be traced", hint);
    }
}

/// Changes of the profile.
pub(super) fn transitions(remarks: &mut Remarks<'_>) {
    let leaves = |rule: &Rule| match rule {
        Rule::ChangeProfile { qualifiers, target, .. } => {
            !qualifiers.deny && target.as_ref().is_none_or(|target| target.covers(b"unconfined"))
        }
        _ => false,
    };
    let found: Vec<usize> = remarks.rules().filter(|(_, rule)| leaves(rule)).map(|(at, _)| at).collect();
    for at in found {
        remarks.at_rule(
            at,
            Level::Error,
            "leaves-profile",
            "the process may change to unconfined",
            "name the profiles that it changes to",
        );
    }
}
