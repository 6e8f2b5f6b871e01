//! `batten apparmor`, as a person types it.
//!
//! `testdata/apparmor/{profiles,bane}/NAME.toml` is what is read, `NAME.parser-3.0` and `NAME.parser-4.0` beside it what
//! is printed for parsers of these versions; `BATTEN_BLESS=1` writes them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::batten::{batten, batten_reading};

const VERSIONS: [&str; 2] = ["3.0", "4.0"];

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/apparmor").join(path)
}

fn files(folder: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(data(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| is_wanted(path.extension().unwrap().to_str().unwrap())).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_example_is_written_as_its_golden_file_says() {
    for (folder, from) in [("profiles", "batten"), ("bane", "bane")] {
        for path in files(folder, |extension| extension == "toml") {
            for version in VERSIONS {
                let run = batten(&["apparmor", "generate", text(&path), "--from", from, "--parser", version]);
                assert_eq!(run.code, 0, "{}", run.stderr);
                let golden = path.with_extension(format!("parser-{version}"));
                if std::env::var_os("BATTEN_BLESS").is_some() {
                    fs::write(&golden, &run.stdout).unwrap();
                }
                let wanted = fs::read_to_string(&golden).unwrap_or_default();
                assert_eq!(run.stdout, wanted, "{}: BATTEN_BLESS=1 writes it", golden.display());
            }
        }
    }
}

#[test]
fn no_golden_file_is_without_its_example() {
    for folder in ["profiles", "bane"] {
        for golden in files(folder, |extension| extension != "toml") {
            // with_extension takes `parser-3.0` as `parser-3` and `0`.
            let example = golden.with_extension("").with_extension("toml");
            assert!(example.is_file(), "{} has no example", golden.display());
        }
    }
}

#[test]
fn the_example_of_the_reference_is_one_of_ours() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/apparmor.md")).unwrap();
    let (_, rest) = page.split_once("```toml\nname = \"web\"").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let example = format!("name = \"web\"{example}");
    assert_eq!(example, fs::read_to_string(data("profiles/web.toml")).unwrap());
}

#[test]
fn what_bane_meant_otherwise_is_a_warning_and_not_data() {
    let nginx = data("bane/nginx.toml");
    let run = batten(&["apparmor", "generate", text(&nginx), "--from", "bane"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("# docker-nginx-sample\n"), "{}", run.stdout);
    for setting in ["WritablePaths", "AllowExec", "LogOnWritePaths", "Protocols", "Raw"] {
        assert!(run.stderr.contains(setting), "{setting}: {}", run.stderr);
    }
    let open = data("bane/open.toml");
    assert_eq!(batten(&["apparmor", "generate", text(&open), "--from", "bane"]).stderr, "");
}

#[test]
fn nonsense_is_refused_with_its_line_and_a_hint() {
    for (toml, said) in [
        ("", "missing field `name`"),
        ("name = 'x'\nnmae = 'y'\n", "unknown field `nmae`"),
        ("name = 'x } profile y'\n", "standard input:1"),
        ("name = '../x'\n", "standard input:1"),
        ("name = 'unconfined'\n", "standard input:1"),
        ("name = 'x'\n[[files]]\npaths = ['etc']\naccess = ['read']\n", "standard input:3"),
        ("name = 'x'\n[[files]]\npaths = ['/a']\naccess = ['reed']\n", "reed"),
        ("name = 'x'\n[capabilities]\nallow = ['sys_admin']\n", "standard input:3"),
        ("name = 'x'\nincludes = ['../../etc/shadow']\n", "standard input:2"),
        ("name = 'x'\nmode = 'audit'\n", "audit"),
        ("name = 'x'\n[[mount]]\noperation = 'mount'\noptions = ['nosuid', 'suid']\n", "no mount is nosuid and suid"),
        ("\u{0}", "standard input"),
    ] {
        let run = batten_reading(&["apparmor", "generate", "-"], toml);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{toml}: {}", run.stderr);
        assert!(run.stderr.contains(said) && run.stderr.contains("\n\nhint: "), "{toml}: {}", run.stderr);
    }
    for args in
        [&["generate"][..], &["generate", "/nonexistent", "--parser", "2.13"], &["lint"], &["learn", "--profile", "x"]]
    {
        let run = batten(&[&["apparmor"][..], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn the_container_profile_says_what_its_capabilities_open() {
    let mount = |caps: &str| {
        let run = batten(&["apparmor", "generate", "--default", "--caps", caps, "--parser", "3.0"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        (run.stdout.contains("\n  mount,\n"), run.stdout.contains("\n  deny mount,\n"))
    };
    assert!(mount("@docker,CAP_SYS_ADMIN").0);
    assert!(!mount("@docker").0);
    assert_eq!(batten(&["apparmor", "generate", "--default", "--caps", "CAP_SYS_AMDIN"]).code, 4);
}

#[test]
fn lint_says_what_its_author_hardly_meant() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.toml");
    fs::write(&path, "name = 'wide'\n[[files]]\npaths = ['/**']\naccess = ['all']\n").unwrap();
    let run = batten(&["apparmor", "lint", text(&path)]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("wide.toml:2") && run.stdout.contains("everything"), "{}", run.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&batten(&["apparmor", "lint", text(&path), "--format", "json"]).stdout).unwrap();
    assert!(json.to_string().contains("\"everything\""), "{json}");
    let quiet = data("profiles/quiet.toml");
    assert_eq!(batten(&["apparmor", "lint", text(&quiet)]).code, 0);
}

const LOG: &str = r#"[ 1.0] audit: type=1400 audit(1.0:1): apparmor="ALLOWED" operation="open" class="file" profile="job" name="/etc/hosts" pid=9 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
[ 1.1] audit: type=1400 audit(1.0:2): apparmor="ALLOWED" operation="open" class="file" profile="job" name=2F746D702F61206222 pid=9 comm="cat" requested_mask="wc" denied_mask="wc" fsuid=0 ouid=0
[ 1.2] audit: type=1400 audit(1.0:3): apparmor="ALLOWED" operation="capable" profile="job" pid=9 comm="chown" capability=0  capname="chown"
[ 1.3] audit: type=1400 audit(1.0:4): apparmor="ALLOWED" operation="open" class="file" profile="other" name="/etc/shadow" pid=9 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
[ 1.4] audit: type=1400 audit(1.0:5): apparmor="DENIED" operation="open" class="file" profile="job" name="/etc/plain" pid=9 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0
"#;

#[test]
fn learn_proposes_a_diff_and_writes_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let (toml, log) = (folder.path().join("job.toml"), folder.path().join("log"));
    let before = "# ours\nname = \"job\" # kept\nmode = \"complain\"\n\n[[files]]\npaths = [\"/etc/plain\"]\naccess = [\"read\"]\ndeny = true\n";
    fs::write(&toml, before).unwrap();
    fs::write(&log, LOG).unwrap();
    let run = batten(&["apparmor", "learn", "--log", text(&log), "--profile", "job", text(&toml)]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(fs::read_to_string(&toml).unwrap(), before);
    for added in ["/etc/hosts", "/tmp/a b", "CAP_CHOWN"] {
        assert!(
            run.stdout.lines().any(|line| line.starts_with('+') && line.contains(added)),
            "{added}: {}",
            run.stdout
        );
    }
    assert!(!run.stdout.contains("shadow"), "{}", run.stdout);
    assert!(!run.stdout.lines().any(|line| line.starts_with('-') && !line.starts_with("---")), "{}", run.stdout);

    let run = batten(&["apparmor", "learn", "--log", text(&log), "--profile", "job", text(&toml), "--write"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let after = fs::read_to_string(&toml).unwrap();
    assert!(after.starts_with("# ours\nname = \"job\" # kept\n") && after.contains("deny = true"), "{after}");
    let again = batten(&["apparmor", "learn", "--log", text(&log), "--profile", "job", text(&toml)]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    assert_eq!(batten(&["apparmor", "generate", text(&toml)]).code, 0);
}
