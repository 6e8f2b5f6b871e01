//! The command line as the real runtimes read it: a few hundred random lines, and whenever a runtime takes one, it must
//! have seen the very bundle or process that batten judged.

use std::ffi::{OsStr, OsString};

use batten::runtime::argv::{Command, Dialect, Invocation};
use serde_json::json;

use crate::lab::{Kind, Lab, on_every_runtime, stderr};

/// Marsaglia's xorshift: the same lines in every run.
struct Dice(u64);

impl Dice {
    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        words[usize::try_from(self.0 % words.len() as u64).unwrap()]
    }

    /// Up to `most` pieces, each of one word or two, then the `end`; in one line of three some word strays into it.
    fn line<'w>(&mut self, pieces: &[&'w str], most: u64, end: &[&'w str]) -> Vec<&'w str> {
        self.pick(pieces);
        let length = self.0 % (most + 1);
        let picked: Vec<_> = (0..length).map(|_| self.pick(pieces)).collect();
        let mut line: Vec<_> = picked.into_iter().flat_map(|piece| piece.split(' ')).collect();
        line.extend(end);
        if self.pick(&["tame", "tame", "wild"]) == "wild" {
            let stray = self.pick(pieces).split(' ').next().unwrap();
            let at = usize::try_from(self.0 % (line.len() as u64 + 1)).unwrap();
            line.insert(at, stray);
        }
        line
    }
}

/// How many lines are tried: fewer where the processor is emulated and a start of runc takes its time.
fn tried(usual: usize) -> usize {
    if std::env::var_os("BATTEN_TEST_EMULATED").is_some() { usual / 8 } else { usual }
}

fn dialect(kind: Kind) -> Dialect {
    match kind {
        Kind::Runc => Dialect::Runc,
        Kind::Crun => Dialect::Crun,
    }
}

fn parse(lab: &Lab, line: &[&str]) -> Option<Invocation> {
    let line: Vec<_> = line.iter().map(OsString::from).collect();
    Invocation::parse(&line, dialect(lab.kind)).ok()
}

/// A bundle that every runtime complains of by its own name.
fn nameable(lab: &Lab, name: &str) {
    let mut config = lab.privileged(&["true"]);
    config["root"]["path"] = json!(format!("/nonexistent-{name}"));
    lab.bundle(name, &config);
}

const BUNDLES: [&str; 4] = ["A", "B", "create", "."];

/// Which bundle a runtime speaks of when it gets this line.
fn bundle_seen<S: AsRef<OsStr>>(lab: &Lab, line: &[S]) -> Option<&'static str> {
    let output = lab.bare(line).current_dir(lab.path(".")).output().unwrap();
    assert!(!output.status.success() || output.stdout.starts_with(b"NAME") || !output.stdout.is_empty(), "{output:?}");
    BUNDLES.into_iter().find(|name| stderr(&output).contains(&format!("/nonexistent-{name}")))
}

#[test]
fn what_a_runtime_creates_from_is_what_batten_judges() {
    const GLOBALS: &[&str] =
        &["--debug", "--log-format text", "-debug", "--root=create", "--log-format=text", "--debug=true"];
    const PIECES: &[&str] = &[
        "--bundle A",
        "--bundle B",
        "--bundle=A",
        "-b B",
        "-bB",
        "-b=A",
        "-bundle A",
        "-bundle=B",
        "--bundle create",
        "--no-pivot",
        "--no-pivot=true",
        "--pid-file p",
        "--pid-file=p",
        "--preserve-fds=0",
        "-no-pivot",
        "--bun A",
        "--",
        "-",
        "create",
        "--pid-file --bundle",
        "-d",
    ];
    on_every_runtime(|lab| {
        for name in BUNDLES {
            nameable(&lab, name);
        }
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        let (mut taken, mut agreed) = (0, 0);
        let tried = tried(400);
        for _ in 0..tried {
            let mut line = dice.line(GLOBALS, 1, &[]);
            line.push(dice.pick(&["create", "run"]));
            line.extend(dice.line(PIECES, 2, &["c1"]));
            line.extend(dice.line(PIECES, 1, &[]).into_iter().filter(|_| lab.kind == Kind::Runc));
            let seen = bundle_seen(&lab, &line);
            taken += usize::from(seen.is_some());
            let Some(invocation) = parse(&lab, &line) else { continue };
            let judged = match &invocation.command {
                Command::Launch(launch) => Some(launch.bundle().map_or(".", |bundle| bundle.to_str().unwrap())),
                _ => None,
            };
            if let Some(seen) = seen {
                assert_eq!(judged, Some(seen), "{} takes another bundle from {line:?}", lab.kind.name());
                assert_eq!(bundle_seen(&lab, &invocation.words()), Some(seen), "{:?}", invocation.words());
                agreed += 1;
            }
        }
        eprintln!(
            "{}: took {taken} of {tried} lines, batten judged {agreed} of them and refused the rest",
            lab.kind.name()
        );
        assert!(agreed * 8 >= tried, "the lines are too wild to say anything: {agreed} of {taken}");
    });
}

