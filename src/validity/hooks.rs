//! `hooks`: what is executed around the container's life.

use super::Found;
use crate::spec::Value;

const SECTION: &str = "config.md#configHooks";

pub(super) fn judge(root: Value<'_>, found: &mut Found) {
    let Some(hooks) = root.get("hooks") else { return };
    for (_, list) in hooks.members() {
        for hook in list.items() {
            found.absolute(SECTION, hook.get("path"), "the hook's path");
        }
    }
    for entry in hooks.members().flat_map(|(_, list)| list.items()).filter_map(|hook| hook.get("env")) {
        super::process::environment(SECTION, entry, found);
    }
}
