//! Paths as text: what a bundle names is compared without asking any filesystem, so a rule says the same on every machine.

/// `path` without `.`, `..`, doubled and trailing slashes, and with /run for /var/run. Links are not followed: where one
/// leads is the business of whoever made it, and a bundle does not show it.
pub(super) fn normal(path: &str) -> String {
    if is_normal(path) {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, kept.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => {
                kept.pop();
            }
            ("..", _) if absolute => {}
            (part, _) => kept.push(part),
        }
    }
    if absolute && kept.starts_with(&["var", "run"]) {
        kept.remove(0);
    }
    format!("{}{}", if absolute { "/" } else { "" }, kept.join("/"))
}

/// Whether that is plain to see of `path`, as of nearly all that engines write, names like `proc` and `tmpfs` among them.
fn is_normal(path: &str) -> bool {
    let detour = |pair: &[u8]| pair[0] == b'/' && matches!(pair[1], b'/' | b'.');
    !path.starts_with('.')
        && !path.ends_with('/')
        && !path.starts_with("/var/run")
        && !path.as_bytes().windows(2).any(detour)
}

/// Whether the normal `path` is `folder` or lies below it.
pub(super) fn is_within(path: &str, folder: &str) -> bool {
    let Some(rest) = path.strip_prefix(folder.trim_end_matches('/')) else { return false };
    rest.is_empty() || rest.starts_with('/')
}

/// Whether the normal, relative `path` leaves the folder that it starts from.
pub(super) fn leaves(path: &str) -> bool {
    path == ".." || path.starts_with("../")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detours_lead_to_the_same_path() {
        for (path, expected) in [
            ("/etc", "/etc"),
            ("//etc//", "/etc"),
            ("/./etc/.", "/etc"),
            ("/srv/../etc", "/etc"),
            ("/../../etc", "/etc"),
            ("/srv/x/../../etc/./passwd", "/etc/passwd"),
            ("/", "/"),
            ("/..", "/"),
            ("//", "/"),
            ("/var/run/docker.sock", "/run/docker.sock"),
            ("/var/../var/run", "/run"),
            ("/var/running", "/var/running"),
            ("/srv/.data", "/srv/.data"),
            ("/srv/a.b/..c", "/srv/a.b/..c"),
            ("data", "data"),
            ("data/", "data"),
            ("data/x.d/y", "data/x.d/y"),
            ("var/run/x", "var/run/x"),
            (".", ""),
            ("./data", "data"),
            (".data", ".data"),
            ("", ""),
            ("data/../../etc", "../etc"),
            ("../../etc", "../../etc"),
            ("a/..", ""),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }

    #[test]
    fn within_means_whole_components() {
        for (path, folder, expected) in [
            ("/etc", "/etc", true),
            ("/etc/passwd", "/etc", true),
            ("/etcetera", "/etc", false),
            ("/etc", "/", true),
            ("/", "/", true),
            ("/", "/etc", false),
        ] {
            assert_eq!(is_within(path, folder), expected, "{path} in {folder}");
        }
    }
}
