//! What the text says, whatever machine it is for.

use std::borrow::Cow;

use super::{Remarks, names};
use crate::capability::Capability;
use crate::seccomp::action::{Action, Op};
use crate::seccomp::arch::Arch;
use crate::seccomp::docker::{Dialect, has_any, items, min_kernel};
use crate::seccomp::domain::{Region, Width};
use crate::seccomp::machine::Machine;
use crate::seccomp::profile::Condition;
use crate::seccomp::resolve::Kernel;
use crate::seccomp::syscalls::Syscall;
use crate::seccomp::target::KernelVersion;
use crate::seccomp::verdict::Verdict;
use crate::spec::Value;

/// `SECCOMP_FILTER_FLAG_*` that runtimes take (runtime-spec `config-linux.md`).
const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

/// `MAX_ERRNO` (`include/linux/err.h`): `SECCOMP_RET_ERRNO` data above it is cut to it.
const MAX_ERRNO: u64 = 4095;

pub(super) fn check(remarks: &mut Remarks, root: Value<'_>, engine: Dialect) {
    let default = action(root, "defaultAction");
    head(remarks, root, default, engine);
    architectures(remarks, root);
    let mut conditional: Option<(Value<'_>, usize)> = None;
    for rule in items(root, "syscalls").filter(|rule| !rule.is_null()) {
        calls(remarks, rule, default);
        numbers(remarks, rule, "action", "errnoRet");
        conditions(remarks, rule);
        who(remarks, rule);
        if engine == Dialect::Moby {
            kernels(remarks, rule);
        }
        if has_any(rule, &["includes", "excludes"]) {
            conditional = Some(conditional.map_or((rule, 1), |(first, count)| (first, count + 1)));
        }
        if engine != Dialect::Containers && rule.get("errno").is_some() {
            remarks.at("ignored-errno", rule, format!("{} does not read `errno`", engine.engine()));
        }
        let asks = |key| rule.get(key).is_some_and(|own| has_any(own, &["minKernel"]));
        if engine == Dialect::Containers && (asks("includes") || asks("excludes")) {
            remarks.at("ignored-kernel", rule, "container-libs does not read `minKernel`");
        }
    }
    if let Some((first, count)) = conditional.filter(|_| engine == Dialect::Containerd) {
        let rules = if count == 1 {
            "the conditions of one rule are".to_owned()
        } else {
            format!("the conditions of {count} rules are")
        };
        remarks.at("lost-conditions", first, format!("{rules} lost"));
    }
    listener(remarks, root);
}

/// Strange names in quotes: one may be empty.
fn quoted<'n>(names: impl Iterator<Item = Cow<'n, str>>) -> Vec<String> {
    names.map(|name| format!("{name:?}")).collect()
}

fn action(object: Value<'_>, key: &str) -> Option<Action> {
    Action::from_name(&object.get(key)?.as_str()?)
}

