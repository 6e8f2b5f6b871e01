//! Which platform a document is for, the root file system, and what only one platform must or must not have.

use super::Found;
use crate::spec::Value;

/// What a document is for: a section of another platform than Linux says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Linux,
    Windows,
    /// Solaris, z/OS, FreeBSD: POSIX without what only Linux relaxes.
    Posix,
}

impl Platform {
    /// `linux` beside `windows` is a Linux container on Windows.
    pub(super) fn of(root: Value<'_>) -> Self {
        let has = |name| root.get(name).is_some();
        if has("linux") {
            Self::Linux
        } else if has("windows") {
            Self::Windows
        } else if has("solaris") || has("zos") || has("freebsd") {
            Self::Posix
        } else {
            Self::Linux
        }
    }
}

pub(super) fn judge(root: Value<'_>, platform: Platform, found: &mut Found) {
    root_filesystem(root, platform, found);
    for (key, value) in root.get("annotations").into_iter().flat_map(Value::members) {
        if key.is_empty() {
            found.must(
                "config.md#configAnnotations",
                value,
                "an annotation's key is empty",
                "name it, as in com.example.key",
            );
        }
    }
    if let Some(vm) = root.get("vm") {
        let section = "config-vm.md";
        found.absolute(section, vm.get("hypervisor").and_then(|own| own.get("path")), "the hypervisor's path");
        found.absolute(section, vm.get("kernel").and_then(|own| own.get("path")), "the kernel's path");
        found.absolute(section, vm.get("kernel").and_then(|own| own.get("initrd")), "the initrd's path");
        found.absolute(section, vm.get("image").and_then(|own| own.get("path")), "the image's path");
    }
}

fn root_filesystem(spec: Value<'_>, platform: Platform, found: &mut Found) {
    const SECTION: &str = "config.md#configRoot";
    let own = spec.get("root");
    let hyperv = spec.get("windows").and_then(|windows| windows.get("hyperv"));
    if platform == Platform::Windows {
        if let (Some(own), Some(_)) = (own, hyperv) {
            return found.must(
                SECTION,
                own,
                "a Hyper-V container has a root",
                "leave it out: the utility VM brings its own",
            );
        }
        if let Some(readonly) = own.and_then(|own| own.get("readonly")).filter(|value| value.as_bool() == Some(true)) {
            found.must(SECTION, readonly, "root.readonly is true on Windows", "leave it out");
        }
        if let Some(path) = own.and_then(|own| own.get("path"))
            && path.as_str().is_some_and(|path| !path.starts_with("\\\\?\\Volume{"))
        {
            found.must(SECTION, path, format!("{} is no volume GUID path", path.raw()), "write \\\\?\\Volume{GUID}\\");
        }
    }
    if own.is_none() && hyperv.is_none() {
        found.must(SECTION, spec, "the required member \"root\" is missing", "write root.path, by convention rootfs");
    }
    if let Some(path) =
        own.and_then(|own| own.get("path")).filter(|path| path.as_str().is_some_and(|path| path.is_empty()))
    {
        found.must(SECTION, path, "the path of the root file system is empty", "write root.path, by convention rootfs");
    }
}
