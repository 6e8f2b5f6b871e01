use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

use super::*;

fn args(line: &[&str]) -> Vec<OsString> {
    line.iter().map(OsString::from).collect()
}

fn runc(line: &[&str]) -> Result<Invocation, ArgvError> {
    Invocation::parse(&args(line), Dialect::Runc)
}

fn crun(line: &[&str]) -> Result<Invocation, ArgvError> {
    Invocation::parse(&args(line), Dialect::Crun)
}

fn common(line: &[&str]) -> Result<Invocation, ArgvError> {
    Invocation::parse(&args(line), Dialect::Common)
}

fn launch(invocation: Result<Invocation, ArgvError>) -> Launch {
    match invocation.unwrap().command {
        Command::Launch(launch) => launch,
        other => panic!("not a launch: {other:?}"),
    }
}

fn exec(invocation: Result<Invocation, ArgvError>) -> Exec {
    match invocation.unwrap().command {
        Command::Exec(exec) => exec,
        other => panic!("not an exec: {other:?}"),
    }
}

#[test]
fn the_bundle_is_found_in_every_spelling_that_both_runtimes_share() {
    for line in [
        &["create", "--bundle", "/b", "c1"][..],
        &["create", "--bundle=/b", "c1"],
        &["create", "-b", "/b", "c1"],
        &["--root", "/r", "--log=/l", "--debug", "create", "-b", "/b", "--pid-file", "/p", "c1"],
        &["run", "--no-pivot", "-b", "/b", "--", "c1"],
        &["restore", "-b", "/b", "--image-path", "/i", "c1"],
    ] {
        for parse in [runc, crun, common] {
            let launch = launch(parse(line));
            assert_eq!((launch.bundle(), &*launch.id), (Some(OsStr::new("/b")), "c1"), "{line:?}");
        }
    }
}

#[test]
fn without_a_bundle_option_it_is_the_current_directory() {
    assert_eq!(launch(runc(&["create", "c1"])).bundle(), None);
}

#[test]
fn runc_takes_one_dash_for_two() {
    let invocation = runc(&["-root", "/r", "-log=/l", "create", "-bundle", "/b", "-b=/b", "c1"]);
    assert_eq!(invocation, Err(ArgvError::Repeated { option: "--bundle".into() }));
    let invocation = runc(&["-root", "/r", "-log=/l", "create", "-bundle=/b", "c1"]).unwrap();
    assert_eq!(invocation.global("root"), Some(OsStr::new("/r")));
    assert_eq!(invocation.words(), args(&["--root=/r", "--log=/l", "create", "--bundle=/b", "c1"]));
}

#[test]
fn runc_takes_options_behind_the_id_and_crun_does_not() {
    let line = ["create", "c1", "--bundle", "/b"];
    assert_eq!(launch(runc(&line)).bundle(), Some(OsStr::new("/b")));
    assert!(matches!(crun(&line), Err(ArgvError::ExtraArgument { .. })));
    assert!(matches!(common(&line), Err(ArgvError::ExtraArgument { .. })));
}

#[test]
fn crun_takes_a_value_stuck_to_its_letter_and_runc_does_not() {
    assert_eq!(launch(crun(&["create", "-b/b", "c1"])).bundle(), Some(OsStr::new("/b")));
    assert!(matches!(runc(&["create", "-b/b", "c1"]), Err(ArgvError::UnknownOption { .. })));
    assert!(matches!(common(&["create", "-b/b", "c1"]), Err(ArgvError::UnknownOption { .. })));
}

#[test]
fn a_word_that_runc_and_crun_read_differently_is_never_taken_for_the_other_reading() {
    // runc: --bundle /b. crun: -b with the folder "undle".
    assert_eq!(launch(runc(&["create", "-bundle", "/b", "c1"])).bundle(), Some(OsStr::new("/b")));
    assert!(matches!(crun(&["create", "-bundle", "b", "c1"]), Err(ArgvError::ExtraArgument { .. })));
    // runc: the folder "/b". crun: the folder "=/b".
    assert_eq!(launch(runc(&["create", "-b=/b", "c1"])).bundle(), Some(OsStr::new("/b")));
    assert!(matches!(crun(&["create", "-b=/b", "c1"]), Err(ArgvError::UnknownOption { .. })));
    // crun: a terminal called "d", and no detaching.
    assert!(matches!(crun(&["exec", "-td", "c1", "sh"]), Err(ArgvError::UnknownOption { .. })));
}

#[test]
fn abbreviations_are_refused_though_argp_takes_them() {
    assert!(matches!(crun(&["create", "--bun", "/b", "c1"]), Err(ArgvError::UnknownOption { .. })));
    assert!(matches!(crun(&["--ro", "/r", "create", "c1"]), Err(ArgvError::UnknownGlobal { .. })));
}