#[test]
fn what_a_runtime_executes_is_what_batten_judges() {
    const PIECES: &[&str] = &[
        "--process A",
        "--process=B",
        "-p A",
        "-pB",
        "-p=A",
        "-process B",
        "-process=A",
        "--env X=1",
        "-e X=1",
        "-eX=1",
        "--user=0",
        "--tty=false",
        "--no-new-privs",
        "--pid-file=p",
        "--cwd=/",
        "-td",
        "--",
        "--env --process=B",
        "--pro A",
    ];
    on_every_runtime(|lab| {
        let _sleeper = lab.sleeper(&lab.privileged(&[]));
        for name in ["A", "B"] {
            let mut process = lab.privileged(&[])["process"].clone();
            process["args"] = json!(["echo", format!("file-{name}")]);
            lab.write(name, &process.to_string());
        }
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut agreed = 0;
        let tried = tried(250);
        for _ in 0..tried {
            let mut line = vec!["exec"];
            line.extend(dice.line(PIECES, 2, &[&lab.id]));
            line.extend(["echo", "user"]);
            line.extend(dice.line(PIECES, 2, &[]));
            let output = lab.bare(&line).current_dir(lab.path(".")).output().unwrap();
            let _ = std::fs::remove_file(lab.path("p"));
            let said = String::from_utf8_lossy(&output.stdout);
            let said = said.trim_end();
            if !output.status.success() || !(said.starts_with("file-") || said.starts_with("user")) {
                continue;
            }
            let Some(invocation) = parse(&lab, &line) else { continue };
            let Command::Exec(exec) = &invocation.command else { panic!("{line:?} is no exec to batten") };
            let expected = match exec.process().and_then(OsStr::to_str) {
                Some(file) => format!("file-{file}"),
                None => exec.command[1..].join(OsStr::new(" ")).into_string().unwrap(),
            };
            assert_eq!(said, expected, "{}: {line:?}", lab.kind.name());
            agreed += 1;
        }
        eprintln!("{}: executed {agreed} lines that batten judges", lab.kind.name());
        assert!(agreed * 5 >= tried, "the lines are too wild to say anything: {agreed}");
    });
}

#[test]
fn every_option_that_batten_writes_is_one_that_the_runtime_knows() {
    on_every_runtime(|lab| {
        nameable(&lab, "A");
        let common =
            "create --bundle A --console-socket s --pid-file p --preserve-fds 0 --no-pivot --no-new-keyring c1";
        let more: &[&str] = match lab.kind {
            Kind::Runc => &[
                "--log-format text --debug --systemd-cgroup=false --rootless auto --criu criu create --bundle A c1",
                "run --bundle A -d --keep --no-subreaper c1",
                "restore --bundle A --image-path i --work-path w --manage-cgroups-mode soft --lsm-mount-context x \
                 --tcp-established --ext-unix-sk --shell-job --file-locks -d --empty-ns network --no-subreaper --no-pivot \
                 --auto-dedup --lazy-pages c1",
                "exec --process A --detach --preserve-fds 0 --cgroup x:y --ignore-paused -e A=1 -t -u 0 -g 1 --process-label \
                 l --apparmor a --no-new-privs --cap CAP_KILL --cwd / c1",
            ],
            Kind::Crun => &[
                "--log-format text --debug --cgroup-manager cgroupfs --rootless auto create --bundle A c1",
                "run --bundle A -f config.json -d --no-subreaper c1",
                "exec --process A --detach --preserve-fds 0 --cgroup x -e A=1 -t -u 0 --process-label l --apparmor a \
                 --no-new-privs --cap CAP_KILL --cwd / c1",
            ],
        };
        for line in std::iter::once(&common).chain(more) {
            let line: Vec<_> = line.split_whitespace().collect();
            let invocation = parse(&lab, &line).unwrap_or_else(|| panic!("batten refuses {line:?}"));
            let output = lab.bare(&invocation.words()).current_dir(lab.path(".")).output().unwrap();
            let message = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
            for refusal in ["not defined", "unrecognized option", "invalid option", "Incorrect Usage", "Try `"] {
                assert!(!message.contains(refusal), "{}: {:?}: {message}", lab.kind.name(), invocation.words());
            }
        }
    });
}
