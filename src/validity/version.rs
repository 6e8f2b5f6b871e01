//! `ociVersion`: SemVer 2.0.0, and how it compares to the version that is known here.

use super::{Found, VERSION};
use crate::spec::Value;

const SECTION: &str = "config.md#configSpecificationVersion";

pub(super) fn judge(root: Value<'_>, found: &mut Found) {
    let Some(value) = root.get("ociVersion") else { return };
    let Some(text) = value.as_str() else { return };
    let Some(core) = semver_core(&text) else {
        return found.must(
            SECTION,
            value,
            format!("{text:?} is no version by SemVer 2.0.0"),
            "write the version that the bundle complies with, such as 1.2.0",
        );
    };
    let known = semver_core(VERSION).unwrap_or_default();
    if core[0] != known[0] {
        let message =
            format!("version {text} makes no promise of compatibility with {VERSION}, by which this was judged");
        found.note(SECTION, value, message, "nothing, if the runtime knows this version");
    } else if core[..2] > known[..2] {
        let message = format!("version {text} is newer than {VERSION}, by which this was judged");
        found.note(SECTION, value, message, "members that are newer are shown as unknown");
    }
}

/// Major, minor and patch, when `text` is a version by semver.org, version 2.0.0.
fn semver_core(text: &str) -> Option<[u64; 3]> {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let named = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let plain = |part: &str| part == "0" || !part.starts_with('0');
    let pre_fits = pre.is_none_or(|pre| pre.split('.').all(|part| named(part) && (!number(part) || plain(part))));
    let build_fits = build.is_none_or(|build| build.split('.').all(named));
    let mut parts = core.split('.').map(|part| if number(part) && plain(part) { part.parse().ok() } else { None });
    let core = [parts.next()??, parts.next()??, parts.next()??];
    (parts.next().is_none() && pre_fits && build_fits).then_some(core)
}

#[cfg(test)]
mod tests {
    use super::semver_core;

    #[test]
    fn versions_are_told_from_what_only_looks_like_one() {
        for text in ["0.1.0", "1.0.2-dev", "1.3.0+dev", "1.2.0-rc.1+build.7", "10.20.30", "1.0.0--"] {
            assert!(semver_core(text).is_some(), "{text}");
        }
        for text in [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "v1.0.0",
            "01.0.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0+",
            "1.0.0-a..b",
            "1.a.0",
            "-1.0.0",
        ] {
            assert!(semver_core(text).is_none(), "{text}");
        }
    }
}
