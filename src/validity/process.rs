//! `process`: what prose says of the command, its limits and its priorities.

use super::Found;
use super::platform::Platform;
use crate::capability::Capability;
use crate::spec::Value;

const SECTION: &str = "config.md#configProcess";
const LINUX: &str = "config.md#configLinuxProcess";
const POSIX: &str = "config.md#configPOSIXProcess";

/// getrlimit(2).
const LIMITS: [&str; 16] = [
    "RLIMIT_AS",
    "RLIMIT_CORE",
    "RLIMIT_CPU",
    "RLIMIT_DATA",
    "RLIMIT_FSIZE",
    "RLIMIT_LOCKS",
    "RLIMIT_MEMLOCK",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_NOFILE",
    "RLIMIT_NPROC",
    "RLIMIT_RSS",
    "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME",
    "RLIMIT_SIGPENDING",
    "RLIMIT_STACK",
];

pub(super) fn judge(process: Value<'_>, platform: Platform, found: &mut Found) {
    command(process, platform, found);
    if let Some(env) = process.get("env") {
        environment(SECTION, env, found);
    }
    if platform == Platform::Windows {
        return;
    }
    found.absolute(SECTION, process.get("cwd"), "the working directory");
    if let Some(user) = process.get("user") {
        for name in ["uid", "gid"].into_iter().filter(|name| user.member(name).is_none()) {
            let message = format!("the required member {name:?} is missing");
            found.must("config.md#configPOSIXUser", user, message, "write it: nobody is not a default");
        }
    }
    limits(process, platform, found);
    if platform == Platform::Linux {
        capabilities(process, found);
        scores(process, found);
    }
}

fn command(process: Value<'_>, platform: Platform, found: &mut Found) {
    let args = process.get("args").is_some_and(|args| args.items().next().is_some());
    if args || (platform == Platform::Windows && process.get("commandLine").is_some()) {
        return;
    }
    let at = process.get("args").unwrap_or(process);
    found.must(SECTION, at, "no command: args is missing or empty", "write at least the program into args");
}

/// `NAME=value`, each of them.
pub(super) fn environment(section: &'static str, env: Value<'_>, found: &mut Found) {
    for entry in env.items() {
        // As it is written, which says it of all but a few of hundreds.
        if let [b'"', first, rest @ ..] = entry.raw_bytes()
            && !matches!(first, b'=' | b'\\')
            && memchr::memchr(b'=', rest).is_some()
        {
            continue;
        }
        let Some(text) = entry.as_str() else { continue };
        if text.find('=').is_none_or(|at| at == 0) {
            let name: String = text.chars().take(40).collect();
            found.note(section, entry, format!("{name:?} is no NAME=value"), "environ(7) has a name, = and a value");
        }
    }
}

fn limits(process: Value<'_>, platform: Platform, found: &mut Found) {
    let Some(limits) = process.get("rlimits") else { return };
    found.once(POSIX, limits.items(), |limit| limit.get("type")?.as_str(), "the limit");
    for limit in limits.items() {
        let name = limit.get("type").and_then(|value| Some((value, value.as_str()?)));
        if let Some((value, name)) = name
            && platform == Platform::Linux
            && super::members::is_rlimit(&name)
            && !LIMITS.contains(&&*name)
        {
            let hint = "getrlimit(2) lists them";
            found.must(POSIX, value, format!("Linux has no limit {name}"), hint);
        }
        let number = |name| limit.get(name).and_then(Value::as_u64);
        if let (Some(soft), Some(hard)) = (number("soft"), number("hard"))
            && soft > hard
        {
            let message = format!("the soft limit {soft} is above the hard limit {hard}, which no kernel sets");
            found.must(POSIX, limit, message, "lower the soft limit or raise the hard one");
        }
    }
}

fn capabilities(process: Value<'_>, found: &mut Found) {
    let Some(sets) = process.get("capabilities") else { return };
    for (_, set) in sets.members() {
        for entry in set.items() {
            let Some(name) = entry.as_str() else { continue };
            if Capability::from_name(&name).is_none() {
                let hint = "capabilities(7) lists them, in capitals, with CAP_ in front; runtimes warn and go on";
                found.note(LINUX, entry, format!("no capability {name:?} is known"), hint);
            }
        }
    }
}

fn scores(process: Value<'_>, found: &mut Found) {
    if let Some(score) = process.get("oomScoreAdj")
        && score.as_i64().is_some_and(|number| !(-1000..=1000).contains(&number))
    {
        let message = format!("oomScoreAdj {} cannot be set: it goes from -1000 to 1000", score.raw());
        found.must(LINUX, score, message, "proc(5): -1000 is never, 1000 is first");
    }
    let Some(nice) = process.get("scheduler").and_then(|own| own.get("nice")) else { return };
    if nice.as_i64().is_some_and(|number| !(-20..=19).contains(&number)) {
        found.must(LINUX, nice, format!("nice {} cannot be set: it goes from -20 to 19", nice.raw()), "sched(7)");
    }
}
