//! Whatever the backend, the calls are those that strace sees, and the profile is the program's.

use batten::record::live::RUNTIMES_OWN_CALLS;

use super::seen::straced;
use super::{BACKENDS, on_every_runtime, recorded};
use crate::lab::{has, is_emulated};

/// Programs of the shell, of children, of pipes; and one that has nothing to do with them.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "ls /bin | cat > /dev/null; (echo a; cat /none); chroot / true; true"];

#[test]
fn every_backend_sees_what_strace_sees() {
    if !has("strace") {
        return;
    }
    on_every_runtime(|lab, runtime| {
        let threads = lab.put("threads");
        let small = lab.put("small32");
        let programs = [
            // A fork during which another child ends is begun anew by the kernel (ERESTARTNOINTR).
            (true, &SHELL[..], Some(&["clone"][..])),
            (true, &["/bin/ls", "-l", "/bin"], Some(&[])),
            // How often threads wait for each other, and whether at all, is up to the scheduler.
            (threads, &["/bin/threads"], None),
            (small, &["/bin/small32"], Some(&[])),
            (small, &["/bin/sh", "-c", "small32; small32"], Some(&[])),
        ];
        for (_, program, unsteady) in programs.into_iter().filter(|(built, ..)| *built) {
            lab.bundle(program, None, true);
            let wanted = straced(lab, runtime);
            assert!(wanted.calls.len() > 2, "{wanted:?}");
            for backend in BACKENDS {
                let mut left_out = if backend == "notify" { RUNTIMES_OWN_CALLS.to_vec() } else { Vec::new() };
                if unsteady.is_none() {
                    left_out.push("futex");
                }
                let wanted = wanted.without(&left_out);
                let (run, seen) = recorded(lab, runtime, &["--backend", backend]);
                let seen = if unsteady.is_none() { seen.without(&left_out) } else { seen };
                assert!(run.code == 0 || program == SHELL, "{}", run.stderr);
                assert_eq!(seen.names(), wanted.names(), "{backend} on {runtime}: {program:?}");
                if let Some(unsteady) = unsteady {
                    let (seen, wanted) = (seen.without(unsteady).counts(), wanted.without(unsteady).counts());
                    assert_eq!(seen, wanted, "{backend} on {runtime}: {program:?}");
                }
            }
        }
    });
}

#[test]
fn under_its_live_profile_the_program_runs_and_another_fails() {
    const WORK: [&str; 3] = ["/bin/sh", "-c", "ls /bin > /dev/null; echo done"];
    on_every_runtime(|lab, runtime| {
        for backend in BACKENDS {
            for arguments in [&["--args"][..], &[]].into_iter().take(if is_emulated() { 1 } else { 2 }) {
                lab.bundle(&WORK, None, true);
                let (run, _) = recorded(lab, runtime, &[&["--backend", backend], arguments].concat());
                assert_eq!(run.code, 0, "{}", run.stderr);
                let own = lab.run(runtime, &WORK, Some(&run.stdout), true);
                assert_eq!((own.code, own.stdout.trim()), (0, "done"), "{backend}: {}\n{}", own.stderr, run.stdout);
                let other = lab.run(runtime, &["/bin/chroot", "/", "/bin/echo", "done"], Some(&run.stdout), true);
                assert!(other.code != 0 && other.stderr.contains("not permitted"), "{backend}: {}", other.stderr);
            }
        }
    });
}

#[test]
fn a_32_bit_program_is_recorded_as_such() {
    on_every_runtime(|lab, runtime| {
        if !lab.put("small32") {
            return;
        }
        for backend in BACKENDS {
            lab.bundle(&["/bin/small32"], None, true);
            let (run, seen) = recorded(lab, runtime, &["--backend", backend]);
            let of = |arch: &str| seen.calls.keys().filter(|(known, _)| known == arch).count();
            let own = if backend == "notify" { 1 } else { 3 };
            assert_eq!((of("SCMP_ARCH_X86"), of("SCMP_ARCH_X86_64")), (own, 0), "{backend}: {seen:?}");
            let own = lab.run(runtime, &["/bin/small32"], Some(&run.stdout), true);
            assert_eq!((own.code, own.stdout.trim()), (0, "32"), "{backend}: {}", own.stderr);
        }
    });
}
