//! The recorded profile lets its program run, and not another one.

use crate::lab::{Lab, batten, has, is_root};

const WORK: [&str; 3] = ["/bin/sh", "-c", "ls /bin > /dev/null; echo done"];
/// chroot(2) is in no profile of the above.
const OTHER: [&str; 4] = ["/bin/chroot", "/", "/bin/echo", "done"];

#[test]
fn under_its_profile_the_program_runs_and_another_fails() {
    if !is_root() || !has("strace") {
        return;
    }
    let Some(lab) = Lab::new() else { return };
    assert_eq!(lab.strace(&["-f", "-o", &lab.text("trace")], &WORK).code, 0);
    // strace saw chroot(1) itself as well: what it did before it became the shell is not the program's.
    let trace: String = lab
        .read("trace")
        .lines()
        .skip_while(|line| !line.contains("execve(\"/bin/sh\""))
        .fold(String::new(), |all, line| all + line + "\n");
    assert!(trace.contains("execve(\"/bin/sh\""));
    std::fs::write(lab.path("trace"), trace).unwrap();
    for runtime in ["runc", "crun"] {
        if !has(runtime) {
            continue;
        }
        for no_new_privs in [true, false] {
            for arguments in [true, false] {
                let trace = lab.text("trace");
                let mut args = vec!["record", "strace", &trace, "--runtime", runtime];
                args.extend(no_new_privs.then_some("--no-new-privs"));
                args.extend(arguments.then_some("--args"));
                let made = batten(&args);
                assert_eq!(made.code, 0, "{}", made.stderr);
                let run = |program: &[&str]| lab.run(runtime, program, Some(&made.stdout), no_new_privs);
                let own = run(&WORK);
                assert_eq!((own.code, own.stdout.trim()), (0, "done"), "{args:?}: {}\n{}", own.stderr, made.stdout);
                let other = run(&OTHER);
                assert!(
                    other.code != 0 && other.stderr.contains("not permitted"),
                    "{args:?}: {} {}",
                    other.code,
                    other.stderr
                );
            }
        }
    }
}

#[test]
fn a_32_bit_program_runs_under_its_profile_and_dies_under_a_64_bit_one() {
    if !is_root() || !has("strace") {
        return;
    }
    let Some(lab) = Lab::new() else { return };
    if !lab.put("small32") {
        return;
    }
    lab.strace(&["-f", "-n", "-o", &lab.text("trace")], &["/bin/small32"]);
    let mixed = batten(&["record", "strace", &lab.text("trace")]).stdout;
    let native = mixed.replace(",\n    \"SCMP_ARCH_X86\"", "");
    assert_ne!(mixed, native);
    for runtime in ["runc", "crun"] {
        if !has(runtime) {
            continue;
        }
        let own = lab.run(runtime, &["/bin/small32"], Some(&mixed), true);
        assert_eq!((own.code, own.stdout.trim()), (0, "32"), "{runtime}: {}", own.stderr);
        assert_ne!(lab.run(runtime, &["/bin/small32"], Some(&native), true).code, 0, "{runtime}");
    }
}

#[test]
fn a_profile_in_groups_goes_through_a_policy_and_runs_its_program_and_not_another() {
    if !is_root() || !has("strace") {
        return;
    }
    let Some(lab) = Lab::new() else { return };
    assert_eq!(lab.strace(&["-f", "-o", &lab.text("trace")], &WORK).code, 0);
    let trace: String = lab
        .read("trace")
        .lines()
        .skip_while(|line| !line.contains("execve(\"/bin/sh\""))
        .fold(String::new(), |all, line| all + line + "\n");
    std::fs::write(lab.path("trace"), trace).unwrap();
    let (profile, trace) = (lab.text("web.toml"), lab.text("trace"));
    let wrong = batten(&["record", "strace", &trace, "--format", "groups", "--output", &lab.text("web.json")]);
    assert!(wrong.code == 4 && wrong.stderr.contains(".toml") && !lab.path("web.json").exists(), "{}", wrong.stderr);
    for runtime in ["runc", "crun"] {
        if !has(runtime) {
            continue;
        }
        for no_new_privs in [true, false] {
            let mut args = vec!["record", "strace", &trace, "--args", "--runtime", runtime, "--format", "groups"];
            args.extend(no_new_privs.then_some("--no-new-privs"));
            args.extend(["--output", &profile]);
            let made = batten(&args);
            assert_eq!(made.code, 0, "{}", made.stderr);
            std::fs::write(lab.path("policy.toml"), format!("[seccomp]\nprofile = \"{profile}\"\n")).unwrap();
            let run = |program: &[&str]| {
                lab.bundle(program, None, no_new_privs);
                let applied = batten(&["apply", "--policy", &lab.text("policy.toml"), &lab.text(".")]);
                assert_eq!(applied.code, 0, "{}", applied.stderr);
                lab.start(runtime)
            };
            let own = run(&WORK);
            assert_eq!(
                (own.code, own.stdout.trim()),
                (0, "done"),
                "{args:?}: {}\n{}",
                own.stderr,
                lab.read("web.toml")
            );
            let other = run(&OTHER);
            assert!(other.code != 0 && other.stderr.contains("not permitted"), "{}", other.stderr);
        }
    }
}
