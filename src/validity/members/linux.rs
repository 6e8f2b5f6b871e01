//! `linux`, by config-linux.md.

use super::super::grammar::Grammar::{Array, Bool, Integer, Like, Map, Object, OneOf, Text};
use super::super::grammar::{Grammar, may, must};
use super::{I64, STRINGS, U16, U32, U64};

pub(super) const ID_MAPPINGS: Grammar =
    Array(&Object(&[must("containerID", U32), must("hostID", U32), must("size", U32)]), 0);

const NAMESPACES: Grammar = Array(
    &Object(&[
        must("type", OneOf(&["mount", "pid", "network", "uts", "ipc", "user", "cgroup", "time"])),
        may("path", Text),
    ]),
    0,
);

pub(super) const LINUX: Grammar = Object(&[
    may("namespaces", NAMESPACES).of("config-linux.md#configLinuxNamespaces"),
    may("uidMappings", ID_MAPPINGS).of("config-linux.md#configLinuxUserNamespaceMappings"),
    may("gidMappings", ID_MAPPINGS).of("config-linux.md#configLinuxUserNamespaceMappings"),
    may("timeOffsets", TIME_OFFSETS).of("config-linux.md#configLinuxTimeOffset"),
    may("devices", Array(&DEVICE, 0)).of("config-linux.md#configLinuxDevices"),
    may("netDevices", Map(&Object(&[may("name", Text)]))).of("config-linux.md#configLinuxNetworkDevices"),
    may("cgroupsPath", Text).of("config-linux.md#configLinuxCgroupsPath"),
    may("resources", RESOURCES).of("config-linux.md#configLinuxControlGroups"),
    may("intelRdt", INTEL_RDT).of("config-linux.md#configLinuxIntelRdt"),
    may("memoryPolicy", MEMORY_POLICY).of("config-linux.md#configLinuxMemoryPolicy"),
    may("sysctl", Map(&Text)).of("config-linux.md#configLinuxSysctl"),
    may("seccomp", SECCOMP).of("config-linux.md#configLinuxSeccomp"),
    may("rootfsPropagation", OneOf(&["private", "shared", "slave", "unbindable"]))
        .of("config-linux.md#configLinuxRootfsMountPropagation"),
    may("maskedPaths", STRINGS).of("config-linux.md#configLinuxMaskedPaths"),
    may("readonlyPaths", STRINGS).of("config-linux.md#configLinuxReadonlyPaths"),
    may("mountLabel", Text).of("config-linux.md#configLinuxMountLabel"),
    may("personality", PERSONALITY).of("config-linux.md#configLinuxPersonality"),
]);

const OFFSET: Grammar = Object(&[may("secs", I64), may("nanosecs", U32)]);
const TIME_OFFSETS: Grammar = Object(&[may("monotonic", OFFSET), may("boottime", OFFSET)]);

const PERSONALITY: Grammar = Object(&[must("domain", OneOf(&["LINUX", "LINUX32"])), may("flags", STRINGS)]);

const DEVICE: Grammar = Object(&[
    must("path", Text),
    must("type", OneOf(&["c", "b", "u", "p"])),
    may("major", I64),
    may("minor", I64),
    may("fileMode", Integer(0, 0o777)),
    may("uid", U32),
    may("gid", U32),
]);

const RESOURCES: Grammar = Object(&[
    may("devices", Array(&DEVICE_RULE, 0)).of("config-linux.md#configLinuxDeviceAllowedlist"),
    may("memory", MEMORY).of("config-linux.md#configLinuxMemory"),
    may("cpu", CPU).of("config-linux.md#configLinuxCPU"),
    may("blockIO", BLOCK_IO).of("config-linux.md#configLinuxBlockIO"),
    may("hugepageLimits", Array(&HUGEPAGES, 0)).of("config-linux.md#configLinuxHugePageLimits"),
    may("network", NETWORK).of("config-linux.md#configLinuxNetwork"),
    // The schema requires the limit, config-linux.md calls it optional; an object without it says nothing.
    may("pids", Object(&[must("limit", I64)])).of("config-linux.md#configLinuxPIDS"),
    may("rdma", Map(&Object(&[may("hcaHandles", U32), may("hcaObjects", U32)]))).of("config-linux.md#configLinuxRDMA"),
    may("unified", Map(&Text)).of("config-linux.md#configLinuxUnified"),
]);

