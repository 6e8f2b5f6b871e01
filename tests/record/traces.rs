//! Real strace, with each of its options, on a real program.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use crate::lab::{Lab, allowed, batten, has, is_emulated, ran};

const PROGRAM: [&str; 3] = ["/bin/sh", "-c", "ls / | cat; (echo x; mkdir /tmp/a /tmp/a); cat /none; true"];

/// What the program calls of its own accord: the names in a plain trace of each process.
fn plain(lab: &Lab) -> BTreeSet<String> {
    assert_eq!(lab.strace(&["-ff", "-o", &lab.text("plain")], &PROGRAM).code, 0);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(lab.path(".")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("plain.") {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            names.extend(text.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name.to_owned()));
        }
    }
    names.retain(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    assert!(names.len() > 20, "{names:?}");
    names
}

fn recorded(provenance: &str) -> BTreeSet<String> {
    let blocks = provenance.split("\n\n").filter(|block| block.contains("\n    seen "));
    blocks.map(|block| block.lines().next().unwrap().split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn every_option_of_strace_gives_the_same_calls() {
    let (true, Some(lab)) = (has("strace"), Lab::new()) else { return };
    let wanted = plain(&lab);
    let all = [
        &["-f"][..],
        &["-f", "-t"],
        &["-f", "-tt"],
        &["-f", "-ttt"],
        &["-f", "-r"],
        &["-f", "-r", "-t"],
        &["-f", "-r", "-tt"],
        &["-f", "-T"],
        &["-f", "-y"],
        &["-f", "-yy"],
        &["-f", "-Y"],
        &["-f", "-n"],
        &["-f", "-i"],
        &["-f", "-k"],
        &["-f", "-C"],
        &["-f", "-c"],
        &["-f", "-w", "-c"],
        &["-f", "-c", "-U", "name"],
        &["-f", "-c", "-U", "calls,name,errors,total-time"],
        &["-f", "-v", "-s", "4096", "-x"],
        &["-f", "-xx", "-s", "4096"],
        &["-f", "-X", "raw"],
        &["-f", "-X", "verbose"],
        &["-f", "-a", "1"],
        &["-f", "-q"],
        &["-f", "-qqq"],
        &["-f", "-e", "read=all", "-e", "write=all"],
        &["-f", "-e", "signal=none"],
        &["-f", "-y", "-Y", "-tt", "-T", "-n", "-i", "-r", "-C"],
    ];
    for (number, options) in all.into_iter().enumerate() {
        let to_file = number % 2 == 0;
        let ways = if is_emulated() { vec![to_file] } else { vec![true, false] };
        for to_file in ways {
            let trace = lab.text("trace");
            let mut all = options.to_vec();
            if to_file {
                all.extend(["-o", &trace]);
            }
            let run = lab.strace(&all, &PROGRAM);
            assert_eq!(run.code, 0, "{all:?}: {}", run.stderr);
            if !to_file {
                fs::write(&trace, &run.stderr).unwrap();
            }
            let why = lab.text("why");
            let made = batten(&["record", "strace", "--provenance", &why, &trace]);
            assert_eq!(made.code, 0, "{all:?}: {}", made.stderr);
            let mut found = recorded(&lab.read("why"));
            if options.contains(&"-c") {
                // A table counts calls that returned: exit_group never does, and is in every profile for that reason.
                assert!(allowed(&made.stdout).contains(&"exit_group".to_owned()));
                found.insert("exit_group".to_owned());
            }
            assert_eq!(found, wanted, "{all:?}");
            if to_file {
                assert!(!made.stderr.contains("could not be read"), "{all:?}: {}", made.stderr);
                assert!(!made.stderr.contains("stop in the middle"), "{all:?}: {}", made.stderr);
            } else {
                // The program's own messages are in there, and nothing else that cannot be read.
                let mut unread = made.stderr.lines().filter(|line| line.contains("/trace:"));
                assert!(
                    unread.all(|line| line.contains("cat: ") || line.contains("mkdir: ")),
                    "{all:?}: {}",
                    made.stderr
                );
            }
        }
    }
}

#[test]
fn a_folder_of_ff_and_standard_input_are_read_too() {
    let (true, Some(lab)) = (has("strace"), Lab::new()) else { return };
    let wanted = plain(&lab);
    fs::create_dir(lab.path("logs")).unwrap();
    assert_eq!(lab.strace(&["-ff", "-tt", "-o", &lab.text("logs/t")], &PROGRAM).code, 0);
    let from_folder = batten(&["record", "strace", "--provenance", &lab.text("why"), &lab.text("logs")]);
    assert_eq!(from_folder.code, 0, "{}", from_folder.stderr);
    assert_eq!(recorded(&lab.read("why")), wanted);

    assert_eq!(lab.strace(&["-f", "-o", &lab.text("trace")], &PROGRAM).code, 0);
    let stdin = Stdio::from(fs::File::open(lab.path("trace")).unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_batten"));
    let from_stdin = ran(command.args(["record", "strace", "-"]).stdin(stdin).output().unwrap());
    assert_eq!(allowed(&from_stdin.stdout), allowed(&from_folder.stdout));
}

#[test]
fn a_32_bit_program_is_recorded_as_such() {
    let (true, Some(lab)) = (has("strace"), Lab::new()) else { return };
    if !lab.put("small32") {
        return;
    }
    for options in [&["-f"][..], &["-f", "-n", "-o", &lab.text("trace")], &["-f", "-c", "-o", &lab.text("trace")]] {
        let run = lab.strace(options, &["/bin/small32"]);
        if options == ["-f"] {
            fs::write(lab.path("trace"), &run.stderr).unwrap();
        }
        let made = batten(&["record", "strace", &lab.text("trace")]);
        assert!(made.stdout.contains("SCMP_ARCH_X86\""), "{options:?}: {}\n{}", made.stdout, lab.read("trace"));
    }
    // With -o FILE strace keeps the change to itself, and these three calls are in both tables.
    lab.strace(&["-f", "-o", &lab.text("trace")], &["/bin/small32"]);
    let made = batten(&["record", "strace", "--compat", &lab.text("trace")]);
    assert!(made.stdout.contains("SCMP_ARCH_X86\""), "{}", made.stdout);
}

#[test]
fn refused_calls_and_unreadable_lines_are_said() {
    let (true, Some(lab)) = (has("strace"), Lab::new()) else { return };
    let trace = lab.text("trace");
    let inject = ["-f", "-o", &trace, "-e", "inject=getuid:error=EPERM", "-e", "inject=getppid:error=ENOSYS"];
    assert_eq!(lab.strace(&inject, &["/bin/sh", "-c", "id -u"]).code, 0);
    let mut text = lab.read("trace");
    text.push_str("this is no trace\n7 openat(AT_FDCWD, \"/etc/pass");
    fs::write(lab.path("trace"), text).unwrap();
    let made = batten(&["record", "strace", &trace, "--provenance", &lab.text("why"), "--refused", "keep"]);
    assert_eq!(made.code, 0);
    for said in [
        "getuid was refused with EPERM",
        "getppid was refused with ENOSYS",
        "this is no trace",
        "1 line stops in the middle",
    ] {
        assert!(made.stderr.contains(said), "{said}: {}", made.stderr);
    }
    assert!(lab.read("why").contains("REFUSED each time"));
    assert!(!allowed(&made.stdout).contains(&"getuid".to_owned()));
    assert_eq!(batten(&["record", "strace", "--strict", &trace]).code, 1);
}

#[test]
fn nonsense_is_refused_with_a_hint() {
    let Some(lab) = Lab::new() else { return };
    fs::write(lab.path("nonsense"), "hello\nworld\n").unwrap();
    fs::write(lab.path("zipped"), [0x1f, 0x8b, 8, 0]).unwrap();
    fs::create_dir(lab.path("empty")).unwrap();
    for (args, code) in [
        (vec![lab.text("nonsense")], 3),
        (vec![lab.text("zipped")], 3),
        (vec![lab.text("empty")], 3),
        (vec![lab.text("absent")], 3),
        (vec!["--runtime".to_owned(), "lxc".to_owned(), lab.text("nonsense")], 4),
        (vec![], 4),
    ] {
        let mut all = vec!["record", "strace"];
        all.extend(args.iter().map(String::as_str));
        let run = batten(&all);
        assert_eq!(run.code, code, "{args:?}: {}", run.stderr);
        assert!(run.stdout.is_empty());
        assert!(code == 4 || run.stderr.contains("hint: "), "{}", run.stderr);
    }
    let binary = batten(&["record", "strace", env!("CARGO_BIN_EXE_batten")]);
    assert!(binary.code == 3 && binary.stderr.contains("is no text"), "{}", binary.stderr);
    // Each of these bytes takes six characters to show.
    fs::write(lab.path("control"), [&b"read(0, \"\", 1) = 0\n"[..], &[1; 1000]].concat()).unwrap();
    let control = batten(&["record", "strace", &lab.text("control")]);
    let longest = control.stderr.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(control.code == 0 && longest < 250, "what is no text is not shown at length: {}", control.stderr);
}
