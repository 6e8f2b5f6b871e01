//! The members of config.json, version 1.3.0: config.md, config-linux.md, config-windows.md, config-vm.md,
//! config-solaris.md, config-zos.md, config-freebsd.md, and what the JSON schema adds to them.

mod linux;
mod others;

use self::linux::{ID_MAPPINGS, LINUX};
use super::grammar::Grammar::{Array, Bool, Integer, Like, Map, Object, OneOf, Text};
use super::grammar::{Grammar, may, must};

const U16: Grammar = Integer(0, 0xffff);
const U32: Grammar = Integer(0, 0xffff_ffff);
const U64: Grammar = Integer(0, u64::MAX);
const I32: Grammar = Integer(-0x8000_0000, 0x7fff_ffff);
const I64: Grammar = Integer(i64::MIN, 0x7fff_ffff_ffff_ffff);
const STRINGS: Grammar = Array(&Text, 0);

/// config.json.
pub(super) static SPEC: Grammar = Object(&[
    must("ociVersion", Text).of("config.md#configSpecificationVersion"),
    may("root", Object(&[must("path", Text), may("readonly", Bool)])).of("config.md#configRoot"),
    may("mounts", Array(&MOUNT, 0)).of("config.md#configMounts"),
    may("process", PROCESS).of("config.md#configProcess"),
    may("hostname", Text).of("config.md#configHostname"),
    may("domainname", Text).of("config.md#configDomainname"),
    may("hooks", HOOKS).of("config.md#configHooks"),
    may("annotations", Map(&Text)).of("config.md#configAnnotations"),
    may("linux", LINUX).of("config-linux.md#linuxContainerConfiguration"),
    may("solaris", others::SOLARIS).of("config-solaris.md"),
    may("windows", others::WINDOWS).of("config-windows.md"),
    may("vm", others::VM).of("config-vm.md"),
    may("zos", others::ZOS).of("config-zos.md"),
    may("freebsd", others::FREEBSD).of("config-freebsd.md"),
]);

/// The process file of an exec.
pub(super) static PROCESS_FILE: Grammar = PROCESS;

const MOUNT: Grammar = Object(&[
    must("destination", Text),
    may("source", Text),
    may("type", Text),
    may("options", STRINGS),
    may("uidMappings", ID_MAPPINGS),
    may("gidMappings", ID_MAPPINGS),
]);

const PROCESS: Grammar = Object(&[
    may("terminal", Bool),
    may("consoleSize", Object(&[must("height", U64), must("width", U64)])),
    must("cwd", Text),
    may("env", STRINGS),
    may("args", STRINGS),
    may("commandLine", Text),
    may("user", USER).of("config.md#configUser"),
    may("rlimits", Array(&RLIMIT, 0)).of("config.md#configPOSIXProcess"),
    may("apparmorProfile", Text),
    may("capabilities", CAPABILITIES).of("config.md#configLinuxProcess"),
    may("noNewPrivileges", Bool),
    may("oomScoreAdj", I64),
    may("scheduler", SCHEDULER).of("config.md#configLinuxProcess"),
    may("selinuxLabel", Text),
    may("ioPriority", IO_PRIORITY).of("config.md#configLinuxProcess"),
    may("execCPUAffinity", Object(&[may("initial", CPU_LIST), may("final", CPU_LIST)]))
        .of("config.md#configLinuxProcess"),
]);

const CPU_LIST: Grammar = Like(super::is_cpu_list, "a list of CPUs, such as 0-3,7");

const USER: Grammar = Object(&[
    may("uid", U32),
    may("gid", U32),
    may("umask", U32),
    may("additionalGids", Array(&U32, 0)),
    may("username", Text),
]);

const RLIMIT: Grammar = Object(&[
    must("type", Like(is_rlimit, "the name of a limit, such as RLIMIT_NOFILE")),
    must("soft", U64),
    must("hard", U64),
]);

pub(super) fn is_rlimit(name: &str) -> bool {
    name.strip_prefix("RLIMIT_").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase()))
}

const CAPABILITIES: Grammar = Object(&[
    may("effective", STRINGS),
    may("bounding", STRINGS),
    may("inheritable", STRINGS),
    may("permitted", STRINGS),
    may("ambient", STRINGS),
]);

const SCHEDULER: Grammar = Object(&[
    must(
        "policy",
        OneOf(&["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"]),
    ),
    may("nice", I32),
    may("priority", I32),
    may("flags", Array(&SCHEDULER_FLAG, 0)),
    may("runtime", U64),
    may("deadline", U64),
    may("period", U64),
]);

const SCHEDULER_FLAG: Grammar = OneOf(&[
    "SCHED_FLAG_RESET_ON_FORK",
    "SCHED_FLAG_RECLAIM",
    "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_KEEP_PARAMS",
    "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX",
]);

const IO_PRIORITY: Grammar = Object(&[
    must("class", OneOf(&["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"])),
    must("priority", Integer(0, 7)),
]);

const HOOKS: Grammar = Object(&[
    may("prestart", HOOK_LIST),
    may("createRuntime", HOOK_LIST),
    may("createContainer", HOOK_LIST),
    may("startContainer", HOOK_LIST),
    may("poststart", HOOK_LIST),
    may("poststop", HOOK_LIST),
]);

const HOOK_LIST: Grammar = Array(
    &Object(&[
        must("path", Text),
        may("args", STRINGS),
        may("env", STRINGS),
        may("timeout", Integer(1, 0x7fff_ffff_ffff_ffff)),
    ]),
    0,
);
