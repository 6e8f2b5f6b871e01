//! A profile in the words of batten's groups (`docs/seccomp.md`): fewer lines, for people to read and to change.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::profile::Made;
use crate::count::counted;
use crate::escape::escape;
use crate::record::recording::Recording;
use crate::seccomp::{Action, Condition, GROUPS, Group, Rule, Syscall, Verdict};

/// The profile as TOML. A group that every container may have stands for its calls as soon as one of them was recorded,
/// and so opens the others too; calls of groups that capabilities or nothing opens stand by themselves.
pub fn groups(recording: &Recording, made: &Made) -> String {
    let (open, conditional): (Vec<&Rule>, Vec<&Rule>) =
        made.profile.syscalls.iter().filter(|rule| rule.action == Action::Allow).partition(|rule| rule.args.is_empty());
    let mut left: BTreeSet<Syscall> =
        open.iter().flat_map(|rule| &rule.names).filter_map(|name| Syscall::from_name(name)).collect();
    let mut out = head(recording, made);
    out.push_str("allow = [\n");
    let mut covered: BTreeSet<Syscall> = BTreeSet::new();
    for group in GROUPS.iter().filter(|group| is_everyone_s(group)) {
        let own: Vec<Syscall> = group.calls().iter().copied().filter(|call| left.remove(call)).collect();
        if own.is_empty() {
            continue;
        }
        covered.extend(group.calls());
        let (name, all) = (group.name, group.calls().len());
        let names: Vec<&str> = own.iter().map(|call| call.name()).collect();
        let _ = writeln!(out, "  \"@{name}\", # {} of its {all} calls: {}", own.len(), names.join(" "));
    }
    for call in &left {
        let _ = writeln!(out, "  \"{}\",{}", call.name(), of_group(*call));
    }
    out.push_str("]\n");
    for rule in conditional {
        let new = |name: &&str| Syscall::from_name(name).is_none_or(|call| !covered.contains(&call));
        let names: Vec<&str> = rule.names.iter().map(AsRef::as_ref).filter(new).collect();
        if !names.is_empty() {
            let _ = writeln!(out, "\n[[rule]]\ncalls = {}\nwhen = [{}]", list(&names), when(&rule.args));
        }
    }
    for rule in made.profile.syscalls.iter().filter(|rule| rule.action == Action::Errno) {
        let names: Vec<&str> = rule.names.iter().map(AsRef::as_ref).collect();
        let verdict = Verdict::new(rule.action, rule.errno_ret).to_string();
        let errno = verdict.strip_prefix("refused with ").unwrap_or("EPERM");
        let _ =
            writeln!(out, "\n[[rule]] # refused whenever it was seen\ncalls = {}\naction = \"{errno}\"", list(&names));
    }
    out
}

/// Whether containers have it whatever their capabilities are.
fn is_everyone_s(group: &Group) -> bool {
    !group.is_closed() && group.capabilities().is_empty()
}

fn head(recording: &Recording, made: &Made) -> String {
    let calls = counted(recording.syscalls().len() as u64, "system call");
    let runs = counted(recording.runs.len() as u64, "run");
    let mut out = format!(
        "# {calls}, seen in {runs} by `batten record`. A group opens all of its calls: take it out and name\n\
         # the calls to have it narrower, or record without --format groups.\n"
    );
    if made.profile.architectures.len() > 1 {
        out.push_str("# 32-bit calls are among them: the policy has to say seccomp.abis = \"compat\".\n");
    }
    for note in &made.notes {
        let _ = writeln!(out, "# {}", escape(note).replace('\n', " "));
    }
    out
}

/// Which group has it and why that one is not named.
fn of_group(call: Syscall) -> String {
    match Group::of(call).next() {
        Some(group) if group.is_closed() => format!(" # @{} is open to nobody by itself", group.name),
        Some(group) if !group.capabilities().is_empty() => {
            format!(" # @{} is for containers with one of {}", group.name, group.capabilities())
        }
        Some(group) => format!(" # @{} opens it under conditions only", group.name),
        None => String::new(),
    }
}

/// Recorded conditions all compare bits under a mask.
fn when(conditions: &[Condition]) -> String {
    let one = |condition: &Condition| {
        let Condition { index, value, value_two, .. } = condition;
        format!("{{ arg = {index}, op = \"==\", mask = {value:#x}, value = {value_two:#x} }}")
    };
    conditions.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::{Making, Refused, make};
    use super::*;
    use crate::capability::CapSet;
    use crate::record::Runtime;
    use crate::record::strace::{Options, Reader};
    use crate::seccomp::{Abis, Arch, Filter, GroupProfile, KernelVersion, Target, is_subset};

    const RUN: &str = "openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\nread(3, \"\", 1) = 0\nkeyctl(KEYCTL_READ, 1) = 0\n\
        socket(AF_INET, SOCK_STREAM, 0) = 3\nsocket(AF_VSOCK, SOCK_STREAM, 0) = 4\nunshare(CLONE_NEWUSER) = 0\n\
        landlock_create_ruleset(NULL, 0, 1) = -1 ENOSYS (no)\n";

    #[test]
    fn the_groups_let_through_all_that_was_recorded_and_no_more_than_the_groups() {
        for arguments in [true, false] {
            let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments });
            reader.begin("trace");
            reader.feed(RUN.as_bytes());
            let recording = reader.finish().0;
            let making =
                Making { runtime: Runtime::Any, no_new_privs: true, arguments, refused: Refused::Keep, compat: false };
            let made = make(&recording, making);
            let text = groups(&recording, &made);
            let target = Target {
                arch: Arch::X86_64,
                kernel: KernelVersion { major: 6, minor: 1 },
                caps: CapSet::EMPTY,
                abis: Abis::Native,
            };
            let profile = GroupProfile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).resolve(&target);
            assert!(is_subset(&made.profile, &profile, Arch::X86_64).is_ok(), "{text}");
            let filter = Filter::new(&profile, Arch::X86_64);
            let refuses = |name: &str, args: [u64; 6]| {
                filter.verdict(Arch::X86_64, Syscall::from_name(name).unwrap(), &args).verdict.refuses()
            };
            let family = |family| [family, 0, 0, 0, 0, 0];
            assert!(refuses("bpf", family(0)) && refuses("landlock_create_ruleset", family(0)), "{text}");
            assert!(!refuses("keyctl", family(0)) && !refuses("write", family(0)), "{text}");
            assert_eq!(refuses("socket", family(38)), arguments, "{text}");
            assert!(text.contains("\"@file-io\", # ") && text.contains("\"keyctl\", # @keyring"), "{text}");
        }
    }
}
