//! What the TOML means, and what is refused.

use std::path::Path;

use super::*;
use crate::apparmor::{Dialect, Version};

fn read(text: &str) -> Result<Profile, TomlError> {
    Profile::from_toml(Path::new("web.toml"), text)
}

fn rules(text: &str) -> Vec<String> {
    let profile = read(&format!("name = 'web'\n{text}")).unwrap_or_else(|error| panic!("{error}"));
    let text = profile.render(Dialect::of(Version::V4_0));
    let lines = text.lines().skip_while(|line| !line.starts_with("profile")).skip(1);
    lines.map(str::trim).filter(|line| line.ends_with(',')).map(str::to_owned).collect()
}

#[test]
fn every_section_becomes_the_rules_it_stands_for() {
    for (toml, expected) in [
        (
            "[capabilities]\nallow = ['CAP_CHOWN']\naudit = ['CAP_KILL']\ndeny = ['CAP_SYS_ADMIN']",
            &["capability chown,", "audit capability kill,", "deny capability sys_admin,"][..],
        ),
        ("[capabilities]\nallow = ['@all']", &["capability,"]),
        ("[[network]]", &["network,", "unix,"]),
        (
            "[[network]]\nfamilies = ['inet', 'inet6']\ntypes = ['tcp', 'dgram']",
            &["network inet tcp,", "network inet dgram,", "network inet6 tcp,", "network inet6 dgram,"],
        ),
        ("[[network]]\nfamilies = ['unix']\ntypes = ['stream']", &["unix type=stream,"]),
        ("[[network]]\nfamilies = ['alg']\ndeny = true\naudit = true", &["audit deny network alg,"]),
        ("[[files]]\npaths = ['/etc/**', '/a b']\naccess = ['read', 'lock']", &["\"/etc/**\" rk,", "\"/a b\" rk,"]),
        ("[[files]]\npaths = ['/log']\naccess = ['append']\nowner = true", &["owner \"/log\" a,"]),
        ("[[files]]\npaths = ['/log']\naccess = ['append', 'write']", &["\"/log\" w,"]),
        ("[[files]]\npaths = ['/bin/*']\naccess = ['read', 'map', 'execute']", &["\"/bin/*\" rmix,"]),
        ("[[files]]\npaths = ['/bin/x']\nexec = 'profile'\ntarget = 'other one'", &["\"/bin/x\" Px -> \"other one\","]),
        ("[[files]]\npaths = ['/bin/x']\nexec = 'child-or-inherit'\nenvironment = 'keep'", &["\"/bin/x\" cix,"]),
        ("[[files]]\npaths = ['/x']\naccess = ['all']\ndeny = true\naudit = true", &["audit deny \"/x\" rwmklx,"]),
        ("[[files]]\npaths = ['/{**,}']\naccess = ['all']", &["file,"]),
        (
            "[[signal]]\naccess = ['send']\nsignals = ['term', 'rtmin+3']\npeers = ['a b', '@{profile_name}']",
            &[
                "signal (send) set=(term, rtmin+3) peer=\"a b\",",
                "signal (send) set=(term, rtmin+3) peer=\"@{profile_name}\",",
            ],
        ),
        ("[[signal]]", &["signal,"]),
        ("[[ptrace]]\naccess = ['read', 'trace']\npeers = ['web']", &["ptrace (read, trace) peer=\"web\","]),
        (
            "[[mount]]\noperation = 'mount'\nfstypes = ['tmpfs']\noptions = ['ro', 'nosuid']\nsource = 'tmpfs'\ntarget = '/mnt/'",
            &["mount fstype=(\"tmpfs\") options=(ro, nosuid) \"tmpfs\" -> \"/mnt/\","],
        ),
        ("[[mount]]\noperation = 'umount'\ntarget = '/mnt/'", &["umount \"/mnt/\","]),
        (
            "[[mount]]\noperation = 'pivot_root'\nsource = '/new/old/'\ntarget = '/new/'",
            &["pivot_root oldroot=\"/new/old/\" \"/new/\","],
        ),
        ("userns = 'allow'\nmqueue = 'deny'", &["userns,", "deny mqueue,"]),
        ("[[change_profile]]\nto = 'worker'\nexec = '/bin/w'", &["change_profile \"/bin/w\" -> \"worker\","]),
    ] {
        assert_eq!(rules(toml), expected, "{toml}");
    }
}

