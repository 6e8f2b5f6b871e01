//! `linux` without its control groups and its filter: namespaces, mappings, devices, paths, and the rarer sections.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::spec::Value;

const NAMESPACES: &str = "config-linux.md#configLinuxNamespaces";
const MAPPINGS: &str = "config-linux.md#configLinuxUserNamespaceMappings";
const OFFSETS: &str = "config-linux.md#configLinuxTimeOffset";
const DEVICES: &str = "config-linux.md#configLinuxDevices";
const INTERFACES: &str = "config-linux.md#configLinuxNetworkDevices";
const RDT: &str = "config-linux.md#configLinuxIntelRdt";
const PERSONALITY: &str = "config-linux.md#configLinuxPersonality";

pub(super) fn judge(linux: Value<'_>, found: &mut Found) {
    namespaces(linux, found);
    user_mappings(linux, found);
    time_offsets(linux, found);
    devices(linux, found);
    net_devices(linux, found);
    for (name, section) in [
        ("maskedPaths", "config-linux.md#configLinuxMaskedPaths"),
        ("readonlyPaths", "config-linux.md#configLinuxReadonlyPaths"),
    ] {
        for path in linux.get(name).into_iter().flat_map(Value::items) {
            found.absolute(section, Some(path), "the path");
        }
    }
    rdt(linux, found);
    for flag in linux.get("personality").and_then(|own| own.get("flags")).into_iter().flat_map(Value::items) {
        found.must(PERSONALITY, flag, format!("no flag is supported, {} is one", flag.raw()), "leave flags out");
    }
}

/// Whether the container has a namespace of its own or joins one of `kind`.
pub(super) fn has_namespace(linux: Option<Value<'_>>, kind: &str) -> bool {
    let namespaces = linux.and_then(|linux| linux.get("namespaces"));
    let own = |entry: Value<'_>| entry.get("type").and_then(Value::as_str).is_some_and(|name| name == kind);
    namespaces.into_iter().flat_map(Value::items).any(own)
}

fn namespaces(linux: Value<'_>, found: &mut Found) {
    let Some(namespaces) = linux.get("namespaces") else { return };
    found.once(NAMESPACES, namespaces.items(), |entry| entry.get("type")?.as_str(), "the namespace");
    for entry in namespaces.items() {
        // An empty path is an absent one to every runtime.
        let path = entry.get("path").filter(|path| path.as_str().is_some_and(|path| !path.is_empty()));
        found.absolute(NAMESPACES, path, "the namespace's path");
    }
}

fn user_mappings(linux: Value<'_>, found: &mut Found) {
    for name in ["uidMappings", "gidMappings"] {
        let Some(mappings) = linux.get(name).filter(|own| own.items().next().is_some()) else { continue };
        id_mappings(mappings, MAPPINGS, found);
        if !has_namespace(Some(linux), "user") {
            let hint = "add {\"type\":\"user\"} to linux.namespaces, or leave the mappings out";
            found.note(MAPPINGS, mappings, "mappings without a user namespace map nothing", hint);
        }
    }
}

/// What the kernel refuses in a mapping (user_namespaces(7)): no ids, ids past 32 bits, ranges that overlap.
pub(super) fn id_mappings(mappings: Value<'_>, section: &'static str, found: &mut Found) {
    let (mut inside, mut outside) = (Ranges::default(), Ranges::default());
    for entry in mappings.items() {
        let number = |name| entry.get(name).and_then(Value::as_u64);
        let (Some(container), Some(host), Some(size)) = (number("containerID"), number("hostID"), number("size"))
        else {
            continue;
        };
        if size == 0 {
            found.must(section, entry, "a mapping of no ids", "map at least one");
            continue;
        }
        let past = |first: u64| first.saturating_add(size) > u64::from(u32::MAX);
        if past(container) || past(host) {
            found.must(section, entry, "the mapping goes past the largest id", "make it smaller");
        }
        // Both are asked: the ids of each side count for the mappings behind.
        if inside.insert(container, size) | outside.insert(host, size) {
            found.must(
                section,
                entry,
                "the mapping overlaps one before it",
                "keep the ranges apart, in the container and on the host",
            );
        }
    }
}

