//! The platforms besides Linux. Their members are known, so that none of them is called unknown or mistyped.

use super::super::grammar::Grammar::{Any, Array, Bool, Integer, Map, Object, OneOf, Text};
use super::super::grammar::{Grammar, may, must};
use super::{STRINGS, U16, U32, U64};

pub(super) const SOLARIS: Grammar = Object(&[
    may("milestone", Text),
    may("limitpriv", Text),
    may("maxShmMemory", Text),
    may("cappedCPU", Object(&[may("ncpus", Text)])),
    may("cappedMemory", Object(&[may("physical", Text), may("swap", Text)])),
    may(
        "anet",
        Array(
            &Object(&[
                may("linkname", Text),
                may("lowerLink", Text),
                may("allowedAddress", Text),
                may("configureAllowedAddress", Text),
                may("defrouter", Text),
                may("macAddress", Text),
                may("linkProtection", Text),
            ]),
            0,
        ),
    ),
]);

pub(super) const WINDOWS: Grammar = Object(&[
    must("layerFolders", Array(&Text, 1)),
    may("devices", Array(&Object(&[must("id", Text), must("idType", OneOf(&["class"]))]), 0)),
    may("resources", WINDOWS_RESOURCES),
    may(
        "network",
        Object(&[
            may("endpointList", STRINGS),
            may("allowUnqualifiedDNSQuery", Bool),
            may("DNSSearchList", STRINGS),
            may("networkSharedContainerName", Text),
            may("networkNamespace", Text),
        ]),
    ),
    may("credentialSpec", Map(&Any)),
    may("servicing", Bool),
    may("ignoreFlushesDuringBoot", Bool),
    may("hyperv", Object(&[may("utilityVMPath", Text)])),
]);

const WINDOWS_RESOURCES: Grammar = Object(&[
    may("memory", Object(&[may("limit", U64)])),
    may(
        "cpu",
        Object(&[
            may("count", U64),
            may("shares", U16),
            may("maximum", U16),
            // An array by the text, which counts; an object by the schema.
            may("affinity", Array(&Object(&[must("mask", U64), must("group", U32)]), 0)),
        ]),
    ),
    may("storage", Object(&[may("iops", U64), may("bps", U64), may("sandboxSize", U64)])),
]);

pub(super) const VM: Grammar = Object(&[
    may("hypervisor", Object(&[must("path", Text), may("parameters", STRINGS)])),
    must("kernel", Object(&[must("path", Text), may("parameters", STRINGS), may("initrd", Text)])),
    may("image", Object(&[must("path", Text), must("format", OneOf(&["raw", "qcow2", "vdi", "vmdk", "vhd"]))])),
    may(
        "hwConfig",
        Object(&[
            may("deviceTree", Text),
            may("vcpus", U32),
            may("memory", U64),
            may("dtdevs", STRINGS),
            may("iomems", Array(&Object(&[may("firstGFN", U64), must("firstMFN", U64), must("nrMFNs", U64)]), 0)),
            may("irqs", Array(&U32, 0)),
        ]),
    ),
]);

pub(super) const ZOS: Grammar = Object(&[may(
    "namespaces",
    Array(&Object(&[must("type", OneOf(&["mount", "pid", "uts", "ipc"])), may("path", Text)]), 0),
)]);

const SHARING: Grammar = OneOf(&["disable", "new", "inherit"]);
const NEW_OR_INHERIT: Grammar = OneOf(&["new", "inherit"]);

pub(super) const FREEBSD: Grammar = Object(&[
    may("devices", Array(&Object(&[must("path", Text), may("mode", Integer(0, 0o777))]), 0)),
    may("jail", JAIL),
]);

const JAIL: Grammar = Object(&[
    may("parent", Text),
    may("host", NEW_OR_INHERIT),
    may("ip4", SHARING),
    may("ip4Addr", STRINGS),
    may("ip6", SHARING),
    may("ip6Addr", STRINGS),
    may("vnet", NEW_OR_INHERIT),
    may("interface", Text),
    may("vnetInterfaces", STRINGS),
    may("sysvmsg", SHARING),
    may("sysvsem", SHARING),
    may("sysvshm", SHARING),
    may("enforceStatfs", Integer(0, 255)),
    may(
        "allow",
        Object(&[
            may("setHostname", Bool),
            may("rawSockets", Bool),
            may("chflags", Bool),
            may("mount", STRINGS),
            may("quotas", Bool),
            may("socketAf", Bool),
            may("mlock", Bool),
            may("reservedPorts", Bool),
            may("suser", Bool),
        ]),
    ),
]);