#[test]
fn a_root_called_create_does_not_make_a_create() {
    let invocation = runc(&["--root", "create", "state", "c1"]).unwrap();
    assert_eq!(invocation.command, Command::Passed(args(&["state", "c1"])));
    assert_eq!(invocation.words(), args(&["--root=create", "state", "c1"]));
    // And one called "state" does not hide it.
    assert!(runc(&["--root", "state", "create", "c1"]).unwrap().is_judged());
}

#[test]
fn what_follows_the_id_of_an_exec_is_the_users() {
    let line = ["exec", "--pid-file", "/p", "c1", "sh", "-c", "create --process /evil", "--process", "/evil", "--"];
    for parse in [runc, crun, common] {
        let exec = exec(parse(&line));
        assert_eq!(exec.process(), None);
        assert_eq!(exec.command, args(&line[4..]));
    }
}

#[test]
fn an_empty_first_word_of_the_users_command_is_refused() {
    for word in ["", " ", "\t\n"] {
        assert_eq!(runc(&["exec", "c1", word, "--process=/evil"]), Err(ArgvError::EmptyCommand));
    }
}

#[test]
fn the_process_file_of_an_exec_is_found_in_every_spelling() {
    for line in [
        &["exec", "--process", "/p.json", "c1"][..],
        &["exec", "--process=/p.json", "--detach", "c1"],
        &["exec", "-d", "-p", "/p.json", "c1"],
    ] {
        for parse in [runc, crun, common] {
            assert_eq!(exec(parse(line)).process(), Some(OsStr::new("/p.json")), "{line:?}");
        }
    }
    assert_eq!(exec(runc(&["exec", "-process", "/p.json", "c1"])).process(), Some(OsStr::new("/p.json")));
    assert_eq!(exec(crun(&["exec", "-p/p.json", "c1"])).process(), Some(OsStr::new("/p.json")));
}

#[test]
fn an_exec_with_a_file_hands_on_neither_a_command_nor_what_shapes_the_process() {
    let line = ["exec", "--cap", "CAP_SYS_ADMIN", "--no-new-privs=false", "-t", "--process", "/p", "-d", "c1", "sh"];
    let mut invocation = runc(&line).unwrap();
    let Command::Exec(exec) = &mut invocation.command else { panic!() };
    exec.set_process("/proc/self/fd/9".into());
    assert_eq!(invocation.words(), args(&["exec", "--detach", "--process=/proc/self/fd/9", "c1"]));
}

#[test]
fn capabilities_and_environment_of_an_exec_may_repeat_and_nothing_else_may() {
    let exec = exec(runc(&["exec", "-c", "CAP_KILL", "--cap=CAP_CHOWN", "-e", "A=1", "--env", "B=2", "c1", "sh"]));
    assert_eq!(exec.values("cap").collect::<Vec<_>>(), ["CAP_KILL", "CAP_CHOWN"]);
    assert_eq!(exec.values("env").collect::<Vec<_>>(), ["A=1", "B=2"]);
    for line in [
        &["create", "-b", "/a", "--bundle", "/b", "c1"][..],
        &["exec", "-p", "/a", "-p", "/b", "c1"],
        &["exec", "--apparmor", "a", "--apparmor", "b", "c1", "sh"],
    ] {
        for parse in [runc, crun, common] {
            assert!(matches!(parse(line), Err(ArgvError::Repeated { .. })), "{line:?}");
        }
    }
}

#[test]
fn of_a_repeated_global_option_the_last_one_counts() {
    let invocation = runc(&["--root", "/a", "--debug", "--root=/b", "list"]).unwrap();
    assert_eq!(invocation.words(), args(&["--debug", "--root=/b", "list"]));
}

#[test]
fn go_booleans_are_read_and_written_plainly() {
    let invocation = runc(&["--systemd-cgroup=true", "--debug=F", "create", "--no-pivot=0", "c1"]).unwrap();
    assert_eq!(invocation.words(), args(&["--systemd-cgroup", "create", "c1"]));
    assert!(matches!(runc(&["--debug=yes", "list"]), Err(ArgvError::NotABool { .. })));
    assert!(matches!(crun(&["--debug=true", "list"]), Err(ArgvError::UnexpectedValue { .. })));
    assert_eq!(exec(crun(&["exec", "--tty=false", "c1", "sh"])).flag("tty"), Some(false));
    assert_eq!(exec(crun(&["exec", "--tty=yes", "c1", "sh"])).flag("tty"), Some(true));
}

#[test]
fn crun_is_not_given_rootless_which_it_once_took_for_root() {
    assert_eq!(crun(&["--rootless=true", "list"]).unwrap().words(), args(&["list"]));
    assert_eq!(runc(&["--rootless=true", "list"]).unwrap().words(), args(&["--rootless=true", "list"]));
}

#[test]
fn only_crun_has_a_config_option() {
    assert_eq!(launch(crun(&["create", "-f", "x.json", "c1"])).config(), Some(OsStr::new("x.json")));
    for parse in [runc, common] {
        assert!(matches!(parse(&["create", "--config", "x.json", "c1"]), Err(ArgvError::UnknownOption { .. })));
    }
}