const DEVICE_RULE: Grammar =
    Object(&[must("allow", Bool), may("type", Text), may("major", I64), may("minor", I64), may("access", Text)]);

const MEMORY: Grammar = Object(&[
    may("limit", I64),
    may("reservation", I64),
    may("swap", I64),
    may("kernel", I64),
    may("kernelTCP", I64),
    may("swappiness", Integer(0, 100)),
    may("disableOOMKiller", Bool),
    may("useHierarchy", Bool),
    may("checkBeforeUpdate", Bool),
]);

const CPU: Grammar = Object(&[
    may("shares", U64),
    may("quota", I64),
    may("burst", U64),
    may("period", U64),
    may("realtimeRuntime", I64),
    may("realtimePeriod", U64),
    may("cpus", Text),
    may("mems", Text),
    may("idle", I64),
]);

const THROTTLE: Grammar = Array(&Object(&[must("major", I64), must("minor", I64), must("rate", U64)]), 0);

const BLOCK_IO: Grammar = Object(&[
    may("weight", U16),
    may("leafWeight", U16),
    may(
        "weightDevice",
        Array(&Object(&[must("major", I64), must("minor", I64), may("weight", U16), may("leafWeight", U16)]), 0),
    ),
    may("throttleReadBpsDevice", THROTTLE),
    may("throttleWriteBpsDevice", THROTTLE),
    may("throttleReadIOPSDevice", THROTTLE),
    may("throttleWriteIOPSDevice", THROTTLE),
]);

const HUGEPAGES: Grammar =
    Object(&[must("pageSize", Like(is_page_size, "a page size, such as 64KB, 2MB or 1GB")), must("limit", U64)]);

fn is_page_size(text: &str) -> bool {
    let digits = text.strip_suffix('B').and_then(|text| text.strip_suffix(['K', 'M', 'G']));
    digits.is_some_and(|digits| {
        digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() && !digits.starts_with('0')
    })
}

const NETWORK: Grammar =
    Object(&[may("classID", U32), may("priorities", Array(&Object(&[must("name", Text), must("priority", U32)]), 0))]);

const INTEL_RDT: Grammar = Object(&[
    may("closID", Text),
    may("schemata", Array(&ONE_LINE, 0)),
    may("l3CacheSchema", Text),
    may("memBwSchema", Like(is_bandwidth, "a bandwidth schema: one line that starts with MB:")),
    may("enableMonitoring", Bool),
]);

const ONE_LINE: Grammar = Like(|text| !text.contains('\n'), "one line");

fn is_bandwidth(text: &str) -> bool {
    text.starts_with("MB:") && !text.contains('\n')
}

const MEMORY_POLICY: Grammar = Object(&[
    must(
        "mode",
        OneOf(&[
            "MPOL_DEFAULT",
            "MPOL_BIND",
            "MPOL_INTERLEAVE",
            "MPOL_WEIGHTED_INTERLEAVE",
            "MPOL_PREFERRED",
            "MPOL_PREFERRED_MANY",
            "MPOL_LOCAL",
        ]),
    ),
    may("nodes", Text),
    may("flags", Array(&OneOf(&["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"]), 0)),
]);

const SECCOMP: Grammar = Object(&[
    must("defaultAction", ACTION),
    may("defaultErrnoRet", U32),
    may("architectures", Array(&ARCHITECTURE, 0)),
    may("flags", Array(&FLAG, 0)),
    may("listenerPath", Text),
    may("listenerMetadata", Text),
    may("syscalls", Array(&SYSCALL, 0)),
]);

const SYSCALL: Grammar = Object(&[
    must("names", Array(&Text, 1)),
    must("action", ACTION),
    may("errnoRet", U32),
    may(
        "args",
        Array(&Object(&[must("index", U32), must("value", U64), may("valueTwo", U64), must("op", OPERATOR)]), 0),
    ),
]);

const ACTION: Grammar = OneOf(&[
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
]);

const OPERATOR: Grammar = OneOf(&[
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
]);

const FLAG: Grammar = OneOf(&[
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
]);

const ARCHITECTURE: Grammar = OneOf(&[
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64",
]);