/// Ids that were mapped so far, as first ids and the ids behind the last ones; no two overlap.
#[derive(Default)]
struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds the `size` ids from `first`; whether one of them was there already.
    fn insert(&mut self, first: u64, size: u64) -> bool {
        let (mut from, mut to) = (first, first.saturating_add(size));
        let mut overlaps = false;
        while let Some((&known, &end)) = self.0.range(..to).next_back().filter(|(_, end)| **end > from) {
            overlaps = true;
            (from, to) = (from.min(known), to.max(end));
            self.0.remove(&known);
        }
        self.0.insert(from, to);
        overlaps
    }
}

fn time_offsets(linux: Value<'_>, found: &mut Found) {
    let Some(offsets) = linux.get("timeOffsets") else { return };
    for (_, offset) in offsets.members() {
        if let Some(part) = offset.get("nanosecs").filter(|part| part.as_u64().is_some_and(|n| n >= 1_000_000_000)) {
            let message = format!("{} nanoseconds are a second or more, which no kernel takes", part.raw());
            found.must(OFFSETS, part, message, "carry whole seconds over to secs");
        }
    }
    if offsets.members().next().is_some() && !has_namespace(Some(linux), "time") {
        let hint = "add {\"type\":\"time\"} to linux.namespaces, or leave the offsets out";
        found.note(OFFSETS, offsets, "offsets without a time namespace move no clock", hint);
    }
}

fn devices(linux: Value<'_>, found: &mut Found) {
    let Some(devices) = linux.get("devices") else { return };
    let mut seen: BTreeSet<(i64, i64, Cow<'_, str>)> = BTreeSet::new();
    for device in devices.items() {
        found.absolute(DEVICES, device.get("path"), "the device's path");
        let Some(kind) = device.get("type").and_then(Value::as_str) else { continue };
        if kind == "p" {
            continue;
        }
        let numbers = ["major", "minor"].map(|name| (name, device.member(name)));
        for (name, _) in numbers.into_iter().filter(|(_, number)| number.is_none()) {
            let message = format!("the member {name:?} is missing, required for every type but p");
            found.must(DEVICES, device, message, "write the device's numbers, as ls -l shows them");
        }
        let [major, minor] = numbers.map(|(_, number)| number.and_then(Value::as_i64));
        let (Some(major), Some(minor)) = (major, minor) else { continue };
        if !seen.insert((major, minor, kind)) {
            found.note(DEVICES, device, "the same type, major and minor as a device before it", "keep one of them");
        }
    }
}

/// Names that the kernel takes (net/core/dev.c, `dev_valid_name`); `%d` may end a new one.
fn net_devices(linux: Value<'_>, found: &mut Found) {
    let Some(devices) = linux.get("netDevices").filter(|devices| devices.members().next().is_some()) else { return };
    let valid = |name: &str| {
        !name.is_empty()
            && name.len() < 16
            && name != "."
            && name != ".."
            && !name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace())
    };
    for (key, device) in devices.members() {
        let name = device.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        for name in [Some(key), name].into_iter().flatten().filter(|name| !valid(name)) {
            let message = format!("no network device can be called {name:?}");
            found.must(INTERFACES, device, message, "at most 15 characters, without blanks, / and :");
        }
    }
    if !has_namespace(linux.into(), "network") {
        let hint = "add {\"type\":\"network\"} to linux.namespaces";
        found.note(INTERFACES, devices, "devices without a network namespace to move them to", hint);
    }
}

fn rdt(linux: Value<'_>, found: &mut Found) {
    let Some(own) = linux.get("intelRdt") else { return };
    if let Some(schema) = own.get("l3CacheSchema")
        && schema.as_str().is_some_and(|text| !text.starts_with("L3:") || text.contains('\n'))
    {
        found.note(
            RDT,
            schema,
            "the cache schema should be one line that starts with L3:",
            "use schemata for the rest",
        );
    }
    if let Some(id) = own.get("closID")
        && id.as_str().is_some_and(|id| id == "." || id == ".." || (id.contains('/') && id != "/"))
    {
        found.must(RDT, id, format!("{} names no folder of resctrl", id.raw()), "one name, or / for the default class");
    }
}
