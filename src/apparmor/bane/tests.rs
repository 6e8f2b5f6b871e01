//! bane's settings do what their names say.

use super::*;
use crate::apparmor::{Dialect, Version};

/// bane's own sample, abridged.
const SAMPLE: &str = r#"Name = "nginx-sample"
[Filesystem]
ReadOnlyPaths = ["/bin/**", "/etc/**", "/usr/**"]
LogOnWritePaths = ["/**"]
WritablePaths = ["/var/run/nginx.pid"]
AllowExec = ["/usr/sbin/nginx"]
DenyExec = ["/bin/sh"]
[Capabilities]
Allow = ["chown", "net_bind_service"]
[Network]
Raw = false
Packet = false
Protocols = ["tcp", "udp", "icmp"]
"#;

fn read(text: &str) -> (Profile, Vec<Warning>) {
    from_bane(Path::new("bane.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

fn text(toml: &str) -> String {
    read(toml).0.render(Dialect::of(Version::V3_0))
}

/// Whether the profile allows an access, as the kernel would judge: deny beats allow.
fn allows(profile: &Profile, path: &str, access: Access) -> bool {
    let of = |deny| {
        let rules = profile.files().filter(move |rule| rule.qualifiers.deny == deny);
        let covering = rules.filter(|rule| rule.path.covers(path.as_bytes()));
        covering.fold(Access::default(), |all, rule| all.union(rule.access))
    };
    of(false).includes(access) && !of(true).intersects(access)
}

#[test]
fn writable_paths_and_allow_exec_do_restrict() {
    let (profile, warnings) = read(SAMPLE);
    assert_eq!(profile.name, "docker-nginx-sample");
    for (path, access, expected) in [
        ("/etc/passwd", Access::READ, true),
        ("/etc/passwd", Access::WRITE, false),
        ("/srv/x", Access::READ, true),
        ("/srv/x", Access::WRITE, false),
        ("/var/run/nginx.pid", Access::WRITE, true),
        ("/usr/sbin/nginx", Access::EXECUTE, true),
        ("/usr/bin/id", Access::EXECUTE, false),
        ("/tmp/lib.so", Access::MAP, false),
        ("/usr/lib/libc.so.6", Access::MAP, true),
        ("/bin/sh", Access::READ, false),
        ("/proc/sys/kernel/core_pattern", Access::WRITE, false),
    ] {
        assert_eq!(allows(&profile, path, access), expected, "{access:?} {path}");
    }
    let lines: Vec<_> = warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [13, 13, 5, 6, 4], "{warnings:?}");
    assert!(profile.files().any(|rule| rule.qualifiers.audit && rule.path.to_string() == "/var/run/nginx.pid"));
}

#[test]
fn what_was_not_asked_for_stays_as_bane_has_it() {
    let toml = "Name = 'docker-x'\n[Filesystem]\nReadOnlyPaths = ['/etc/**']\n[Network]\nRaw = true\nPacket = true\n";
    let (profile, warnings) = read(toml);
    assert_eq!(profile.name, "docker-x");
    assert_eq!(warnings, []);
    assert!(allows(&profile, "/srv/x", Access::WRITE) && allows(&profile, "/srv/x", Access::EXECUTE));
    assert!(!allows(&profile, "/etc/x", Access::WRITE) && allows(&profile, "/etc/x", Access::READ));
    assert!(text(toml).contains("  network,\n") && !text(toml).contains("  capability"));
}

#[test]
fn netlink_stays_when_raw_sockets_go() {
    let text = text(SAMPLE);
    for line in [
        "network inet tcp",
        "network inet6 udp",
        "network unix",
        "network netlink raw",
        "deny network inet raw",
        "deny network packet",
    ] {
        assert!(text.contains(&format!("  {line},\n")), "{line}\n{text}");
    }
    assert!(!text.contains("icmp"), "Raw = false denies it");
}

#[test]
fn allow_counts_even_beside_deny() {
    let both = "Name = 'x'\n[Capabilities]\nAllow = ['chown', 'kill']\nDeny = ['KILL']\n";
    for (line, expected) in [("capability chown", true), ("deny capability kill", true), ("capability", false)] {
        assert_eq!(text(both).contains(&format!("  {line},\n")), expected, "{line}");
    }
    assert_eq!(read(both).1.len(), 1);
    assert!(text("Name = 'x'\n[Capabilities]\nDeny = ['kill']\n").contains("  capability,\n"));
}

#[test]
fn a_name_path_or_word_that_bane_would_paste_is_refused() {
    for (toml, message) in [
        ("Name = 'x { file, }'", "bane.toml:1: the name holds '{'"),
        ("Name = '/bin/sh'", "bane.toml:1: the name starts with '/'"),
        ("Name = 'x'\n[Filesystem]\nWritablePaths = ['/a r, }']", "bane.toml:3: \"/a r, }\" is no pattern"),
        ("Name = 'x'\n[Network]\nProtocols = ['tcp, file']", "bane.toml:3: no protocol"),
        ("Name = 'x'\nImports = ['file,']", "bane.toml:2: \"file,\" is no include"),
        ("Name = 'x'\n[Capabilities]\nAllow = ['all']", "bane.toml:3: no capability \"all\""),
    ] {
        let error = from_bane(Path::new("bane.toml"), toml).expect_err(toml).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_log_inside_a_writable_folder_logs_there_alone() {
    let toml = "Name = 'x'\n[Filesystem]\nWritablePaths = ['/data/**', '/tmp/*']\nLogOnWritePaths = ['/data/log/**', '/t*/x']\n";
    let (profile, _) = read(toml);
    let written = profile.files().filter(|rule| rule.access.includes(Access::WRITE) && !rule.qualifiers.deny);
    let files: Vec<_> = written.map(|rule| (rule.path.to_string(), rule.qualifiers.audit)).collect();
    let expected = [("/data/**", false), ("/data/log/**", true), ("/tmp/*", true)];
    assert_eq!(files, expected.map(|(path, audit)| (path.to_owned(), audit)));
}

#[test]
fn bane_s_imports_are_includes() {
    let text = text(
        "Name = 'x'\nImports = ['#include <tunables/xdg-user-dirs>']\nInnerImports = ['include <abstractions/nameservice>']\n",
    );
    for line in ["include <tunables/xdg-user-dirs>\n", "  include <abstractions/nameservice>\n"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