fn number(object: Value<'_>, key: &str) -> Option<u32> {
    object.get(key)?.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn head(remarks: &mut Remarks, root: Value<'_>, default: Option<Action>, engine: Dialect) {
    if let (Some(Action::Allow | Action::Log), Some(at)) = (default, root.get("defaultAction")) {
        remarks.at("default-allows", at, "the default action lets calls through");
    }
    if let (Some(Action::Notify), Some(at)) = (default, root.get("defaultAction")) {
        remarks.at("notify-default", at, "the default action asks a listener");
    }
    numbers(remarks, root, "defaultAction", "defaultErrnoRet");
    if let Some(at) = root.get("defaultErrno").filter(|_| engine != Dialect::Containers) {
        remarks.at("ignored-errno", at, format!("{} does not read `defaultErrno`", engine.engine()));
    }
    let flags: Vec<_> = items(root, "flags").collect();
    if let Some(first) = flags.first() {
        let all = quoted(flags.iter().filter_map(|flag| flag.as_str()));
        remarks.at("flags-refused", *first, format!("flags are set: {}", names(all.iter().map(String::as_str))));
    }
    for flag in flags {
        match flag.as_str().as_deref() {
            Some("SECCOMP_FILTER_FLAG_SPEC_ALLOW") => remarks.at("spec-allow", flag, "the flag gives up a defence"),
            Some(name) if !FLAGS.contains(&name) => {
                remarks.at("unknown-flag", flag, format!("no flag is called {name:?}"));
            }
            _ => {}
        }
    }
}

fn numbers(remarks: &mut Remarks, object: Value<'_>, action_key: &str, key: &str) {
    let (Some(action), Some(at)) = (action(object, action_key), object.get(key)) else { return };
    if !matches!(action, Action::Errno | Action::Trace) {
        remarks.at("errno-on-action", at, format!("{key} stands beside {}", action.name()));
    } else if let Some(given) =
        at.as_u64().filter(|given| action == Action::Errno && (*given == 0 || *given > MAX_ERRNO))
    {
        let what = if given == 0 { "the call reports success and does nothing" } else { "no error has that number" };
        remarks.at("odd-errno", at, format!("{key} is {given}: {what}"));
    }
}

fn architectures(remarks: &mut Remarks, root: Value<'_>) {
    let listed = items(root, "architectures");
    let mapped = items(root, "archMap")
        .flat_map(|entry| entry.get("architecture").into_iter().chain(items(entry, "subArchitectures")));
    for arch in listed.chain(mapped) {
        if let Some(name) = arch.as_str().filter(|name| !name.is_empty() && Arch::from_name(name).is_none()) {
            remarks.at("unknown-arch", arch, format!("no architecture is called {name:?}"));
        }
    }
}

fn calls(remarks: &mut Remarks, rule: Value<'_>, default: Option<Action>) {
    let named: Vec<_> = rule.get("name").into_iter().chain(items(rule, "names")).collect();
    let verdict = action(rule, "action").map(|action| Verdict::new(action, number(rule, "errnoRet")));
    let default = default.map(|default| Verdict::new(default, None));
    let refuses = matches!((verdict, default), (Some(verdict), Some(default)) if default.is_looser_than(verdict));
    let mut strange = Vec::new();
    let mut newer = Vec::new();
    for value in named {
        let Some(name) = value.as_str() else { continue };
        match Syscall::from_name(&name) {
            None => strange.push((value, name)),
            Some(call) if refuses && call.since().is_some() => newer.push((value, name)),
            Some(_) => {}
        }
    }
    if let Some((first, _)) = strange.first() {
        let code = if refuses { "vanished-deny" } else { "unknown-call" };
        remarks.at(
            code,
            *first,
            format!(
                "no system call is called {}",
                names(quoted(strange.into_iter().map(|(_, name)| name)).iter().map(String::as_str))
            ),
        );
    }
    if let Some((first, _)) = newer.first() {
        remarks.at("newer-than-libseccomp", *first, names(newer.iter().map(|(_, name)| &**name)));
    }
}

fn conditions(remarks: &mut Remarks, rule: Value<'_>) {
    let read: Vec<(Value<'_>, Condition)> =
        items(rule, "args").filter_map(|arg| Some((arg, Condition::read(arg).ok()?))).collect();
    let mut seen = [false; 6];
    let mut repeated = None;
    for (arg, condition) in &read {
        if std::mem::replace(&mut seen[condition.index as usize], true) {
            repeated.get_or_insert(*arg);
        }
        if condition.op == Op::MaskedEq && condition.value_two & !condition.value != 0 {
            let (mask, datum) = (condition.value, condition.value_two);
            remarks.at("masked-bits", *arg, format!("the datum {datum:#x} has bits outside the mask {mask:#x}"));
        }
        if condition.op != Op::MaskedEq && condition.value_two != 0 {
            remarks.at("masked-bits", *arg, format!("{} does not look at valueTwo", condition.op.name()));
        }
    }
    if let Some(at) = repeated {
        let message = "two conditions are on the same argument: the runtime makes each a rule of its own";
        remarks.at("or-conditions", at, message);
    }
    let all: Vec<Condition> = read.iter().map(|(_, condition)| *condition).collect();
    let empty = |conditions: &[Condition]| Region::of(conditions, Width::Full).is_empty();
    let never = if repeated.is_some() { all.iter().all(|one| empty(&[*one])) } else { empty(&all) };
    if let (true, Some((first, _))) = (never, read.first()) {
        remarks.at("never-matches", *first, "no argument meets the conditions");
    }
}

/// The conditions on machine, kernel and capabilities.
fn who(remarks: &mut Remarks, rule: Value<'_>) {
    for key in ["includes", "excludes"] {
        let Some(own) = rule.get(key) else { continue };
        for arch in items(own, "arches") {
            if let Some(name) = arch.as_str().filter(|name| !Machine::is_condition(name)) {
                remarks.at("unknown-machine", arch, format!("no machine is called {name:?}"));
            }
        }
        for cap in items(own, "caps") {
            if let Some(name) = cap.as_str().filter(|name| Capability::from_name(name).is_none()) {
                remarks.at("unknown-capability", cap, format!("no capability is called {name:?}"));
            }
        }
    }
    let (Some(includes), Some(excludes)) = (rule.get("includes"), rule.get("excludes")) else { return };
    let texts = |own, key| items(own, key).filter_map(Value::as_str).collect::<Vec<_>>();
    let (wanted, unwanted) = (texts(includes, "caps"), texts(excludes, "caps"));
    if let Some(cap) = wanted.iter().find(|cap| unwanted.contains(cap)) {
        remarks.at("never-applies", rule, format!("includes and excludes both name {cap}"));
    }
    let (wanted, unwanted) = (texts(includes, "arches"), texts(excludes, "arches"));
    if !wanted.is_empty() && wanted.iter().all(|arch| unwanted.contains(arch)) {
        remarks.at("never-applies", rule, "every machine that it includes it excludes");
    }
}

fn kernels(remarks: &mut Remarks, rule: Value<'_>) {
    let least = |key| min_kernel(rule.get(key)).ok().flatten();
    let Some(until) = least("excludes") else { return };
    let from = least("includes").unwrap_or(KernelVersion { major: 0, minor: 0 });
    if from >= until {
        let (from, until) = (Kernel::Version(from), Kernel::Version(until));
        remarks.at("never-applies", rule, format!("it is for kernels from {from} on, without those from {until} on"));
    }
}

fn listener(remarks: &mut Remarks, root: Value<'_>) {
    let asks = |rule: &Value<'_>| action(*rule, "action") == Some(Action::Notify);
    let first = items(root, "syscalls").find(asks);
    let path = root.get("listenerPath").filter(|path| path.as_str().is_none_or(|path| !path.is_empty()));
    match (first, path) {
        (Some(rule), None) => remarks.at("notify-without-listener", rule, "the rule asks a listener"),
        (None, Some(path)) if action(root, "defaultAction") != Some(Action::Notify) => {
            remarks.at("listener-without-notify", path, "no rule asks the listener");
        }
        _ => {}
    }
    for rule in items(root, "syscalls").filter(asks) {
        let named = rule.get("name").into_iter().chain(items(rule, "names"));
        if let Some(at) = named.into_iter().find(|name| name.as_str().as_deref() == Some("write")) {
            remarks.at("notify-write", at, "the rule asks a listener about write");
        }
    }
}
