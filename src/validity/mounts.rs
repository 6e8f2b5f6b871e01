//! `mounts`: destinations, and id mappings of single mounts.

use super::Found;
use super::linux::{has_namespace, id_mappings};
use super::platform::Platform;
use crate::spec::Value;

const SECTION: &str = "config.md#configMounts";
const POSIX: &str = "config.md#configPOSIXMounts";
const OPTIONS: &str = "config.md#configLinuxMountOptions";

pub(super) fn judge(root: Value<'_>, platform: Platform, found: &mut Found) {
    let Some(mounts) = root.get("mounts") else { return };
    for mount in mounts.items() {
        destination(mount, platform, found);
        if platform == Platform::Linux {
            mappings(root, mount, found);
        }
    }
    if platform == Platform::Windows {
        nested(mounts, found);
    }
}

fn destination(mount: Value<'_>, platform: Platform, found: &mut Found) {
    let Some(value) = mount.get("destination") else { return };
    let Some(path) = value.as_str() else { return };
    let windows = |path: &str| path.as_bytes().get(1) == Some(&b':') || path.starts_with('\\');
    let hint = "write the path from the container's root, with a leading /";
    match platform {
        Platform::Linux if !path.starts_with('/') => {
            let message = format!("the mount's destination {path:?} is relative, which is deprecated");
            found.note(SECTION, value, message, hint);
        }
        Platform::Posix if !path.starts_with('/') => {
            found.must(SECTION, value, format!("the mount's destination {path:?} is not absolute"), hint);
        }
        Platform::Windows if !windows(&path) && !path.starts_with('/') => {
            let hint = "write it with its drive, as in C:\\data";
            found.must(SECTION, value, format!("the mount's destination {path:?} is not absolute"), hint);
        }
        _ => {}
    }
}

/// Windows has no mount within a mount.
fn nested(mounts: Value<'_>, found: &mut Found) {
    let destination = |mount: Value<'_>| {
        let path = mount.get("destination")?.as_str()?.to_lowercase().replace('/', "\\");
        Some(path.trim_end_matches('\\').to_owned() + "\\")
    };
    let known: Vec<String> = mounts.items().filter_map(destination).collect();
    for mount in mounts.items() {
        let Some(own) = destination(mount) else { continue };
        if known.iter().any(|other| own.len() > other.len() && own.starts_with(other.as_str())) {
            found.must(SECTION, mount, "a mount is nested within another", "mount it beside the other");
        }
    }
}

fn mappings(root: Value<'_>, mount: Value<'_>, found: &mut Found) {
    let (uids, gids) = (mount.get("uidMappings"), mount.get("gidMappings"));
    match (uids, gids) {
        (Some(one), None) | (None, Some(one)) => {
            let hint = "map users and groups both, or neither";
            found.must(POSIX, one, "only one of uidMappings and gidMappings is there", hint);
        }
        _ => {}
    }
    for mapping in uids.into_iter().chain(gids) {
        id_mappings(mapping, POSIX, found);
    }
    let options = mount.get("options");
    let idmap = options
        .into_iter()
        .flat_map(Value::items)
        .find(|option| option.as_str().is_some_and(|text| text == "idmap" || text == "ridmap"));
    match idmap {
        Some(option) if uids.is_none() && gids.is_none() && !has_namespace(root.get("linux"), "user") => {
            let message = format!(
                "the option {} has no mappings to apply: neither the mount nor a user namespace brings any",
                option.raw()
            );
            found.must(OPTIONS, option, message, "give the mount uidMappings and gidMappings");
        }
        None if uids.is_some() && gids.is_some() => {
            let hint =
                "add idmap or ridmap, so that an older runtime refuses the mount instead of ignoring the mappings";
            found.note(POSIX, mount, "the mount has id mappings and neither of the options idmap and ridmap", hint);
        }
        _ => {}
    }
}
