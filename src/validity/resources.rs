//! `linux.resources`: what the parts of one control group ask of each other.

use super::{Found, is_cpu_list};
use crate::spec::Value;

const DEVICES: &str = "config-linux.md#configLinuxDeviceAllowedlist";
const CPU: &str = "config-linux.md#configLinuxCPU";
const BLOCK_IO: &str = "config-linux.md#configLinuxBlockIO";
const HUGEPAGES: &str = "config-linux.md#configLinuxHugePageLimits";
const RDMA: &str = "config-linux.md#configLinuxRDMA";
const UNIFIED: &str = "config-linux.md#configLinuxUnified";

pub(super) fn judge(linux: Value<'_>, found: &mut Found) {
    let Some(resources) = linux.get("resources") else { return };
    device_rules(resources, found);
    cpu(resources, found);
    let weights = resources.get("blockIO").and_then(|own| own.get("weightDevice"));
    for entry in weights.into_iter().flat_map(Value::items) {
        if entry.member("weight").is_none() && entry.member("leafWeight").is_none() {
            found.must(BLOCK_IO, entry, "neither weight nor leafWeight is there", "write at least one of them");
        }
    }
    if let Some(limits) = resources.get("hugepageLimits") {
        found.once(HUGEPAGES, limits.items(), |limit| limit.get("pageSize")?.as_str(), "the page size");
    }
    for (_, device) in resources.get("rdma").into_iter().flat_map(Value::members) {
        if device.member("hcaHandles").is_none() && device.member("hcaObjects").is_none() {
            found.must(RDMA, device, "neither hcaHandles nor hcaObjects is there", "write at least one of them");
        }
    }
    for (file, value) in resources.get("unified").into_iter().flat_map(Value::members) {
        if file.is_empty() || file.contains('/') {
            let message = format!("{file:?} is no file of a control group");
            found.must(UNIFIED, value, message, "write a name such as memory.high, without a folder");
        }
    }
}

fn device_rules(resources: Value<'_>, found: &mut Found) {
    for rule in resources.get("devices").into_iter().flat_map(Value::items) {
        if let Some(kind) = rule.get("type")
            && kind.as_str().is_some_and(|kind| !["", "a", "b", "c"].contains(&&*kind))
        {
            found.must(DEVICES, kind, format!("{} is no type of device", kind.raw()), "a (all), c (char) or b (block)");
        }
        if let Some(access) = rule.get("access")
            && access.as_str().is_some_and(|access| access.contains(|c| !"rwm".contains(c)))
        {
            found.must(
                DEVICES,
                access,
                format!("{} is no access to a device", access.raw()),
                "r, w and m, in any composition",
            );
        }
    }
}

fn cpu(resources: Value<'_>, found: &mut Found) {
    let Some(cpu) = resources.get("cpu") else { return };
    let quota = cpu.get("quota").and_then(Value::as_i64).and_then(|quota| u64::try_from(quota).ok());
    if let (Some(quota @ 1..), Some(burst)) = (quota, cpu.get("burst"))
        && burst.as_u64().is_some_and(|burst| burst > quota)
    {
        let message = format!("burst {} is larger than quota {quota}", burst.raw());
        found.must(CPU, burst, message, "lower burst or raise quota");
    }
    for name in ["cpus", "mems"] {
        let Some(list) = cpu.get(name) else { continue };
        if list.as_str().is_some_and(|text| !is_cpu_list(&text)) {
            let hint = "numbers and ranges with commas between them, such as 0-3,7; kernels take a few forms more";
            found.note(CPU, list, format!("{} is no list of the specification's form", list.raw()), hint);
        }
    }
}