#[test]
fn what_is_not_known_is_refused() {
    assert!(matches!(runc(&["--frob", "create", "c1"]), Err(ArgvError::UnknownGlobal { .. })));
    assert!(matches!(runc(&["init"]), Err(ArgvError::UnknownCommand { .. })));
    assert!(matches!(runc(&["Create", "c1"]), Err(ArgvError::UnknownCommand { .. })));
    assert!(matches!(runc(&["create", "--frob", "c1"]), Err(ArgvError::UnknownOption { .. })));
    assert!(matches!(runc(&["create", "--root", "/r", "c1"]), Err(ArgvError::UnknownOption { .. })));
    assert!(matches!(runc(&["--", "create", "c1"]), Err(ArgvError::UnknownGlobal { .. })));
}

#[test]
fn empty_and_missing_values_are_refused() {
    assert!(matches!(runc(&["create", "--bundle=", "c1"]), Err(ArgvError::EmptyValue { .. })));
    assert!(matches!(runc(&["create", "--bundle", "", "c1"]), Err(ArgvError::EmptyValue { .. })));
    assert!(matches!(runc(&["exec", "--process", "", "c1"]), Err(ArgvError::EmptyValue { .. })));
    assert!(matches!(runc(&["create", "c1", "--bundle"]), Err(ArgvError::MissingValue { .. })));
    assert!(matches!(runc(&["create", "--preserve-fds", "0x3", "c1"]), Err(ArgvError::NotANumber { .. })));
}

#[test]
fn ids_that_leave_the_runtimes_root_are_refused() {
    for id in ["", ".", "..", "../x", "a/b", "a\0b", "-x", "--", ".hidden", " c1", "c1\n", "ü", &"x".repeat(256)] {
        assert!(runc(&["create", id]).is_err(), "{id:?}");
        assert!(crun(&["exec", id, "sh"]).is_err(), "{id:?}");
    }
}

#[test]
fn help_and_version_reach_the_runtime_and_nothing_else_does() {
    for (line, words) in [
        (&["--version", "create", "c1"][..], &["--version"][..]),
        (&["-v"], &["--version"]),
        (&["--root", "/r", "--help", "create"], &["--root=/r", "--help"]),
        (&["create", "--help", "--bundle", "/b", "c1"], &["create", "--help"]),
        (&["exec", "-h"], &["exec", "--help"]),
        (&[], &[]),
    ] {
        assert_eq!(runc(line).unwrap().words(), args(words), "{line:?}");
        assert!(!runc(line).unwrap().is_judged());
    }
    assert_eq!(crun(&["-?"]).unwrap().words(), args(&["--help"]));
    assert!(matches!(runc(&["--version=false", "create", "c1"]), Err(ArgvError::UnexpectedValue { .. })));
}

#[test]
fn subcommands_that_start_nothing_keep_their_words() {
    let line = ["kill", "--all", "c1", "-9", "--bundle=/x", "create", ""];
    assert_eq!(runc(&line).unwrap().words(), args(&line));
}

#[test]
fn a_value_that_is_not_utf8_is_kept_byte_for_byte() {
    let path = OsString::from_vec(b"/b\xff".to_vec());
    let line = [OsString::from("create"), OsString::from("--bundle"), path.clone(), OsString::from("c1")];
    let invocation = Invocation::parse(&line, Dialect::Runc).unwrap();
    assert_eq!(launch(Ok(invocation.clone())).bundle(), Some(path.as_os_str()));
    assert_eq!(invocation.words()[1], OsString::from_vec(b"--bundle=/b\xff".to_vec()));
}

#[test]
fn every_refusal_has_a_hint() {
    for line in [&["frob"][..], &["--frob"], &["create"], &["create", "a", "b"], &["exec", "c1"], &["create", "-b"]] {
        assert!(!runc(line).unwrap_err().hint().is_empty());
    }
}

fn word() -> impl Strategy<Value = OsString> {
    let known = prop::sample::select(
        "create run restore exec state kill init --root -root --root=/r --bundle -b -b=/b -b/b --bundle=/b --config -f --process -p \
         -p/x --process=/p --cap -c --cap=CAP_KILL --detach -d -td -dt --tty --tty=false -t --debug --debug=true --help -h -? \
         --version -v --rootless --no-pivot --no-new-privs=false --preserve-fds 3 c1 c2 /p -- - --env A=1 sh --network-lock"
            .split_whitespace()
            .collect::<Vec<_>>(),
    );
    prop_oneof![
        9 => known.prop_map(OsString::from),
        1 => prop::collection::vec(1u8..=255, 0..6).prop_map(OsString::from_vec),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_line_that_is_handed_on_means_what_was_read(
        line in prop::collection::vec(word(), 0..10),
        dialect in prop::sample::select(vec![Dialect::Runc, Dialect::Crun, Dialect::Common]),
    ) {
        check_reemission(&line, dialect);
    }
}
