//! `linux.seccomp`: which actions carry an error number, what a listener needs, which arguments there are.

use super::Found;
use crate::spec::Value;

const SECTION: &str = "config-linux.md#configLinuxSeccomp";

pub(super) fn judge(linux: Value<'_>, found: &mut Found) {
    let Some(seccomp) = linux.get("seccomp") else { return };
    error_number(seccomp, "defaultAction", "defaultErrnoRet", found);
    let mut notifies = seccomp.get("defaultAction").is_some_and(is_notify);
    for syscall in seccomp.get("syscalls").into_iter().flat_map(Value::items) {
        error_number(syscall, "action", "errnoRet", found);
        notifies |= syscall.get("action").is_some_and(is_notify);
        arguments(syscall, found);
    }
    listener(seccomp, notifies, found);
}

fn is_notify(action: Value<'_>) -> bool {
    action.as_str().is_some_and(|action| action == "SCMP_ACT_NOTIFY")
}

fn error_number(object: Value<'_>, action: &str, number: &str, found: &mut Found) {
    let Some(value) = object.get(number) else { return };
    let Some(action) = object.get(action).and_then(Value::as_str) else { return };
    if action != "SCMP_ACT_ERRNO" && action != "SCMP_ACT_TRACE" {
        let message = format!("{action} carries no error number, {number} gives one");
        found.must(SECTION, value, message, "leave it out, or use SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
    }
}

fn arguments(syscall: Value<'_>, found: &mut Found) {
    for argument in syscall.get("args").into_iter().flat_map(Value::items) {
        if let Some(index) = argument.get("index").filter(|index| index.as_u64().is_some_and(|index| index > 5)) {
            let message = format!("a system call has no argument {}", index.raw());
            found.must(SECTION, index, message, "the six arguments are counted from 0 to 5");
        }
    }
}

fn listener(seccomp: Value<'_>, notifies: bool, found: &mut Found) {
    let path = seccomp.get("listenerPath").filter(|path| path.as_str().is_some_and(|path| !path.is_empty()));
    if let Some(metadata) = seccomp.get("listenerMetadata")
        && path.is_none()
        && metadata.as_str().is_some_and(|text| !text.is_empty())
    {
        let hint = "name the listener's socket in listenerPath, or leave the metadata out";
        found.must(SECTION, metadata, "listenerMetadata is set and listenerPath is not", hint);
    }
    if notifies && path.is_none() {
        let hint = "name the socket of the seccomp agent in listenerPath; without one, runtimes refuse SCMP_ACT_NOTIFY";
        found.note(SECTION, seccomp, "SCMP_ACT_NOTIFY without a listener", hint);
    }
}