#[test]
fn the_head_of_a_profile_says_how_it_is_enforced() {
    let toml = "name = 'my web'\ndescription = 'serves\\npages'\nmode = 'complain'\nabi = '3.0'\nattach_disconnected = false\n\
                tunables = ['tunables/home']\nincludes = ['abstractions/base']\nlocal = true\n";
    let text =
        read(&toml.replace("'serves\\npages'", "\"serves\\npages\"")).unwrap().render(Dialect::of(Version::V4_0));
    assert_eq!(
        text,
        "# my web\n# serves pages\n# Written by batten: change what it was made from, not this.\n\n\
         abi <abi/3.0>,\n\ninclude <tunables/home>\n\n\
         profile \"my web\" flags=(mediate_deleted,complain) {\n  # Rules of other files\n  include <abstractions/base>\n\n  \
         # Additions of this host\n  include if exists <local/my web>\n}\n"
    );
}

#[test]
fn a_comment_never_leaves_its_line() {
    let toml = "name = 'web'\ndescription = \"x\\n} profile y {\"\n[[files]]\npaths = ['/a']\naccess = ['read']\n\
                comment = \"#include <x>\\r\\n/** rwix,\\u2028z\"\n";
    let text = read(toml).unwrap().render(Dialect::of(Version::V3_0));
    assert!(text.contains("\n# x } profile y {\n"), "{text}");
    assert!(text.contains("\n  # #include <x>  /** rwix, z\n  \"/a\" r,\n"), "{text}");
}

#[test]
fn what_makes_no_sense_is_refused_at_its_line() {
    for (toml, message, hint) in [
        ("name = '/bin/x'", "1: the name starts with '/'", "attaches"),
        ("name = 'a'\nmode = 'unconfined'", "2: no mode \"unconfined\" is known", "enforce, complain, kill"),
        ("name = 'a'\nabi = '9.9'", "2: no ABI \"9.9\" is known", "3.0"),
        ("name = 'a'\nincludes = ['../../passwd']", "2: \"../../passwd\" cannot be included", "abstractions/base"),
        (
            "name = 'a'\n[capabilities]\nallow = ['sys_admin']",
            "3: no capability \"sys_admin\" is known",
            "CAP_NET_ADMIN",
        ),
        ("name = 'a'\n[[network]]\nfamilies = ['ipv4']", "3: no address family \"ipv4\" is known", "inet"),
        (
            "name = 'a'\n[[network]]\nfamilies = ['inet6']\ntypes = ['icmp']",
            "4: icmp is no type of inet6",
            "inet alone",
        ),
        ("name = 'a'\n[[network]]\nfamilies = ['unix']\ntypes = ['tcp']", "4: tcp is no type of unix", "inet"),
        (
            "name = 'a'\n[[files]]\npaths = ['etc']\naccess = ['read']",
            "3: \"etc\" is no pattern: a path starts with /",
            "from / on",
        ),
        ("name = 'a'\n[[files]]\npaths = []\naccess = ['read']", "3: paths is empty", "name at least one"),
        ("name = 'a'\n[[files]]\npaths = ['/a']", "3: these files have neither access nor exec", "access = "),
        ("name = 'a'\n[[files]]\npaths = ['/a']\naccess = ['rw']", "4: no access \"rw\" is known", "read, write"),
        (
            "name = 'a'\n[[files]]\npaths = ['/a']\ndeny = true\nexec = 'inherit'",
            "5: a rule that denies has an exec",
            "execute",
        ),
        (
            "name = 'a'\n[[files]]\npaths = ['/a']\nexec = 'inherit'\ntarget = 'x'",
            "5: this rule changes to no profile",
            "profile",
        ),
        (
            "name = 'a'\n[[files]]\npaths = ['/a']\nexec = 'profile'\ntarget = 'x -> y'",
            "5: the name holds '>'",
            "letters",
        ),
        (
            "name = 'a'\n[[files]]\npaths = ['/a']\naccess = ['read']\nenvironment = 'keep'",
            "5: this rule changes to no other",
            "transition",
        ),
        ("name = 'a'\n[[signal]]\nsignals = ['SIGTERM']", "3: no signal \"SIGTERM\" is known", "term"),
        ("name = 'a'\n[[mount]]\noperation = 'umount'\nsource = 'tmpfs'", "4: umount takes no source", "target"),
        ("name = 'a'\n[[mount]]\noperation = 'umount'\noptions = ['ro']", "4: umount takes no options", "mount"),
    ] {
        let error = read(toml).expect_err(toml);
        assert!(error.to_string().starts_with(&format!("web.toml:{message}")), "{toml}\n{error}");
        assert!(error.hint().contains(hint), "{toml}\n{}", error.hint());
    }
}

#[test]
fn an_unknown_setting_is_no_profile_s() {
    for toml in [
        "name = 'a'\nfile = 1",
        "name = 'a'\n[[files]]\npath = ['/a']\naccess = ['read']",
        "mode = 'enforce'",
        "name = 1",
    ] {
        assert!(matches!(read(toml), Err(TomlError::Syntax { .. })), "{toml}");
    }
    assert!(matches!(read(&" ".repeat(MAX_TEXT + 1)), Err(TomlError::TooLarge { .. })));
}
